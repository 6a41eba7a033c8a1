"""ID tokens, hints, subjects, claims, login strength, logout and discovery."""

import pytest
from orestapi.jose import jws, keys
from orestapi.oauth2 import metadata
from orestapi.oauth2.errors import InvalidRequest
from orestapi.oauth2.parameters import Parameters
from orestapi.openid import authentication, claims, discovery, id_token, logout

ISSUER = 'https://odoo.example.com'


def _build(**changes):
    values = {'subject': 's', 'auth_time': 990, 'amr': ('pwd',), 'acr': 'a', 'sid': 'session', 'nonce': 'n', **changes}
    return id_token.build(ISSUER, 'wiki', id_token.Authentication(**values), 1000, 600)


class TestIdToken:
    def test_n312_members(self):
        assert _build() == {
            'iss': ISSUER, 'sub': 's', 'aud': 'wiki', 'iat': 1000, 'exp': 1600, 'auth_time': 990, 'acr': 'a',
            'amr': ['pwd'], 'sid': 'session', 'nonce': 'n',
        }  # fmt: skip

    def test_n312_no_nulls(self):
        token = _build(auth_time=None, amr=(), acr=None, sid=None, nonce=None)
        assert set(token) == {'iss', 'sub', 'aud', 'iat', 'exp'}

    def test_claims_cannot_replace_what_the_server_says(self):
        authenticated = id_token.Authentication(subject='s')
        token = id_token.build(ISSUER, 'wiki', authenticated, 1000, 600, {'sub': 'x', 'aud': 'x', 'name': "Ada"})
        assert (token['sub'], token['aud'], token['name']) == ('s', 'wiki', "Ada")

    def test_at_hash_of_core_a3(self):
        """The access token and hash of Core appendix A.3 and A.4."""
        assert (
            id_token.compute_at_hash('jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y', 'RS256') == '77QmUPtjPfzWtF2AnpK9RQ'
        )

    def test_at_hash_of_ed25519_has_half_of_sha512(self):
        assert len(id_token.compute_at_hash('x', 'EdDSA')) == 43


class TestHint:
    def _read(self, token, private_key, client_id='wiki'):
        return id_token.read_hint(token, [private_key.to_public_key()], ISSUER, client_id)

    def test_n319_expired_is_used(self, private_key):
        assert self._read(jws.sign(_build(), private_key), private_key)['sub'] == 's'
        assert self._read(jws.sign(_build(), private_key, typ='JWT'), private_key, None)['aud'] == 'wiki'

    def test_n319_foreign_key(self, private_key):
        with pytest.raises(InvalidRequest):
            self._read(jws.sign(_build(), keys.generate('ES256')), private_key)

    def test_n319_without_signature(self, private_key):
        token = jws.sign(_build(), private_key)
        with pytest.raises(InvalidRequest):
            self._read('eyJhbGciOiJub25lIn0.' + token.split('.')[1] + '.', private_key)

    @pytest.mark.parametrize('typ', ['at+jwt', 'logout+jwt', 'application/at+jwt'])
    def test_n319_another_token_of_this_server(self, private_key, typ):
        with pytest.raises(InvalidRequest):
            self._read(jws.sign(_build(), private_key, typ=typ), private_key)

    @pytest.mark.parametrize(
        'changes', [{'aud': 'shop'}, {'aud': ['wiki']}, {'iss': 'https://other.example'}, {'sub': 1}, {'aud': None}]
    )
    def test_n319_other_values(self, private_key, changes):
        with pytest.raises(InvalidRequest):
            self._read(jws.sign({**_build(), **changes}, private_key), private_key)


class TestClaims:
    def test_names(self):
        assert claims.get_names(['openid', 'email', 'rpc']) == {'sub', 'email', 'email_verified'}
        assert claims.get_names([]) == frozenset()

    def test_select_leaves_out_what_is_empty(self):
        values = {'name': "Ada", 'email': '', 'phone_number': None, 'groups': [], 'email_verified': False}
        assert claims.select(values, values) == {'name': "Ada", 'email_verified': False}

    def test_no_scope_carries_a_reserved_claim(self):
        carried = {name for names in claims.SCOPES.values() for name in names}
        assert carried & claims.RESERVED == {'sub'}


class TestAuthentication:
    @pytest.mark.parametrize(
        ('credentials', 'amr', 'acr'),
        [
            (['pwd'], ['pwd'], authentication.ONE_FACTOR),
            (['otp', 'pwd'], ['pwd', 'otp', 'mfa'], authentication.TWO_FACTORS),
            (['hwk'], ['hwk'], authentication.TWO_FACTORS),
            ([], [], authentication.ONE_FACTOR),
            (['pwd', 'pwd'], ['pwd'], authentication.ONE_FACTOR),
        ],
    )
    def test_methods_and_class(self, credentials, amr, acr):
        assert authentication.get_methods(credentials) == amr
        assert authentication.get_class(credentials) == acr

    @pytest.mark.parametrize(
        ('achieved', 'demanded', 'met'),
        [
            (authentication.ONE_FACTOR, (), True),
            (authentication.ONE_FACTOR, (authentication.TWO_FACTORS,), False),
            (authentication.TWO_FACTORS, (authentication.ONE_FACTOR,), True),
            (authentication.ONE_FACTOR, ('urn:unknown', authentication.ONE_FACTOR), True),
            (authentication.TWO_FACTORS, ('urn:unknown',), False),
        ],
    )
    def test_n323_demanded(self, achieved, demanded, met):
        assert authentication.is_met(achieved, demanded) is met


