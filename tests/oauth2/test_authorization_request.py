"""RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9207."""

import dataclasses
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import authorization_request
from oauth2.client import CONFIDENTIAL, PUBLIC, Client
from oauth2.errors import InvalidRequest, InvalidScope, OAuth2Error, UnauthorizedClient, UnsupportedResponseType
from oauth2.parameters import Parameters

URI = 'https://app.example/callback'
CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
CLIENT = Client(
    id=1,
    client_id='app',
    client_type=CONFIDENTIAL,
    redirect_uris=(URI,),
    scope=frozenset({'read', 'rpc'}),
    default_scope=frozenset({'read'}),
    grant_types=frozenset({'authorization_code'}),
)
GOOD = {
    'response_type': 'code',
    'client_id': 'app',
    'redirect_uri': URI,
    'scope': 'read rpc',
    'state': 'xyz',
    'code_challenge': CHALLENGE,
    'code_challenge_method': 'S256',
}


def _validate(client=CLIENT, extra=(), **changes):
    sent = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return authorization_request.validate(Parameters([*sent.items(), *extra]), client, URI)


def test_good_request():
    assert _validate() == authorization_request.AuthorizationRequest(
        redirect_uri=URI, redirect_uri_sent=True, scope=frozenset({'read', 'rpc'}), code_challenge=CHALLENGE
    )


@pytest.mark.parametrize(
    ('changes', 'attribute', 'expected'),
    [
        pytest.param({'redirect_uri': None}, 'redirect_uri_sent', False, id='RFC 6749 4.1.3'),
        pytest.param({'redirect_uri': ''}, 'redirect_uri_sent', False, id='N060 empty redirect_uri'),
        pytest.param({'scope': None}, 'scope', {'read'}, id='RFC 6749 3.3: default scope'),
        pytest.param({'scope': ''}, 'scope', {'read'}, id='N060 empty scope'),
        pytest.param({'state': None}, 'scope', {'read', 'rpc'}, id='state is optional'),
        pytest.param({'nonce': 'x', 'prompt': 'none'}, 'scope', {'read', 'rpc'}, id='N059 unknown parameters'),
        pytest.param({'request': 'x', 'request_uri': 'y'}, 'scope', {'read', 'rpc'}, id='N057 request objects'),
    ],
)
def test_optional_parameters(changes, attribute, expected):
    """RFC 6749 §3.1: empty is omitted, unknown is ignored."""
    assert getattr(_validate(**changes), attribute) == expected


@pytest.mark.parametrize(
    ('changes', 'error'),
    [
        pytest.param({'response_type': None}, InvalidRequest, id='N039'),
        *(
            pytest.param({'response_type': value}, UnsupportedResponseType, id=f'N040 {value}')
            for value in ('token', 'id_token', 'code token', 'none', 'CODE', 'code ')
        ),
        pytest.param({'scope': 'read unknown'}, InvalidScope, id='N043'),
        pytest.param({'scope': 'READ'}, InvalidScope, id='N043 letter case'),
        pytest.param({'scope': 'read "'}, InvalidScope, id='N045'),
        pytest.param({'scope[a]': 'b'}, InvalidRequest, id='N046'),
        pytest.param({'code_challenge': None, 'code_challenge_method': None}, InvalidRequest, id='N047'),
        pytest.param({'code_challenge_method': 'plain'}, InvalidRequest, id='N048'),
        pytest.param({'code_challenge_method': None}, InvalidRequest, id='N049'),
        pytest.param({'code_challenge': CHALLENGE + '='}, InvalidRequest, id='N051'),
        pytest.param({'code_challenge': None}, InvalidRequest, id='N052'),
    ],
)
def test_refused_by_redirect(changes, error):
    """N039-N052; RFC 6749 §4.1.2.1, RFC 7636 §4.4.1."""
    with pytest.raises(error):
        _validate(**changes)


@pytest.mark.parametrize('suffix', ['', '[]'])
@pytest.mark.parametrize('name', GOOD)
def test_repeated_parameter(name, suffix):
    """N005, N006, N030, N041, N046; RFC 6749 §3.1: even with the same value twice."""
    with pytest.raises(InvalidRequest):
        _validate(extra=[(name + suffix, GOOD[name])])


@pytest.mark.parametrize(
    ('changes', 'error'),
    [
        pytest.param({'grant_types': frozenset({'refresh_token'})}, UnauthorizedClient, id='N042'),
        pytest.param({'scope': frozenset({'read'})}, InvalidScope, id='N044'),
    ],
)
def test_client_may_not(changes, error):
    """RFC 6749 §4.1.2.1."""
    with pytest.raises(error):
        _validate(client=dataclasses.replace(CLIENT, **changes))


