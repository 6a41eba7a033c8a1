"""How much the database grows when one sign-in is refreshed again and again."""

import statistics

from dev.workbench.cache import Progress
from dev.workbench.odoo_server import MODULE

from . import calls
from .closed_loop import Measurement
from .result import Result

REFRESHES = 10_000
MAX_BYTES = 64 * 1024


def measure(servers):
    odoo = servers.few
    postgres, database = odoo.bench.postgres, odoo.server.database
    tables = [
        name
        for (name,) in postgres.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s ORDER BY 1", [f'{MODULE}%'], database
        )
    ]

    def get_size():
        postgres.execute('VACUUM ' + ', '.join(tables), database=database)
        rows = sum(postgres.execute(f'SELECT count(*) FROM {table}', database=database)[0][0] for table in tables)
        [[size]] = postgres.execute(
            "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s) AS name", [tables], database
        )
        return rows, int(size)

    [client, *_others] = calls.refresh(odoo.application, odoo.sign_ins.reset_refresh_tokens(1))
    del client.tokens[1:]
    rows, size = get_size()
    progress = Progress(f'{REFRESHES} refreshes of one sign-in')
    remaining = iter(range(REFRESHES))
    answers = Measurement("refresh", odoo.port, [client]).run_until(lambda: next(remaining, None) is None)
    progress.finish()
    rows_after, size_after = get_size()
    latency = statistics.median(seconds for _started, seconds in answers) * 1000
    return [
        Result(
            f"Added by {REFRESHES} refreshes of one sign-in, after `VACUUM`",
            f'{latency:.1f} ms each',
            '–',
            f'{rows_after - rows} rows, {(size_after - size) / 1024:.0f} KiB',
            '0 rows, < 64 KiB',
            rows_after == rows and size_after - size < MAX_BYTES,
        )
    ]
