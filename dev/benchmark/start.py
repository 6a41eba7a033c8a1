"""How much longer Odoo takes to start with the addon installed."""

import contextlib
import statistics
import time

from dev.workbench.cache import CommandError, Progress
from dev.workbench.odoo_server import START_TIMEOUT, free_port, stop_group
from dev.workbench.wire import send

from .closed_loop import render
from .result import Result
from .servers import WORKERS

ROUNDS = 5
MAX_SECONDS = 0.5


def measure(servers):
    databases = [servers.few_database, servers.plain_database]
    progress = Progress(f'{ROUNDS} starts with the addon and without it')
    seconds = [[_start(servers.bench, database) for database in databases] for _number in range(ROUNDS)]
    progress.finish()
    differences = [ours - theirs for ours, theirs in seconds]
    difference = statistics.median(differences)
    ours, theirs = (statistics.median(values) for values in zip(*seconds, strict=True))
    return [
        Result(
            "Added to the start of Odoo",
            f'{ours:.2f} s',
            f'{theirs:.2f} s',
            f'{difference:.2f} s [{min(differences):.2f}–{max(differences):.2f}]',
            f'≤ {MAX_SECONDS} s',
            difference <= MAX_SECONDS,
        )
    ]


def _start(bench, database):
    """Return the seconds from the start of the process to the first answer that needs the database."""
    port = free_port()
    log = bench.logs / f'{database}-start.log'
    with log.open('w') as output:
        started = time.monotonic()
        process = bench.start(bench.server_command(database, port, WORKERS, '--max-cron-threads', '0'), output)
    try:
        while time.monotonic() < started + START_TIMEOUT:
            with contextlib.suppress(OSError):
                if send(port, render('GET', '/web/health?db_server_status=true')).status == 200:
                    return time.monotonic() - started
            time.sleep(0.01)
        raise CommandError(f"Odoo did not start; see {log}.")
    finally:
        stop_group(process)
