from psycopg2 import errorcodes

from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import CLIENT_SECRET, OAuth2Case

#: Of the right form, but never issued.
UNKNOWN = 'orestapi_at_1_' + 'x' * 43


@tagged('post_install', '-at_install')
class TestRevoke(OAuth2Case):
    """Token revocation (RFC 7009)."""

    def revoke(self, token, application=None, auth=True, **changes):
        """POST /oauth2/revoke."""
        application = application or self.application
        parameters = {'token': token, **changes}
        if application.client_type == 'public' and auth is True:
            parameters.setdefault('client_id', application.client_id)
            auth = None
        elif auth is True:
            auth = self.get_auth(application)
        return self.post(
            '/oauth2/revoke', {name: value for name, value in parameters.items() if value is not None}, auth
        )

    def assertRevoked(self, response):
        """Assert the one answer that there is to a revocation that was not refused (RFC 7009 §2.2)."""
        self.assertEqual((response.status_code, response.text), (200, ''))
        self.assertNoStore(response)

    def assertWorks(self, tokens, application=None):
        self.assertActive(tokens['access_token'], tokens['refresh_token'], application=application)

    def assertEnded(self, tokens, application=None):
        self.assertInactive(tokens['access_token'], tokens['refresh_token'], application=application)

    def test_n158_only_post(self):
        tokens = self.sign_in()
        for method in ('GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'):
            with self.subTest(method=method):
                response = self.url_open('/oauth2/revoke?token=' + tokens['access_token'], method=method)
                self.assertEqual(response.status_code, 405)
                self.assertIn('POST', response.headers['Allow'])
                self.assertNotIn(method, response.headers['Allow'])
        self.assertWorks(tokens)

    def test_n159_token_missing(self):
        # RFC 6749 §3.2: a parameter without a value counts as left out.
        for token in (None, ''):
            with self.subTest(token=token):
                self.assertOAuth2Error(self.revoke(token), 400, 'invalid_request')

    def test_n160_client_authentication(self):
        tokens = self.sign_in()
        client_id = self.application.client_id
        for auth, changes in [
            (None, {}),
            (None, {'client_id': client_id}),
            (None, {'client_id': client_id, 'client_secret': 'wrong'}),
            (None, {'client_id': client_id, 'client_secret': ''}),
            (None, {'client_secret': CLIENT_SECRET}),
            ((client_id, 'wrong'), {}),
            ((client_id, ''), {}),
            (('unknown-client', CLIENT_SECRET), {}),
        ]:
            with self.subTest(auth=auth, changes=changes):
                response = self.revoke(tokens['access_token'], auth=auth, **changes)
                self.assertInvalidClient(response, challenge=bool(auth))
        self.assertWorks(tokens)

    def test_n161_not_a_valid_token(self):
        ended, expired = self.sign_in(), self.sign_in()
        self.assertRevoked(self.revoke(ended['refresh_token']))
        strings = {
            'unknown': UNKNOWN,
            'malformed': 'no token',
            'unicode': 'téken',
            'of a row that is none': UNKNOWN.replace('_1_', '_9999999999_'),
            'a client secret': CLIENT_SECRET,
            'revoked access token': ended['access_token'],
            'revoked refresh token': ended['refresh_token'],
            'forged refresh token': f'{expired["refresh_token"].rsplit("_", 2)[0]}_{"x" * 43}_{"x" * 43}',
        }
        for name, string in strings.items():
            with self.subTest(name):
                self.assertRevoked(self.revoke(string))
        self.assertWorks(expired)
        with self.later(seconds=3600):
            self.assertRevoked(self.revoke(expired['access_token']))

    def test_n161_revoked_is_logged_once(self):
        tokens = self.sign_in()
        for _attempt in range(2):
            self.revoke(tokens['access_token'])
        events = self.env['orestapi.event'].search([('kind', '=', 'token_revoked')])
        self.assertEqual((events.application_id, events.user_id), (self.application, self.user))
        sign_in = self.env['orestapi.token'].search([('user_id', '=', self.user.id)])
        self.assertEqual(sign_in.revoked_reason, 'application')
        self.assertTrue(sign_in.revoked_at)

    def test_n162_token_of_another_application(self):
        """Answered as an unknown one, so that nobody can probe; the token works on."""
        tokens, public = self.sign_in(), self.sign_in(self.public)
        for token in (*tokens.values(), public['access_token'], public['refresh_token']):
            self.assertRevoked(self.revoke(str(token), self.other))
        self.assertWorks(tokens)
        self.assertEqual(self.refresh(public['refresh_token'], self.public).status_code, 200)

    def test_n163_public_application(self):
        tokens, confidential = self.sign_in(self.public, scope='rpc'), self.sign_in()
        for client_id in (None, 'unknown-client', self.application.client_id):
            with self.subTest(client_id=client_id):
                self.assertInvalidClient(self.revoke(tokens['access_token'], auth=None, client_id=client_id))
        # One that is public must not claim to be confidential either.
        self.assertInvalidClient(
            self.revoke(tokens['access_token'], auth=(self.public.client_id, CLIENT_SECRET)), challenge=True
        )
        self.assertRevoked(self.revoke(confidential['refresh_token'], self.public))
        self.assertWorks(confidential)
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 200)
        self.assertRevoked(self.revoke(tokens['access_token'], self.public))
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 401)

    def test_n164_wrong_hint(self):
        for name, hint in (('access_token', 'refresh_token'), ('refresh_token', 'access_token')):
            with self.subTest(name):
                tokens = self.sign_in()
                self.assertRevoked(self.revoke(tokens[name], token_type_hint=hint))
                self.assertEnded(tokens)

    def test_n165_unknown_hint(self):
        tokens = self.sign_in()
        self.assertRevoked(self.revoke(tokens['access_token'], token_type_hint='saml2'))
        self.assertEnded(tokens)

    def test_n166_refresh_token(self):
        """All tokens of the sign-in end with it, and no token of another sign-in."""
        tokens, elsewhere = self.sign_in(scope='rpc'), self.sign_in()
        refreshed = self.refresh(tokens['refresh_token']).json()
        self.assertRevoked(self.revoke(refreshed['refresh_token']))
        self.assertInactive(tokens['access_token'])
        self.assertEnded(refreshed)
        for access_token in (tokens['access_token'], refreshed['access_token']):
            self.assertEqual(self.call_json2(access_token).status_code, 401)
        self.assertOAuth2Error(self.refresh(refreshed['refresh_token']), 400, 'invalid_grant')
        self.assertWorks(elsewhere)

    def test_n166_refresh_token_of_an_earlier_generation(self):
        """An application may have lost the answer to its last refresh and still sign the user out."""
        tokens = self.sign_in()
        refreshed = self.refresh(tokens['refresh_token']).json()
        self.assertRevoked(self.revoke(tokens['refresh_token']))
        self.assertEnded(refreshed)

    def test_n167_access_token(self):
        """The refresh token dies too: an application that signs a user out sends either (RFC 7009 §2.1)."""
        tokens = self.sign_in()
        self.assertRevoked(self.revoke(tokens['access_token']))
        self.assertEnded(tokens)
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')

    def test_n168_revoke_twice_and_refresh(self):
        """One after the other; the live tests do it at once."""
        tokens = self.sign_in()
        for _attempt in range(2):
            self.assertRevoked(self.revoke(tokens['refresh_token']))
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')
        self.assertEnded(tokens)

    def test_n169_server_cannot_process(self):
        """The client must take the token for valid and try again (RFC 7009 §2.2.1)."""
        tokens = self.sign_in()
        # A database without room on its disk, as far as this table goes.
        self.env.cr.execute(
            SQL(
                """
                CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = %s; END $$;
                CREATE TRIGGER fail BEFORE UPDATE ON orestapi_token FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()
                """,
                errorcodes.DISK_FULL,
            )
        )
        # Odoo reports what its database cannot do, as it should.
        with mute_logger('odoo.http', 'odoo.sql_db'):
            response = self.revoke(tokens['access_token'])
        self.assertOAuth2Error(response, 503, 'temporarily_unavailable')
        self.assertEqual(response.headers['Retry-After'], '5')
        self.env.cr.execute("DROP TRIGGER fail ON orestapi_token")
        self.assertWorks(tokens)

    def test_n170_repeated_parameter(self):
        tokens, elsewhere = self.sign_in(), self.sign_in()
        for pairs in (
            [('token', tokens['access_token']), ('token', elsewhere['access_token'])],
            [('token', tokens['access_token']), ('token', tokens['access_token'])],
            [('token', tokens['access_token']), ('token_type_hint', 'x'), ('token_type_hint', 'y')],
            [('token', tokens['access_token']), ('token[]', elsewhere['access_token'])],
        ):
            with self.subTest(pairs=[name for name, _value in pairs]):
                self.assertOAuth2Error(self.post('/oauth2/revoke', pairs, self.get_auth()), 400, 'invalid_request')
        self.assertWorks(tokens)
        self.assertWorks(elsewhere)

    def test_n171_no_csrf_token(self):
        """Works for a program without a session, and the session of a browser is of no use to it."""
        tokens = self.sign_in()
        self.authenticate('mitchell', None)
        response = self.url_open(
            '/oauth2/revoke', {'token': tokens['access_token']}, headers={'Authorization': 'Basic Og=='}
        )
        self.assertInvalidClient(response, challenge=True)
        self.assertWorks(tokens)
        self.assertRevoked(self.revoke(tokens['access_token']))
        self.assertEnded(tokens)