@pytest.mark.parametrize('default_scope', [frozenset(), frozenset({'admin'})])
def test_default_scope_must_exist_and_be_allowed(default_scope):
    """RFC 6749 §3.3: use a default or fail with invalid_scope; N044."""
    with pytest.raises(InvalidScope):
        _validate(client=dataclasses.replace(CLIENT, default_scope=default_scope), scope=None)


@pytest.mark.parametrize(('client_type', 'allowed'), [(CONFIDENTIAL, True), (PUBLIC, False)])
def test_pkce_cannot_be_switched_off_for_public_clients(client_type, allowed):
    """N047; RFC 9700 §2.1.1."""
    client = dataclasses.replace(CLIENT, client_type=client_type, require_pkce=False)
    try:
        request = _validate(client=client, code_challenge=None, code_challenge_method=None)
    except InvalidRequest:
        assert not allowed
    else:
        assert allowed and request.code_challenge is None


@pytest.mark.parametrize(
    'pairs',
    [
        [],
        [('client_id', '')],
        [('client_id', 'app'), ('client_id', 'app')],
        [('client_id[]', 'app')],
        [('client_id', 'app'), ('client_id[]', 'other')],
    ],
)
def test_client_id_is_refused(pairs):
    """N001, N005, N030; RFC 6749 §4.1.2.1: must not be redirected."""
    with pytest.raises(InvalidRequest):
        authorization_request.get_client_id(Parameters(pairs))


def test_client_id():
    assert authorization_request.get_client_id(Parameters(GOOD.items())) == 'app'


@pytest.mark.parametrize(
    ('registered', 'pairs', 'expected'),
    [
        ((URI,), [('redirect_uri', URI)], URI),
        pytest.param((URI,), [], URI, id='N008'),
        pytest.param((URI,), [('redirect_uri', '')], URI, id='N008, N060'),
        pytest.param((URI,), [('redirect_uri', URI), ('redirect_uri', URI)], None, id='N006 same twice'),
        pytest.param(
            (URI,), [('redirect_uri', URI), ('redirect_uri', 'https://evil.example/')], None, id='N006 good, bad'
        ),
        pytest.param(
            (URI,), [('redirect_uri', 'https://evil.example/'), ('redirect_uri', URI)], None, id='N006 bad, good'
        ),
        pytest.param((URI, URI + '2'), [], None, id='N007'),
        pytest.param((), [], None, id='N009'),
        pytest.param((URI,), [('redirect_uri', 'https://evil.example/')], None, id='N010'),
        pytest.param((URI,), [('redirect_uri[]', URI)], None, id='N030'),
    ],
)
def test_redirect_uri(registered, pairs, expected):
    """RFC 6749 §3.1.2.3, §4.1.2.1: must not be redirected."""
    client = dataclasses.replace(CLIENT, redirect_uris=registered)
    if expected is None:
        with pytest.raises(InvalidRequest):
            authorization_request.get_redirect_uri(Parameters(pairs), client)
    else:
        assert authorization_request.get_redirect_uri(Parameters(pairs), client) == expected


names = st.sampled_from([*GOOD, 'scope[]', 'x'])
values = st.one_of(st.sampled_from(sorted(set(GOOD.values()))), st.text())


@given(st.lists(st.tuples(names, values), max_size=10))
def test_any_request_is_a_request_or_an_error_of_ours(pairs):
    """RFC 6749 §4.1.2.1: an accepted request never exceeds the rights of the client."""
    try:
        request = authorization_request.validate(Parameters(pairs), CLIENT, URI)
    except OAuth2Error:
        return
    assert request.scope <= CLIENT.scope and request.code_challenge and request.redirect_uri == URI


@pytest.mark.parametrize(
    ('response', 'state', 'expected'),
    [
        ({'code': 'c'}, 'x y', [('code', 'c'), ('state', 'x y'), ('iss', 'https://odoo.example')]),
        ({'code': 'c'}, None, [('code', 'c'), ('iss', 'https://odoo.example')]),
        (
            InvalidScope("Text.").to_parameters(),
            'x',
            [
                ('error', 'invalid_scope'),
                ('error_description', 'Text.'),
                ('state', 'x'),
                ('iss', 'https://odoo.example'),
            ],
        ),
    ],
)
def test_response(response, state, expected):
    """N039, N064; RFC 9207 §2: `iss` with errors too, in the query and not the fragment.

    The registered query can make neither an error look like a success, nor a success like an error.
    """
    registered = f'{URI}?code=x&error=y&error_description=z&iss=evil'
    uri = authorization_request.get_response_uri(registered, response, state, 'https://odoo.example')
    base, _mark, query = uri.partition('?')
    assert base == URI
    assert parse_qsl(query) == expected
