"""Sending a logout token to an application (Back-Channel Logout 1.0 §2.5)."""

import contextlib
import enum
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from urllib.parse import urlencode, urlsplit

from ..oauth2 import redirect_uris
from .logout import TIMEOUT

#: IPv6 addresses that a gateway translates into the IPv4 address at their end (RFC 6052 §2.1).
NAT64 = ipaddress.IPv6Network('64:ff9b::/96')

#: Statuses that say "try again", besides all of 500 and more.
TEMPORARY = (408, 429)


class Outcome(enum.Enum):
    """What became of a call."""

    DONE = 'done'
    #: The answer is a redirect, which is not followed.
    REDIRECT = 'redirect'
    #: The application says that it cannot do it (Back-Channel §2.8), or there is nothing at the URI.
    REFUSED = 'refused'
    #: The host has an address in a private network, and is not on the list.
    INTERNAL = 'internal'
    #: The application or what is before it has failed.
    FAILED = 'failed'
    #: There is no such host, or it did not answer in time.
    UNREACHABLE = 'unreachable'
    #: The certificate is not that of the host, or nobody trusts it.
    CERTIFICATE = 'certificate'

    @property
    def is_temporary(self):
        """Whether the same call may succeed later."""
        return self in (Outcome.FAILED, Outcome.UNREACHABLE, Outcome.CERTIFICATE)


class InternalAddress(Exception):
    """The host is not on the internet, and not on the list."""


def parse_hosts(text):
    """Return the hosts of the setting *Internal Hosts*, in lower case.

    :param text: the setting, with blanks or commas between the hosts, or a false value
    """
    return frozenset((text or '').lower().replace(',', ' ').split())


def is_host(text):
    """Return whether a text is a host name or an IP address as a URI has it, without brackets.

    :param str text: in lower case
    """
    host = f'[{text}]' if ':' in text else text
    return '/' not in text and redirect_uris.find_defect(f'https://{host}/') is None and not urlsplit(f'//{host}').port


def is_acceptable(uri):
    """Return whether an application may be called at a URI: with TLS, or on the computer of the server.

    :param str uri: one without a defect, see `redirect_uris.find_defect`
    """
    return urlsplit(uri).scheme == 'https' or (urlsplit(uri).scheme == 'http' and redirect_uris.is_loopback(uri))


def is_public(address):
    """Return whether an IP address is one of the internet, and not of a private network or this computer.

    :param str address: IPv4 or IPv6, perhaps with a zone
    """
    address = ipaddress.ip_address(address.partition('%')[0])
    if address.version == 6:
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner:
            address = inner
    return address.is_global and not address.is_multicast


def send(uri, token, internal_hosts, timeout=TIMEOUT):
    """Send a logout token, and return the `Outcome`. Nothing of the body of the answer is read.

    :param str uri: where the application wants to be told
    :param str token: the logout token
    :param internal_hosts: the hosts that may be called although they are not on the internet, in lower case
    :param float timeout: seconds for all of it
    """
    try:
        status = _post(uri, urlencode({'logout_token': token}).encode('ascii'), internal_hosts, timeout)
    except InternalAddress:
        return Outcome.INTERNAL
    except ssl.SSLCertVerificationError:
        return Outcome.CERTIFICATE
    except (OSError, http.client.HTTPException, ValueError):
        # `ValueError` is that of a TLS connection which the timer has shut down.
        return Outcome.UNREACHABLE
    if status in (200, 204):
        return Outcome.DONE
    if 300 <= status < 400:
        return Outcome.REDIRECT
    return Outcome.FAILED if status >= 500 or status in TEMPORARY else Outcome.REFUSED


def _post(uri, body, internal_hosts, timeout):
    deadline = time.monotonic() + timeout
    parts = urlsplit(uri)
    is_tls = parts.scheme == 'https'
    port = parts.port or (443 if is_tls else 80)
    addresses = _resolve(parts.hostname, port, timeout)
    if parts.hostname.lower() not in internal_hosts and not all(map(is_public, addresses)):
        raise InternalAddress
    connection = _Connection(parts.hostname, port, addresses, is_tls, deadline)
    # The timeout of a socket is for each read; this is for all of them, also where the answer
    # comes byte by byte.
    timer = threading.Timer(_get_rest(deadline), connection.shut_down)
    timer.daemon = True
    timer.start()
    try:
        connection.request(
            'POST',
            f'{parts.path or "/"}{"?" if parts.query else ""}{parts.query}',
            body,
            {
                'Host': parts.netloc,
                'Content-Type': 'application/x-www-form-urlencoded',
                'Accept': '*/*',
                'User-Agent': 'orestapi',
                'Connection': 'close',
            },
        )
        return connection.getresponse().status
    finally:
        timer.cancel()
        connection.close()


def _resolve(host, port, timeout):
    """Return the addresses of a host, at least one.

    Looked up once: a second look-up could be answered with another address than the one
    that was checked (DNS rebinding).

    :raise OSError: when there is none, or the answer takes too long
    """
    found = []

    def look_up():
        with contextlib.suppress(OSError, UnicodeError):
            found.extend(info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    # In a thread, because the resolver of the system knows no timeout.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(timeout)
    addresses = list(dict.fromkeys(found))
    if thread.is_alive() or not addresses:
        raise OSError("The host has no address.")
    return addresses


def _get_rest(deadline):
    """Return the seconds that are left.

    :raise TimeoutError: when there are none
    """
    rest = deadline - time.monotonic()
    if rest <= 0:
        raise TimeoutError
    return rest


class _Connection(http.client.HTTPConnection):
    """A connection to one of the addresses that were checked. It follows no redirect, and no proxy."""

    def __init__(self, host, port, addresses, is_tls, deadline):
        super().__init__(host, port)
        self.addresses = addresses
        self.deadline = deadline
        self.context = ssl.create_default_context() if is_tls else None

    def connect(self):
        for number, address in enumerate(self.addresses, 1):
            try:
                self.sock = socket.create_connection((address, self.port), _get_rest(self.deadline))
                break
            except OSError:
                if number == len(self.addresses):
                    raise
        if self.context:
            self.sock.settimeout(_get_rest(self.deadline))
            self.sock = self.context.wrap_socket(self.sock, server_hostname=self.host)
        self.sock.settimeout(_get_rest(self.deadline))

    def shut_down(self):
        """End all reading and writing, from another thread."""
        if self.sock:
            with contextlib.suppress(OSError):
                # Not that of the TLS socket, which would first change what the other thread uses.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
