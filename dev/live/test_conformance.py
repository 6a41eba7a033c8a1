"""The modules of the conformance suite's plans *Basic OP* and *Config OP*, and those of *Dynamic OP* on redirect URIs.

`test_logout.py` has those of the logout plans, `test_openid.py` the one on a rotation of keys.

Each test is named after its module. `dev/live/conformance.py` has the checks that are made in all of them.
"""

import base64
import http.server
import json
import re
import secrets
import threading
import time
import xmlrpc.client
from urllib.parse import urlsplit

import joserfc.jws
import pytest
import requests

from dev.live.conformance import (
    CALLBACK,
    CONSENT_PAGE,
    LOGIN_PAGE,
    PASSWORD_PAGE,
    Person,
    Provider,
    RelyingParty,
    check_error_response,
    check_id_token,
    check_token_response,
    check_userinfo,
    get_value,
    make_challenge,
)
from dev.workbench.oauth2_client import read_form
from dev.workbench.odoo_server import LOGIN

pytestmark = pytest.mark.same

#: The claims of each scope that the user of the tests has a value for.
PROFILE = {'name', 'preferred_username', 'updated_at', 'locale', 'zoneinfo', 'picture'}
EMAIL = {'email', 'email_verified'}
PHONE = {'phone_number'}

WELL_KNOWN = '/.well-known/openid-configuration'

#: RFC 5646 §2.1, as far as anybody uses it, with the recommended upper and lower case.
TAG = re.compile(r'[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?')

#: Errors that say that a page would have been necessary (Core §3.1.2.6).
NEEDS_PAGE = {'login_required', 'interaction_required', 'consent_required', 'account_selection_required'}


@pytest.fixture(scope='module')
def provider(live):
    [user] = live.call('res.users', 'search', [('login', '=', LOGIN)])
    live.call(
        'res.users', 'write', [user], {'email': 'a@example.com', 'phone': '+36 1 234 5678', 'tz': 'Europe/Vienna'}
    )
    return Provider(live)


@pytest.fixture(scope='module')
def party(provider):
    """The suite sends no PKCE, so that its application needs the exception from it."""
    return RelyingParty(provider, provider.live.register(CALLBACK, name="Suite", nonce_replaces_pkce=True))


@pytest.fixture(scope='module')
def second_party(provider):
    return RelyingParty(provider, provider.live.register(CALLBACK, name="Second", nonce_replaces_pkce=True))


@pytest.fixture(scope='module')
def person(party):
    """Somebody who is logged in and has allowed the application what it asks for."""
    person = Person(party.provider)
    answer = person.authorize(party.get_request(scope='openid profile email phone'))
    assert answer.pages == [LOGIN_PAGE, CONSENT_PAGE]
    assert answer.code
    return person


# Responses


def test_oidcc_server(party, person):
    answer, tokens = party.run(person)
    assert answer.pages == []
    # Core §5.4: without the scope, no claim.
    assert set(tokens.userinfo) == {'sub'}
    assert tokens.response['scope'].split() == ['openid']


def test_oidcc_response_type_missing(party, person):
    answer = person.authorize(party.get_request(response_type=None))
    assert answer.parameters['error'] in ('invalid_request', 'unsupported_response_type')


def test_oidcc_idtoken_signature(party, person):
    _answer, tokens = party.run(person)
    header = joserfc.jws.extract_compact(tokens.response['id_token'].encode()).headers()
    assert header['alg'] == 'RS256'
    assert header['kid']


def test_oidcc_idtoken_unsigned(party):
    """The suite skips it where `none` is not offered. Here, no administrator can set it either."""
    assert 'none' not in party.provider.metadata['id_token_signing_alg_values_supported']
    field = 'id_token_signed_response_alg'
    [found] = party.provider.live.call('orestapi.application', 'fields_get', [field], ['selection']).values()
    assert 'none' not in dict(found['selection'])


# UserInfo


def test_oidcc_userinfo_get(party, person):
    _answer, tokens = party.run(person)
    check_userinfo(party.fetch_userinfo(tokens.response['access_token']), tokens.claims)


