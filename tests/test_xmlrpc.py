from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CLIENT_SECRET, PASSWORD, OAuth2Case

APPLICATION = 'orestapi.application'


@tagged('post_install', '-at_install')
class TestXmlrpc(OAuth2Case):
    """An administrator's script, by `xmlrpc.client` of Python."""

    def call(self, method, *args, **kwargs):
        return self.call_xmlrpc(self.administrator, APPLICATION, method, *args, **kwargs)

    def authenticates(self, client_id, secret):
        response = self.post('/oauth2/revoke', {'token': 'x'}, (client_id, secret))
        self.assertIn(response.status_code, (200, 401))
        return response.status_code == 200

    def create_calendar(self):
        return self.call(
            'create',
            {
                'name': "Calendar",
                'client_secret': CLIENT_SECRET,
                'uri_ids': [
                    (0, 0, {'uri': 'https://calendar.example.com/callback', 'description': "Production"}),
                    (0, 0, {'uri': 'http://localhost:3000/callback'}),
                ],
                'authorization_code_expiry': 60,
            },
        )

    def test_create(self):
        """With URIs and a secret in one call, and it works."""
        application_id = self.create_calendar()
        [values] = self.call(
            'read', [application_id], ['name', 'client_id', 'client_secret', 'uri_count', 'authorization_code_expiry']
        )
        self.assertRegex(values.pop('client_id'), r'\A[0-9a-f]{32}\Z')
        self.assertEqual(
            values,
            {
                'id': application_id,
                'name': "Calendar",
                'client_secret': False,
                'uri_count': 2,
                'authorization_code_expiry': 60,
            },
        )
        application = self.env[APPLICATION].browse(application_id)
        self.assertTrue(self.sign_in(application)['access_token'])
        self.assertEqual(application.create_uid, self.administrator)

    def test_create_without_secret(self):
        """No secret is generated that nobody has seen."""
        application_id = self.call('create', {'name': "Calendar"})
        [values] = self.call('read', [application_id], ['client_id', 'has_client_secret'])
        self.assertFalse(values['has_client_secret'])
        self.assertFalse(self.authenticates(values['client_id'], ''))

    def test_create_several(self):
        ids = self.call('create', [{'name': "One"}, {'name': "Two"}])
        self.assertEqual(len({values['client_id'] for values in self.call('read', ids, ['client_id'])}), 2)

    def test_search(self):
        application_id = self.create_calendar()
        for domain in (
            [('name', '=', "Calendar")],
            [('uri_ids.uri', '=', 'https://calendar.example.com/callback')],
            [('authorization_code_expiry', '<', 600), ('name', '=', "Calendar")],
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.call('search', domain), [application_id])
        [values] = self.call('search_read', [('id', '=', application_id)], ['client_id'])
        self.assertEqual(self.call('search', [('client_id', '=', values['client_id'])]), [application_id])
        uris = self.call_xmlrpc(
            self.administrator,
            'orestapi.application.uri',
            'search_read',
            [('application_id', '=', application_id)],
            ['uri', 'description'],
        )
        self.assertEqual(
            [(uri['uri'], uri['description']) for uri in uris],
            [('https://calendar.example.com/callback', "Production"), ('http://localhost:3000/callback', False)],
        )

    def test_read_has_no_secret(self):
        """In any field of any model."""
        self.application.refresh_token_grace = 60
        tokens = self.sign_in(scope='read rpc')
        code = self.get_code()
        secret = self.call('generate_client_secret', self.application.ids, keep_previous=1)
        self.refresh(tokens['refresh_token'], auth=(self.application.client_id, secret))
        self.env.cr.execute("""
            SELECT digest, NULL FROM orestapi_authorization_code
            UNION SELECT access_digest, previous_access_digest FROM orestapi_token
            UNION SELECT refresh_digest, refresh_salt FROM orestapi_token
            UNION SELECT client_secret_hash, previous_client_secret_hash FROM orestapi_application
        """)
        hidden = {value for row in self.env.cr.fetchall() for value in row if value}
        self.assertGreater(len(hidden), 8)
        for string in (secret, CLIENT_SECRET, code, tokens['access_token'], tokens['refresh_token']):
            hidden.add(string[-40:])
        models = ('application', 'application.uri', 'scope', 'authorization', 'authorization.code', 'token', 'event')
        for model in models:
            with self.subTest(model=model):
                records = self.call_xmlrpc(self.administrator, f'orestapi.{model}', 'search_read', [])
                self.assertTrue(records)
                text = repr(records)
                for string in hidden:
                    with self.subTest(model=model):
                        self.assertNotIn(string, text)

    def test_write(self):
        application_id = self.create_calendar()
        [uri_id, second_id] = self.env[APPLICATION].browse(application_id).uri_ids.ids
        self.assertTrue(
            self.call(
                'write',
                [application_id],
                {
                    'name': "Team calendar",
                    'access_token_expiry': 120,
                    'uri_ids': [
                        (1, uri_id, {'uri': 'https://team.example.com/callback'}),
                        (2, second_id),
                        (0, 0, {'uri': 'com.example.calendar:/callback'}),
                    ],
                },
            )
        )
        application = self.env[APPLICATION].browse(application_id)
        self.assertEqual((application.name, application.access_token_expiry), ("Team calendar", 120))
        self.assertEqual(
            application.uri_ids.mapped('uri'), ['https://team.example.com/callback', 'com.example.calendar:/callback']
        )
        self.assertTrue(self.authenticates(application.client_id, CLIENT_SECRET))

    def test_write_secret(self):
        self.call('write', self.application.ids, {'client_secret': 'another-secret-of-the-administrator'})
        self.assertTrue(self.authenticates('wiki-client', 'another-secret-of-the-administrator'))
        self.assertFalse(self.authenticates('wiki-client', CLIENT_SECRET))
        self.assertEqual(self.call('read', self.application.ids, ['client_secret'])[0]['client_secret'], False)

    def test_mistakes(self):
        """Each mistake gets a sentence, not a traceback."""
        for values, sentence in (
            ({'client_secret': 'short'}, "A client secret has 16 to 256 characters."),
            ({'client_id': 'short'}, "A client ID has 8 to 128 characters"),
            ({'client_id': False}, "client"),
            ({'client_id': 'shop-client'}, "Each needs its own."),
            ({'access_token_expiry': 'an hour'}, "Access Token Expiry: enter a whole number from 1 to 2592000."),
            ({'authorization_code_expiry': 601}, "Authorization Code Expiry: enter a whole number from 1 to 600."),
            ({'uri_ids': [(0, 0, {'uri': 'https://*.example.com'})]}, "Write each URI in full"),
            ({'uri_ids': [(0, 0, {'uri': 'https://a.example.com/'})] * 2}, "This URI is already in the list."),
            ({'allowed_origins': '*'}, "Write each origin as https://"),
        ):
            with self.subTest(values=values), mute_logger('odoo.sql_db'):
                if 'uri_ids' not in values or len(values['uri_ids']) == 1:
                    self.assertIn(sentence, self.assertFault(2, self.call, 'write', self.application.ids, values))
                self.assertIn(sentence, self.assertFault(2, self.call, 'create', {'name': "Calendar", **values}))
        self.assertFalse(self.env[APPLICATION].search([('name', '=', "Calendar")]))

    def test_archive_and_delete(self):
        tokens = self.sign_in()
        self.assertTrue(self.call('write', self.application.ids, {'active': False}))
        self.assertFalse(self.call('search', [('client_id', '=', 'wiki-client')]))
        self.assertEqual(
            self.call('search', [('client_id', '=', 'wiki-client')], context={'active_test': False}),
            self.application.ids,
        )
        self.assertInvalidClient(self.refresh(tokens['refresh_token']))
        self.assertTrue(self.call('write', self.application.ids, {'active': True}))
        self.assertEqual(self.refresh(tokens['refresh_token']).status_code, 200)
        self.assertTrue(self.call('unlink', self.application.ids))
        self.assertFalse(self.call('search', [('client_id', '=', 'wiki-client')], context={'active_test': False}))

    def test_generate(self):
        secret = self.call('generate_client_secret', self.application.ids)
        self.assertTrue(self.authenticates('wiki-client', secret))
        self.assertFalse(self.authenticates('wiki-client', CLIENT_SECRET))
        self.assertNotEqual(self.call('generate_client_secret', self.application.ids), secret)
        client_id = self.call('generate_client_id', self.application.ids)
        own_id = self.call('generate_own_id', self.application.ids)
        own_secret = self.call('generate_own_secret', self.application.ids)
        [values] = self.call('read', self.application.ids, ['client_id', 'own_id', 'own_secret'])
        self.assertEqual((values['client_id'], values['own_id'], values['own_secret']), (client_id, own_id, own_secret))
        # One application at a time, each with its own secret.
        for method in ('generate_client_secret', 'generate_client_id'):
            with self.subTest(method=method):
                self.assertFault(1, self.call, method, (self.application + self.other).ids)

    def test_generate_keeps_the_previous_secret(self):
        secret = self.call('generate_client_secret', self.application.ids, keep_previous=7)
        self.assertTrue(self.authenticates('wiki-client', secret))
        self.assertTrue(self.authenticates('wiki-client', CLIENT_SECRET))
        for days in (-1, 91, 'x', 1.5):
            with self.subTest(days=days):
                self.assertFault(2, self.call, 'generate_client_secret', self.application.ids, keep_previous=days)


