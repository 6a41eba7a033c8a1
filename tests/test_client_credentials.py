from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from ..oauth2.tokens import parse, render_refresh_token
from .common import PASSWORD, OAuth2Case


@tagged('post_install', '-at_install')
class TestClientCredentials(OAuth2Case):
    """An application that works on its own, as its service user (RFC 6749 §4.4)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service_user = new_test_user(cls.env, 'robot', 'base.group_user', password=PASSWORD, name="Robot")
        cls.application.service_user_id = cls.service_user

    def ask(self, application=None, auth=True, **changes):
        return self._post_token({'grant_type': 'client_credentials'}, application or self.application, auth, changes)

    def get_tokens(self, **changes):
        response = self.ask(**changes)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertNoStore(response)
        return response.json()

    def test_service_user(self):
        tokens = self.get_tokens(scope='rpc')
        self.assertEqual(
            tokens | {'access_token': ''},
            {'access_token': '', 'token_type': 'Bearer', 'expires_in': 3600, 'scope': 'rpc'},
        )
        self.assertEqual(self.call_json2(tokens['access_token']).json()['uid'], self.service_user.id)
        sign_in = self.get_sign_in(tokens)
        self.assertEqual(sign_in.device, "The application itself")
        self.assertEqual(sign_in.expires_at, sign_in.access_expires_at)

    def test_no_service_user(self):
        self.assertNoTokens(self.ask(self.other), 'unauthorized_client')
        self.assertNoTokens(self.ask(self.public), 'unauthorized_client')
        self.application.service_user_id = False
        self.assertNoTokens(self.ask(), 'unauthorized_client')

    def test_public_application(self):
        """Anybody could impersonate an application without a secret."""
        with self.assertRaises(ValidationError):
            self.public.service_user_id = self.service_user
        with self.assertRaises(ValidationError):
            self.application.client_type = 'public'
        # Not even if the setting got into the database without the form.
        self.env.cr.execute(
            "UPDATE orestapi_application SET service_user_id = %s WHERE id = %s", (self.service_user.id, self.public.id)
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertNoTokens(self.ask(self.public), 'unauthorized_client')

    def test_authentication(self):
        self.assertInvalidClient(self.ask(auth=None))
        self.assertInvalidClient(self.ask(auth=None, client_id='wiki-client'))
        self.assertInvalidClient(self.ask(auth=('wiki-client', 'x' * 20)))

    def test_no_refresh_token(self):
        """RFC 6749 §4.4.3: the application requests a new access token."""
        tokens = self.get_tokens()
        self.assertNotIn('refresh_token', tokens)
        # Not even one forged with the key of the MAC.
        key = self.env['orestapi.token']._get_mac_key()
        self.application.refresh_token_expiry = 600
        for secret in ('x' * 43, parse(tokens['access_token']).secret):
            with self.subTest(secret=secret):
                made_up = render_refresh_token(key, self.get_sign_in(tokens).id, 0, secret)
                self.assertNoTokens(self.refresh(made_up), 'invalid_grant')
                self.assertInactive(made_up)
        self.assertActive(tokens['access_token'])

    def test_parameters_of_other_grants(self):
        """The parameters are ignored: the application can choose neither user nor code."""
        code = self.get_code()
        tokens = self.get_tokens(
            scope='rpc', code=code, username='mitchell', user_id=str(self.user.id), sub=str(self.user.id)
        )
        self.assertEqual(self.call_json2(tokens['access_token']).json()['uid'], self.service_user.id)
        self.assertEqual(self.redeem(code).status_code, 200)

    def test_scope(self):
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertEqual(self.get_tokens()['scope'], 'read')
        for scope in ('rpc', 'read rpc', 'unknown', '"', 'read\tread'):
            with self.subTest(scope=scope):
                self.assertNoTokens(self.ask(scope=scope), 'invalid_scope')
        self.application.scope_ids = False
        self.assertNoTokens(self.ask(), 'invalid_scope')

    def test_expiry(self):
        self.stop_clock()
        self.application.access_token_expiry = 60
        tokens = self.get_tokens(scope='rpc')
        self.assertEqual(tokens['expires_in'], 60)
        with self.later(seconds=59):
            self.assertEqual(self.call_json2(tokens['access_token']).status_code, 200)
        with self.later(seconds=60):
            self.assertEqual(self.call_json2(tokens['access_token']).status_code, 401)
            self.assertInactive(tokens['access_token'])

    def test_several_at_once(self):
        """Each worker of the application may request its own token."""
        tokens = [self.get_tokens(scope='rpc') for _worker in range(3)]
        self.assertActive(*[response['access_token'] for response in tokens])
        self.post('/oauth2/revoke', {'token': tokens[0]['access_token']}, self.get_auth())
        self.assertInactive(tokens[0]['access_token'])
        self.assertActive(tokens[1]['access_token'], tokens[2]['access_token'])

    def test_service_user_changes(self):
        tokens = self.get_tokens(scope='rpc')
        self.application.service_user_id = self.administrator
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 401)
        self.assertInactive(tokens['access_token'])
        self.application.service_user_id = False
        self.assertInactive(tokens['access_token'])

    def test_service_user_archived(self):
        tokens = self.get_tokens(scope='rpc')
        self.service_user.active = False
        self.assertInactive(tokens['access_token'])
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 401)
        self.assertNoTokens(self.ask(), 'invalid_grant')
        self.service_user.active = True
        self.assertInactive(tokens['access_token'])
        self.assertActive(self.get_tokens()['access_token'])

    def test_service_user_is_seen(self):
        """The lists of sign-ins distinguish services from people."""
        sign_in = self.get_sign_in(self.get_tokens()).with_user(self.service_user)
        self.assertEqual((sign_in.user_id, sign_in.application_id), (self.service_user, self.application))
        self.assertEqual(sign_in.grant_type, 'client_credentials')
        self.assertEqual(self.get_sign_in(self.sign_in()).grant_type, 'authorization_code')
        sign_in.action_revoke()
        self.assertEqual(sign_in.revoked_reason, 'user')

    def test_service_is_no_consent(self):
        """Acting as the service user is not a consent of that user."""
        self.get_tokens(scope='read rpc')
        self.authenticate('robot', PASSWORD)
        page = self.authorize(self.get_request(scope='read'))
        self.assertEqual(page.status_code, 200, "The user was not asked.")
        self.get_form(page)

    def test_n230_service_is_no_user(self):
        """RFC 9700 §4.15: no API may mistake the service for a user."""
        described = self.introspect(self.get_tokens()['access_token'])
        self.assertEqual(described['sub'], 'wiki-client')
        self.assertEqual(described['client_id'], 'wiki-client')
        self.assertNotIn('username', described)
        users = self.env['res.users'].with_context(active_test=False).search([])
        self.assertNotIn(described['sub'], [text for user in users for text in (str(user.id), user.login)])
        self.assertEqual(self.introspect(self.sign_in()['access_token'])['sub'], str(self.user.id))

    def test_n230_client_id_is_no_user(self):
        """Not even an administrator can give an application a client id that reads like the id of a user."""
        for client_id in (str(self.user.id), '1' * 20):
            with self.subTest(client_id=client_id), self.assertRaises(ValidationError), self.cr.savepoint():
                self.application.client_id = client_id
                self.application.flush_recordset()
        self.assertInvalidClient(self.ask(auth=(str(self.user.id), 'x' * 20)))