class TestSession:
    """What Odoo's session remembers of the login."""

    def test_login_with_two_factors(self):
        remembered = authentication.record(None, 2, 'pwd', 100, 'a')
        remembered = authentication.record(remembered, 2, 'otp', 110, 'b')
        expected = (100, ('pwd', 'otp', 'mfa'), authentication.TWO_FACTORS, 'a')
        assert authentication.describe(remembered, 2) == expected

    def test_confirmed_password_does_not_refresh_the_second_factor(self):
        remembered = authentication.record(None, 2, 'pwd', 100, 'a')
        remembered = authentication.record(remembered, 2, 'otp', 110, 'b')
        remembered = authentication.record(remembered, 2, 'pwd', 5000, 'c')
        assert authentication.describe(remembered, 2)[0] == 110
        assert authentication.describe(remembered, 2, 4000) == (5000, ('pwd',), authentication.ONE_FACTOR, 'a')

    def test_another_user(self):
        remembered = authentication.record(None, 2, 'pwd', 100, 'a')
        assert authentication.describe(remembered, 3) == (None, (), None, None)
        assert authentication.record(remembered, 3, 'pwd', 200, 'b') == {
            'uid': 3,
            'sid': 'b',
            'credentials': {'pwd': 200},
        }

    def test_session_older_than_the_addon(self):
        assert authentication.describe(None, 2) == (None, (), None, None)

    def test_nothing_since(self):
        remembered = authentication.record(None, 2, 'pwd', 100, 'a')
        assert authentication.describe(remembered, 2, 101) == (None, (), None, 'a')

    def test_another_provider(self):
        remembered = authentication.record(None, 2, authentication.OTHER, 100, 'a')
        assert authentication.describe(remembered, 2) == (100, (), authentication.ONE_FACTOR, 'a')


class TestLogout:
    def _parse(self, private_key, *pairs):
        return logout.parse(Parameters(pairs), [private_key.to_public_key()], ISSUER)

    def test_hint_names_everything(self, private_key):
        request = self._parse(
            private_key,
            ('id_token_hint', jws.sign(_build(), private_key)),
            ('post_logout_redirect_uri', 'https://wiki.example.com/bye'),
            ('state', 'a&b'),
        )
        assert (request.client_id, request.subject, request.sid, request.state) == ('wiki', 's', 'session', 'a&b')
        assert logout.find_redirect_uri(request, ['https://wiki.example.com/bye']) == 'https://wiki.example.com/bye'

    @pytest.mark.parametrize('path', ['bye?x', 'Bye', 'bye/'])
    def test_uri_is_compared_character_by_character(self, private_key, path):
        uri = f'https://wiki.example.com/{path}'
        request = self._parse(private_key, ('client_id', 'wiki'), ('post_logout_redirect_uri', uri))
        assert logout.find_redirect_uri(request, ['https://wiki.example.com/bye']) is None

    def test_nothing_names_the_application(self, private_key):
        request = self._parse(private_key, ('post_logout_redirect_uri', 'https://wiki.example.com/bye'))
        assert logout.find_redirect_uri(request, ['https://wiki.example.com/bye']) is None

    @pytest.mark.parametrize(('is_foreign', 'client_id'), [(True, 'wiki'), (True, None), (False, 'shop')])
    def test_bad_hint(self, private_key, is_foreign, client_id):
        hint = jws.sign(_build(), keys.generate('ES256') if is_foreign else private_key)
        pairs = [('id_token_hint', hint), *([('client_id', client_id)] if client_id else [])]
        request = self._parse(private_key, *pairs)
        assert request.client_id is None and request.subject is None and request.sid is None

    def test_repeated_parameter(self, private_key):
        request = self._parse(private_key, ('client_id', 'wiki'), ('client_id', 'wiki'), ('state', 'x'))
        assert request.client_id is None

    def test_logout_token(self):
        token = logout.build_token(ISSUER, 'wiki', 's', 'session', 'unique', 1000)
        assert token == {
            'iss': ISSUER, 'aud': 'wiki', 'iat': 1000, 'exp': 1120, 'jti': 'unique', 'sub': 's', 'sid': 'session',
            'events': {'http://schemas.openid.net/event/backchannel-logout': {}},
        }  # fmt: skip
        assert 'nonce' not in token


class TestDiscovery:
    def test_n325_keeps_what_rfc_8414_says(self):
        plain = metadata.build(ISSUER, ['openid', 'read'])
        document = discovery.extend(plain, ['department'], ['en-US', 'hu'])
        assert {name: document[name] for name in plain if name != 'response_modes_supported'} == {
            name: value for name, value in plain.items() if name != 'response_modes_supported'
        }
        assert document['jwks_uri'] == ISSUER + '/oauth2/jwks'
        assert 'RS256' in document['id_token_signing_alg_values_supported']
        assert 'department' in document['claims_supported']
        assert document['ui_locales_supported'] == ['en-US', 'hu']
