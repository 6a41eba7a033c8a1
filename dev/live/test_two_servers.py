"""Two Odoo servers with different URLs on one database.

Each has its own caches: it must follow a change by the other one at its next request.
"""

import copy
import secrets

import pytest
import requests

RECORDS = '/orestapi/1/records/res.partner?limit=1'
FAILURE_LIMIT = 10


@pytest.fixture(scope='module')
def other(live, bench):
    """The second server."""
    with bench.serve(live.server.database, '--max-cron-threads', '0', workers=2) as server:
        other = copy.copy(live)
        other.server, other.url = server, server.url
        yield other


def read(live, access_token):
    return requests.get(live.url + RECORDS, headers={'Authorization': f'Bearer {access_token}'}, timeout=60).status_code


def test_code_of_one_is_redeemed_at_the_other(live, other, user_session, summarize):
    application = live.register()
    verifier = secrets.token_urlsafe(48)
    code = live.get_code(user_session, application, verifier)
    tokens = other.redeem(application, code, verifier).json()
    for server in (live, other):
        assert server.is_active(application, tokens['access_token'])
        assert read(server, tokens['access_token']) == 200
    assert live.redeem(application, code, verifier).json()['error'] == 'invalid_grant'
    assert not other.is_active(application, tokens['access_token'])
    summarize("1 code of one server redeemed at the other, and its replay at the first refused")


@pytest.mark.parametrize('change', ['revoke', 'archive', 'scope', 'scheme', 'secret'])
def test_the_other_follows_at_once(live, other, user_session, summarize, change):
    for first, second in ((live, other), (other, live)):
        application = first.register()
        tokens = live.sign_in(user_session, application)
        # Fills the caches of all workers of both servers.
        for _worker in range(8):
            assert read(first, tokens['access_token']) == read(second, tokens['access_token']) == 200
            assert second.is_active(application, tokens['access_token'])
        expected = 401
        if change == 'revoke':
            assert first.post('revoke', application, token=tokens['access_token']).status_code == 200
        elif change == 'archive':
            first.call('orestapi.application', 'write', [application.id], {'active': False})
        elif change == 'scope':
            first.call('orestapi.application', 'write', [application.id], {'scope_ids': [(5,)]})
            expected = 403
        elif change == 'scheme':
            first.call('orestapi.application', 'write', [application.id], {'model_scheme_id': False})
            expected = 403
        else:
            new = first.call('orestapi.application', 'generate_client_secret', [application.id])
            first.note(new)
            assert second.post('introspect', application, token=tokens['access_token']).status_code == 401
            continue
        answers = {read(second, tokens['access_token']) for _worker in range(8)}
        assert answers == {expected}
    summarize(f"{change}: 2 × 8 requests to the other server refused")


def test_the_limit_of_wrong_secrets_is_shared(live, other, summarize):
    application = live.register()
    wrong = copy.copy(application)
    wrong.client_secret = secrets.token_urlsafe(32)
    servers = (live, other)
    statuses = [
        servers[number % 2].post('introspect', wrong, token='x').status_code for number in range(FAILURE_LIMIT + 4)
    ]
    assert statuses == [401] * FAILURE_LIMIT + [429] * 4
    assert live.post('introspect', application, token='x').status_code == 429
    summarize(f"{FAILURE_LIMIT} wrong secrets at both servers together, then 429 at both")
