"""Malformed requests to every endpoint of this addon, taken from Odoo's routing map."""

import collections
import concurrent.futures
import secrets

from dev.live.conftest import Live, check_log
from dev.live.fuzzer import Fuzzer, Known
from dev.workbench import wire

SEED = 6749

#: Requests with one sign-in: some of them end it.
ROUND = 250

#: Requests from one loopback address, because wrong client secrets are counted by IP address (N103).
FROM_ONE_ADDRESS = 10

#: Concurrent clients.
CLIENTS = 4


def attack(live, application, endpoints, cookie, session, number):
    """Send one round of malformed requests; return the number of responses by status, and the failed requests."""
    known = Known(endpoints, application, live.sign_in(session, application), cookie)
    known.tokens.update({
        'code': live.get_code(session, application, secrets.token_urlsafe(48)),
        'client_secret': application.client_secret,
    })
    known = Known(
        endpoints,
        application,
        {name: value for name, value in known.tokens.items() if isinstance(value, str) and len(value) > 30},
        cookie,
    )
    fuzzer = Fuzzer(SEED + number, known)
    statuses, wrong = collections.Counter(), []
    for request_number in range(ROUND):
        request = fuzzer.make()
        address = number * ROUND // FROM_ONE_ADDRESS + request_number // FROM_ONE_ADDRESS
        source = f'127.{1 + address // 62500}.{1 + address // 250 % 250}.{1 + address % 250}'
        try:
            status = wire.send(live.server.port, request, source, timeout=20).status
        except (wire.ConnectionLost, TimeoutError) as error:
            status = type(error).__name__
        statuses[status] += 1
        if not isinstance(status, int) or status >= 500:
            wrong.append((status, request))
    return statuses, wrong


def test_malformed_requests(bench, installed, endpoints, counts, summarize):
    """No status 500, no lost connection, no traceback, and no secret in the log."""
    with bench.copy(installed, 'fuzz') as database:
        with bench.serve(database, '--max-cron-threads', '0', workers=CLIENTS) as server:
            live = Live(server, bench.postgres)
            application = live.register()
            with live.log_in() as session:
                cookie = f"session_id={session.cookies['session_id']}"
                live.issued.add(session.cookies['session_id'][:43])
                rounds = range(counts.malformed // ROUND)
                with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                    results = list(
                        pool.map(lambda number: attack(live, application, endpoints, cookie, session, number), rounds)
                    )
            statuses = sum((result[0] for result in results), collections.Counter())
            wrong = [request for result in results for request in result[1]]
            assert not wrong, '\n'.join(f'{status} {request[:1500]!r}' for status, request in wrong[:5])
            assert {'/oauth2/token', '/oauth2/authorize', '/orestapi/1/models/<model>'} <= dict(endpoints).keys()
            check_log(live)
    answers = ', '.join(f'{count} × {status}' for status, count in sorted(statuses.items()))
    summarize(
        f"{statuses.total()} malformed requests (seed {SEED}) at {len(endpoints)} addresses: {answers}; "
        f"no 500, no traceback, none of {len(live.issued)} secrets in the log"
    )
