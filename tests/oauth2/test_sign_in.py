"""Sign-ins: expiry, access tokens, introspection (RFC 6749 §5.1, RFC 7662 §2.2)."""

import dataclasses
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import responses, tokens
from oauth2.client import CONFIDENTIAL, Client
from oauth2.sign_in import AccessToken, SignIn, get_end, get_new_access_end

NOW = datetime(2026, 11, 25, 12)
SECRET = tokens.generate_secret()
CLIENT = Client(
    id=1,
    client_id='app',
    client_type=CONFIDENTIAL,
    active=True,
    scope=frozenset({'read', 'rpc'}),
    access_token_expiry=3600,
)
SIGN_IN = SignIn(
    id=7,
    client=CLIENT,
    user_id=5,
    username='ada',
    is_service=False,
    scope=frozenset({'read', 'rpc'}),
    access=AccessToken(tokens.compute_digest(SECRET), 'read', NOW + timedelta(hours=1)),
    previous_access=AccessToken(None, None, None),
    refresh_digest=None,
    refresh_salt=None,
    generation=0,
    signed_in_at=NOW,
    refreshed_at=NOW,
    last_used_at=NOW,
    revoked_at=None,
    user_active=True,
    user_allowed=True,
)


def _replace(client=None, **changes):
    return dataclasses.replace(SIGN_IN, client=dataclasses.replace(CLIENT, **(client or {})), **changes)


class TestRefreshToken:
    """Whether a refresh token would be exchanged now, as introspection says (RFC 7662 §2.2)."""

    TOKEN = tokens.Token(tokens.REFRESH_TOKEN, 7, SECRET, generation=3)
    STORED = {'refresh_digest': tokens.compute_digest(SECRET), 'generation': 3}

    def test_works(self):
        active = _replace(**self.STORED).find_refresh(self.TOKEN, True, NOW)
        assert active.scope == {'read', 'rpc'} and active.expires_at is None

    def test_works_until_the_sign_in_ends(self):
        sign_in = _replace(client={'sign_in_expiry': 600}, **self.STORED)
        assert sign_in.find_refresh(self.TOKEN, True, NOW).expires_at == NOW + timedelta(seconds=600)
        assert sign_in.find_refresh(self.TOKEN, True, NOW + timedelta(seconds=600)) is None

    def test_scope_that_the_application_has_lost(self):
        sign_in = _replace(client={'scope': frozenset({'rpc', 'openid'})}, **self.STORED)
        assert sign_in.find_refresh(self.TOKEN, True, NOW).scope == {'rpc'}

    def test_forged(self):
        assert _replace(**self.STORED).find_refresh(self.TOKEN, False, NOW) is None

    @pytest.mark.parametrize(
        'changes',
        [
            {'revoked_at': NOW},
            {'user_allowed': False},
            {'client': {'active': False}},
            {'generation': 2},
            {'generation': 4},
            {'refresh_digest': None},
            {'refresh_digest': tokens.compute_digest('other')},
        ],
    )
    def test_does_not_work(self, changes):
        assert _replace(**{**self.STORED, **changes}).find_refresh(self.TOKEN, True, NOW) is None


