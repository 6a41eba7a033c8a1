"""OpenID Connect on a server with several workers: the first signature, and what libraries think of the tokens."""

import concurrent.futures
import secrets

import joserfc.jwk
import joserfc.jwt
import jwt
import pytest
import requests
from jwt import PyJWKClient

from dev.live.test_races import race

pytestmark = pytest.mark.same

#: Codes that are redeemed at once.
CODES = 12


def get_codes(live, user_session, application):
    verifiers = [secrets.token_urlsafe(48) for _number in range(CODES)]
    return [(live.get_code(user_session, application, verifier, 'openid'), verifier) for verifier in verifiers]


def redeem_all(live, application, codes):
    """Redeem codes at once, and return the ID tokens."""
    with concurrent.futures.ThreadPoolExecutor(CODES) as pool:
        responses = list(pool.map(lambda code: live.redeem(application, *code), codes))
    assert {response.status_code for response in responses} == {200}
    return [response.json()['id_token'] for response in responses]


def get_key_ids(live, algorithm):
    return [
        key['kid'] for key in live.call('orestapi.signing.key', 'search_read', [('algorithm', '=', algorithm)], ['kid'])
    ]


@pytest.mark.parametrize('algorithm', ['EdDSA', 'ES256'])
def test_first_signatures_at_once(live, user_session, summarize, algorithm):
    """N329, N328: one of the workers makes the key, and all sign with it; withdrawn, none of them uses it any more."""
    application = live.register(id_token_signed_response_alg=algorithm)
    tokens = redeem_all(live, application, get_codes(live, user_session, application))
    [kid] = get_key_ids(live, algorithm)
    assert {jwt.get_unverified_header(token)['kid'] for token in tokens} == {kid}
    [key_id] = live.call('orestapi.signing.key', 'search', [('kid', '=', kid)])
    codes = get_codes(live, user_session, application)
    live.call('orestapi.signing.key', 'action_withdraw', [key_id])
    tokens = redeem_all(live, application, codes)
    [other] = set(get_key_ids(live, algorithm)) - {kid}
    assert {jwt.get_unverified_header(token)['kid'] for token in tokens} == {other}
    for _worker in range(CODES):
        published = {key['kid'] for key in requests.get(f'{live.url}/oauth2/jwks', timeout=30).json()['keys']}
        assert other in published
        assert kid not in published
    summarize(f"{CODES} codes at once: one key; withdrawn: one other")


def test_first_key_sets_at_once(live, summarize):
    """N329: who asks for the key set first gets the key that signs."""
    responses = race(lambda: requests.get(f'{live.url}/oauth2/jwks', timeout=60))
    found = {tuple(key['kid'] for key in response.json()['keys'] if key['alg'] == 'RS256') for response in responses}
    assert len(found) == 1
    assert len(get_key_ids(live, 'RS256')) == 1
    summarize(f"{len(responses)} at once: one key")


# RFC 9864 calls it Ed25519, a name that libraries of today do not know yet.
@pytest.mark.filterwarnings('ignore:EdDSA is deprecated')
@pytest.mark.parametrize('algorithm', ['RS256', 'ES256', 'EdDSA'])
def test_libraries_read_the_tokens(live, user_session, algorithm):
    """N312: PyJWT and joserfc, with the published keys."""
    application = live.register(id_token_signed_response_alg=algorithm)
    verifier = secrets.token_urlsafe(48)
    tokens = live.redeem(application, live.get_code(user_session, application, verifier, 'openid'), verifier).json()
    metadata = requests.get(f'{live.url}/.well-known/openid-configuration', timeout=30).json()
    key = PyJWKClient(metadata['jwks_uri']).get_signing_key_from_jwt(tokens['id_token'])
    claims = jwt.decode(
        tokens['id_token'], key, algorithms=[algorithm], audience=application.client_id, issuer=metadata['issuer']
    )
    assert claims['amr'] == ['pwd']
    key_set = joserfc.jwk.KeySet.import_key_set(requests.get(metadata['jwks_uri'], timeout=30).json())
    assert joserfc.jwt.decode(tokens['id_token'], key_set, algorithms=[algorithm]).claims == claims
    userinfo = requests.get(
        metadata['userinfo_endpoint'], headers={'Authorization': f"Bearer {tokens['access_token']}"}, timeout=30
    )
    assert userinfo.json()['sub'] == claims['sub']