def test_oidcc_userinfo_post_header(party, person):
    _answer, tokens = party.run(person)
    headers = {'Authorization': f"Bearer {tokens.response['access_token']}"}
    endpoint = party.provider.metadata['userinfo_endpoint']
    check_userinfo(requests.post(endpoint, headers=headers, timeout=30), tokens.claims)


def test_oidcc_userinfo_post_body(party, person):
    _answer, tokens = party.run(person)
    form = {'access_token': tokens.response['access_token']}
    endpoint = party.provider.metadata['userinfo_endpoint']
    check_userinfo(requests.post(endpoint, data=form, timeout=30), tokens.claims)


# Scopes


@pytest.mark.parametrize(
    ('scope', 'names'),
    [
        ('openid profile', PROFILE),
        ('openid email', EMAIL),
        ('openid phone', PHONE),
        ('openid profile email phone', PROFILE | EMAIL | PHONE),
    ],
    ids=['oidcc-scope-profile', 'oidcc-scope-email', 'oidcc-scope-phone', 'oidcc-scope-all'],
)
def test_oidcc_scope(party, person, scope, names):
    answer, tokens = party.run(person, scope=scope)
    assert answer.pages == []
    assert set(tokens.userinfo) == {'sub'} | names
    # They are told at UserInfo, and not twice (Core §5.4).
    assert not names & set(tokens.claims)
    assert set(tokens.response['scope'].split()) == set(scope.split())


def test_oidcc_scope_address(party, person):
    """The suite skips it where the scope is not offered."""
    assert 'address' not in party.provider.metadata['scopes_supported']
    assert person.authorize(party.get_request(scope='openid address')).parameters['error'] == 'invalid_scope'


def test_oidcc_ensure_other_scope_order_succeeds(party, person):
    _answer, tokens = party.run(person, scope='email openid')
    assert set(tokens.userinfo) == {'sub'} | EMAIL


def test_oidcc_alternate_happy_flow(party, person):
    """The parameters in the opposite order too."""
    request = party.get_request(scope='email openid')
    tokens = party.complete(person.authorize(dict(reversed(request.items()))))
    assert set(tokens.userinfo) == {'sub'} | EMAIL


def test_oidcc_claims_essential(party, person):
    claims = json.dumps({'userinfo': {'name': {'essential': True}}})
    _answer, tokens = party.run(person, claims=claims)
    assert tokens.userinfo['name']
    assert 'name' not in tokens.claims


# What a request may carry


@pytest.mark.parametrize(
    'changes',
    [{'display': 'page'}, {'display': 'popup'}, {'ui_locales': 'se'}, {'claims_locales': 'se'}, {'extra': 'foobar'}],
    ids=[
        'oidcc-display-page',
        'oidcc-display-popup',
        'oidcc-ui-locales',
        'oidcc-claims-locales',
        'oidcc-ensure-request-with-unknown-parameter-succeeds',
    ],
)
def test_oidcc_parameter(party, person, changes):
    answer, _tokens = party.run(person, **changes)
    assert answer.pages == []


def test_oidcc_login_hint(party):
    """It is filled in, and the flow goes on."""
    person = Person(party.provider)
    answer = person.browser.get(
        party.provider.metadata['authorization_endpoint'],
        params=(request := party.get_request(login_hint='buffy@example.com')),
    )
    assert get_value(answer.text, 'login') == 'buffy@example.com'
    answer = person.authorize(request)
    assert answer.pages == [LOGIN_PAGE]
    party.complete(answer)


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(provider, party, person):
    """The module sends no PKCE either. By default, this server demands one of the two (RFC 9700 §2.1.1)."""
    verifier = secrets.token_urlsafe(48)
    answer = person.authorize(party.get_request(nonce=None, **make_challenge(verifier)))
    party.complete(answer, code_verifier=verifier)
    assert person.authorize(party.get_request(nonce=None)).parameters['error'] == 'invalid_request'
    lax = RelyingParty(provider, provider.live.register(CALLBACK, name="Suite", require_pkce=False))
    lax.complete(person.authorize(lax.get_request(nonce=None)))


