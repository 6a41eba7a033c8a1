"""Workers that die in the middle of a request."""

import os
import random
import signal
import time
from pathlib import Path

from dev.live.conftest import WORKERS
from dev.live.traffic import Traffic

#: Seconds until a killed worker is replaced.
PATIENCE = 10


def find_workers(server):
    """Return the process ids of the workers that answer HTTP requests."""
    pids = Path(f'/proc/{server.process.pid}/task/{server.process.pid}/children').read_text().split()
    arguments = {int(pid): Path(f'/proc/{pid}/cmdline').read_bytes().split(b'\0') for pid in pids}
    # The bus, or the process in its place, runs in a separate program, and a zombie process has no arguments.
    return [pid for pid, words in arguments.items() if len(words) > 1 and not {b'gevent', b'sleep'} & {*words}]


def wait_for_workers(server, number=WORKERS):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            workers = find_workers(server)
        except FileNotFoundError:
            continue
        if len(workers) == number:
            return workers
        time.sleep(0.005)
    raise AssertionError(f"Odoo has not replaced the workers that were killed, see {server.log}.")


def test_workers_are_killed(live, counts, summarize):
    """There are never two live pairs from one code or token, and all tokens in responses work."""
    killed = 0
    with Traffic(live) as traffic:
        # Otherwise the workers would have died while idle.
        while killed < counts.kills or traffic.lost < counts.kills / 10:
            time.sleep(random.uniform(0.02, 0.12))
            os.kill(random.choice(wait_for_workers(live.server)), signal.SIGKILL)
            killed += 1
            assert killed < 10 * counts.kills, "No answer was lost."
        wait_for_workers(live.server)
    summarize(f"{killed} workers killed; {traffic.check()}")
