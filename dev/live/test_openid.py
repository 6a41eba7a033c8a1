"""OpenID Connect on a server with several workers: the first signature, and what libraries think of the tokens."""

import base64
import concurrent.futures
import json
import secrets
import subprocess
import time

import joserfc.errors
import joserfc.jwk
import joserfc.jwt
import jwt
import pytest
import requests
from jwt import PyJWKClient

from dev.live.conformance import Provider
from dev.live.test_races import race
from dev.workbench.npm import install, node_folder
from jose import jws, key_set
from jose.errors import InvalidJws

pytestmark = pytest.mark.same

#: Codes that are redeemed at once.
CODES = 12

ALGORITHMS = ('RS256', 'ES256', 'EdDSA')

JOSE_VERSION = '6.2.18'

#: Reads tokens with the npm package jose, and writes some. A token that it refuses becomes the name of the error.
JOSE_SCRIPT = """
import * as jose from "jose";

const {issuer, audience, tokens, claims} = JSON.parse(process.argv[1]);
const {jwks_uri} = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const keys = jose.createRemoteJWKSet(new URL(jwks_uri));
const read = [];
for (const {token, algorithm} of tokens) {
    try {
        const {payload} = await jose.jwtVerify(token, keys, {issuer, audience, algorithms: [algorithm]});
        read.push(payload);
    } catch (error) {
        read.push(error.code);
    }
}
const written = [];
for (const algorithm of ["RS256", "PS256", "ES256", "EdDSA"]) {
    const {publicKey, privateKey} = await jose.generateKeyPair(algorithm);
    const kid = `key of ${algorithm}`;
    const token = await new jose.SignJWT(claims).setProtectedHeader({alg: algorithm, kid}).sign(privateKey);
    written.push({token, jwk: {...(await jose.exportJWK(publicKey)), alg: algorithm, kid, use: "sig"}});
}
console.log(JSON.stringify({read, written}));
"""


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
    # Other tests have made one.
    live.call('orestapi.signing.key', 'action_withdraw', find_keys(live, 'RS256'))
    old = set(get_key_ids(live, 'RS256'))
    responses = race(lambda: requests.get(f'{live.url}/oauth2/jwks', timeout=60))
    found = {tuple(key['kid'] for key in response.json()['keys'] if key['alg'] == 'RS256') for response in responses}
    assert len(found) == 1
    assert set(get_key_ids(live, 'RS256')) - old == {*found.pop()}
    summarize(f"{len(responses)} at once: one key")


def sign_in(live, session, algorithm, application=None):
    """Return an application of an algorithm, and the token response of a sign-in to it."""
    application = application or live.register(id_token_signed_response_alg=algorithm, trusted=True)
    verifier = secrets.token_urlsafe(48)
    response = live.redeem(application, live.get_code(session, application, verifier, 'openid'), verifier)
    assert response.status_code == 200, response.text
    return application, response.json()


def spoil(id_token):
    """Return an ID token with a bad signature of each kind."""
    header, payload, signature = id_token.split('.')
    claims = decode(payload)
    changed = encode({**claims, 'sub': 'somebody else'})
    unsigned = encode({**decode(header), 'alg': 'none'})
    symmetric = encode({**decode(header), 'alg': 'HS256'})
    return [
        f'{header}.{payload}.{("B" if signature[0] == "A" else "A") + signature[1:]}',
        f'{header}.{changed}.{signature}',
        f'{header}.{payload}.',
        f'{unsigned}.{payload}.',
        f'{unsigned}.{payload}.{signature}',
        f'{symmetric}.{payload}.{signature}',
    ]


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))