def test_oidcc_ensure_request_with_valid_pkce_succeeds(party, person):
    verifier = secrets.token_urlsafe(48)
    request = party.get_request(**make_challenge(verifier))
    party.complete(person.authorize(request), code_verifier=verifier)
    # And it is looked at.
    answer = person.authorize({**request, 'state': 'again'})
    check_error_response(party.redeem(answer, code_verifier=verifier[::-1]), 'invalid_grant')


def test_oidcc_ensure_request_with_acr_values_succeeds(party, person):
    [one_factor, two_factors] = party.provider.metadata['acr_values_supported']
    for values in (f'{one_factor} {two_factors}', '1 2'):
        _answer, tokens = party.run(person, acr_values=values)
        assert tokens.claims['acr'] == one_factor


def test_oidcc_ensure_post_request_succeeds(party, person):
    answer = person.authorize(party.get_request(), method='POST')
    assert answer.pages == []
    party.complete(answer)


def make_unsigned_object(party, **changes):
    """Return a request object with `alg` none (Core §6.1), and the request around it."""
    request = party.get_request()
    claims = {**request, 'iss': party.client_id, 'aud': party.provider.metadata['issuer'], **changes}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip('=') for part in ({'alg': 'none'}, claims)
    ]
    return '.'.join([*parts, '']), request


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(party, person):
    assert party.provider.metadata['request_parameter_supported'] is False
    request_object, request = make_unsigned_object(party, state='inside', nonce='inside')
    answer = person.authorize({**request, 'request': request_object})
    assert answer.parameters['error'] == 'request_not_supported'


def test_oidcc_ensure_request_object_with_redirect_uri(party, person):
    """The object names another redirect URI, which nobody looks at."""
    request_object, request = make_unsigned_object(party, redirect_uri='https://evil.example/callback')
    answer = person.authorize({**request, 'request': request_object})
    assert answer.parameters['error'] == 'request_not_supported'
    # A bad one outside of it stays a page.
    answer = person.authorize({**request, 'request': request_object, 'redirect_uri': 'https://evil.example/callback'})
    assert answer.page.status_code == 400
    assert 'Location' not in answer.page.headers


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(party, person):
    """N316: and nothing is fetched."""
    assert party.provider.metadata['request_uri_parameter_supported'] is False
    fetched = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            fetched.append(self.path)
            self.send_response(200)
            self.end_headers()

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f'http://127.0.0.1:{server.server_port}/request.jwt'
        answer = person.authorize(party.get_request(request_uri=uri))
        server.shutdown()
    assert answer.parameters['error'] == 'request_uri_not_supported'
    assert fetched == []


# Logins


def test_oidcc_prompt_login(party, person):
    _answer, first = party.run(person)
    # `auth_time` has whole seconds.
    time.sleep(1.1)
    answer, second = party.run(person, prompt='login')
    assert answer.pages == [PASSWORD_PAGE]
    assert second.claims['sub'] == first.claims['sub']
    assert second.claims['auth_time'] > first.claims['auth_time']


def test_oidcc_prompt_none_not_logged_in(party):
    # The suite sends a long state here, because some servers cut it.
    request = party.get_request(prompt='none', state=secrets.token_urlsafe(96))
    answer = Person(party.provider).authorize(request)
    assert answer.pages == []
    assert answer.parameters['error'] in NEEDS_PAGE


def test_oidcc_prompt_none_logged_in(party, person):
    _answer, first = party.run(person)
    answer, second = party.run(person, prompt='none')
    assert answer.pages == []
    for name in ('sub', 'auth_time', 'acr', 'amr', 'sid'):
        assert second.claims[name] == first.claims[name]


def test_oidcc_id_token_hint(party, person):
    _answer, first = party.run(person)
    _answer, second = party.run(person, prompt='none', id_token_hint=first.response['id_token'])
    assert second.claims['sub'] == first.claims['sub']


