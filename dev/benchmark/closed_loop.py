"""Load from a fixed number of clients, each of which sends a request after the response to the previous one."""

import concurrent.futures
import re
import socket
import threading
import time

from dev.workbench.cache import CommandError
from dev.workbench.odoo_server import HOST

CLIENTS = 4
TIMEOUT = 60  # seconds for one response
#: Seconds that do not count, while the caches of all workers fill, among others with a thousand applications.
WARM_UP = 4
LENGTH = re.compile(rb'\r\ncontent-length: *(\d+)', re.IGNORECASE)


class Refused(CommandError):
    """The response is not the expected one."""


def render_request(method, path, headers, body=b''):
    """Return an HTTP request as bytes, in version 1.0 because both servers close the connection anyway.

    :param dict headers: further headers
    """
    lines = [f'{method} {path} HTTP/1.0', f'Host: {HOST}']
    lines += [f'{name}: {value}' for name, value in headers.items()]
    if body:
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join([*lines, '', '']).encode() + body


def send(port, content):
    """Send a request and return status and body of the answer.

    It uses sockets, because on a machine with two cores an HTTP library would use more of them than the servers.
    """
    with socket.create_connection((HOST, port), TIMEOUT) as connection:
        connection.sendall(content)
        answer = b''
        end = None
        # Reads the declared length instead of waiting for the close, before which Odoo's server waits 10 ms.
        while (end is None or len(answer) < end) and (part := connection.recv(65536)):
            answer += part
            if end is None and b'\r\n\r\n' in answer and (length := LENGTH.search(answer)):
                end = answer.index(b'\r\n\r\n') + 4 + int(length[1])
    head, _, body = answer.partition(b'\r\n\r\n')
    return head[9:12], body


class Measurement:
    """One kind of request to one server, and its measured rates.

    :ivar list rates: requests per second of each slice
    :ivar str failure: why there are none, if a request did not get the expected response
    """

    def __init__(self, name, port, clients):
        """
        :param str name: a description of the requests
        :param int port: the port of the server on the loopback interface
        :param clients: for each client an object with `render()`, which returns the next request, and `read(body)`,
            which gets the response and raises for a wrong one
        """
        self.name = name
        self.port = port
        self.clients = clients
        self.rates = []
        self.failure = None

    def _run_client(self, client, stop):
        answers = []
        while not stop():
            content = client.render()
            started = time.monotonic()
            status, body = send(self.port, content)
            if status != b'200':
                raise Refused(
                    f"{self.name}: status {status.decode(errors='replace')}, {body[:300].decode(errors='replace')}"
                )
            client.read(body)
            answers.append((started, time.monotonic() - started))
        return answers

    def run_until(self, stop):
        """Load the server with all clients.

        :param stop: a function that returns whether to stop
        :return: for each request when it was sent and how long it took, in seconds of the monotonic clock
        """
        with concurrent.futures.ThreadPoolExecutor(len(self.clients)) as pool:
            return [
                answer
                for answers in pool.map(lambda client: self._run_client(client, stop), self.clients)
                for answer in answers
            ]

    def run(self, seconds):
        """Load the server for `seconds` and return the requests a second."""
        started = time.monotonic()
        answers = self.run_until(lambda: time.monotonic() >= started + seconds)
        return len(answers) / (time.monotonic() - started)


class Background:
    """Loads a server during the `with` block; `answers` then holds the result of `run_until`."""

    def __init__(self, measurement):
        self.measurement = measurement
        self.answers = None

    def __enter__(self):
        self.stop = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.future = self.pool.submit(self.measurement.run_until, self.stop.is_set)
        return self

    def __exit__(self, *exception):
        self.stop.set()
        self.pool.shutdown()
        self.answers = self.future.result()


def run_interleaved(measurements, rounds, seconds, show):
    """Run each measurement for `seconds` in each of several rounds, so that other load on the machine hits all of them.

    Every second round runs in reverse order, for the same reason.

    :param show: a function to call with the number of finished rounds
    """
    for measurement in measurements:
        try:
            measurement.run(WARM_UP)
        except Refused as error:
            measurement.failure = str(error)
    measurements = [measurement for measurement in measurements if not measurement.failure]
    for number in range(rounds):
        show(number)
        for measurement in measurements if number % 2 == 0 else reversed(measurements):
            measurement.rates.append(measurement.run(seconds))
