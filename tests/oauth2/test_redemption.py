"""The decision about a code: order of the checks, current PKCE setting, replay (RFC 9700 §4.5)."""

import dataclasses
from datetime import datetime, timedelta

import pytest

from oauth2 import pkce, tokens
from oauth2.client import CONFIDENTIAL, PUBLIC, Client
from oauth2.errors import InvalidGrant, InvalidRequest, InvalidScope
from oauth2.grants import authorization_code
from oauth2.sign_in import Code

NOW = datetime(2026, 11, 25, 12)
VERIFIER = 'v' * 43
SECRET = tokens.generate_secret()
TOKEN = tokens.parse(tokens.render(tokens.AUTHORIZATION_CODE, 3, SECRET))
URI = 'https://app.example/callback'
CLIENT = Client(
    id=1, client_id='app', client_type=CONFIDENTIAL, active=True, redirect_uris=(URI,), scope=frozenset({'read'})
)
REDEEM = authorization_code.Redeem(frozenset({'read'}))
CODE = Code(
    id=3,
    digest=tokens.compute_digest(SECRET),
    application_id=1,
    user_id=5,
    redirect_uri=URI,
    redirect_uri_sent=True,
    code_challenge=pkce.compute_challenge(VERIFIER),
    scope='read',
    expires_at=NOW + timedelta(seconds=600),
    created_at=NOW,
    at_legacy_address=False,
    used_at=None,
    verifier_failures=0,
    revoked=False,
    user_active=True,
    user_allowed=True,
    opened_token_id=None,
    nonce=None,
)
REQUEST = authorization_code.Request(code='c', redirect_uri=URI, code_verifier=VERIFIER)


def _decide(code=None, request=None, client=None, parsed=TOKEN, now=NOW):
    return authorization_code.decide(
        parsed,
        dataclasses.replace(CODE, **(code or {})),
        dataclasses.replace(REQUEST, **(request or {})),
        dataclasses.replace(CLIENT, **(client or {})),
        now,
    )


def test_good_code():
    assert _decide() == REDEEM


def test_redirect_uri_that_was_not_sent_may_be_left_out():
    assert _decide({'redirect_uri_sent': False}, {'redirect_uri': None}) == REDEEM


@pytest.mark.parametrize(
    ('code', 'request_', 'client', 'description'),
    [
        ({'digest': tokens.compute_digest('other')}, {}, {}, 'not valid'),
        ({}, {}, {'id': 2}, 'not valid'),
        ({}, {'redirect_uri': URI + '/'}, {}, 'not that of'),
        ({}, {'redirect_uri': None}, {}, 'is missing'),
        ({}, {'code_verifier': None}, {}, 'is missing'),
        ({'verifier_failures': 5}, {}, {}, 'Too many'),
        ({'revoked': True}, {}, {}, 'expired'),
        ({'expires_at': NOW}, {}, {}, 'expired'),
        ({'user_allowed': False}, {}, {}, 'may no longer'),
        ({'at_legacy_address': True}, {}, {}, 'at this endpoint'),
        ({}, {}, {'redirect_uris': ()}, 'no longer registered'),
    ],
)
def test_refused(code, request_, client, description):
    with pytest.raises(InvalidGrant, match=description):
        _decide(code, request_, client)


@pytest.mark.parametrize('parsed', [None, tokens.parse(tokens.render(tokens.ACCESS_TOKEN, 3, SECRET))])
def test_no_code(parsed):
    with pytest.raises(InvalidGrant):
        authorization_code.decide(parsed, parsed and CODE, REQUEST, CLIENT, NOW)


def test_wrong_verifier_is_to_be_counted():
    with pytest.raises(authorization_code.WrongVerifier):
        _decide(request={'code_verifier': 'w' * 43})


def test_verifier_without_challenge_is_a_downgrade():
    with pytest.raises(InvalidRequest):
        _decide({'code_challenge': None}, client={'require_pkce': False})


@pytest.mark.parametrize('client', [{'client_type': PUBLIC, 'require_pkce': False}, {'require_pkce': True}])
def test_s06_pkce_that_is_required_by_now(client):
    """The code was issued while PKCE was not required."""
    with pytest.raises(InvalidGrant, match='PKCE'):
        _decide({'code_challenge': None}, {'code_verifier': None}, client)
    relaxed = {'require_pkce': False}
    assert _decide({'code_challenge': None}, {'code_verifier': None}, relaxed) == REDEEM


