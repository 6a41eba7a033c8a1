"""Minutes of mixed load while the clean-up runs, to find leaks."""

import re
import statistics
import threading
import time
from pathlib import Path

import pytest
import requests

from dev.live.conftest import Live, check_log
from dev.live.test_kill import wait_for_workers
from dev.live.traffic import Traffic

#: Seconds between two checks of the workers.
INTERVAL = 0.5
#: Seconds between two clean-ups, and the time limit for each worker to do each kind of work.
PAUSE, WARM_UP = 2, 120

#: Log lines that show which process did each kind of work.
WORK = ('Auto-vacuum internal data.* starting ', '"POST /oauth2/token ', '"GET /orestapi/1/records/')

#: Largest ratio of the last third to the second, of memory and of the time of a read: in three minutes, and in the
#: short form, which only detects large errors.
MEMORY, LATENCY = {True: 1.03, False: 1.2}, {True: 1.5, False: 5}


class Reader(threading.Thread):
    """Reads records and introspects alternately, and measures how long each takes."""

    def __init__(self, live, application, access_token):
        super().__init__()
        self.live, self.application, self.access_token = live, application, access_token
        self.stopped = threading.Event()
        self.latencies = []  # pairs of a time and a duration in seconds
        self.failures = []

    def run(self):
        with requests.Session() as session:
            session.headers['Authorization'] = f'Bearer {self.access_token}'
            while not self.stopped.is_set():
                begin = time.monotonic()
                answer = session.get(
                    f'{self.live.url}/orestapi/1/records/res.partner?fields=name,email&limit=5', timeout=60
                )
                self.latencies.append((begin, time.monotonic() - begin))
                if answer.status_code != 200:
                    self.failures.append(answer.text)
                if not self.live.is_active(self.application, self.access_token):
                    self.failures.append("An access token does not work.")


class CleanUp(threading.Thread):
    """Runs Odoo's daily clean-up repeatedly, without a pause until each worker has run it."""

    def __init__(self, live):
        super().__init__()
        self.live = live
        self.warm = threading.Event()
        self.stopped = threading.Event()
        self.job_id = live.find_id('base.autovacuum_job')
        self.runs = 0

    def run(self):
        while not self.stopped.wait(PAUSE * self.warm.is_set()):
            self.live.call('ir.cron', 'method_direct_trigger', [self.job_id])
            self.runs += 1


def wait_until_warm(server, workers):
    """Wait until each worker has done each kind of work, and thus loaded what it needs."""
    end = time.monotonic() + WARM_UP
    while True:
        log = server.log.read_text(errors='replace')
        cold = [
            pattern
            for pattern in WORK
            if not set(workers) <= set(map(int, re.findall(rf'(?m)^\S+ \S+ (\d+) INFO .*{pattern}', log)))
        ]
        if not cold:
            return
        assert time.monotonic() < end, f"Not every worker has done this: {cold}."
        time.sleep(INTERVAL)


def get_memory(pids):
    """Return the bytes of memory that only these processes use."""
    total = 0
    for pid in pids:
        rollup = Path(f'/proc/{pid}/smaps_rollup').read_text()
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith('Private_')) * 1024
    return total


@pytest.fixture
def loaded(bench, installed, counts):
    """A separate server: the fewer workers it has, the sooner each of them has done each kind of work."""
    with (
        bench.copy(installed, 'load') as database,
        bench.serve(database, '--max-cron-threads', '0', workers=counts.workers) as server,
    ):
        live = Live(server, bench.postgres)
        yield live
        check_log(live)


def test_mixed_load(loaded, counts, summarize):
    """After the warm-up, the last third uses no more memory and time than the second."""
    live = loaded
    application = live.register()
    tokens = live.sign_in(live.log_in(), application)
    workers = wait_for_workers(live.server, counts.workers)
    threads = [Reader(live, application, tokens['access_token']) for _number in range(2)] + [CleanUp(live)]
    readers, clean_up = threads[:-1], threads[-1]
    memory = []
    with Traffic(live) as traffic:
        for thread in threads:
            thread.start()
        try:
            wait_until_warm(live.server, workers)
            clean_up.warm.set()
            begin = time.monotonic()
            while (now := time.monotonic()) < begin + counts.load:
                memory.append((now, get_memory(workers)))
                time.sleep(INTERVAL)
        finally:
            for thread in threads:
                thread.stopped.set()
            for thread in threads:
                thread.join()
    assert not any(reader.failures for reader in readers), [reader.failures[:3] for reader in readers]
    assert clean_up.runs
    assert wait_for_workers(live.server, counts.workers) == workers, "A worker was replaced."
    third = counts.load / 3

    def get_medians(pairs):
        return [
            statistics.median(value for moment, value in pairs if number <= (moment - begin) / third < number + 1)
            for number in (1, 2)
        ]

    before, after = get_medians(memory)
    assert after <= before * MEMORY[counts.load >= 60], f"{before} bytes became {after}."
    latencies = [pair for reader in readers for pair in reader.latencies]
    earlier, later = get_medians(latencies)
    assert later <= earlier * LATENCY[counts.load >= 60], f"{earlier} s became {later} s."
    summarize(
        f"{counts.load} s, {len(latencies)} reads, {traffic.counts['refresh']} refreshes, "
        f"{clean_up.runs} clean-ups; memory of the workers {before / 2**20:.1f} and then {after / 2**20:.1f} MiB, "
        f"a read {earlier * 1000:.1f} and then {later * 1000:.1f} ms"
    )