def test_oidcc_max_age_1(party):
    person = Person(party.provider)
    _answer, first = party.run(person)
    # After one second, the login is just young enough.
    time.sleep(2.1)
    answer, second = party.run(person, max_age='1')
    assert answer.pages == [PASSWORD_PAGE]
    assert second.claims['auth_time'] > first.claims['auth_time']
    assert second.claims['auth_time'] > time.time() - 10


def test_oidcc_max_age_10000(party, person):
    _answer, first = party.run(person, max_age='15000')
    answer, second = party.run(person, max_age='10000')
    assert answer.pages == []
    for name in ('sub', 'auth_time'):
        assert second.claims[name] == first.claims[name]


# Codes, refresh tokens, redirect URIs


def test_oidcc_codereuse(party, person):
    answer, _tokens = party.run(person)
    check_error_response(party.redeem(answer), 'invalid_grant')


def test_oidcc_codereuse_30seconds(party, person):
    """The code is made older instead of waiting; then its tokens do not work any more either."""
    answer, tokens = party.run(person)
    code_id = int(answer.code.split('_')[2])
    [[state]] = party.provider.live.execute(
        """
        UPDATE orestapi_authorization_code
           SET create_date = create_date - interval '30 s', expires_at = expires_at - interval '30 s'
         WHERE id = %s
        RETURNING expires_at > now() AT TIME ZONE 'utc'
        """,
        [code_id],
    )
    assert state is not None
    check_error_response(party.redeem(answer), 'invalid_grant')
    response = party.fetch_userinfo(tokens.response['access_token'])
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers['WWW-Authenticate']


def test_oidcc_server_client_secret_post(party, person):
    assert 'client_secret_post' in party.provider.metadata['token_endpoint_auth_methods_supported']
    RelyingParty(party.provider, party.application, authentication='post').run(person)


def test_oidcc_refresh_token(party, second_party, person):
    assert 'refresh_token' in party.provider.metadata['grant_types_supported']
    answer, tokens = party.run(person, scope='openid offline_access', prompt='consent')
    assert answer.pages == [CONSENT_PAGE]
    response = party.post_token(grant_type='refresh_token', refresh_token=tokens.response['refresh_token'])
    refreshed = check_token_response(party, response)
    claims = check_id_token(party, refreshed['id_token'], access_token=refreshed['access_token'])
    # Core §12.2
    for name in ('iss', 'sub', 'aud', 'auth_time', 'acr', 'amr', 'sid'):
        assert claims[name] == tokens.claims[name]
    assert claims['iat'] >= tokens.claims['iat']
    check_userinfo(party.fetch_userinfo(refreshed['access_token']), claims)
    # The token of the second application is refused to the first, and still works for the second.
    _answer, others = second_party.run(person, scope='openid offline_access', prompt='consent')
    stolen = {'grant_type': 'refresh_token', 'refresh_token': others.response['refresh_token']}
    check_error_response(party.post_token(**stolen), 'invalid_grant')


def test_oidcc_ensure_registered_redirect_uri(party, person):
    request = party.get_request(redirect_uri=f'{CALLBACK}/{secrets.token_hex(5)}')
    answer = person.authorize(request)
    assert answer.page.status_code == 400
    assert 'Location' not in answer.page.headers
    assert request['redirect_uri'] not in answer.page.text