def test_s06_code_of_the_standard_address_at_the_older_one():
    """The older endpoints need no PKCE, but only for codes that were requested there."""
    client = {'legacy_connector': True, 'at_legacy_address': True}
    without = {'code_challenge': None}
    assert _decide({**without, 'at_legacy_address': True}, {'code_verifier': None}, client) == REDEEM
    with pytest.raises(InvalidGrant, match='PKCE'):
        _decide(without, {'code_verifier': None}, client)
    assert _decide(without, {'code_verifier': None}, {**client, 'require_pkce': False}) == REDEEM
    with pytest.raises(InvalidGrant, match='PKCE'):
        _decide({**without, 'at_legacy_address': True}, {'code_verifier': None}, {**client, 'client_type': PUBLIC})


def test_s06_scope_that_the_application_has_lost():
    client = {'scope': frozenset({'read', 'openid'})}
    assert _decide({'scope': 'read rpc'}, {}, client) == REDEEM
    with pytest.raises(InvalidScope):
        _decide({'scope': 'rpc'}, {}, client)


def test_s06_expiry_that_was_shortened():
    client = {'authorization_code_expiry': 60}
    assert _decide(client=client, now=NOW + timedelta(seconds=59)) == REDEEM
    with pytest.raises(InvalidGrant, match='expired'):
        _decide(client=client, now=NOW + timedelta(seconds=60))


class TestReplay:
    USED = {'used_at': NOW, 'opened_token_id': 9}

    def test_with_everything_that_belongs_to_it(self):
        assert _decide(self.USED) == authorization_code.Replay()

    def test_also_after_its_expiry(self):
        assert _decide(self.USED, now=NOW + timedelta(days=1)) == authorization_code.Replay()

    @pytest.mark.parametrize(
        ('request_', 'client'),
        [
            ({'redirect_uri': 'https://evil.example/'}, {}),
            ({'code_verifier': None}, {}),
            ({'code_verifier': 'w' * 43}, {}),
            ({}, {'id': 2}),
        ],
    )
    def test_thief_who_lacks_one_of_them_ends_nothing(self, request_, client):
        with pytest.raises(InvalidGrant):
            _decide(self.USED, request_, client)


def test_repr_shows_no_secret():
    assert VERIFIER not in repr(REQUEST) and CODE.digest not in repr(CODE)


@pytest.mark.parametrize(
    ('code', 'request_', 'client', 'reason'),
    [
        ({'digest': tokens.compute_digest('other')}, {}, {}, 'code_unknown'),
        ({}, {}, {'id': 2}, 'code_other_application'),
        ({}, {'redirect_uri': None}, {}, 'redirect_uri_left_out'),
        ({}, {'redirect_uri': URI + '/'}, {}, 'redirect_uri_changed'),
        ({'at_legacy_address': True}, {}, {}, 'code_legacy'),
        ({'code_challenge': None}, {'code_verifier': None}, {}, 'pkce_missing'),
        ({'verifier_failures': 5}, {}, {}, 'verifier_limit'),
        ({'revoked': True}, {}, {}, 'code_revoked'),
        ({'expires_at': NOW}, {}, {}, 'code_expired'),
        ({}, {}, {'redirect_uris': ()}, 'redirect_uri_gone'),
        ({}, {}, {'scope': frozenset({'rpc'})}, 'scope_gone'),
        ({'user_allowed': False}, {}, {}, 'user_not_allowed'),
        ({'user_allowed': False, 'user_active': False}, {}, {}, 'user_archived'),
    ],
)
def test_the_event_tells_the_reason_and_the_user(code, request_, client, reason):
    """The application learns little; the administrator reads why, and of whom (A8)."""
    with pytest.raises((InvalidGrant, InvalidScope)) as refusal:
        _decide(code, request_, client)
    assert refusal.value.reason == reason
    # Of a code that is not known, neither is the user.
    assert refusal.value.user_id == (None if reason == 'code_unknown' else CODE.user_id)


def test_the_event_tells_what_is_no_code():
    with pytest.raises(InvalidGrant) as refusal:
        authorization_code.decide(None, None, REQUEST, CLIENT, NOW)
    assert refusal.value.reason == 'code_malformed'
    with pytest.raises(InvalidGrant) as refusal:
        authorization_code.decide(TOKEN, None, REQUEST, CLIENT, NOW)
    assert refusal.value.reason == 'code_unknown'


def test_a_request_without_redirect_uri_and_verifier_sends_neither():
    assert authorization_code.Request(code='c') == dataclasses.replace(REQUEST, redirect_uri=None, code_verifier=None)
