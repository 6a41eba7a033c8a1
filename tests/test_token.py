import json
from http.client import HTTPConnection
from urllib.parse import urlencode

from odoo import http
from odoo.tests import new_test_user, tagged

from ..oauth2 import grants
from ..oauth2.parameters import MAX_PARAMETERS, MEDIA_TYPE
from .common import CLIENT_SECRET, PASSWORD, WRONG_SECRET, OAuth2Case
from .oauth2_client import VERIFIER, get_basic

PATH = '/oauth2/token'
OTHER_SECRET = 'another-secret-of-the-shop'


class TokenEndpointCase(OAuth2Case):
    """Wiki has a service user: `self.ask()` gets a token each time, so that a
    refusal can only come from what a test changes about the request.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service_user = new_test_user(cls.env, 'robot', 'base.group_user', name="Robot")
        cls.application.service_user_id = cls.service_user
        cls.other.client_secret = OTHER_SECRET

    def setUp(self):
        super().setUp()
        self.assertIssued(self.ask())

    def ask(self, parameters=(), auth=True, path=PATH, grant_type='client_credentials', **kwargs):
        """POST /oauth2/token for the client credentials grant, with further parameters.

        :param parameters: a dict, or a list of pairs
        """
        pairs = list(parameters.items() if isinstance(parameters, dict) else parameters)
        if grant_type is not None:
            pairs.insert(0, ('grant_type', grant_type))
        auth = self.get_auth() if auth is True else auth
        return self.post(path, pairs, auth, **kwargs)

    def ask_raw(self, body, **headers):
        return self.post(PATH, body, self.get_auth(), {name.replace('_', '-'): text for name, text in headers.items()})

    def count_issued(self):
        return self.env['orestapi.token'].search_count([])

    def assertIssued(self, response):
        self.assertEqual(response.status_code, 200, response.text)
        self.assertNoStore(response)
        self.issued = self.count_issued()

    def assertNotIssued(self):
        self.assertEqual(self.count_issued(), self.issued, "A token was issued.")

    def assertOAuth2Error(self, response, status, error):
        super().assertOAuth2Error(response, status, error)
        self.assertNotIssued()


@tagged('post_install', '-at_install')
class TestTokenTransport(TokenEndpointCase):
    """The form of a request to the token endpoint (RFC 6749 §3.2)."""

    def test_n081_other_methods(self):
        query = urlencode({
            'grant_type': 'client_credentials',
            'client_id': 'wiki-client',
            'client_secret': CLIENT_SECRET,
        })
        for method in ('GET', 'PUT', 'HEAD', 'DELETE', 'PATCH'):
            for path, data in ((PATH, query), (f'{PATH}?{query}', None)):
                with self.subTest(method=method, path=path):
                    response = self.url_open(path, data=data, method=method, headers={'Content-Type': MEDIA_TYPE})
                    self.assertEqual(response.status_code, 405)
                    self.assertEqual(set(response.headers['Allow'].split(', ')), {'POST', 'OPTIONS'})
                    self.assertNotIn('access_token', response.text)
                    self.assertNotIssued()

    def test_n081_options(self):
        """Odoo adds OPTIONS to each route, and would run the handler."""
        response = self.url_open(
            PATH,
            data=urlencode({'grant_type': 'client_credentials'}),
            method='OPTIONS',
            headers={'Content-Type': MEDIA_TYPE, 'Authorization': get_basic(*self.get_auth())},
        )
        self.assertEqual((response.status_code, response.text), (204, ''))
        self.assertEqual(response.headers['Allow'], 'OPTIONS, POST')
        self.assertNotIssued()

    def test_n082_media_type(self):
        body = b'grant_type=client_credentials'
        for media_type in ('application/json', 'text/plain', '', 'application/x-www-form-urlencoded2'):
            with self.subTest(media_type=media_type):
                self.assertOAuth2Error(self.ask_raw(body, Content_Type=media_type), 400, 'invalid_request')
        self.assertOAuth2Error(
            self.ask_raw(json.dumps({'grant_type': 'client_credentials'}), Content_Type='application/json'),
            400,
            'invalid_request',
        )
        self.assertOAuth2Error(self.ask_raw(body), 400, 'invalid_request')
        multipart = self.url_open(
            PATH,
            files={'grant_type': (None, 'client_credentials')},
            headers={'Authorization': get_basic(*self.get_auth())},
        )
        self.assertOAuth2Error(multipart, 400, 'invalid_request')
        self.assertIssued(self.ask_raw(body, Content_Type=f'{MEDIA_TYPE}; charset=UTF-8'))

    def test_n083_query_string(self):
        code = self.get_code()
        tokens = self.sign_in()
        self.issued = self.count_issued()
        whole = {
            'grant_type': 'authorization_code',
            'client_id': 'wiki-client',
            'client_secret': CLIENT_SECRET,
            'code': code,
            'redirect_uri': self.application.uri_ids.uri,
            'code_verifier': VERIFIER,
        }
        refresh = {
            'grant_type': 'refresh_token',
            'client_id': 'wiki-client',
            'client_secret': CLIENT_SECRET,
            'refresh_token': tokens['refresh_token'],
        }
        for parameters in (whole, refresh):
            with self.subTest(parameters=parameters):
                for name in parameters:
                    with self.subTest(name=name, grant_type=parameters['grant_type']):
                        body = {key: text for key, text in parameters.items() if key != name}
                        response = self.post(f'{PATH}?{urlencode({name: parameters[name]})}', body)
                        self.assertOAuth2Error(response, 400, 'invalid_request')
                self.assertOAuth2Error(self.post(f'{PATH}?{urlencode(parameters)}', {}), 400, 'invalid_request')
        self.assertOAuth2Error(self.ask(path=f'{PATH}?scope=read'), 400, 'invalid_request')
        self.assertOAuth2Error(self.ask(path=f'{PATH}?anything'), 400, 'invalid_request')
        self.assertOAuth2Error(self.ask(path=f'{PATH}?=anything'), 400, 'invalid_request')
        # These requests have not used up anything.
        self.assertIssued(self.post(PATH, whole))
        self.assertIssued(self.post(PATH, refresh))

    def test_n084_repeated(self):
        whole = {
            'client_id': 'wiki-client',
            'client_secret': CLIENT_SECRET,
            'scope': 'read',
            'code': 'x',
            'redirect_uri': 'x',
            'code_verifier': VERIFIER,
            'refresh_token': 'x',
        }
        self.assertIssued(self.ask(whole, auth=None))
        self.assertEqual({'grant_type', *whole}, set(grants.PARAMETERS))
        for name in grants.PARAMETERS:
            for text in (whole.get(name, 'client_credentials'), 'other', ''):
                with self.subTest(name=name, text=text):
                    response = self.ask([*whole.items(), (name, text)], auth=None)
                    self.assertOAuth2Error(response, 400, 'invalid_request')
        # RFC 6749 §3.2: unknown parameters are ignored.
        self.assertIssued(self.ask([('unknown', 'a'), ('unknown', 'b')]))

    def test_n085_in_query_and_body(self):
        for name, text in (('grant_type', 'client_credentials'), ('scope', 'read'), ('client_id', 'wiki-client')):
            with self.subTest(name=name):
                response = self.ask(
                    {name: text},
                    grant_type=None if name == 'grant_type' else 'client_credentials',
                    path=f'{PATH}?{urlencode({name: text})}',
                )
                self.assertOAuth2Error(response, 400, 'invalid_request')

    def test_n086_grant_type_missing(self):
        self.assertOAuth2Error(self.ask(grant_type=None), 400, 'invalid_request')
        self.assertOAuth2Error(self.ask(grant_type=''), 400, 'invalid_request')

    def test_n087_grant_type_unknown(self):
        for grant_type in (
            'password',
            'implicit',
            'AUTHORIZATION_CODE',
            'code',
            'authorization_code ',
            'client_credentials,refresh_token',
            'urn:ietf:params:oauth:grant-type:jwt-bearer',
            'urn:ietf:params:oauth:grant-type:device_code',
            'urn:ietf:params:oauth:grant-type:token-exchange',
        ):
            with self.subTest(grant_type=grant_type):
                response = self.ask({'username': 'mitchell', 'password': PASSWORD}, grant_type=grant_type)
                self.assertOAuth2Error(response, 400, 'unsupported_grant_type')

    def test_n088_grant_type_not_allowed(self):
        self.assertOAuth2Error(self.ask(auth=('shop-client', OTHER_SECRET)), 400, 'unauthorized_client')
        self.assertOAuth2Error(self.ask({'client_id': 'tool-client'}, auth=None), 400, 'unauthorized_client')

    def test_n104_body_too_large(self):
        filler = {'filler': 'x' * (17 * 1024)}
        self.assertOAuth2Error(self.ask(filler), 413, 'invalid_request')
        self.assertIssued(self.ask({'filler': 'x' * (15 * 1024)}))
        for size in (1_000_000, 200_000_000):
            with self.subTest(size=size):
                # The response comes after the headers only: the body is not read.
                self.assertTooLarge(f'Content-Length: {size}', [])
        # A body without a length and an end: the server does not wait for more than the limit.
        self.assertTooLarge('Transfer-Encoding: chunked', [b'400\r\n' + b'x' * 1024 + b'\r\n'] * 64)

    def assertTooLarge(self, header, body):
        with self.allow_requests():
            connection = HTTPConnection('127.0.0.1', self.http_port(), timeout=10)
            connection.putrequest('POST', PATH)
            connection.putheader('Content-Type', MEDIA_TYPE)
            connection.putheader('Cookie', '; '.join(f'{name}={text}' for name, text in self.opener.cookies.items()))
            connection.putheader(*header.split(': '))
            connection.endheaders()
            try:
                for chunk in body:
                    connection.send(chunk)
            except (BrokenPipeError, ConnectionResetError):
                # The server has already answered.
                self.assertTrue(body)
            response = connection.getresponse()
            text = response.read()
            connection.close()
        self.assertEqual(response.status, 413, text)
        self.assertEqual(json.loads(text)['error'], 'invalid_request')
        self.assertEqual(response.headers['Cache-Control'], 'no-store')
        self.assertNotIssued()

    def test_n105_malformed_body(self):
        for body in (
            b'grant_type=client_credentials&scope=%ff%fe',
            b'grant_type=client_credentials&scope=\xff\xfe',
            'grant_type=client_credentials&scope=é'.encode(),
            b'grant_type=client_credentials&%ff=x',
            b'grant_type=client_credentials&scope=read%00',
            b'grant_type=client_credentials&%00=x',
            b'grant_type=client_credentials\0',
            b'grant_type[]=client_credentials',
            b'grant_type=client_credentials&scope[]=read',
            b'grant_type=client_credentials&scope[0]=read',
            b'grant_type=authorization_code&code[]=x',
            b'grant_type=authorization_code&code[a][b]=x',
            b'grant_type=refresh_token&refresh_token[]=x',
            b'grant_type=client_credentials&client_secret[]=x',
            json.dumps({'grant_type': 'client_credentials'}).encode(),
            b'grant_type=client_credentials' + b'&x=' * MAX_PARAMETERS,
            b'&' * 10_000 + b'grant_type=client_credentials',
            b'',
        ):
            with self.subTest(body=body[:80]):
                self.assertOAuth2Error(self.ask_raw(body, Content_Type=MEDIA_TYPE), 400, 'invalid_request')
        # An isolated surrogate, in the encoding that PostgreSQL would refuse.
        self.assertOAuth2Error(
            self.ask_raw(b'grant_type=client_credentials&scope=%ed%a0%80', Content_Type=MEDIA_TYPE),
            400,
            'invalid_request',
        )

    def test_n106_session_of_a_user(self):
        """A browser may send a session along: it is neither used nor changed."""
        self.authenticate('mitchell', PASSWORD)
        store = http.root.session_store
        before = dict(store.get(self.session.sid))
        headers = {'Content-Type': MEDIA_TYPE, 'Authorization': get_basic(*self.get_auth())}
        response = self.url_open(
            PATH, data=urlencode({'grant_type': 'client_credentials', 'scope': 'rpc'}), headers=headers
        )
        self.assertIssued(response)
        self.assertEqual(self.introspect(response.json()['access_token'])['username'], 'robot')
        refused = self.url_open(
            PATH,
            data=urlencode({'grant_type': 'client_credentials'}),
            headers={**headers, 'Authorization': get_basic('wiki-client', WRONG_SECRET)},
        )
        self.assertInvalidClient(refused)
        self.assertEqual(dict(store.get(self.session.sid)), before)

    def test_n108_success(self):
        self.application.access_token_expiry = 1234
        for case, response in enumerate((
            self.ask(),
            self.redeem(self.get_code(scope='read rpc')),
            self.refresh(self.sign_in()['refresh_token']),
        )):
            with self.subTest(case=case):
                self.assertEqual(response.status_code, 200, response.text)
                self.assertNoStore(response)
                self.assertEqual(response.headers['Content-Type'], 'application/json')
                self.assertEqual(response.headers['X-Content-Type-Options'], 'nosniff')
                self.assertEqual(response.json()['token_type'], 'Bearer')
                self.assertIs(type(response.json()['expires_in']), int)
                self.assertEqual(response.json()['expires_in'], 1234)
                self.assertIn(response.json()['scope'], ('read', 'read rpc'))