def test_oidcc_ensure_redirect_uri_in_authorization_request(party, person):
    """Core §3.1.2.1 requires it. RFC 6749 §3.1.2.3 lets an application leave out the only one, which gets the code."""
    request = party.get_request()
    registered = request.pop('redirect_uri')
    answer = person.browser.get(
        party.provider.metadata['authorization_endpoint'], params=request, allow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers['Location'].startswith(f'{registered}?code=')


@pytest.fixture(scope='module')
def with_query(provider):
    uri = f'{CALLBACK}?foo=bar'
    application = provider.live.register(uri, name="With a query", nonce_replaces_pkce=True, trusted=True)
    return RelyingParty(provider, application)


def test_oidcc_redirect_uri_query_ok(with_query, person):
    with_query.run(person)


@pytest.mark.parametrize(
    'uri',
    [f'{CALLBACK}?foo=bar&baz=1', f'{CALLBACK}?foo=baz', CALLBACK],
    ids=['oidcc-redirect-uri-query-added', 'oidcc-redirect-uri-query-mismatch', 'query-missing'],
)
def test_oidcc_redirect_uri_query(with_query, person, uri):
    answer = person.authorize(with_query.get_request(redirect_uri=uri))
    assert answer.page.status_code == 400
    assert 'Location' not in answer.page.headers


def test_oidcc_redirect_uri_regfrag(provider):
    with pytest.raises(xmlrpc.client.Fault, match='#'):
        provider.live.register(f'{CALLBACK}#foo')


def test_form_post(party, person):
    """The plan *Form Post OP*: the page posts the same parameters."""
    request = party.get_request(response_mode='form_post')
    answer = person.authorize(request)
    action, fields = read_form(answer.page.text)
    assert action == CALLBACK
    assert fields['state'] == request['state']
    assert fields['iss'] == party.provider.metadata['issuer']
    answer.parameters = fields
    party.complete(answer)


# Discovery


def test_oidcc_discovery_endpoint_verification(live):
    response = requests.get(live.url + WELL_KNOWN, timeout=30)
    assert response.status_code == 200
    assert response.headers['Content-Type'].partition(';')[0] == 'application/json'
    document = response.json()
    # Discovery §4.3
    assert document['issuer'] == live.url
    issuer = urlsplit(document['issuer'])
    assert issuer.netloc and not issuer.query and not issuer.fragment
    for name in ('authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri'):
        assert document[name].startswith(f'{live.url}/')
    assert document['response_types_supported'] == ['code']
    assert document['subject_types_supported']
    assert set(document['subject_types_supported']) <= {'public', 'pairwise'}
    assert 'RS256' in document['id_token_signing_alg_values_supported']
    assert 'none' not in document['id_token_signing_alg_values_supported']
    assert 'authorization_code' in document['grant_types_supported']
    assert 'openid' in document['scopes_supported']
    for scope in document['scopes_supported']:
        # RFC 6749 §3.3
        assert re.fullmatch(r'[\x21\x23-\x5B\x5D-\x7E]+', scope)
    assert {'sub', 'name', 'email', 'auth_time'} <= set(document['claims_supported'])
    assert isinstance(document['code_challenge_methods_supported'], list)
    assert 'S256' in document['code_challenge_methods_supported']
    assert document['ui_locales_supported']
    for locale in document['ui_locales_supported']:
        assert TAG.fullmatch(locale), locale
    # What is left out counts as supported (Discovery §3).
    assert document['request_uri_parameter_supported'] is False
    assert document['request_parameter_supported'] is False
    assert document['claims_parameter_supported'] is True
    assert {'client_secret_basic', 'client_secret_post'} <= set(document['token_endpoint_auth_methods_supported'])
    for name, value in document.items():
        if name.endswith('_supported'):
            assert isinstance(value, (list, bool)), name
        assert value not in (None, '', []), name
    keys = Provider(live).fetch_keys()['keys']
    assert any(key['alg'] == 'RS256' for key in keys)


def test_oidcc_discovery_endpoints_use_https(live):
    """With the issuer of a server in production."""
    live.call('ir.config_parameter', 'set_param', 'orestapi.issuer', 'https://odoo.example.com')
    try:
        document = requests.get(live.url + WELL_KNOWN, timeout=30).json()
    finally:
        live.call('ir.config_parameter', 'set_param', 'orestapi.issuer', live.url)
    addresses = {name: value for name, value in document.items() if name.endswith(('_endpoint', '_uri', 'issuer'))}
    assert len(addresses) >= 8
    for name, value in addresses.items():
        assert value.startswith('https://odoo.example.com'), name
