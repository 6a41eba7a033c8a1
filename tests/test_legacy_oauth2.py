from urllib.parse import urlencode

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..dispatchers.headers import PAGE
from .common import CALLBACK, CLIENT_SECRET, PASSWORD, OAuth2Case
from .oauth2_client import get_basic

AUTHORIZATION = '/orestapi/oauth2/authorization'
ACCESS_TOKEN = '/orestapi/oauth2/access_token'
STATUS = '/orestapi/application/status'


@tagged('post_install', '-at_install')
class TestLegacyConnector(OAuth2Case):
    """The two OAuth endpoints of the older connector, for which only `self.application` is marked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.application.legacy_connector = True

    def get_request(self, application=None, **changes):
        """The request of the older connector: neither PKCE nor `state`."""
        return super().get_request(
            application, **{'code_challenge': None, 'code_challenge_method': None, 'state': None, **changes}
        )

    def authorize(self, query, path=AUTHORIZATION, **kwargs):
        query = query if isinstance(query, str) else urlencode(query)
        return self.url_open(f'{path}?{query}', allow_redirects=False, **kwargs)

    def get_code_request(self, code, application=None):
        application = application or self.application
        return {
            'grant_type': 'authorization_code',
            'code': code,
            'redirect_uri': application.uri_ids.uri,
            'client_id': application.client_id,
            'client_secret': CLIENT_SECRET,
        }

    def ask(self, query=None, body='', path=ACCESS_TOKEN, **kwargs):
        """POST to the older token endpoint, with parameters in the query string and a form."""
        return self.post(f'{path}?{urlencode(query)}' if query else path, body, **kwargs)

    def assertLegacyOAuth2Error(self, response, status, error, code):
        self.assertEqual(response.status_code, status, response.text)
        content = response.json()
        self.assertEqual(set(content), {'error', 'error_description', 'orestapi_code', 'orestapi_message'})
        self.assertEqual((content['error'], content['orestapi_code']), (error, f'{code}-{status}'))
        self.assertEqual(content['error_description'], content['orestapi_message'])
        self.assertNoStore(response)

    def test_flow_with_the_old_habits(self):
        code = self.get_code()
        response = self.ask(self.get_code_request(code), headers={'Authorization': 'OAuth'})
        self.assertEqual(response.status_code, 200, response.text)
        self.assertNoStore(response)
        tokens = response.json()
        self.assertLessEqual({'access_token', 'token_type', 'expires_in', 'refresh_token'}, set(tokens))
        response = self.ask(
            {'grant_type': 'refresh_token', 'refresh_token': tokens['refresh_token']}, auth=self.get_auth()
        )
        self.assertEqual(response.status_code, 200, response.text)
        self.assertActive(response.json()['access_token'])

    def test_parameters_in_the_form(self):
        response = self.ask(body=self.get_code_request(self.get_code()))
        self.assertEqual(response.status_code, 200, response.text)
        code_request = self.get_code_request(self.get_code())
        secret = {'client_secret': code_request.pop('client_secret')}
        self.assertEqual(self.ask(secret, code_request).status_code, 200)

    def test_parameter_in_both_places(self):
        code_request = self.get_code_request(self.get_code())
        response = self.ask(code_request, {'client_secret': CLIENT_SECRET})
        self.assertLegacyOAuth2Error(response, 400, 'invalid_request', 'Oauth2AccessToken')

    def test_response_has_the_issuer(self):
        self.authenticate('mitchell', PASSWORD)
        response = self.decide(self.authorize(self.get_request(state='s')))
        self.assertTrue(response.headers['Location'].startswith(CALLBACK + '?'))
        parameters = self.get_response(response)
        self.assertEqual(set(parameters), {'code', 'state', 'iss'})

    def test_no_code_without_consent(self):
        self.authenticate('mitchell', PASSWORD)
        page = self.authorize(self.get_request())
        action, _fields = self.get_form(page)
        self.assertEqual(action.partition('?')[0], AUTHORIZATION)
        self.assertLessEqual(PAGE.items(), dict(page.headers).items())
        self.assertEqual(self.get_response(self.decide(page, 'deny'))['error'], 'access_denied')

    def test_login_leads_back(self):
        response = self.authorize(self.get_request())
        self.assertEqual(response.status_code, 303)
        self.assertIn(f'/web/login?{urlencode({"redirect": AUTHORIZATION + "?"})}'[:-3], response.headers['Location'])
        page = self.url_open(response.headers['Location'])
        self.assertEqual(page.headers['X-Frame-Options'], 'DENY')
        self.assertEqual(page.headers['Content-Security-Policy'], "frame-ancestors 'none'")

    def test_idle_requests_change_nothing(self):
        self.get_code()
        self.authenticate('mitchell', PASSWORD)
        codes = self.env['orestapi.authorization.code'].search_count([])
        for kwargs in ({'method': 'HEAD'}, {'method': 'OPTIONS'}, {'headers': {'Sec-Purpose': 'prefetch'}}):
            with self.subTest(kwargs=kwargs):
                self.assertEqual(self.authorize(self.get_request(), **kwargs).status_code, 204)
        self.assertEqual(self.env['orestapi.authorization.code'].search_count([]), codes)

    def test_parameter_named_self(self):
        self.authenticate('mitchell', PASSWORD)
        self.assertEqual(self.authorize({**self.get_request(), 'self': 'x'}).status_code, 200)

    def test_bad_client_or_uri_is_not_redirected(self):
        self.authenticate('mitchell', PASSWORD)
        for changes in ({'client_id': 'unknown-client'}, {'redirect_uri': 'https://evil.example/'}):
            with self.subTest(changes=changes):
                response = self.authorize(self.get_request(**changes))
                self.assertEqual(response.status_code, 400)
                self.assertNotIn('Location', response.headers)

    def test_standard_paths_accept_nothing_of_it(self):
        self.authenticate('mitchell', PASSWORD)
        response = self.authorize(self.get_request(), path='/oauth2/authorize')
        self.assertEqual(self.get_response(response)['error'], 'invalid_request')
        self.logout()
        code = self.get_code()
        self.assertOAuth2Error(self.ask(self.get_code_request(code), path='/oauth2/token'), 400, 'invalid_request')
        self.assertOAuth2Error(
            self.ask(body=self.get_code_request(code), path='/oauth2/token', headers={'Authorization': 'OAuth'}),
            401,
            'invalid_client',
        )

    def test_s06_legacy_code_at_the_standard_address(self):
        """The code was issued without PKCE, which only the older endpoints allow."""
        code = self.get_code()
        code_request = self.get_code_request(code)
        self.assertOAuth2Error(self.ask(body=code_request, path='/oauth2/token'), 400, 'invalid_grant')
        self.application.require_pkce = False
        self.assertOAuth2Error(self.ask(body=code_request, path='/oauth2/token'), 400, 'invalid_grant')
        self.assertEqual(self.ask(code_request).status_code, 200)

    def test_s06_legacy_switched_off_meanwhile(self):
        code_request = self.get_code_request(self.get_code())
        self.application.legacy_connector = False
        for require_pkce in (True, False):
            self.application.require_pkce = require_pkce
            for path in (ACCESS_TOKEN, '/oauth2/token'):
                with self.subTest(require_pkce=require_pkce, path=path):
                    response = self.ask(body=code_request, path=path)
                    self.assertEqual((response.status_code, response.json()['error']), (400, 'invalid_grant'))
        self.assertFalse(self.env['orestapi.token'].search([]))

    def test_other_applications_are_refused(self):
        self.application.legacy_connector = False
        self.authenticate('mitchell', PASSWORD)
        self.assertEqual(self.get_response(self.authorize(self.get_request()))['error'], 'invalid_request')
        self.logout()
        self.application.require_pkce = False
        code = self.get_code()
        code_request = self.get_code_request(code)
        code_name = 'Oauth2AccessToken'
        self.assertLegacyOAuth2Error(self.ask(code_request), 400, 'invalid_request', code_name)
        response = self.ask(body=code_request, headers={'Authorization': 'OAuth'})
        self.assertLegacyOAuth2Error(response, 401, 'invalid_client', code_name)
        self.assertLegacyOAuth2Error(
            self.ask({'grant_type': 'refresh_token', 'refresh_token': 'x'}, auth=self.get_auth()),
            400,
            'invalid_request',
            code_name,
        )
        # A request that follows the RFC is valid here too.
        self.assertEqual(self.ask(body=code_request).status_code, 200)

    def test_oauth_header_on_the_code_grant_only(self):
        response = self.ask(
            {
                'grant_type': 'refresh_token',
                'refresh_token': 'x',
                'client_id': self.application.client_id,
                'client_secret': CLIENT_SECRET,
            },
            headers={'Authorization': 'OAuth'},
        )
        self.assertEqual(response.status_code, 400)
        response = self.ask(
            body={
                'grant_type': 'refresh_token',
                'refresh_token': 'x',
                'client_id': self.application.client_id,
                'client_secret': CLIENT_SECRET,
            },
            headers={'Authorization': 'OAuth'},
        )
        self.assertLegacyOAuth2Error(response, 401, 'invalid_client', 'Oauth2AccessToken')

    def test_wrong_secret_is_refused_and_counted(self):
        code_request = {**self.get_code_request(self.get_code()), 'client_secret': 'x' * 20}
        response = self.ask(code_request)
        self.assertLegacyOAuth2Error(response, 401, 'invalid_client', 'Oauth2AccessToken')
        events = self.env['orestapi.event'].search([('kind', '=', 'client_authentication_failed')])
        self.assertEqual(events.application_id, self.application)

    def test_token_of_another_application(self):
        tokens = self.ask(self.get_code_request(self.get_code())).json()
        self.other.legacy_connector = True
        response = self.ask(
            {'grant_type': 'refresh_token', 'refresh_token': tokens['refresh_token']}, auth=self.get_auth(self.other)
        )
        self.assertLegacyOAuth2Error(response, 400, 'invalid_grant', 'Oauth2AccessToken')
        self.assertActive(tokens['access_token'])

    def test_code_twice(self):
        code_request = self.get_code_request(self.get_code())
        tokens = self.ask(code_request).json()
        self.assertLegacyOAuth2Error(self.ask(code_request), 400, 'invalid_grant', 'Oauth2AccessToken')
        self.assertInactive(tokens['access_token'])

    def test_nonsense(self):
        for query in ('%ff=%ff', 'client_id=%00', 'client_id=a&client_id=b'):
            with self.subTest(query=query):
                response = self.post(f'{ACCESS_TOKEN}?{query}', '')
                self.assertLegacyOAuth2Error(response, 400, 'invalid_request', 'Oauth2AccessToken')
        response = self.post(ACCESS_TOKEN, '{}', headers={'Content-Type': 'application/json'})
        self.assertLegacyOAuth2Error(response, 400, 'invalid_request', 'Oauth2AccessToken')
        response = self.post(
            ACCESS_TOKEN, 'x=' + 'x' * 20000, headers={'Content-Type': 'application/x-www-form-urlencoded'}
        )
        self.assertLegacyOAuth2Error(response, 413, 'invalid_request', 'Oauth2AccessToken')
        self.assertEqual(self.url_open(ACCESS_TOKEN).status_code, 405)

    def test_version(self):
        for method in ('GET', 'POST'):
            with self.subTest(method=method):
                response = self.url_open('/orestapi/version?self=x', method=method)
                self.assertEqual(
                    set(response.json()),
                    {'server_version', 'server_version_info', 'server_serie', 'protocol_version', 'orestapi_version'},
                )
        module = self.env['ir.module.module'].search([('name', '=', 'orestapi')])
        self.assertEqual(response.json()['orestapi_version'], module.installed_version)

    def test_status(self):
        headers = {'Authorization': get_basic(*self.get_auth(self.other))}
        [status] = self.url_open(STATUS, headers=headers).json()
        self.assertEqual(
            status,
            {
                'id': self.other.id,
                'active': True,
                'display_name': "Shop",
                'company': self.env['res.company']._get_main_company().name,
            },
        )
        self.assertEqual(self.url_open(STATUS, headers=headers, method='POST').json(), [status])

    def test_status_refused(self):
        wrong = {'Authorization': get_basic(self.other.client_id, 'x' * 20)}
        for headers in ({}, wrong, {'Authorization': 'Bearer x'}, {'Authorization': 'Basic x'}):
            with self.subTest(headers=headers):
                response = self.url_open(f'{STATUS}?{urlencode({"client_id": "shop-client"})}', headers=headers)
                self.assertLegacyOAuth2Error(response, 401, 'invalid_client', 'ApplicationStatus')
                self.assertIn('Basic', response.headers['WWW-Authenticate'])
        self.other.active = False
        response = self.url_open(STATUS, headers={'Authorization': get_basic(*self.get_auth(self.other))})
        self.assertLegacyOAuth2Error(response, 401, 'invalid_client', 'ApplicationStatus')

    def test_setting(self):
        self.assertIn("Legacy connector:", self.application.status_message)
        self.assertNotIn("Legacy connector:", self.other.status_message or '')
        with mute_logger('odoo.sql_db'), self.assertRaises(ValidationError):
            self.public.legacy_connector = True
