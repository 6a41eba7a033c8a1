"""HTTP on a socket: fast enough to load a server from the same machine, and able to send what no library would."""

import contextlib
import dataclasses
import json
import re
import socket

from .odoo_server import HOST

TIMEOUT = 60  # seconds
LENGTH = re.compile(rb'\r\ncontent-length: *(\d+)\r\n', re.IGNORECASE)


class ConnectionLost(ConnectionError):
    """The connection ended before the whole response arrived: the client cannot know what the server has done."""


@dataclasses.dataclass
class Response:
    status: int
    head: bytes
    body: bytes

    @property
    def headers(self):
        """The header fields, names in lower case. They are parsed when asked for: the benchmark needs none."""
        lines = self.head.decode('latin-1').split('\r\n')[1:]
        return {name.lower(): value.strip() for name, _colon, value in (line.partition(':') for line in lines)}

    def json(self):
        return json.loads(self.body)


def render(method, path, headers=(), body=b'', version='1.1'):
    """Return a well-formed request as bytes."""
    lines = [f'{method} {path} HTTP/{version}', f'Host: {HOST}']
    lines += [f'{name}: {value}' for name, value in dict(headers).items()]
    if body or method == 'POST':
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join([*lines, '', '']).encode('latin-1') + body


def _is_whole(data):
    """Return whether a response with a declared length is complete: Odoo closes the connection 10 ms later."""
    end = data.find(b'\r\n\r\n')
    length = LENGTH.search(data, 0, end + 2) if end >= 0 else None
    return length is not None and len(data) >= end + 4 + int(length[1])


def send(port, request, source=HOST, timeout=TIMEOUT):
    """Send the bytes of a request on a new connection, and return the :class:`Response`.

    :param int port: the port of the server on the loopback interface
    :param bytes request: the request, well-formed or not
    :param str source: the loopback address (127.…) to send it from
    :raise ConnectionLost: when the response is not complete
    """
    data = bytearray()
    try:
        with socket.create_connection((HOST, port), timeout, source_address=(source, 0)) as connection:
            # A server may answer before it has received the whole request.
            with contextlib.suppress(ConnectionError):
                connection.sendall(request)
            while not _is_whole(data) and (part := connection.recv(65536)):
                data += part
    except TimeoutError:
        raise
    except OSError as error:
        if not data:
            raise ConnectionLost(str(error)) from None
    head, separator, body = bytes(data).partition(b'\r\n\r\n')
    words = head.split(maxsplit=2)
    if not separator or len(words) < 2 or not words[1].isdigit():
        raise ConnectionLost(f"Not an HTTP response: {bytes(data[:80])!r}.")
    length = LENGTH.search(head + b'\r\n')
    if length and len(body) < int(length[1]) and not request.startswith(b'HEAD '):
        raise ConnectionLost("The response was cut off.")
    return Response(int(words[1]), head, body)
