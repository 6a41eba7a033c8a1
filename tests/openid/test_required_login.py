"""Which requests of a session need a login, what a login needs, and what is kept of it."""

from datetime import datetime

import pytest
from orestapi.oauth2.client import CONFIDENTIAL, PUBLIC, Client
from orestapi.oauth2.parameters import Parameters
from orestapi.openid import authentication, authentication_request, claims, login, required_login

DAY = required_login.MAX_AGE


def get_key(**changes):
    values = {'client_id': 'wiki', 'state': 's', 'nonce': 'n', 'code_challenge': 'c', 'prompt': 'login', **changes}
    return required_login.compute_key(Parameters((name, value) for name, value in values.items() if value is not None))


class TestRequiredLogin:
    def test_n307_known_again_without_what_asked_for_it(self):
        assert get_key() == get_key(prompt=None) == get_key(prompt='none', max_age='9', scope='x', acr_values='y')

    @pytest.mark.parametrize('name', ['client_id', 'state', 'nonce', 'code_challenge'])
    def test_n307_another_request(self, name):
        assert len({get_key(), get_key(**{name: 'other'}), get_key(**{name: None})}) == 3

    def test_n307_since_the_first_time(self):
        required = required_login.add(None, 'a', 100.5)
        required = required_login.add(required, 'a', 200)
        assert required_login.find(required, 'a', 300) == 100.5
        assert required_login.find(required, 'b', 300) is None
        assert required_login.find(required, 'a', 100.5 + DAY) is None
        assert required_login.find(required_login.remove(required, 'a'), 'a', 300) is None
        assert required_login.find(None, 'a', 1) is None
        assert required_login.remove(None, 'a') == {}

    def test_n307_too_many_to_tell_apart(self):
        required = None
        for number in range(required_login.MAX_REQUESTS + 1):
            required = required_login.add(required, str(number), 100 + number)
        assert len(required) == 1
        found = [required_login.find(required, key, 200) for key in ('0', 'another')]
        assert found == [100 + required_login.MAX_REQUESTS] * 2

    def test_old_ones_make_room(self):
        required = required_login.add({str(number): 1 for number in range(required_login.MAX_REQUESTS)}, 'a', 2 * DAY)
        assert required == {'a': 2 * DAY}


class TestMissing:
    @pytest.mark.parametrize(
        ('credentials', 'second_factor', 'missing'),
        [
            ({}, False, 'pwd'),
            ({'pwd': 99.9}, False, 'pwd'),
            ({'pwd': 100}, False, None),
            ({'pwd': 100}, True, 'otp'),
            ({'pwd': 100, 'otp': 99}, True, 'otp'),
            ({'pwd': 100, 'otp': 101}, True, None),
            ({'otp': 101}, True, 'pwd'),
            ({'hwk': 100}, True, None),
            ({'other': 100}, False, None),
            ({'other': 100}, True, 'otp'),
        ],
    )
    def test_n307_n323_what_is_missing(self, credentials, second_factor, missing):
        remembered = {'uid': 2, 'sid': 'a', 'credentials': credentials}
        assert authentication.find_missing(remembered, 2, 100, second_factor) == missing
        assert authentication.find_missing(remembered, 3, 100, second_factor) == 'pwd'
        assert authentication.find_missing(None, 2, 100, second_factor) == 'pwd'

    def test_session_gets_one_id(self):
        remembered = authentication.begin(None, 2, 'a')
        assert authentication.begin(remembered, 2, 'b') == remembered
        assert authentication.record(remembered, 2, 'pwd', 1.5, 'c')['sid'] == 'a'
        assert authentication.begin(remembered, 3, 'b')['sid'] == 'b'


class TestLogin:
    def test_what_is_kept(self):
        kept = login.describe(1000, ('pwd', 'otp'), 'a', 's', frozenset({'name', 'email', 'unknown', 'x sub'}))
        assert kept.auth_time == datetime(1970, 1, 1, 0, 16, 40)
        assert kept.id_token_claims == 'email name'
        told = kept.to_authentication('subject', 'nonce')
        assert (told.auth_time, told.amr, told.acr, told.sid) == (1000, ('pwd', 'otp'), 'a', 's')
        assert (told.subject, told.nonce) == ('subject', 'nonce')

    def test_nothing_known(self):
        kept = login.describe(None, (), None, None, frozenset())
        assert kept == login.Login()
        assert kept.to_authentication('subject').auth_time is None


def get_client(**changes):
    values = {'id': 1, 'client_id': 'wiki', 'client_type': CONFIDENTIAL, 'scope': frozenset({'openid', 'read'})}
    return Client(**{**values, 'default_scope': frozenset({'read'}), **changes})


@pytest.mark.parametrize(
    ('scope', 'client', 'expected'),
    [
        ('openid', get_client(), True),
        ('read openid', get_client(), True),
        ('read', get_client(), False),
        (None, get_client(), False),
        (None, get_client(default_scope=frozenset({'openid'})), True),
        ('openid"', get_client(), False),
        ('OpenID', get_client(), False),
        ('openid', get_client(scope=frozenset({'read'})), False),
    ],
)
def test_n303_what_is_an_authentication_request(scope, client, expected):
    pairs = [] if scope is None else [('scope', scope)]
    assert authentication_request.is_authentication_request(Parameters(pairs), client) is expected


@pytest.mark.parametrize(('prompt', 'expected'), [('none', True), ('login none', True), ('', False), ('nonee', False)])
def test_n304_silent(prompt, expected):
    assert authentication_request.is_silent(Parameters([('prompt', prompt)])) is expected


@pytest.mark.parametrize(
    ('email', 'login_name', 'is_external', 'expected'),
    [
        ('ada@example.com', 'Ada@Example.com ', False, True),
        ('ada@example.com', 'ada', False, False),
        ('ada@example.com', 'ada@example.com', True, False),
    ],
)
def test_n321_verified(email, login_name, is_external, expected):
    assert claims.is_verified(email, login_name, is_external) is expected


def test_n315_scope_of_claims():
    assert claims.get_scope(frozenset({'name', 'email_verified', 'unknown'})) == {'profile', 'email'}
    assert claims.get_scope(frozenset()) == frozenset()


@pytest.mark.parametrize(
    ('changes', 'nonce', 'expected'),
    [
        ({}, 'n', False),
        ({'nonce_replaces_pkce': True}, 'n', True),
        ({'nonce_replaces_pkce': True}, None, False),
        ({'nonce_replaces_pkce': True, 'client_type': PUBLIC}, 'n', False),
        ({'require_pkce': False}, None, True),
        ({'require_pkce': False, 'client_type': PUBLIC}, None, False),
    ],
)
def test_pkce_exception(changes, nonce, expected):
    assert get_client(**changes).may_omit_pkce(nonce) is expected
