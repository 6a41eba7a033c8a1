"""How fast the daily clean-up is among many sign-ins that stay, and how much it slows an application down."""

import json
import statistics
import time

from dev.workbench.cache import Progress

from . import calls
from .closed_loop import Background, Measurement
from .result import Result

ENDED = 500_000  # sign-ins, and as many codes
IDLE = 5  # seconds
MIN_RATE = 20_000  # rows a second
MAX_FACTOR = 2

#: Runs Odoo's own scheduled action as often as necessary.
SCRIPT = """
import json
import time
started = time.monotonic()
job = env.ref('base.autovacuum_job')
left = True
while left and time.monotonic() - started < 300:
    job.method_direct_trigger()
    env.cr.commit()
    env.cr.execute('SELECT EXISTS (SELECT FROM orestapi_token WHERE id > %s AND revoked_at IS NOT NULL) '
                   'OR EXISTS (SELECT FROM orestapi_authorization_code WHERE expires_at <= %s)',
                   [{kept}, '2026-01-02'])
    [left] = env.cr.fetchone()
print(json.dumps([started, time.monotonic(), left]))
"""


def measure(servers):
    odoo = servers.many
    measurement = Measurement(
        "refresh", odoo.port, calls.refresh(odoo.application, odoo.sign_ins.reset_refresh_tokens())
    )
    progress = Progress(f'{ENDED} ended sign-ins and {ENDED} expired codes are removed')
    odoo.sign_ins.store_ended(ENDED)
    measurement.run(2)
    idle = _get_median(measurement.run_until(_after(IDLE)))
    with Background(measurement) as background:
        [line] = odoo.bench.run_script(odoo.server.database, SCRIPT.format(kept=odoo.sign_ins.number))
    started, ended, left = json.loads(line)
    progress.finish()
    during = _get_median([answer for answer in background.answers if started <= answer[0] <= ended])
    rate = 2 * ENDED / (ended - started)
    factor = during / idle
    return [
        Result(
            servers.render("Clean-up of 1 000 000 ended sign-ins and expired codes among {rows} sign-ins"),
            'not finished' if left else f'{ended - started:.0f} s',
            '–',
            f'{rate:.0f} rows/s',
            f'≥ {MIN_RATE} rows/s',
            not left and rate >= MIN_RATE,
        ),
        Result(
            "Median latency of a refresh meanwhile, against idle",
            f'{during * 1000:.1f} ms',
            f'{idle * 1000:.1f} ms',
            f'{factor:.2f}',
            f'≤ {MAX_FACTOR}',
            factor <= MAX_FACTOR,
        ),
    ]


def _after(seconds):
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _get_median(answers):
    return statistics.median(seconds for _started, seconds in answers)
