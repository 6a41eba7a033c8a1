from odoo.tests import tagged

from .common import CLIENT_SECRET, PASSWORD, OAuth2Case

ISSUER = 'https://odoo.example.com'
WELL_KNOWN = '/.well-known/oauth-authorization-server'
SCOPES = ['email', 'groups', 'offline_access', 'openid', 'phone', 'profile', 'read', 'rpc']


@tagged('post_install', '-at_install')
class TestMetadata(OAuth2Case):
    """Authorization server metadata (RFC 8414)."""

    def get_metadata(self, **kwargs):
        response = self.url_open(WELL_KNOWN, **kwargs)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(response.headers['Content-Type'], 'application/json')
        self.assertNotIn('Set-Cookie', response.headers)
        return response.json()

    def test_document(self):
        self.assertEqual(
            self.get_metadata(),
            {
                'issuer': ISSUER,
                'authorization_endpoint': ISSUER + '/oauth2/authorize',
                'token_endpoint': ISSUER + '/oauth2/token',
                'token_endpoint_auth_methods_supported': ['client_secret_basic', 'client_secret_post', 'none'],
                'revocation_endpoint': ISSUER + '/oauth2/revoke',
                'revocation_endpoint_auth_methods_supported': ['client_secret_basic', 'client_secret_post', 'none'],
                'introspection_endpoint': ISSUER + '/oauth2/introspect',
                'introspection_endpoint_auth_methods_supported': ['client_secret_basic', 'client_secret_post'],
                'response_types_supported': ['code'],
                'response_modes_supported': ['query', 'form_post'],
                'grant_types_supported': ['authorization_code', 'refresh_token', 'client_credentials'],
                'code_challenge_methods_supported': ['S256'],
                'scopes_supported': SCOPES,
                'authorization_response_iss_parameter_supported': True,
                'jwks_uri': ISSUER + '/oauth2/jwks',
                'userinfo_endpoint': ISSUER + '/oauth2/userinfo',
                'end_session_endpoint': ISSUER + '/oauth2/logout',
                'backchannel_logout_supported': True,
                'backchannel_logout_session_supported': True,
                'subject_types_supported': ['public', 'pairwise'],
                'id_token_signing_alg_values_supported': ['RS256', 'ES256', 'EdDSA'],
                'acr_values_supported': ['urn:orestapi:acr:1fa', 'urn:orestapi:acr:2fa'],
                'display_values_supported': ['page', 'popup', 'touch'],
                'prompt_values_supported': ['none', 'login', 'consent', 'select_account'],
                'claim_types_supported': ['normal'],
                'claims_supported': [
                    'acr',
                    'amr',
                    'auth_time',
                    'email',
                    'email_verified',
                    'groups',
                    'locale',
                    'name',
                    'phone_number',
                    'picture',
                    'preferred_username',
                    'sid',
                    'sub',
                    'updated_at',
                    'zoneinfo',
                ],
                'claims_parameter_supported': True,
                'request_parameter_supported': False,
                'request_uri_parameter_supported': False,
                'ui_locales_supported': ['en-US'],
            },
        )

    def test_only_get(self):
        for method in ('POST', 'PUT', 'DELETE'):
            with self.subTest(method=method):
                response = self.url_open(WELL_KNOWN, method=method)
                self.assertEqual(response.status_code, 405)
                self.assertIn('GET', response.headers['Allow'])

    def test_n214_spoofed_host(self):
        honest = self.get_metadata()
        tokens = self.sign_in()
        for headers in (
            {'Host': 'evil.example'},
            {'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https'},
            {'Forwarded': 'host=evil.example;proto=https'},
            {'Host': 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-For': '10.0.0.1'},
        ):
            with self.subTest(headers=headers):
                self.assertEqual(self.get_metadata(headers=headers), honest)
                response = self.post(
                    '/oauth2/introspect', {'token': tokens['access_token']}, self.get_auth(), headers=headers
                )
                self.assertEqual(response.json()['iss'], ISSUER)
        # Odoo's session is not bound to a host, so the browser's cookie is sent here too.
        self.authenticate('mitchell', PASSWORD)
        response = self.authorize(self.get_request(), headers={'X-Forwarded-Host': 'evil.example'})
        self.assertEqual(self.get_response(response)['iss'], ISSUER)
        self.logout()
        response = self.authorize(self.get_request(), headers={'X-Forwarded-Host': 'evil.example'})
        self.assertNotIn('evil.example', response.headers['Location'])

    def test_n215_issuer(self):
        """One string in metadata, authorization response and introspection; the document is below it."""
        parameters = self.env['ir.config_parameter']
        for issuer, base_url, expected in (
            (ISSUER, 'https://other.example.com', ISSUER),
            (ISSUER + '/', 'https://other.example.com', ISSUER),
            (False, 'https://other.example.com', 'https://other.example.com'),
            (False, 'https://other.example.com/', 'https://other.example.com'),
        ):
            with self.subTest(issuer=issuer, base_url=base_url):
                parameters.set_param('orestapi.issuer', issuer)
                parameters.set_param('web.base.url', base_url)
                document = self.get_metadata()
                self.assertEqual(document['issuer'], expected)
                self.assertRegex(document['issuer'], r'\Ahttps://[^?#]+\Z')
                for name, value in document.items():
                    if name.endswith('_endpoint'):
                        self.assertTrue(value.startswith(expected + '/oauth2/'), value)
                self.authenticate('mitchell', PASSWORD)
                response = self.authorize(self.get_request())
                if response.status_code == 200:
                    response = self.decide(response)
                parameters_sent = self.get_response(response)
                self.assertEqual(parameters_sent['iss'], expected)
                self.logout()
                tokens = self.redeem(parameters_sent['code']).json()
                self.assertEqual(self.introspect(tokens['access_token'])['iss'], expected)

    def test_n216_grant_types(self):
        document = self.get_metadata()
        for name in document['grant_types_supported']:
            with self.subTest(name=name):
                response = self.post('/oauth2/token', {'grant_type': name}, self.get_auth())
                self.assertNotEqual(response.json()['error'], 'unsupported_grant_type', name)
        for name in ('password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code'):
            with self.subTest(name=name):
                response = self.post('/oauth2/token', {'grant_type': name}, self.get_auth())
                self.assertOAuth2Error(response, 400, 'unsupported_grant_type')

    def test_n216_client_authentication(self):
        document = self.get_metadata()
        tokens = self.sign_in(), self.sign_in(self.public)
        ways = {
            'client_secret_basic': (self.get_auth(), {}),
            'client_secret_post': (None, {'client_id': 'wiki-client', 'client_secret': CLIENT_SECRET}),
            'none': (None, {'client_id': self.public.client_id}),
        }
        for endpoint, parameters in (
            # Rightly refused, but by an application that was recognized.
            ('token', {'grant_type': 'refresh_token', 'refresh_token': 'x'}),
            ('revocation', {'token': 'x'}),
            ('introspection', {'token': tokens[0]['access_token']}),
        ):
            advertised = document[f'{endpoint}_endpoint_auth_methods_supported']
            path = document[f'{endpoint}_endpoint'].removeprefix(ISSUER)
            for method, (auth, credentials) in ways.items():
                with self.subTest(endpoint=endpoint, method=method):
                    response = self.post(path, {**parameters, **credentials}, auth)
                    self.assertEqual(response.status_code != 401, method in advertised)

    def test_n216_authorization(self):
        document = self.get_metadata()
        self.authenticate('mitchell', PASSWORD)
        for name in ('code', 'token', 'id_token', 'code token', 'none'):
            with self.subTest(name=name):
                response = self.authorize(self.get_request(response_type=name))
                self.assertEqual(response.status_code == 200, name in document['response_types_supported'], name)
        for name in ('S256', 'plain', 'S512'):
            with self.subTest(name=name):
                response = self.authorize(self.get_request(code_challenge_method=name))
                self.assertEqual(
                    response.status_code == 200, name in document['code_challenge_methods_supported'], name
                )
        self.application.scope_ids = self.env['orestapi.scope'].search([])
        for name in ('read', 'rpc', 'openid', 'profile', 'offline_access', 'address', 'write'):
            with self.subTest(name=name):
                response = self.authorize(self.get_request(scope=name))
                self.assertEqual(response.status_code == 200, name in document['scopes_supported'], name)
        parameters = self.get_response(self.decide(self.authorize(self.get_request())))
        self.assertEqual('iss' in parameters, document['authorization_response_iss_parameter_supported'])

    def test_n216_scope_of_another_addon(self):
        self.env['orestapi.scope'].create({'name': 'calendar', 'description': "See when you are busy"})
        self.assertEqual(self.get_metadata()['scopes_supported'], ['calendar', *SCOPES])