class TestAccessToken:
    def test_works(self):
        active = SIGN_IN.find_access(SECRET, NOW)
        assert active.scope == {'read'} and active.expires_at == NOW + timedelta(hours=1)
        assert active.sign_in is SIGN_IN

    @pytest.mark.parametrize(
        'sign_in',
        [
            _replace(revoked_at=NOW),
            _replace(user_allowed=False),
            _replace(client={'active': False}),
            _replace(access=AccessToken(None, None, None)),
            _replace(access=AccessToken(tokens.compute_digest('other'), 'read', NOW + timedelta(hours=1))),
            _replace(access=AccessToken(tokens.compute_digest(SECRET), 'read', NOW)),
        ],
    )
    def test_does_not_work(self, sign_in):
        assert sign_in.find_access(SECRET, NOW) is None

    def test_previous_one_works_on(self):
        sign_in = _replace(access=AccessToken('x', 'rpc', NOW + timedelta(hours=2)), previous_access=SIGN_IN.access)
        assert sign_in.find_access(SECRET, NOW).scope == {'read'}

    def test_scope_that_the_application_has_lost(self):
        assert _replace(client={'scope': frozenset({'rpc'})}).find_access(SECRET, NOW).scope == frozenset()

    @given(
        access=st.integers(1, 7200),
        refresh=st.sampled_from([0, 60, 1800, 9000]),
        whole=st.sampled_from([0, 60, 1800, 9000]),
        refreshed=st.integers(0, 1800),
        elapsed=st.integers(0, 10_000),
    )
    def test_a16_ends_with_the_smallest_limit(self, access, refresh, whole, refreshed, elapsed):
        client = dataclasses.replace(
            CLIENT, access_token_expiry=access, refresh_token_expiry=refresh, sign_in_expiry=whole
        )
        refreshed_at = NOW + timedelta(seconds=refreshed)
        expires_at = get_new_access_end(NOW, client, refreshed_at)
        limits = [refreshed + access]
        if refresh:
            limits.append(refreshed + refresh)
        if whole:
            limits.append(whole)
        assert expires_at == NOW + timedelta(seconds=min(limits))
        sign_in = dataclasses.replace(
            SIGN_IN,
            client=client,
            refreshed_at=refreshed_at,
            access=AccessToken(tokens.compute_digest(SECRET), 'read', expires_at),
        )
        works = sign_in.find_access(SECRET, NOW + timedelta(seconds=elapsed)) is not None
        assert works == (elapsed < min(limits))

    def test_a16_limit_that_is_shortened_later(self):
        sign_in = _replace(client={'sign_in_expiry': 600})
        assert sign_in.find_access(SECRET, NOW).expires_at == NOW + timedelta(seconds=600)
        assert sign_in.find_access(SECRET, NOW + timedelta(seconds=600)) is None

    def test_service_ends_with_its_token(self):
        sign_in = _replace(
            client={'sign_in_expiry': 600, 'refresh_token_expiry': 60}, is_service=True, refreshed_at=None
        )
        assert sign_in.find_access(SECRET, NOW).expires_at == NOW + timedelta(hours=1)


def test_no_limit_never_ends():
    assert get_end(False, NOW, NOW, None, CLIENT) is None


class TestIntrospection:
    def _describe(self, active, asker=CLIENT, kind=tokens.ACCESS_TOKEN):
        return responses.build_introspection_response(kind, active, asker, 'https://odoo.example.com')

    def test_own_token(self):
        active = SIGN_IN.find_access(SECRET, NOW)
        assert self._describe(active) == {
            'active': True,
            'scope': 'read',
            'client_id': 'app',
            'sub': '5',
            'iss': 'https://odoo.example.com',
            'token_type': 'Bearer',
            'exp': 1795611600,
        }

    def test_none(self):
        assert self._describe(None) == {'active': False}

    def test_s05_resource_server_is_told_of_access_tokens_only(self):
        active = SIGN_IN.find_access(SECRET, NOW)
        other = dataclasses.replace(CLIENT, id=2)
        server = dataclasses.replace(other, resource_server=True)
        assert self._describe(active, other) == {'active': False}
        assert self._describe(active, server)['active']
        assert self._describe(active, server, tokens.REFRESH_TOKEN) == {'active': False}
        assert self._describe(active, CLIENT, tokens.REFRESH_TOKEN)['active']

    @pytest.mark.parametrize(
        ('scope', 'resource_server', 'told'),
        [('read', False, False), ('read', True, True), ('rpc', False, True), ('profile', False, True)],
    )
    def test_p11_username(self, scope, resource_server, told):
        client = {'scope': frozenset({'read', 'rpc', 'profile'}), 'resource_server': resource_server}
        sign_in = _replace(client=client, access=dataclasses.replace(SIGN_IN.access, scope=scope))
        response = self._describe(sign_in.find_access(SECRET, NOW), sign_in.client)
        assert response.get('username') == ('ada' if told else None)

    def test_service_is_not_taken_for_a_user(self):
        sign_in = _replace(is_service=True)
        assert self._describe(sign_in.find_access(SECRET, NOW))['sub'] == 'app'


def test_repr_shows_nothing():
    assert 'ada' not in repr(SIGN_IN) and 'digest' not in repr(SIGN_IN)
