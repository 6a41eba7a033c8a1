"""Races for one code and for one token, on a server with several workers.

Odoo's own test server handles requests on one database cursor, so requests never race
there.
"""

import collections
import concurrent.futures
import secrets

import pytest

pytestmark = pytest.mark.same

REQUESTS = 50


def race(function):
    """Call a function from many threads at once and return the responses."""
    with concurrent.futures.ThreadPoolExecutor(REQUESTS) as pool:
        return [future.result() for future in [pool.submit(function) for _number in range(REQUESTS)]]


def count(responses):
    return collections.Counter((response.status_code, response.json().get('error')) for response in responses)


def get_success(responses):
    [success] = [response.json() for response in responses if response.status_code == 200]
    return success


def test_parallel_redemptions_of_one_code(live, user_session, summarize):
    """N116: exactly one 200. The others are replays, so the winner's tokens are revoked too."""
    application = live.register()
    verifier = secrets.token_urlsafe(48)
    code = live.get_code(user_session, application, verifier)
    responses = race(lambda: live.redeem(application, code, verifier))
    assert count(responses) == {(200, None): 1, (400, 'invalid_grant'): REQUESTS - 1}
    tokens = get_success(responses)
    assert not live.is_active(application, tokens['access_token'])
    assert not live.is_active(application, tokens['refresh_token'])
    assert live.call('orestapi.token', 'search_count', [('application_id', '=', application.id)]) == 1
    summarize(f"{REQUESTS} at once: 1 answer with tokens, {REQUESTS - 1} refused, no live pair")


def test_parallel_refreshes_of_one_token(live, user_session, summarize):
    """N147: exactly one 200, no other live pair, and none after the reuse was detected."""
    application = live.register()
    tokens = live.sign_in(user_session, application)
    responses = race(lambda: live.refresh(application, tokens['refresh_token']))
    assert count(responses) == {(200, None): 1, (400, 'invalid_grant'): REQUESTS - 1}
    refreshed = get_success(responses)
    assert not live.is_active(application, refreshed['access_token'])
    assert not live.is_active(application, refreshed['refresh_token'])
    assert live.call('orestapi.token', 'search_count', [('application_id', '=', application.id)]) == 1
    summarize(f"{REQUESTS} at once: 1 answer with tokens, {REQUESTS - 1} refused, no live pair")


def test_parallel_refreshes_within_the_grace_period(live, user_session, summarize):
    """N147: all get the same pair, and it works."""
    application = live.register(refresh_token_grace=60)
    tokens = live.sign_in(user_session, application)
    responses = race(lambda: live.refresh(application, tokens['refresh_token']))
    assert count(responses) == {(200, None): REQUESTS}
    assert len({response.json()['refresh_token'] for response in responses}) == 1
    assert len({response.json()['access_token'] for response in responses}) == 1
    assert live.is_active(application, responses[0].json()['access_token'])
    assert live.refresh(application, responses[0].json()['refresh_token']).status_code == 200
    summarize(f"{REQUESTS} at once: the same live pair {REQUESTS} times")


def test_revocation_during_refreshes(live, user_session, summarize):
    """N168: whatever the order, no token lives after a revocation."""
    application = live.register()
    tokens = live.sign_in(user_session, application)

    def revoke_or_refresh(number):
        if number % 2:
            return live.post('revoke', application, token=tokens['access_token'])
        return live.refresh(application, tokens['refresh_token'])

    with concurrent.futures.ThreadPoolExecutor(REQUESTS) as pool:
        responses = list(pool.map(revoke_or_refresh, range(REQUESTS)))
    assert {response.status_code for response in responses} <= {200, 400}
    # The response to a revocation is an empty object.
    issued = [response.json() for response in responses if response.status_code == 200 and response.json()]
    for pair in [tokens, *issued]:
        assert not live.is_active(application, pair['access_token'])
        assert not live.is_active(application, pair['refresh_token'])
    summarize(f"{REQUESTS} at once: {len(issued)} pairs issued, none is alive")


def test_parallel_consents(live, user_session, summarize):
    """N071: submitting the same consent page twice gives independent codes and one authorization."""
    application = live.register()
    verifiers = [secrets.token_urlsafe(48) for _number in range(8)]
    with concurrent.futures.ThreadPoolExecutor(len(verifiers)) as pool:
        codes = list(pool.map(lambda verifier: live.get_code(user_session, application, verifier), verifiers))
    assert len(set(codes)) == len(verifiers)
    assert live.call('orestapi.authorization', 'search_count', [('application_id', '=', application.id)]) == 1
    summarize(f"{len(codes)} at once: {len(set(codes))} codes, 1 authorization")


def test_wrong_secrets_are_counted_across_workers(live, summarize):
    """N103: the workers share the count and the limit."""
    application = live.register()
    application.client_secret = 'wrong' * 8
    responses = race(lambda: live.refresh(application, 'x'))
    counts = count(responses)
    assert set(counts) == {(401, 'invalid_client'), (429, 'invalid_client')}
    # Requests in progress when the limit is reached may still be counted.
    assert 10 <= counts[401, 'invalid_client'] <= 14
    assert all(int(response.headers['Retry-After']) for response in responses if response.status_code == 429)
    summarize(f"{REQUESTS} at once: {counts[401, 'invalid_client']} wrong secrets tried, the others refused")
