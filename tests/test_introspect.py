from odoo.tests import tagged

from .common import CLIENT_SECRET, OAuth2Case
from .oauth2_client import get_basic


@tagged('post_install', '-at_install')
class TestIntrospect(OAuth2Case):
    """Token introspection (RFC 7662)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.resource_server = cls.env['orestapi.application'].create({
            'name': "Mobile backend",
            'client_id': 'backend-client',
            'client_secret': CLIENT_SECRET,
            'resource_server': True,
        })

    def post_introspect(self, parameters, auth=True, **kwargs):
        return self.post('/oauth2/introspect', parameters, self.get_auth() if auth is True else auth, **kwargs)

    def test_active(self):
        self.stop_clock()
        self.application.sign_in_expiry = 86400
        tokens = self.sign_in(scope='read rpc')
        now = self.get_timestamp()
        response = self.post_introspect({'token': tokens['access_token']})
        self.assertNoStore(response)
        self.assertEqual(response.headers['Content-Type'], 'application/json')
        common = {
            'active': True,
            'scope': 'read rpc',
            'client_id': 'wiki-client',
            'username': 'mitchell',
            'sub': str(self.user.id),
            'iss': 'https://odoo.example.com',
        }
        self.assertEqual(response.json(), {**common, 'token_type': 'Bearer', 'exp': now + 3600})
        self.assertEqual(self.introspect(tokens['refresh_token']), {**common, 'exp': now + 86400})

    def get_timestamp(self):
        return int(self.env['orestapi.token'].search([], limit=1).create_date.timestamp())

    def test_narrowed_scope(self):
        tokens = self.sign_in(scope='read rpc')
        refreshed = self.refresh(tokens['refresh_token'], scope='read').json()
        self.assertEqual(self.introspect(refreshed['access_token'])['scope'], 'read')
        # A scope that the administrator removes is gone at once.
        self.application.scope_ids = self.env.ref('orestapi.scope_rpc')
        self.assertEqual(self.introspect(refreshed['refresh_token'])['scope'], 'rpc')

    def test_n172_client_authentication(self):
        tokens = self.sign_in()
        public = self.sign_in(self.public)
        client_id = self.application.client_id
        for auth, changes in [
            (None, {}),
            (None, {'client_id': client_id}),
            (None, {'client_id': client_id, 'client_secret': 'wrong'}),
            ((client_id, 'wrong'), {}),
            (('unknown-client', CLIENT_SECRET), {}),
        ]:
            with self.subTest(auth=auth, changes=changes):
                response = self.post_introspect({'token': tokens['access_token'], **changes}, auth)
                self.assertInvalidClient(response)
        # RFC 7662 §2.1: a public application cannot authenticate.
        response = self.post_introspect(
            {'token': public['access_token'], 'client_id': self.public.client_id}, auth=None
        )
        self.assertInvalidClient(response)

    def test_n173_bearer(self):
        tokens = self.sign_in(scope='read rpc')
        response = self.post_introspect(
            {'token': tokens['access_token']}, auth=None, headers={'Authorization': 'Bearer ' + tokens['access_token']}
        )
        self.assertInvalidClient(response)

    def test_n174_token_missing(self):
        for parameters in ({}, {'token': ''}, {'token_type_hint': 'access_token'}):
            with self.subTest(parameters=parameters):
                self.assertOAuth2Error(self.post_introspect(parameters), 400, 'invalid_request')

    def test_n175_not_a_valid_token(self):
        tokens, revoked, refreshed = self.sign_in(), self.sign_in(), self.sign_in()
        self.post('/oauth2/revoke', {'token': revoked['access_token']}, self.get_auth())
        self.refresh(self.refresh(refreshed['refresh_token']).json()['refresh_token'])
        access_token, refresh_token = tokens['access_token'], tokens['refresh_token']
        self.assertInactive(
            # unknown
            'orestapi_at_1_' + 'x' * 43,
            access_token[:-2] + 'AA',
            refresh_token[:-2] + 'AA',
            # of another kind or row
            access_token.replace('_at_', '_ac_'),
            'orestapi_at_2147483648_' + 'x' * 43,
            # malformed
            'x',
            'téken',
            access_token + '=',
            ' ' + access_token,
            access_token.upper(),
            'orestapi_at_0_' + 'x' * 43,
            'x' * 10_000,
            CLIENT_SECRET,
            # revoked
            revoked['access_token'],
            revoked['refresh_token'],
            # older than two refreshes, and than one
            refreshed['access_token'],
            refreshed['refresh_token'],
        )
        with self.later(seconds=3600):
            self.assertInactive(access_token)
        self.assertActive(access_token, refresh_token)

    def test_n175_refused_before_it_is_read(self):
        """A parameter with a NUL character, and a body that is too long."""
        self.assertOAuth2Error(self.post_introspect({'token': 'x\0'}), 400, 'invalid_request')
        self.assertOAuth2Error(self.post_introspect({'token': 'x' * 100_000}), 413, 'invalid_request')

    def test_n176_token_of_another_application(self):
        tokens, public = self.sign_in(), self.sign_in(self.public)
        for token in (tokens['access_token'], tokens['refresh_token'], public['access_token']):
            with self.subTest(token=token):
                self.assertInactive(token, application=self.other)
        for token in (tokens['access_token'], public['access_token']):
            with self.subTest(token=token):
                self.assertActive(token, application=self.resource_server)

    def test_s05_refresh_token_at_a_resource_server(self):
        """RFC 6749 §1.5: refresh tokens are not for resource servers, which would mistake them for access tokens."""
        for application in (self.application, self.public):
            tokens = self.sign_in(application)
            refreshed = self.refresh(tokens['refresh_token'], application).json()
            for token in (tokens['refresh_token'], refreshed['refresh_token']):
                for hint in ('refresh_token', 'access_token'):
                    with self.subTest(application=application, token=token, hint=hint):
                        response = self.post_introspect(
                            {'token': token, 'token_type_hint': hint}, self.get_auth(self.resource_server)
                        )
                        self.assertEqual(response.json(), {'active': False})
        # Its own application may ask (RFC 7662 §4), even if it is a resource server itself.
        self.application.resource_server = True
        self.assertActive(self.sign_in()['refresh_token'])

    def test_p11_username(self):
        """RFC 7662 §5: only for resource servers, and with a scope that reveals the login anyway."""
        self.env['orestapi.scope'].search([('name', '=', 'profile')]) or self.env['orestapi.scope'].create({
            'name': 'profile',
            'description': "See who you are",
        })
        self.application.scope_ids = self.env['orestapi.scope'].search([('name', 'in', ('read', 'rpc', 'profile'))])
        for scope, told in (('read', False), ('read rpc', True), ('read profile', True)):
            with self.subTest(scope=scope):
                tokens = self.sign_in(scope=scope)
                for name in ('access_token', 'refresh_token'):
                    with self.subTest(name=name):
                        description = self.introspect(tokens[name])
                        self.assertEqual(description.get('username'), 'mitchell' if told else None)
                        self.assertEqual(description['sub'], str(self.user.id))
                described = self.introspect(tokens['access_token'], self.resource_server)
                self.assertEqual(described['username'], 'mitchell')
        # The current scope of the token, not the one that the user allowed.
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertNotIn('username', self.introspect(tokens['access_token']))

    def test_n177_authorization_code(self):
        code = self.get_code()
        self.assertInactive(code)
        self.assertInactive(code, application=self.resource_server)
        self.assertEqual(self.redeem(code).status_code, 200)

    def test_n178_at_once(self):
        changes = {
            'user archived': self.user.action_archive,
            'user deleted': self.user.unlink,
            'group lost': lambda: self.application.write({'group_ids': self.env.ref('base.group_system').ids}),
            'application archived': self.application.action_archive,
            'application deleted': self.application.unlink,
            'sign-in ended': lambda: self.env['orestapi.token'].search([]).action_revoke(),
            'authorization ended': lambda: self.env['orestapi.authorization'].search([]).action_revoke(),
        }
        tokens = self.sign_in()
        for name, change in changes.items():
            with self.subTest(name):
                self.assertActive(tokens['access_token'], application=self.resource_server)
                savepoint = self.env.cr.savepoint(flush=False)
                change()
                self.assertInactive(tokens['access_token'], tokens['refresh_token'], application=self.resource_server)
                savepoint.close(rollback=True)
                self.env.invalidate_all(flush=False)
                self.registry.clear_all_caches()

    def test_n179_wrong_hint(self):
        tokens = self.sign_in()
        for name in ('access_token', 'refresh_token'):
            for hint in ('access_token', 'refresh_token', 'saml2', ''):
                with self.subTest(name, hint=hint):
                    response = self.post_introspect({'token': tokens[name], 'token_type_hint': hint})
                    self.assertTrue(response.json()['active'])

    def test_n180_refresh_token_of_an_expired_access_token(self):
        tokens = self.sign_in()
        with self.later(seconds=3600):
            self.assertInactive(tokens['access_token'])
            response = self.introspect(tokens['refresh_token'])
        self.assertTrue(response['active'])
        self.assertNotIn('token_type', response)
        self.assertNotIn('exp', response)

    def test_n181_never_expiring(self):
        tokens = self.sign_in()
        self.assertNotIn('exp', self.introspect(tokens['refresh_token']))
        self.assertIn('exp', self.introspect(tokens['access_token']))

    def test_n182_only_post_and_only_the_body(self):
        tokens = self.sign_in()
        headers = {'Authorization': get_basic(*self.get_auth())}
        for method in ('GET', 'HEAD', 'PUT', 'DELETE'):
            with self.subTest(method=method):
                response = self.url_open(
                    '/oauth2/introspect?token=' + tokens['access_token'], method=method, headers=headers
                )
                self.assertEqual(response.status_code, 405)
                self.assertIn('POST', response.headers['Allow'])
        for body in ({}, {'token': tokens['access_token']}):
            with self.subTest(body=body):
                response = self.post('/oauth2/introspect?token=' + tokens['access_token'], body, self.get_auth())
                self.assertOAuth2Error(response, 400, 'invalid_request')

    def test_n183_guesses(self):
        """Guessing the secret for introspection is limited; tokens have 256 bits."""
        tokens = self.sign_in()
        self.stop_clock()
        for _attempt in range(10):
            response = self.post_introspect({'token': tokens['access_token']}, ('wiki-client', 'wrong'))
            self.assertInvalidClient(response)
        for secret in ('wrong', CLIENT_SECRET):
            with self.subTest(secret=secret):
                response = self.post_introspect({'token': tokens['access_token']}, ('wiki-client', secret))
                self.assertOAuth2Error(response, 429, 'invalid_client')
                self.assertEqual(response.headers['Retry-After'], '60')
        with self.later(seconds=60):
            self.assertActive(tokens['access_token'])
