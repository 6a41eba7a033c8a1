"""Load from a fixed number of clients, each of which sends a request after the response to the previous one."""

import concurrent.futures
import functools
import threading
import time

from dev.workbench import wire
from dev.workbench.cache import CommandError

CLIENTS = 4
#: Seconds that do not count, while the caches of all workers fill, among others with a thousand applications.
WARM_UP = 4


#: A response to HTTP/1.0 is never chunked, and `wire.send` does not read chunks.
render = functools.partial(wire.render, version='1.0')


class Refused(CommandError):
    """The response is not the expected one."""


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
            answer = wire.send(self.port, content)
            if answer.status != 200:
                raise Refused(f"{self.name}: status {answer.status}, {answer.body[:300].decode(errors='replace')}")
            client.read(answer.body)
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
