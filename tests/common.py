import xmlrpc.client
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from odoo import fields
from odoo.tests import HttpCase, freeze_time, new_test_user
from odoo.tools import mute_logger

from ..dispatchers.headers import PAGE
from ..oauth2.tokens import parse
from . import oauth2_client

CALLBACK = 'https://wiki.example.com/callback'
CLIENT_SECRET = 'a-secret.the_administrator~brought-50-1'
WRONG_SECRET = CLIENT_SECRET[:-1] + '2'
PASSWORD = 'a password of at least 8'

#: Access tokens that this server never issued: a JWT that names an audience, with `alg`
#: none (RFC 8725 §2.1), with a signature, and an opaque one.
FOREIGN_TOKENS = (
    'eyJhbGciOiJub25lIn0.eyJhdWQiOiJvdGhlciIsInN1YiI6IjIifQ.',
    'eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJvdGhlciIsInN1YiI6IjIifQ.ZpVCsE0PCyUe5GBJQVCmWmIvC8zZ6SzXrDnbwqTUlsM',
    'ya29.of-another-server',
)

#: Headers of every response of the endpoints for applications.
NO_STORE = {'Cache-Control': 'no-store', 'Pragma': 'no-cache'}


class OAuth2Case(HttpCase):
    """Applications, users, and the requests of both, over HTTP.

    `self.application` is confidential and must use PKCE, `self.other` is a
    second one, `self.public` has no secret. `self.user` is an employee,
    `self.administrator` only administers applications.
    """

    kept_of = kept = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The single cursor of these tests cannot be both a replica's and the primary's,
        # and tokens are looked up at the primary.
        cls.set_registry_readonly_mode(False)
        cls.addClassCleanup(cls.set_registry_readonly_mode, True)
        # Removes the demo data with its sign-ins and codes, because tests count their own.
        cls.env['orestapi.authorization'].search([]).unlink()
        # In SQL, because nobody may delete an event.
        cls.env.cr.execute("DELETE FROM orestapi_event")
        cls.user = new_test_user(cls.env, 'mitchell', 'base.group_user', password=PASSWORD, name="Mitchell")
        cls.administrator = new_test_user(cls.env, 'ada', 'orestapi.group_administrator', password=PASSWORD, name="Ada")
        cls.portal_user = new_test_user(cls.env, 'joel', 'base.group_portal', password=PASSWORD, name="Joel")
        scopes = cls.env.ref('orestapi.scope_read') + cls.env.ref('orestapi.scope_rpc')
        cls.application, cls.other, cls.public = cls.env['orestapi.application'].create([
            {
                'name': "Wiki",
                'client_id': 'wiki-client',
                'client_secret': CLIENT_SECRET,
                'scope_ids': scopes.ids,
                'uri_ids': [(0, 0, {'uri': CALLBACK})],
            },
            {
                'name': "Shop",
                'client_id': 'shop-client',
                'client_secret': CLIENT_SECRET,
                'scope_ids': scopes.ids,
                'uri_ids': [(0, 0, {'uri': 'https://shop.example.com/callback'})],
            },
            {
                'name': "Command-line tool",
                'client_id': 'tool-client',
                'client_type': 'public',
                'scope_ids': scopes.ids,
                'uri_ids': [(0, 0, {'uri': 'http://127.0.0.1/callback'})],
            },
        ])
        cls.env['ir.config_parameter'].set_param('orestapi.issuer', 'https://odoo.example.com')

    def setUp(self):
        super().setUp()
        # Core clears all caches after each test. Computing the routes and the files of the bundles again, which no
        # test changes, would take longer than most requests.
        caches = self.registry._Registry__caches
        if OAuth2Case.kept_of is not self.registry:
            OAuth2Case.kept_of, OAuth2Case.kept = self.registry, {'routing': {}, 'assets': {}}
        for name, kept in OAuth2Case.kept.items():
            caches[name].update(kept)
            self.addCleanup(lambda name=name, kept=kept: kept.update(caches[name]))

    # Time

    def stop_clock(self):
        """Freeze the time for the rest of the test, so that `later` is exact."""
        self.startPatcher(freeze_time(fields.Datetime.now()))

    def later(self, **delta):
        """Return a context in which the time is later by the given amount, on the server too."""
        return freeze_time(fields.Datetime.now() + timedelta(**delta))

    # The authorization endpoint, as a user's browser calls it

    def get_request(self, application=None, **changes):
        """Return the parameters of a good authorization request, with changes; None leaves one out."""
        application = application or self.application
        parameters = oauth2_client.request_authorization(application.client_id, application.uri_ids[:1].uri)
        return oauth2_client.change(parameters, changes)

    def authorize(self, query, **kwargs):
        """GET /oauth2/authorize, without following redirects.

        :param query: the parameters, a list of pairs, or the encoded query string
        """
        query = query if isinstance(query, str) else urlencode(query)
        return self.url_open(f'/oauth2/authorize?{query}', allow_redirects=False, **kwargs)

    def get_form(self, page):
        """Return the form's action and the hidden fields of a consent page."""
        self.assertEqual(page.status_code, 200, page.text)
        action, fields = oauth2_client.read_form(page.text)
        self.assertIn('consent', fields, page.text)
        return action, fields

    def decide(self, page, decision='allow', **changes):
        """Press a button of a consent page."""
        action, fields = self.get_form(page)
        return self.url_open(action, data={**fields, 'decision': decision, **changes}, allow_redirects=False)

    def get_code(self, application=None, user=None, **changes):
        """Let a user allow an application, and return the authorization code."""
        self.authenticate((user or self.user).login, PASSWORD)
        response = self.authorize(self.get_request(application, **changes))
        if response.status_code == 200:
            response = self.decide(response)
        self.logout()
        return self.get_response(response)['code']

    def get_response(self, response):
        """Return the parameters of an authorization response, each of which must occur once."""
        self.assertEqual(response.status_code, 303, response.text)
        pairs = parse_qsl(urlsplit(response.headers['Location']).query, keep_blank_values=True)
        self.assertEqual(len(dict(pairs)), len(pairs), "A parameter is repeated.")
        return dict(pairs)

    def assertPage(self, response, status):
        """Assert status and header fields of a page of the authorization endpoint."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertLessEqual(PAGE.items(), dict(response.headers).items())

    def assertErrorPage(self, response):
        """Assert an error page that leads nowhere and shows nothing of the request, and that nothing was granted."""
        self.assertPage(response, 400)
        self.assertNotIn('Location', response.headers)
        self.assertEqual(response.headers['Content-Type'], 'text/html; charset=utf-8')
        for trace in ('app.example', 'wiki.example.com', 'evil', 'marker'):
            with self.subTest(trace=trace):
                self.assertNotIn(trace, response.text)
        self.assertNothingGranted()

    def assertNothingGranted(self):
        self.assertFalse(self.env['orestapi.authorization.code'].search([]))
        self.assertFalse(self.env['orestapi.authorization'].search([]))

    # The endpoints for applications

    def post(self, path, parameters, auth=None, headers=None, **kwargs):
        """POST a form to an endpoint, as an application does: without cookies.

        :param auth: client id and secret for HTTP Basic
        """
        headers = dict(headers or {})
        if auth:
            headers['Authorization'] = oauth2_client.get_basic(*auth)
        if not isinstance(parameters, (str, bytes)):
            parameters = urlencode(parameters)
            headers.setdefault('Content-Type', oauth2_client.FORM)
        cookies = self.opener.cookies.copy()
        self.opener.cookies.clear()
        try:
            return self.url_open(path, data=parameters, headers=headers, allow_redirects=False, method='POST', **kwargs)
        finally:
            self.opener.cookies.update(cookies)

    def get_auth(self, application=None):
        return ((application or self.application).client_id, CLIENT_SECRET)

    def redeem(self, code, application=None, auth=True, **changes):
        """POST /oauth2/token with a code."""
        application = application or self.application
        parameters = oauth2_client.request_tokens(code, application.uri_ids[:1].uri)
        return self._post_token(parameters, application, auth, changes)

    def refresh(self, refresh_token, application=None, auth=True, **changes):
        """POST /oauth2/token with a refresh token."""
        parameters = oauth2_client.request_refresh(refresh_token)
        return self._post_token(parameters, application or self.application, auth, changes)

    def _post_token(self, parameters, application, auth, changes):
        if application.client_type == 'public':
            parameters['client_id'] = application.client_id
            auth = None
        elif auth is True:
            auth = self.get_auth(application)
        self.sign_ins_before = self.env['orestapi.token'].search_count([])
        return self.post('/oauth2/token', oauth2_client.change(parameters, changes), auth)

    def sign_in(self, application=None, user=None, **changes):
        """Go through the whole flow and return the token response, as a dict."""
        code = self.get_code(application, user, **changes)
        response = self.redeem(code, application)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def introspect(self, token, application=None):
        """Return the introspection response for a token."""
        response = self.post('/oauth2/introspect', {'token': token}, self.get_auth(application))
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def get_sign_in(self, tokens):
        """Return the record behind the tokens of a token response."""
        return self.env['orestapi.token'].browse(parse(tokens['access_token']).row_id)

    def assertActive(self, *tokens, application=None):
        for token in tokens:
            with self.subTest(token=token):
                self.assertTrue(self.introspect(token, application)['active'])

    def assertInactive(self, *tokens, application=None):
        for token in tokens:
            with self.subTest(token=token):
                self.assertEqual(self.introspect(token, application), {'active': False})

    def assertSignInEnded(self, *responses, reason):
        """Assert that all tokens of a sign-in are dead, wherever they are presented."""
        for tokens in responses:
            with self.subTest(tokens=tokens):
                self.assertInactive(tokens['access_token'], tokens['refresh_token'])
                self.assertEqual(self.call_json2(tokens['access_token']).status_code, 401)
                self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')
        sign_in = self.get_sign_in(responses[0])
        self.assertTrue(sign_in.revoked_at)
        self.assertEqual(sign_in.revoked_reason, reason)

    def assertOAuth2Error(self, response, status, error):
        """Assert status, body and headers of an error of RFC 6749 §5.2."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.headers['Content-Type'], 'application/json')
        self.assertEqual(response.json()['error'], error)
        self.assertEqual(set(response.json()), {'error', 'error_description'})
        self.assertRegex(response.json()['error_description'], r'\A[\x20-\x21\x23-\x5b\x5d-\x7e]+\Z')
        self.assertNoStore(response)

    def assertNoTokens(self, response, error='invalid_grant'):
        """Assert an error of the token endpoint, and that the last request to it has opened no sign-in."""
        self.assertOAuth2Error(response, 400, error)
        self.assertEqual(self.env['orestapi.token'].search_count([]), self.sign_ins_before)

    def assertInvalidClient(self, response):
        """Assert a failed client authentication, with the challenge that each 401 has (RFC 9110 §15.5.2)."""
        self.assertOAuth2Error(response, 401, 'invalid_client')
        self.assertEqual(response.headers['WWW-Authenticate'], 'Basic realm="orestapi", charset="UTF-8"')

    def assertNoStore(self, response):
        for name, value in NO_STORE.items():
            with self.subTest(name=name):
                self.assertEqual(response.headers[name], value)
        self.assertNotIn('Set-Cookie', response.headers)

    def assertProblem(self, response, status, error, challenge=True):
        """Assert problem details and the header of RFC 6750 §3."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.headers['Content-Type'], 'application/problem+json')
        self.assertEqual(response.headers['Cache-Control'], 'no-store, private')
        self.assertNotIn('Set-Cookie', response.headers)
        problem = response.json()
        self.assertEqual(set(problem), {'type', 'title', 'status', 'detail', 'error'})
        self.assertEqual((problem['type'], problem['status'], problem['error']), ('about:blank', status, error))
        if challenge:
            self.assertIn(f'error="{error}"', response.headers['WWW-Authenticate'])
        else:
            self.assertNotIn('WWW-Authenticate', response.headers)

    def call_json2(self, access_token, model='res.users', method='context_get', **kwargs):
        """Call Odoo's own API with an access token."""
        return self.url_open(
            f'/json/2/{model}/{method}', json=kwargs, method='POST', headers={'Authorization': f'Bearer {access_token}'}
        )

    def call_xmlrpc(self, user, model, method, *args, password=PASSWORD, **kwargs):
        """Call Odoo's own API over XML-RPC.

        :param user: the `res.users` record to log in as
        :param str password: the password, or a secret used instead of it
        """
        # Core logs a warning about the protocol at every call, and for every refusal.
        with mute_logger('odoo.addons.rpc.controllers.xmlrpc', 'odoo.http'):
            return self.xmlrpc_object.execute_kw(self.env.cr.dbname, user.id, password, model, method, args, kwargs)

    def assertFault(self, code, call, *args, **kwargs):
        """Assert that a call over XML-RPC is refused, and return the error message.

        :param int code: 2 for a user error, 3 for a failed login, 4 for missing rights
        """
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.faultCode, code, caught.exception.faultString)
        return caught.exception.faultString