@tagged('post_install', '-at_install')
class TestXmlrpcToken(OAuth2Case):
    """An access token with the scope `rpc`, in place of the user's password."""

    def setUp(self):
        super().setUp()
        self.tokens = self.sign_in(scope='read rpc')
        self.access_token = self.tokens['access_token']

    def get_context(self, user=None, password=None):
        return self.call_xmlrpc(user or self.user, 'res.users', 'context_get', password=password or self.access_token)

    def log_in(self, login='mitchell', password=None, **environment):
        with mute_logger('odoo.addons.rpc.controllers.xmlrpc', 'odoo.http'):
            return self.xmlrpc_common.authenticate(
                self.env.cr.dbname, login, password or self.access_token, environment
            )

    def log_in_browser(self, login, password):
        """Log in as the login page does, and return the user id, if it worked."""
        self.authenticate(None, None)
        with mute_logger('odoo.http', 'odoo.addons.base.models.res_users'):
            response = self.url_open(
                '/web/session/authenticate',
                json={'params': {'db': self.env.cr.dbname, 'login': login, 'password': password}},
            )
        return response.json().get('result', {}).get('uid')

    def call_jsonrpc(self, service, method, *args):
        with mute_logger('odoo.addons.rpc.controllers.jsonrpc', 'odoo.http'):
            response = self.url_open(
                '/jsonrpc', json={'params': {'service': service, 'method': method, 'args': [self.env.cr.dbname, *args]}}
            )
        return response.json()

    def assertWorks(self):
        # Twice, because core caches correct passwords.
        for _attempt in range(2):
            self.assertEqual(self.get_context()['uid'], self.user.id)
            self.assertEqual(self.log_in(), self.user.id)

    def assertStopped(self):
        for _attempt in range(2):
            self.assertFault(3, self.get_context)
            self.assertFalse(self.log_in())
        response = self.call_jsonrpc(
            'object', 'execute_kw', self.user.id, self.access_token, 'res.users', 'context_get', []
        )
        self.assertEqual(response['error']['data']['name'], 'odoo.exceptions.AccessDenied')
        self.assertFalse(self.call_jsonrpc('common', 'login', 'mitchell', self.access_token)['result'])

    def test_works(self):
        self.assertWorks()
        response = self.call_jsonrpc(
            'object', 'execute_kw', self.user.id, self.access_token, 'res.users', 'context_get', []
        )
        self.assertEqual(response['result']['uid'], self.user.id)
        self.assertEqual(self.call_jsonrpc('common', 'login', 'mitchell', self.access_token)['result'], self.user.id)
        self.assertEqual(self.get_context(password=PASSWORD)['uid'], self.user.id)

    def test_own_rights(self):
        """The token has the user's own rights: the application is not an administrator."""
        arguments = (APPLICATION, 'search_read', [('id', '=', self.application.id)], ['client_id'])
        self.assertFault(4, self.call_xmlrpc, self.user, *arguments, password=self.access_token)
        tokens = self.sign_in(user=self.administrator, scope='rpc')
        [application] = self.call_xmlrpc(self.administrator, *arguments, password=tokens['access_token'])
        self.assertEqual(application['client_id'], 'wiki-client')

    def test_expired(self):
        self.assertWorks()
        with self.later(seconds=3600):
            self.assertStopped()

    def test_revoked(self):
        self.assertWorks()
        self.post('/oauth2/revoke', {'token': self.access_token}, self.get_auth())
        self.assertStopped()

    def test_refreshed_twice(self):
        self.assertWorks()
        refreshed = self.refresh(self.tokens['refresh_token']).json()
        self.assertWorks()
        self.refresh(refreshed['refresh_token'])
        self.assertStopped()

    def test_ended_by_the_user(self):
        for model in ('orestapi.token', 'orestapi.authorization'):
            with self.subTest(model=model):
                self.access_token = self.sign_in(scope='rpc')['access_token']
                self.assertWorks()
                records = self.env[model].with_user(self.user).search([])
                self.call_xmlrpc(self.user, model, 'action_revoke', records.ids)
                self.assertStopped()

    def test_application_archived(self):
        self.assertWorks()
        self.application.action_archive()
        self.assertStopped()
        self.application.action_unarchive()
        self.assertWorks()

    def test_application_deleted(self):
        self.assertWorks()
        self.application.unlink()
        self.assertStopped()

    def test_scope_taken_away(self):
        self.assertWorks()
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertStopped()

    def test_group_lost(self):
        self.assertWorks()
        self.application.group_ids = self.env.ref('base.group_system')
        self.assertStopped()

    def test_user_archived(self):
        self.assertWorks()
        self.user.action_archive()
        self.assertStopped()

    def test_user_deleted(self):
        self.assertWorks()
        self.user.unlink()
        self.assertStopped()

    def test_password_changed(self):
        self.assertWorks()
        self.user.password = 'another password of the user'
        self.assertStopped()

    def test_scope_read(self):
        self.access_token = self.sign_in(scope='read')['access_token']
        self.assertStopped()

    def test_not_an_access_token(self):
        for password in (
            self.tokens['refresh_token'],
            self.get_code(scope='rpc'),
            'orestapi_',
            'orestapi_at_1_' + 'x' * 43,
            self.access_token + ' ',
            ' ' + self.access_token,
            self.access_token[:-1],
            self.access_token.upper(),
            'orestapi_at_1_\u00fc',
            CLIENT_SECRET,
            'orestapi_cs_' + 'x' * 43,
        ):
            with self.subTest(password=password[:14]):
                self.assertFault(3, self.get_context, password=password)
                self.assertFalse(self.log_in(password=password))

    def test_of_another_user(self):
        """The token identifies the user: other logins and user ids are refused."""
        self.assertFault(3, self.get_context, self.administrator)
        for login in ('ada', 'MITCHELL ', 'nobody', ''):
            with self.subTest(login=login):
                self.assertFalse(self.log_in(login))

    def test_not_interactive(self):
        """The caller cannot turn it into a browser login, for which tokens are not accepted."""
        self.assertEqual(self.log_in(interactive=True), self.user.id)
        self.assertIsNone(self.log_in_browser('mitchell', self.access_token))
        self.assertEqual(self.log_in_browser('mitchell', PASSWORD), self.user.id)

    def test_not_as_the_old_password(self):
        """A token does not prove a person's identity: it cannot change a password."""
        with mute_logger('odoo.http'):
            self.assertFault(
                4,
                self.call_xmlrpc,
                self.user,
                'res.users',
                'change_password',
                self.access_token,
                'the password of the thief',
                password=self.access_token,
            )
        self.assertEqual(self.get_context(password=PASSWORD)['uid'], self.user.id)

    def test_password_that_begins_like_a_token(self):
        for password in ('orestapi_ is what I use', 'orestapi_at_1_guess'):
            with self.subTest(password=password):
                self.user.password = password
                self.assertEqual(self.log_in_browser('mitchell', password), self.user.id)
                self.assertEqual(self.get_context(password=password)['uid'], self.user.id)

    def test_no_cool_down(self):
        """Wrong or misplaced tokens do not keep people of the same office from logging in."""
        # Core counts per process, across tests, and only for browser logins.
        self.registry._login_failures = None
        self.addCleanup(setattr, self.registry, '_login_failures', None)
        wrong = 'orestapi_at_1_' + 'x' * 43
        for _attempt in range(11):
            for password in (wrong, self.access_token):
                with self.subTest(password=password):
                    self.assertIsNone(self.log_in_browser('mitchell', password))
            self.assertFault(3, self.get_context, password=wrong)
            self.assertFalse(self.log_in(password=wrong))
        self.assertEqual(self.log_in_browser('ada', PASSWORD), self.administrator.id)
        # The same with wrong passwords, to see that there is a cool-down.
        for _attempt in range(11):
            self.assertIsNone(self.log_in_browser('mitchell', 'a wrong password'))
        self.assertIsNone(self.log_in_browser('ada', PASSWORD))
        # A valid token is accepted during the cool-down without ending it: otherwise anyone who
        # has one could guess passwords endlessly.
        self.assertEqual(self.log_in(), self.user.id)
        self.assertEqual(self.get_context()['uid'], self.user.id)
        self.assertIsNone(self.log_in_browser('ada', PASSWORD))

    def test_service_user(self):
        robot = new_test_user(self.env, 'robot', 'base.group_user', password=PASSWORD)
        self.application.service_user_id = robot
        response = self.post('/oauth2/token', {'grant_type': 'client_credentials', 'scope': 'rpc'}, self.get_auth())
        self.access_token = response.json()['access_token']
        self.assertEqual(self.get_context(robot)['uid'], robot.id)
        self.assertFault(3, self.get_context, self.user)
        self.application.service_user_id = False
        self.assertFault(3, self.get_context, robot)
