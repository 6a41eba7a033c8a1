"""`make bench`: prints the table, and writes it into docs/reports/benchmarks.md."""

import contextlib
import os

from dev.workbench.cache import CommandError, run_command
from dev.workbench.environment import enter

ROWS = 10_000_000
PARTS = (
    'introspect',
    'refresh',
    'code',
    'openid',
    'records',
    'json2',
    'many',
    'storage',
    'cleanup',
    'queries',
    'start',
)


def main():
    enter('dev.benchmark')
    # These imports need the virtual environment.
    from dev.workbench.odoo_server import Workbench

    from . import clean_up, queries, rates, report, start, storage
    from .servers import Servers

    rows = os.environ.get('ROWS') or str(ROWS)
    if not rows.isdigit() or int(rows) < 1000:
        raise CommandError(f"ROWS={rows} is not a number of sign-ins; choose one from 1000 on.")
    parts = (os.environ.get('ONLY') or ','.join(PARTS)).split(',')
    if unknown := set(parts) - set(PARTS):
        raise CommandError(f"ONLY={','.join(sorted(unknown))} is not a part; choose from {','.join(PARTS)}.")
    with Workbench() as bench, contextlib.ExitStack() as stack:
        servers = Servers(bench, stack, int(rows))
        description = report.describe(servers)
        results = rates.measure(servers, parts)
        for part, module in (('storage', storage), ('cleanup', clean_up), ('queries', queries), ('start', start)):
            if part in parts:
                results += module.measure(servers)
        report.print_results(results, description)
        if len(parts) == len(PARTS):
            report.write(results, description)
    return 0


if __name__ == '__main__':
    run_command(main)
