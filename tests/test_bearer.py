from odoo import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CLIENT_SECRET, FOREIGN_TOKENS, PASSWORD, OAuth2Case
from .oauth2_client import get_basic, read_form

URL = '/json/2/res.users/context_get'


@tagged('post_install', '-at_install')
class TestBearer(OAuth2Case):
    """Access tokens at Odoo's own protected resources (RFC 6750)."""

    def call(self, authorization=None, url=URL, **kwargs):
        """Call Odoo's own API with any `Authorization` header."""
        headers = {} if authorization is None else {'Authorization': authorization}
        return self.url_open(url, method='POST', headers=headers, **(kwargs or {'json': {}}))

    def assertJson2Served(self, response, user=None):
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(response.json()['uid'], (user or self.user).id)

    def assertBearerError(self, response, status, error, scope=None):
        """Assert an error of RFC 6750 §3 without any result."""
        self.assertEqual(response.status_code, status, response.text)
        body = response.json()
        self.assertEqual(set(body), {'error', 'error_description'})
        self.assertEqual(body['error'], error)
        challenge = f'''Bearer realm="orestapi", error="{error}", error_description="{body['error_description']}"'''
        if scope:
            challenge += f', scope="{scope}"'
        self.assertEqual(response.headers['WWW-Authenticate'], challenge)
        self.assertEqual(response.headers['Cache-Control'], 'no-store')
        self.assertNotIn('Set-Cookie', response.headers)

    def assertInvalidToken(self, *access_tokens):
        for access_token in access_tokens:
            with self.subTest(access_token=access_token):
                self.assertBearerError(self.call_json2(access_token), 401, 'invalid_token')

    def assertAnonymous(self, response):
        """Assert Odoo's own response to a request without an access token of this addon."""
        self.assertEqual(response.status_code, 401, response.text)
        self.assertRegex(response.headers['WWW-Authenticate'], r'(?i)\Abearer *\Z')

    def test_n184_no_credentials(self):
        """A request without credentials gets no error code (RFC 6750 §3.1)."""
        self.assertAnonymous(self.call())

    def test_n185_not_a_valid_token(self):
        tokens, revoked, refreshed = self.sign_in(scope='rpc'), self.sign_in(scope='rpc'), self.sign_in(scope='rpc')
        self.post('/oauth2/revoke', {'token': revoked['access_token']}, self.get_auth())
        self.refresh(self.refresh(refreshed['refresh_token']).json()['refresh_token'])
        self.assertInvalidToken(
            'orestapi_at_1_' + 'x' * 43,
            tokens['access_token'][:-2] + 'AA',
            'orestapi_',
            'orestapi_at_x_y',
            'orestapi_at_9999999999_' + 'x' * 43,
            'orestapi_' + 'x' * 8000,
            revoked['access_token'],
            refreshed['access_token'],
        )
        self.assertJson2Served(self.call_json2(tokens['access_token']))
        with self.later(seconds=3600):
            self.assertInvalidToken(tokens['access_token'])

    def test_n185_previous_access_token(self):
        """The previous token works until it expires: calls during a refresh in another thread must not fail."""
        self.application.access_token_expiry = 600
        tokens = self.sign_in(scope='rpc')
        with self.later(seconds=300):
            refreshed = self.refresh(tokens['refresh_token']).json()
            self.assertJson2Served(self.call_json2(tokens['access_token']))
            self.assertJson2Served(self.call_json2(refreshed['access_token']))
        with self.later(seconds=600):
            self.assertInvalidToken(tokens['access_token'])
            self.assertJson2Served(self.call_json2(refreshed['access_token']))

    def test_n186_malformed_header(self):
        access_token = self.sign_in(scope='rpc')['access_token']
        for authorization in ('Bearer', 'Bearer ', 'Bearer   ', f'Bearer{access_token}', access_token):
            with self.subTest(authorization=authorization):
                self.assertAnonymous(self.call(authorization))
        for authorization in (
            f'Bearer\t{access_token}',
            f'Bearer \t{access_token}',
            f'Bearer\xa0{access_token}'.encode('latin-1'),
            f'Bearer {access_token}, {access_token}',
            f'Bearer {access_token},',
            f'Bearer {access_token} x',
            f'Bearer {access_token}\xa0'.encode('latin-1'),
            f'Bearer {access_token};realm=x',
        ):
            with self.subTest(authorization=authorization):
                self.assertBearerError(self.call(authorization), 400, 'invalid_request')
        # RFC 6750 §2.1 has `1*SP`, so two spaces are allowed.
        self.assertJson2Served(self.call(f'Bearer  {access_token}'))

    def test_n187_sent_twice(self):
        tokens, administrator = self.sign_in(scope='rpc'), self.sign_in(user=self.administrator, scope='rpc')
        access_token = tokens['access_token']
        # A server joins two headers like this.
        for other in (access_token, administrator['access_token']):
            with self.subTest(other=other):
                self.assertBearerError(self.call(f'Bearer {access_token},Bearer {other}'), 400, 'invalid_request')
                self.assertBearerError(
                    self.call(f'Bearer {access_token}', URL + '?access_token=' + other), 400, 'invalid_request'
                )
                # Odoo's API accepts only JSON, and only arguments of the method.
                response = self.call(f'Bearer {access_token}', data={'access_token': other})
                self.assertEqual(response.status_code, 415)
                response = self.call(f'Bearer {access_token}', json={'access_token': other})
                self.assertEqual(response.status_code, 422)

    def test_n188_only_in_the_query(self):
        access_token = self.sign_in(scope='rpc')['access_token']
        for name in ('access_token', 'token', 'key', 'api_key', 'authorization'):
            with self.subTest(name=name):
                self.assertAnonymous(self.call(url=f'{URL}?{name}={access_token}'))

    def test_n189_only_in_the_body(self):
        access_token = self.sign_in(scope='rpc')['access_token']
        self.assertEqual(self.call(data={'access_token': access_token}).status_code, 415)
        self.assertAnonymous(self.call(json={'access_token': access_token}))

    def test_n190_scheme_in_other_case(self):
        access_token = self.sign_in(scope='rpc')['access_token']
        for scheme in ('bearer', 'BEARER', 'bEaReR'):
            with self.subTest(scheme=scheme):
                self.assertJson2Served(self.call(f'{scheme} {access_token}'))

    def test_n191_other_scheme(self):
        access_token = self.sign_in(scope='rpc')['access_token']
        for authorization in (
            f'OAuth {access_token}',
            f'Token {access_token}',
            f'Basic {access_token}',
            f'DPoP {access_token}',
            f'BearerX {access_token}',
            get_basic('mitchell', access_token),
            get_basic('mitchell', PASSWORD),
            get_basic(*self.get_auth()),
        ):
            with self.subTest(authorization=authorization):
                self.assertAnonymous(self.call(authorization))

    def test_n192_not_an_access_token(self):
        secret = self.application.generate_client_secret()
        self.application.client_secret = CLIENT_SECRET
        tokens = self.sign_in(scope='rpc')
        code = self.get_code(scope='rpc')
        self.assertInvalidToken(
            tokens['refresh_token'],
            code,
            secret,
            tokens['refresh_token'].replace('_rt_', '_at_'),
            code.replace('_ac_', '_at_'),
        )
        # The code itself still works.
        self.assertEqual(self.redeem(code).status_code, 200)

    def test_n193_scope(self):
        """An access token opens Odoo's own API with the scope `rpc` only, and never a session in the browser."""
        tokens = self.sign_in(scope='read')
        self.assertBearerError(self.call_json2(tokens['access_token']), 403, 'insufficient_scope', scope='rpc')
        self.assertFault(3, self.call_xmlrpc, self.user, 'res.users', 'context_get', password=tokens['access_token'])
        tokens = self.sign_in(scope='read rpc')
        self.assertJson2Served(self.call_json2(tokens['access_token']))
        narrowed = self.refresh(tokens['refresh_token'], scope='read').json()
        self.assertBearerError(self.call_json2(narrowed['access_token']), 403, 'insufficient_scope', scope='rpc')
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertBearerError(self.call_json2(tokens['access_token']), 403, 'insufficient_scope', scope='rpc')

    def test_n193_no_session(self):
        access_token = self.sign_in(scope='rpc')['access_token']
        self.authenticate(None, None)
        # Core reports each refused login.
        with mute_logger('odoo.http'):
            response = self.url_open(
                '/web/session/authenticate',
                json={'params': {'db': self.env.cr.dbname, 'login': 'mitchell', 'password': access_token}},
            )
        self.assertEqual(response.json()['error']['data']['name'], 'odoo.exceptions.AccessDenied')
        page = self.url_open('/web/login')
        _action, fields = read_form(page.text)
        self.assertTrue(fields['csrf_token'])
        login = {**fields, 'login': 'mitchell'}
        response = self.url_open('/web/login', {**login, 'password': access_token}, allow_redirects=False)
        self.assertEqual(response.status_code, 200)
        self.assertIn('Wrong login/password', response.text)
        # The same with the password, to see that the form was right.
        response = self.url_open('/web/login', {**login, 'password': PASSWORD}, allow_redirects=False)
        self.assertEqual(response.status_code, 303)

    def test_n193_not_on_other_routes(self):
        """Only where Odoo accepts an API key, not where it requires a session."""
        access_token = self.sign_in(scope='rpc')['access_token']
        headers = {'Authorization': f'Bearer {access_token}'}
        response = self.url_open(
            '/web/dataset/call_kw/res.users/context_get',
            headers=headers,
            json={'params': {'model': 'res.users', 'method': 'context_get', 'args': [], 'kwargs': {}}},
        )
        self.assertEqual(response.json()['error']['data']['name'], 'odoo.http.SessionExpiredException')
        response = self.url_open('/odoo', headers=headers, allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn('/web/login', response.headers['Location'])

    def test_n194_token_of_another_database(self):
        """The token names a row that may exist here, but its secret was never issued here."""
        tokens = self.sign_in(scope='rpc')
        row = tokens['access_token'].split('_')[2]
        self.assertInvalidToken(f'orestapi_at_{row}_' + 'x' * 43)
        self.assertJson2Served(self.call_json2(tokens['access_token']))
        # Signed with the key of another database.
        self.env.cr.execute("UPDATE orestapi_key SET value = repeat('0', 64)")
        self.env.registry.clear_cache()
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')

    def test_n195_n196_tokens_of_other_issuers(self):
        """Odoo treats foreign tokens as API keys, and finds none."""
        for token in FOREIGN_TOKENS:
            with self.subTest(token=token):
                self.assertAnonymous(self.call_json2(token))

    def test_n197_user_archived(self):
        access_token = self.sign_in(scope='rpc')['access_token']
        self.assertJson2Served(self.call_json2(access_token))
        self.user.action_archive()
        self.assertInvalidToken(access_token)
        # Unarchiving the account does not restore it.
        self.user.action_unarchive()
        self.assertInvalidToken(access_token)

    def test_n197_user_deleted(self):
        access_token = self.sign_in(scope='rpc')['access_token']
        self.user.unlink()
        self.assertInvalidToken(access_token)

    def test_n197_company_access_removed(self):
        company = self.env['res.company'].create({'name': "Branch"})
        self.user.company_ids += company
        access_token = self.sign_in(scope='rpc')['access_token']

        def count():
            return self.call_json2(
                access_token,
                'res.company',
                'search_count',
                domain=[('id', '=', company.id)],
                context={'allowed_company_ids': company.ids},
            )

        self.assertEqual(count().json(), 1)
        self.user.company_ids = [Command.unlink(company.id)]
        with mute_logger('odoo.http'):
            response = count()
        self.assertEqual(response.status_code, 403)
        self.assertEqual(response.json()['name'], 'odoo.exceptions.AccessError')

    def test_n197_rights_of_the_user(self):
        """The token has exactly the current rights of the user."""
        access_token = self.sign_in(scope='rpc')['access_token']

        def read():
            return self.call_json2(access_token, 'ir.config_parameter', 'search_count', domain=[])

        with mute_logger('odoo.http'):
            self.assertEqual(read().status_code, 403)
        self.user.group_ids += self.env.ref('base.group_system')
        self.assertEqual(read().status_code, 200)
        self.user.group_ids -= self.env.ref('base.group_system')
        with mute_logger('odoo.http'):
            self.assertEqual(read().status_code, 403)

    def test_n198_application_archived(self):
        """Its tokens do not work while it is archived, as its form says."""
        tokens = self.sign_in(scope='rpc')
        self.assertJson2Served(self.call_json2(tokens['access_token']))
        self.application.action_archive()
        self.assertInvalidToken(tokens['access_token'])
        self.assertInvalidClient(self.refresh(tokens['refresh_token']))
        self.application.action_unarchive()
        self.assertJson2Served(self.call_json2(tokens['access_token']))

    def test_n198_application_deleted(self):
        tokens = self.sign_in(scope='rpc')
        self.application.with_user(self.administrator).unlink()
        self.assertInvalidToken(tokens['access_token'])
        self.assertFalse(self.env['orestapi.token'].search([]))

    def test_n209_session_of_another_user(self):
        """The request acts as the user of the token and does not touch the browser's session."""
        tokens = self.sign_in(scope='rpc')
        session = self.authenticate('ada', PASSWORD)
        response = self.call_json2(tokens['access_token'])
        self.assertJson2Served(response)
        self.assertNotIn('Set-Cookie', response.headers)
        self.assertEqual(session.uid, self.administrator.id)
        response = self.url_open('/web/session/get_session_info', json={'params': {}})
        self.assertEqual(response.json()['result']['uid'], self.administrator.id)
        # A session does not help a token that is not valid.
        self.assertInvalidToken('orestapi_at_1_' + 'x' * 43)

    def test_last_use_is_recorded(self):
        """The time is accurate to ten minutes, so that not every call writes it."""
        tokens = self.sign_in(scope='rpc')
        sign_in = self.env['orestapi.token'].search([('user_id', '=', self.user.id)])
        created = sign_in.last_used_at
        with self.later(minutes=9):
            self.call_json2(tokens['access_token'])
            self.assertEqual(sign_in.last_used_at, created)
        with self.later(minutes=11):
            self.call_json2(tokens['access_token'])
            self.assertGreater(sign_in.last_used_at, created)

    def test_portal_user(self):
        """A portal user can be admitted, and then has the rights of a portal user."""
        self.application.group_ids += self.env.ref('base.group_portal')
        access_token = self.sign_in(user=self.portal_user, scope='rpc')['access_token']
        self.assertJson2Served(self.call_json2(access_token), self.portal_user)
        with mute_logger('odoo.http'):
            response = self.call_json2(access_token, 'orestapi.application', 'search_count', domain=[])
        self.assertEqual(response.status_code, 403)

    def test_api_key_of_core(self):
        """Odoo's own API keys work as before, but not at this addon's endpoints."""
        user = new_test_user(self.env, 'grace', 'base.group_user', password=PASSWORD)
        key = self.env['res.users.apikeys'].with_user(user).sudo()._generate(None, "A key", None)
        self.assertJson2Served(self.call(f'Bearer {key}'), user)
        self.assertInactive(key)
