"""PostgreSQL stops and starts again while devices sign in and refresh. It is a separate cluster."""

import time

import pytest

from dev.live.conftest import Live
from dev.live.traffic import Traffic
from dev.workbench import wire
from dev.workbench.cache import locked
from dev.workbench.odoo_server import Workbench
from dev.workbench.postgres import Postgres

#: Seconds without PostgreSQL, while the devices keep trying.
OUTAGE = 1.5

#: Seconds within which the service must work again after PostgreSQL is back.
PATIENCE = 15

#: The response of each endpoint during the outage, in its own format.
ANSWERS = (
    ('POST', '/oauth2/token', 'application/json', 'temporarily_unavailable'),
    ('POST', '/oauth2/introspect', 'application/json', 'temporarily_unavailable'),
    ('POST', '/oauth2/revoke', 'application/json', 'temporarily_unavailable'),
    ('GET', '/.well-known/oauth-authorization-server', 'application/json', 'temporarily_unavailable'),
    ('GET', '/orestapi/1/records/res.partner', 'application/problem+json', 'temporarily_unavailable'),
    ('POST', '/orestapi/record/read', 'application/json', 'temporarily_unavailable'),
    ('POST', '/orestapi/oauth2/access_token', 'application/json', 'temporarily_unavailable'),
    ('GET', '/oauth2/authorize?client_id=x', 'text/html; charset=utf-8', None),
    ('GET', '/orestapi/oauth2/authorization?client_id=x', 'text/html; charset=utf-8', None),
)


@pytest.fixture
def outage(bench, installed, tmp_path):
    """A server on a database, restored from a backup, in a separate PostgreSQL."""
    bench.back_up(installed, tmp_path / 'backup')
    # Only one test at a time may stop it.
    with locked('outage'), Workbench(Postgres('outage')) as second:
        second.drop_abandoned()
        with (
            second.restored(tmp_path / 'backup', installed, 'outage') as database,
            second.serve(database, '--max-cron-threads', '0', workers=4) as server,
        ):
            yield Live(server, second.postgres)


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def check_answers(live):
    """Ask each endpoint while PostgreSQL is stopped."""
    for method, path, media_type, error in ANSWERS:
        answer = wire.send(live.server.port, wire.render(method, path))
        assert answer.status == 503, (path, answer)
        assert answer.headers['content-type'] == media_type, path
        assert int(answer.headers['retry-after']) > 0, path
        assert answer.headers['cache-control'].startswith('no-store'), path
        assert 'set-cookie' not in answer.headers, path
        if error:
            assert answer.json()['error'] == error, path


def test_postgresql_stops(outage, counts, summarize):
    """Answers are 503 or the connection closes, nothing is half-written, and the service comes back by itself."""
    with Traffic(outage) as traffic:
        wait_for(lambda: traffic.counts['refresh'] > 4, "The devices do not start.")
        for number in range(counts.outages):
            # Both kinds: an orderly shutdown, and as in a power cut.
            outage.postgres.stop('immediate' if number % 2 else 'fast')
            time.sleep(OUTAGE)
            check_answers(outage)
            before = traffic.counts
            outage.postgres.start()
            wait_for(lambda: traffic.counts['refresh'] > before['refresh'] + 4, "The service has not come back.")  # noqa: B023
    statuses = traffic.statuses
    # All responses of the devices: success, the refusals that `check` allows, and the outage.
    assert set(statuses) <= {200, 303, 400, 503, 'connection closed'}, statuses
    assert statuses[503] > counts.outages
    seen = traffic.check()
    summarize(
        f"{counts.outages} times stopped and started; {statuses[503]} answers 503, "
        f"{statuses['connection closed']} connections closed, no other failure; {seen}"
    )
