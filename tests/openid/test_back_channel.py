"""Where a logout token may go, and how long that may take."""

import contextlib
import socket
import ssl
import threading
import time
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from orestapi.openid import back_channel, logout
from orestapi.openid.back_channel import Outcome

LOOPBACK = frozenset({'127.0.0.1', 'localhost'})


@pytest.mark.parametrize(
    'address',
    [
        '127.0.0.1', '0.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '224.0.0.1',
        '255.255.255.255', '192.0.2.1', '198.18.0.1', '240.0.0.1', '::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1',
        'ff02::1', '2001:db8::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::a00:1', '64:ff9b::7f00:1',
        '2002:7f00:1::', '2002:a00:1::',
    ],
)  # fmt: skip
def test_n338_private_addresses(address):
    assert not back_channel.is_public(address)


@pytest.mark.parametrize('address', ['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])
def test_n338_public_addresses(address):
    assert back_channel.is_public(address)


def test_n338_one_look_up(monkeypatch):
    """The address that was checked is the one that is called (DNS rebinding)."""
    answers = [['8.8.8.8'], ['127.0.0.1']]
    called = []
    monkeypatch.setattr(
        socket, 'getaddrinfo', lambda host, port, **_kwargs: [(2, 1, 6, '', (ip, port)) for ip in answers.pop(0)]
    )

    def create_connection(address, timeout):
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, 'create_connection', create_connection)
    assert back_channel.send('https://wiki.example.com/logout', 't', frozenset()) is Outcome.UNREACHABLE
    assert called == [('8.8.8.8', 443)]
    # One of two is enough to refuse.
    answers[:] = [['8.8.8.8', '10.0.0.1']]
    assert back_channel.send('https://wiki.example.com/logout', 't', frozenset()) is Outcome.INTERNAL
    assert len(called) == 1


def test_n338_slow_look_up(monkeypatch):
    monkeypatch.setattr(socket, 'getaddrinfo', lambda *_args, **_kwargs: time.sleep(2) or [])
    started = time.monotonic()
    assert back_channel.send('https://wiki.example.com/', 't', frozenset(), timeout=0.3) is Outcome.UNREACHABLE
    assert time.monotonic() - started < 1


@pytest.mark.parametrize('numeric', ['http://2130706433/', 'http://0x7f.1/', 'http://127.1/'])
def test_n338_numeric_hosts(numeric):
    """What the resolver of the system takes for an address of this computer."""
    assert back_channel.send(numeric, 't', frozenset(), timeout=1) in (Outcome.INTERNAL, Outcome.UNREACHABLE)


@contextlib.contextmanager
def serve(behave):
    """Yield the port of a server that does what it is told with each connection."""
    with socket.create_server(('127.0.0.1', 0)) as server:

        def run():
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = server.accept()
                    with connection, contextlib.suppress(OSError, ValueError):
                        behave(connection)

        threading.Thread(target=run, daemon=True).start()
        yield server.getsockname()[1]


def drip(connection, text=b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 1000):
    connection.recv(65536)
    for byte in text:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


@pytest.mark.parametrize(
    ('behave', 'outcome'),
    [
        (drip, Outcome.UNREACHABLE),
        (lambda connection: time.sleep(2), Outcome.UNREACHABLE),
        (lambda connection: connection.sendall(b'SSH-2.0-OpenSSH\r\n'), Outcome.UNREACHABLE),
        (lambda connection: connection.sendall(b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 100_000), Outcome.UNREACHABLE),
        (lambda connection: (connection.recv(65536), connection.sendall(b'HTTP/1.1 204 No\r\n\r\n')), Outcome.DONE),
        (
            lambda connection: (
                connection.recv(65536),
                connection.sendall(b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n' + b'x' * 10_000_000),
            ),
            Outcome.DONE,
        ),
    ],
)
def test_n338_peers(behave, outcome):
    with serve(behave) as port:
        started = time.monotonic()
        assert back_channel.send(f'http://127.0.0.1:{port}/', 't', LOOPBACK, timeout=0.5) is outcome
        assert time.monotonic() - started < 1.5


def test_n338_tls_handshake_hangs():
    with serve(lambda connection: time.sleep(2)) as port:
        started = time.monotonic()
        uri = f'https://127.0.0.1:{port}/'
        assert back_channel.send(uri, 't', LOOPBACK, timeout=0.5) is Outcome.UNREACHABLE
        assert time.monotonic() - started < 1.5


def test_n338_bad_certificate(tmp_path):
    """Nobody trusts a certificate that a server has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, '127.0.0.1')])
    now = datetime.now(timezone.utc)
    certificate = (
        x509
        .CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address('127.0.0.1'))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / 'server.pem'
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    def behave(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)

    with serve(behave) as port:
        assert back_channel.send(f'https://127.0.0.1:{port}/', 't', LOOPBACK) is Outcome.CERTIFICATE


def test_n338_tries():
    """At 0, 1, 5 and 30 minutes."""
    moments = [0]
    while (delay := logout.get_delay(len(moments))) is not None:
        moments.append(moments[-1] + delay)
    assert moments == [0, 60, 300, 1800]
