"""The token request: RFC 6749 §4.1.3, §4.4.2, §5.2 and §6."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import grants
from oauth2.client import CONFIDENTIAL, PUBLIC, Client
from oauth2.errors import InvalidRequest, InvalidScope, OAuth2Error, UnauthorizedClient, UnsupportedGrantType
from oauth2.parameters import Parameters

CLIENT = Client(id=1, client_id='app', client_type=CONFIDENTIAL, grant_types=frozenset(grants.GRANTS))
CODE = {'grant_type': 'authorization_code', 'code': 'c', 'redirect_uri': 'https://app.example/', 'code_verifier': 'v'}
REFRESH = {'grant_type': 'refresh_token', 'refresh_token': 'r', 'scope': 'read'}
CREDENTIALS = {'grant_type': 'client_credentials', 'scope': 'read'}


def _validate(sent, client=CLIENT, extra=()):
    return grants.validate(Parameters([*sent.items(), *extra]), client)


@pytest.mark.parametrize(
    'sent',
    [
        CODE,
        REFRESH,
        CREDENTIALS,
        {'grant_type': 'authorization_code', 'code': 'c'},
        {'grant_type': 'refresh_token', 'refresh_token': 'r'},
        {'grant_type': 'client_credentials'},
    ],
)
def test_good_request(sent):
    """RFC 6749 §4.1.3, §4.4.2, §6; unknown parameters are ignored (N059)."""
    grant = grants.GRANTS[sent['grant_type']]
    names = [field.name for field in dataclasses.fields(grant.Request)]
    expected = grant, grant.Request(**{name: sent.get(name) for name in names})
    assert _validate(sent) == expected
    assert _validate({**sent, 'unknown': 'x'}, extra=[('unknown', 'y')]) == expected


@pytest.mark.parametrize('scope', ['read', 'admin', '"'])
def test_code_grant_ignores_scope(scope):
    """N129; RFC 6749 §4.1.3 has no scope: never wider than what the user allowed."""
    _grant, request = _validate({**CODE, 'scope': scope})
    assert not hasattr(request, 'scope')


@pytest.mark.parametrize(
    ('sent', 'error'),
    [
        pytest.param({}, InvalidRequest, id='N086 missing'),
        pytest.param({'grant_type': ''}, InvalidRequest, id='N086 empty'),
        *(
            pytest.param({'grant_type': value, 'code': 'c'}, UnsupportedGrantType, id=f'N087 {value}')
            for value in ('password', 'implicit', 'AUTHORIZATION_CODE', 'urn:ietf:params:oauth:grant-type:jwt-bearer')
        ),
        pytest.param({**CODE, 'code': ''}, InvalidRequest, id='N110'),
        pytest.param({'grant_type': 'authorization_code', 'refresh_token': 'r'}, InvalidRequest, id='N110 other token'),
        pytest.param({'grant_type': 'refresh_token', 'code': 'c'}, InvalidRequest, id='N137'),
        pytest.param({**REFRESH, 'scope': 'read\trpc'}, InvalidScope, id='RFC 6749 3.3 of refresh'),
        pytest.param({**CREDENTIALS, 'scope': '"'}, InvalidScope, id='RFC 6749 3.3 of client credentials'),
        pytest.param({**CODE, 'code[]': 'c'}, InvalidRequest, id='N105'),
    ],
)
def test_refused(sent, error):
    """RFC 6749 §5.2."""
    with pytest.raises(error):
        _validate(sent)


@pytest.mark.parametrize('suffix', ['', '[]'])
@pytest.mark.parametrize('name', sorted({*CODE, *REFRESH, 'client_id', 'client_secret'}))
def test_repeated_parameter(name, suffix):
    """N084, N105; RFC 6749 §3.2: the request must not be read as if the parameter were left out."""
    sent = {**CODE, **REFRESH, 'client_id': 'app', 'client_secret': 's'}
    for grant in grants.GRANTS:
        with pytest.raises(InvalidRequest):
            _validate({**sent, 'grant_type': grant}, extra=[(name + suffix, sent[name])])


@pytest.mark.parametrize('sent', [CODE, REFRESH, CREDENTIALS])
def test_grant_that_the_client_may_not_use(sent):
    """N088; RFC 6749 §5.2."""
    others = CLIENT.grant_types - {sent['grant_type']}
    with pytest.raises(UnauthorizedClient):
        _validate(sent, client=dataclasses.replace(CLIENT, grant_types=others))


def test_public_client_has_no_client_credentials_grant():
    """RFC 6749 §4.4: only confidential clients may use it, whatever the settings."""
    client = dataclasses.replace(CLIENT, client_type=PUBLIC)
    with pytest.raises(UnauthorizedClient):
        _validate(CREDENTIALS, client=client)
    assert _validate(CODE, client=client) and _validate(REFRESH, client=client)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*grants.PARAMETERS, 'code[]', 'x']),
            st.one_of(st.sampled_from(sorted(grants.GRANTS)), st.text()),
        ),
        max_size=8,
    )
)
def test_any_request_is_a_request_or_an_error_of_ours(pairs):
    """RFC 6749 §5.2."""
    try:
        grant, _request = grants.validate(Parameters(pairs), CLIENT)
    except OAuth2Error:
        return
    assert grant.NAME in CLIENT.grant_types


def test_secrets_are_in_no_repr():
    """N109; RFC 6819 §4.6.7."""
    _grant, request = _validate({**CODE, 'code': 'hunter2', 'code_verifier': 'hunter3'})
    assert 'hunter' not in repr(request)


@pytest.mark.parametrize('name', grants.GRANTS)
def test_row_of_the_table(name):
    """A grant module has everything: name, parameters, parser and handler."""
    grant = grants.GRANTS[name]
    assert name == grant.NAME
    assert set(grant.PARAMETERS) == {field.name for field in dataclasses.fields(grant.Request)}
    model, method = grant.HANDLER
    assert model.startswith('orestapi.') and method.startswith('_')
    assert callable(grant.parse) and callable(grant.decide)


def test_grant_without_a_row_gives_nothing():
    """A grant that is only half added, here to the client, must not give the tokens of another grant."""
    client = dataclasses.replace(CLIENT, grant_types=CLIENT.grant_types | {'urn:new'})
    with pytest.raises(UnsupportedGrantType):
        _validate({**CODE, **REFRESH, 'grant_type': 'urn:new'}, client=client)


@pytest.mark.parametrize(
    ('sent', 'reason'),
    [
        (CODE, 'grant_type_not_allowed'),
        (REFRESH, 'grant_type_not_allowed'),
        (CREDENTIALS, 'service_user_missing'),
    ],
)
def test_the_event_tells_why_a_grant_is_refused(sent, reason):
    """The administrator reads what to change (A8)."""
    with pytest.raises(UnauthorizedClient) as refusal:
        _validate(sent, client=dataclasses.replace(CLIENT, grant_types=frozenset()))
    assert refusal.value.reason == reason
    assert refusal.value.sent == sent['grant_type']


def test_the_event_tells_why_a_public_application_is_refused():
    with pytest.raises(UnauthorizedClient) as refusal:
        _validate(CREDENTIALS, client=dataclasses.replace(CLIENT, client_type=PUBLIC))
    assert refusal.value.reason == 'service_public'


@pytest.mark.parametrize(
    ('allowed', 'requested', 'reason'),
    [(frozenset({'read'}), 'rpc', 'scope_not_allowed'), (frozenset(), None, 'scope_none')],
)
def test_the_event_tells_why_a_service_is_refused(allowed, requested, reason):
    grant = grants.GRANTS['client_credentials']
    with pytest.raises(InvalidScope) as refusal:
        grant.decide(grant.Request(scope=requested), dataclasses.replace(CLIENT, scope=allowed))
    assert refusal.value.reason == reason


def test_a_service_may_ask_for_all_of_its_scope():
    grant = grants.GRANTS['client_credentials']
    client = dataclasses.replace(CLIENT, scope=frozenset({'read', 'rpc'}))
    assert grant.decide(grant.Request(scope='rpc read'), client) == {'read', 'rpc'}


def test_the_event_tells_which_grants_there_are():
    with pytest.raises(UnsupportedGrantType) as refusal:
        _validate({'grant_type': 'password'})
    assert (refusal.value.reason, refusal.value.sent) == ('grant_type', 'password')
    assert refusal.value.expected == 'authorization_code, refresh_token, client_credentials'