def encode(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip('=')


# RFC 9864 calls it Ed25519, a name that libraries of today do not know yet.
@pytest.mark.filterwarnings('ignore:EdDSA is deprecated')
@pytest.mark.parametrize('algorithm', ALGORITHMS)
def test_libraries_read_the_tokens(live, user_session, algorithm):
    """N312, N348: PyJWT and joserfc, with the published keys."""
    application, tokens = sign_in(live, user_session, algorithm)
    metadata = Provider(live).metadata
    key = PyJWKClient(metadata['jwks_uri']).get_signing_key_from_jwt(tokens['id_token'])
    expected = {'algorithms': [algorithm], 'audience': application.client_id, 'issuer': metadata['issuer']}
    claims = jwt.decode(tokens['id_token'], key, **expected)
    assert claims['amr'] == ['pwd']
    joserfc_keys = joserfc.jwk.KeySet.import_key_set(requests.get(metadata['jwks_uri'], timeout=30).json())
    assert joserfc.jwt.decode(tokens['id_token'], joserfc_keys, algorithms=[algorithm]).claims == claims
    keys = key_set.parse(requests.get(metadata['jwks_uri'], timeout=30).json())
    for bad in spoil(tokens['id_token']):
        with pytest.raises(jwt.PyJWTError):
            jwt.decode(bad, key, **expected)
        with pytest.raises((joserfc.errors.JoseError, ValueError)):
            joserfc.jwt.decode(bad, joserfc_keys, algorithms=[algorithm])
        with pytest.raises(InvalidJws):
            jws.verify(bad, keys)


def test_npm_jose(live, user_session, summarize):
    """N312, N348: the library of most programs in JavaScript reads our tokens, and we read its."""
    application = live.register(trusted=True)
    tokens, expected = [], []
    for algorithm in ALGORITHMS:
        live.call('orestapi.application', 'write', [application.id], {'id_token_signed_response_alg': algorithm})
        _application, response = sign_in(live, user_session, algorithm, application)
        good = response['id_token']
        for token in (good, *spoil(good)):
            tokens.append({'token': token, 'algorithm': algorithm})
            expected.append(decode(good.split('.')[1]) if token == good else None)
    claims = {'iss': 'https://app.example.com', 'sub': 'ä"b', 'aud': live.url, 'exp': int(time.time()) + 60}
    arguments = {'issuer': live.url, 'audience': application.client_id, 'tokens': tokens, 'claims': claims}
    done = subprocess.run(
        [node_folder() / 'node', '--input-type=module', '--eval', JOSE_SCRIPT, json.dumps(arguments)],
        cwd=install('jose', JOSE_VERSION),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    for sent, found, claims_of_good in zip(tokens, answer['read'], expected, strict=True):
        if claims_of_good:
            assert found == claims_of_good, sent
        else:
            assert found in ('ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'ERR_JOSE_ALG_NOT_ALLOWED'), (sent, found)
    assert len(answer['written']) == 4
    for written in answer['written']:
        keys = key_set.parse({'keys': [written['jwk']]})
        assert jws.verify(written['token'], keys).claims == claims
        for bad in spoil(written['token']):
            with pytest.raises(InvalidJws):
                jws.verify(bad, keys)
    summarize(f"{len(tokens)} tokens signed here, {len(answer['written'])} by the library")


# Rotation


def find_keys(live, algorithm):
    domain = [('algorithm', '=', algorithm), ('withdrawn_at', '=', False)]
    return live.call('orestapi.signing.key', 'search', domain)


def let_time_pass(live, algorithm, interval):
    """Make the keys of an algorithm older, and run the daily job, which announces the next one."""
    live.execute(
        """
        UPDATE orestapi_signing_key
           SET signs_from = signs_from - %s::interval, create_date = create_date - %s::interval
         WHERE algorithm = %s
        RETURNING id
        """,
        [interval, interval, algorithm],
    )
    # Every process forgets the keys that it has cached: twice, because the job reads them.
    live.register()
    live.call('ir.cron', 'method_direct_trigger', [live.find_id('base.autovacuum_job')])


class CountingClient(PyJWKClient):
    """PyJWT's client, which keeps a key set for an hour; `fetched` counts the requests."""

    def __init__(self, uri):
        # By default, it asks again for an unknown key only after half a minute.
        super().__init__(uri, lifespan=3600, cooldown_duration=0)
        self.fetched = 0

    def fetch_data(self):
        self.fetched += 1
        return super().fetch_data()


def test_oidcc_server_rotate_keys(live, user_session, summarize):
    """N328: an application that keeps the key set for an hour verifies every token; after *Withdraw now*, see below."""
    algorithm = 'ES256'
    application, tokens = sign_in(live, user_session, algorithm)
    jwks_uri = Provider(live).metadata['jwks_uri']

    def issue():
        return sign_in(live, user_session, algorithm, application)[1]['id_token']

    def get_kid(id_token):
        return jwt.get_unverified_header(id_token)['kid']

    def verify(client, id_token):
        return jwt.decode(
            id_token,
            client.get_signing_key_from_jwt(id_token),
            algorithms=[algorithm],
            audience=application.client_id,
            issuer=live.url,
        )

    old = tokens['id_token']
    # 89 days and an hour: the next key is published, and does not sign yet.
    let_time_pass(live, algorithm, '89 days 1 hour')
    published = [key['kid'] for key in Provider(live).fetch_keys()['keys'] if key['alg'] == algorithm]
    assert len(published) == 2
    [next_kid] = set(published) - {get_kid(old)}
    assert get_kid(issue()) == get_kid(old)
    # The application fetches the set in the last hour before the change, and once.
    client = CountingClient(jwks_uri)
    verify(client, old)
    let_time_pass(live, algorithm, '24 hours')
    new = issue()
    assert get_kid(new) == next_kid
    verify(client, new)
    verify(client, old)
    assert client.fetched == 1
    # The old key stays for as long as a token of it may be valid, and two days more.
    let_time_pass(live, algorithm, '71 hours')
    verify(CountingClient(jwks_uri), old)
    let_time_pass(live, algorithm, '2 hours')
    with pytest.raises(jwt.PyJWKClientError):
        verify(CountingClient(jwks_uri), old)
    # Withdrawn: a client that fetches the set refuses tokens of the old key; one with a cached set accepts them, for an
    # hour at most.
    live.call('orestapi.signing.key', 'action_withdraw', find_keys(live, algorithm))
    after = issue()
    assert get_kid(after) not in published
    with pytest.raises(jwt.PyJWKClientError):
        verify(CountingClient(jwks_uri), new)
    verify(client, new)
    # An unknown key makes a good library fetch the set once more, and then it refuses the old one too.
    verify(client, after)
    assert client.fetched == 2
    with pytest.raises(jwt.PyJWKClientError):
        verify(client, new)
    summarize("the key set was fetched once before and after the change, and once more after the withdrawal")
