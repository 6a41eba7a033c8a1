"""The table of results, on the screen and in docs/reports/benchmarks.md."""

import os
import platform
import re
from datetime import datetime, timezone
from pathlib import Path

from dev.workbench.cache import CHECKOUT, show

from . import rates
from .closed_loop import CLIENTS

PAGE = CHECKOUT / 'docs' / 'reports' / 'benchmarks.md'
BEGIN, END = '<!-- table: written by `make bench` -->', '<!-- end of the table -->'
HEAD = ('Figure', 'Ours', 'Compared with', 'Result [middle half]', 'Bar', '')


def describe(servers):
    """Return a description of the machine and its software, as sentences."""
    model = re.search(r'model name\s*: (.*)', Path('/proc/cpuinfo').read_text())
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    [[version]] = servers.bench.postgres.execute('SHOW server_version')
    load = ', '.join(f'{value:.1f}' for value in os.getloadavg())
    return (
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC. {os.cpu_count()} cores "
        f"({model[1] if model else platform.machine()}), {memory:.0f} GiB of memory, "
        f"Linux {platform.release()}, Python {platform.python_version()}, PostgreSQL {version}. Two workers each for "
        f"Odoo and for gunicorn, {CLIENTS} clients in a closed loop on the same machine, "
        f"{rates.ROUNDS} rounds of {rates.SECONDS} s. Load average before (1, 5 and 15 minutes): {load}."
    )


def _get_rows(results):
    return [
        (result.figure, result.ours, result.theirs, result.value, result.bar, 'met' if result.met else '**missed**')
        for result in results
    ]


def _render(results):
    lines = [HEAD, tuple('---' for _column in HEAD), *_get_rows(results)]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def print_results(results, description):
    show(f'\n{description}\n')
    rows = [HEAD, *_get_rows(results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        show('  '.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    missed = sum(not result.met for result in results)
    show(f'\n{len(results) - missed} met, {missed} missed')


def write(results, description):
    """Replace the table of the page, and keep the text around it."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f'{before}{BEGIN}\n{description}\n\n{_render(results)}\n{END}{after}')
    show(f'written into {PAGE.relative_to(CHECKOUT)}')
