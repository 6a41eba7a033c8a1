import base64
import json
import logging
import xmlrpc.client
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from unittest.mock import patch
from urllib.parse import quote, quote_plus, urlencode

from odoo import fields, http
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from ..models.orestapi_application_client import FAILURE_LIMIT, FAILURE_WINDOW
from ..models.orestapi_token_introspection import FAILURES
from ..oauth2 import client_secret, token, token_request
from ..oauth2.client_authentication import Credentials
from ..oauth2.errors import TooManyRequests
from ..oauth2.parameters import MAX_PARAMETERS, MEDIA_TYPE
from .common import CLIENT_SECRET, PASSWORD, VERIFIER, OAuth2Case

PATH = '/oauth2/token'
OTHER_SECRET = 'another secret, of the shop'
WRONG_SECRET = CLIENT_SECRET[:-1] + '2'


def encode_basic(pair):
    """Return the header of HTTP Basic for a pair that is joined and encoded already."""
    return {'Authorization': 'Basic ' + base64.b64encode(pair.encode() if isinstance(pair, str) else pair).decode()}


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
    """What a request to the token endpoint must look like (RFC 6749 §3.2)."""

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
        """Odoo adds the method to each route, and would run the handler."""
        response = self.url_open(
            PATH,
            data=urlencode({'grant_type': 'client_credentials'}),
            method='OPTIONS',
            headers={'Content-Type': MEDIA_TYPE, 'Authorization': self.get_basic(*self.get_auth())},
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
            headers={'Authorization': self.get_basic(*self.get_auth())},
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
            for name in parameters:
                with self.subTest(name=name, grant_type=parameters['grant_type']):
                    body = {key: text for key, text in parameters.items() if key != name}
                    response = self.post(f'{PATH}?{urlencode({name: parameters[name]})}', body)
                    self.assertOAuth2Error(response, 400, 'invalid_request')
            self.assertOAuth2Error(self.post(f'{PATH}?{urlencode(parameters)}', {}), 400, 'invalid_request')
        self.assertOAuth2Error(self.ask(path=f'{PATH}?scope=read'), 400, 'invalid_request')
        self.assertOAuth2Error(self.ask(path=f'{PATH}?anything'), 400, 'invalid_request')
        self.assertOAuth2Error(self.ask(path=f'{PATH}?=anything'), 400, 'invalid_request')
        # None of that used anything up.
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
        self.assertEqual({'grant_type', *whole}, set(token_request.KNOWN))
        for name in token_request.KNOWN:
            for text in (whole.get(name, 'client_credentials'), 'other', ''):
                with self.subTest(name=name, text=text):
                    response = self.ask([*whole.items(), (name, text)], auth=None)
                    self.assertOAuth2Error(response, 400, 'invalid_request')
        # RFC 6749 §3.2: what the server does not know is ignored.
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
                # Answered when only the headers were sent: nothing of it is in memory.
                self.assertTooLarge(f'Content-Length: {size}', [])
        # Without a length, and without an end: more than the limit is not waited for.
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
        headers = {'Content-Type': MEDIA_TYPE, 'Authorization': self.get_basic(*self.get_auth())}
        response = self.url_open(PATH, data=urlencode({'grant_type': 'client_credentials'}), headers=headers)
        self.assertIssued(response)
        self.assertEqual(self.introspect(response.json()['access_token'])['username'], 'robot')
        refused = self.url_open(
            PATH,
            data=urlencode({'grant_type': 'client_credentials'}),
            headers={**headers, 'Authorization': self.get_basic('wiki-client', WRONG_SECRET)},
        )
        self.assertInvalidClient(refused, challenge=True)
        self.assertEqual(dict(store.get(self.session.sid)), before)

    def test_n107_cors(self):
        self.application.allowed_origins = 'https://page.example.com\nhttps://page.example.com:8443'
        self.other.allowed_origins = 'https://shop.example.com'
        for origin, allowed in (
            ('https://page.example.com', True),
            ('https://page.example.com:8443', True),
            ('https://shop.example.com', False),
            ('http://page.example.com', False),
            ('https://page.example.com.evil.example', False),
            ('https://PAGE.example.com', False),
            ('https://page.example.com/', False),
            ('null', False),
            ('*', False),
        ):
            with self.subTest(origin=origin):
                self.assertCORS(self.ask(headers={'Origin': origin}), origin if allowed else None)
                # An error of the application can be read by its pages, too.
                response = self.ask(grant_type='password', headers={'Origin': origin})
                self.assertEqual(response.status_code, 400)
                self.assertCORS(response, origin if allowed else None)
        self.assertNotIn('Access-Control-Allow-Origin', self.ask().headers)

    def test_n107_cors_preflight(self):
        """A preflight request names no application: that of any is allowed."""
        self.application.allowed_origins = 'https://page.example.com'
        for origin in ('https://page.example.com', 'https://evil.example', 'https://nul\0.example', 'null', ''):
            with self.subTest(origin=origin):
                response = self.url_open(
                    PATH,
                    method='OPTIONS',
                    headers={
                        'Origin': origin,
                        'Access-Control-Request-Method': 'POST',
                        'Access-Control-Request-Headers': 'authorization',
                    },
                )
                self.assertEqual((response.status_code, response.text), (204, ''))
                allowed = origin == 'https://page.example.com'
                self.assertCORS(response, origin if allowed else None, vary=bool(origin))
                self.assertEqual('Access-Control-Allow-Methods' in response.headers, allowed)
        self.application.active = False
        response = self.url_open(PATH, method='OPTIONS', headers={'Origin': 'https://page.example.com'})
        self.assertCORS(response, None)

    def assertCORS(self, response, origin, vary=True):
        self.assertEqual(response.headers.get('Access-Control-Allow-Origin'), origin)
        self.assertEqual(response.headers.get('Vary'), 'Origin' if vary else None)
        self.assertNotIn('Access-Control-Allow-Credentials', response.headers)
        self.assertNotIn('Set-Cookie', response.headers)

    def test_n108_success(self):
        self.application.access_token_expiry = 1234
        for response in (
            self.ask(),
            self.redeem(self.get_code(scope='read rpc')),
            self.refresh(self.sign_in()['refresh_token']),
        ):
            self.assertEqual(response.status_code, 200, response.text)
            self.assertNoStore(response)
            self.assertEqual(response.headers['Content-Type'], 'application/json')
            self.assertEqual(response.headers['X-Content-Type-Options'], 'nosniff')
            self.assertEqual(response.json()['token_type'], 'Bearer')
            self.assertIs(type(response.json()['expires_in']), int)
            self.assertEqual(response.json()['expires_in'], 1234)
            self.assertIn(response.json()['scope'], ('read', 'read rpc'))


@tagged('post_install', '-at_install')
class TestClientAuthentication(TokenEndpointCase):
    """Who the client is (RFC 6749 §2.3, §3.2.1)."""

    def ask_basic(self, pair):
        return self.ask(auth=None, headers=encode_basic(pair))

    def ask_body(self, client_id, *secret):
        return self.ask([('client_id', client_id), *(('client_secret', text) for text in secret)], auth=None)

    def assertRefused(self, client_id, secret):
        """Assert that a client cannot authenticate, in either way."""
        self.assertInvalidClient(self.ask(auth=(client_id, secret)), challenge=True)
        self.assertInvalidClient(self.ask_body(client_id, secret))

    def test_n089_no_credentials(self):
        self.assertInvalidClient(self.ask(auth=None))
        self.assertInvalidClient(self.ask_body('', ''))
        self.assertInvalidClient(self.ask({'client_secret': CLIENT_SECRET}, auth=None))
        # Another scheme is an attempt with the header, and answered as one.
        for header in ('Bearer x', 'Negotiate x', 'Basic', '', 'x'):
            with self.subTest(header=header):
                self.assertInvalidClient(self.ask(auth=None, headers={'Authorization': header}), challenge=True)

    def test_n090_wrong_secret_in_header(self):
        for secret in (WRONG_SECRET, CLIENT_SECRET[:-1], CLIENT_SECRET + ' ', CLIENT_SECRET.upper(), OTHER_SECRET, ''):
            with self.subTest(secret=secret):
                self.assertInvalidClient(self.ask(auth=('wiki-client', secret)), challenge=True)

    def test_n091_wrong_secret_in_body(self):
        for secret in (WRONG_SECRET, CLIENT_SECRET[:-1], CLIENT_SECRET + ' ', CLIENT_SECRET.upper(), OTHER_SECRET, ''):
            with self.subTest(secret=secret):
                self.assertInvalidClient(self.ask_body('wiki-client', secret))

    def test_n092_two_methods(self):
        for secret in (CLIENT_SECRET, WRONG_SECRET):
            response = self.ask({'client_id': 'wiki-client', 'client_secret': secret})
            self.assertOAuth2Error(response, 400, 'invalid_request')
        self.assertOAuth2Error(self.ask({'client_secret': CLIENT_SECRET}), 400, 'invalid_request')

    def test_n093_two_clients(self):
        for client_id in ('shop-client', 'tool-client', 'unknown-client', 'WIKI-CLIENT'):
            with self.subTest(client_id=client_id):
                self.assertOAuth2Error(self.ask({'client_id': client_id}), 400, 'invalid_request')
        self.assertIssued(self.ask({'client_id': 'wiki-client'}))

    def test_n094_malformed_header(self):
        good = f'wiki-client:{quote(CLIENT_SECRET)}'
        for pair in (
            'wiki-client',
            f':{quote(CLIENT_SECRET)}',
            ':',
            '',
            good.encode() + b'\xff',
            b'\xff\xfe:x',
            'wiki-client%00:x',
            good + '%00',
            good + '\0',
            'wiki-client%ff:x',
            good + '%ff',
            f'wiki-client:{"x" * 10_000}',
            'x' * 10_000,
        ):
            with self.subTest(pair=pair[:30]):
                self.assertInvalidClient(self.ask_basic(pair), challenge=True)
        encoded = base64.b64encode(good.encode()).decode()
        for header in (
            'Basic',
            'Basic ',
            'Basic !!!',
            f'Basic {good}',
            f'Basic {encoded[:-1]}',
            f'Basic {encoded[:4]} {encoded[4:]}',
            f'Basic {encoded}, Basic {encoded}',
            f'Basic\t{encoded}',
        ):
            with self.subTest(header=header):
                self.assertInvalidClient(self.ask(auth=None, headers={'Authorization': header}), challenge=True)
        self.assertIssued(self.ask_basic(good))

    def test_n095_scheme_in_other_case(self):
        header = self.get_basic(*self.get_auth()).partition(' ')[2]
        for scheme in ('basic', 'BASIC', 'bAsIc'):
            with self.subTest(scheme=scheme):
                self.assertIssued(self.ask(auth=None, headers={'Authorization': f'{scheme} {header}'}))

    def test_n096_secret_with_signs(self):
        for secret in ('a:b:c:d:e:f:g:h:i', '100%25 + 50%+1 = 150%', ' blanks at the ends ', 'quote"back\\slash&=?#'):
            with self.subTest(secret=secret):
                self.application.client_secret = secret
                self.assertIssued(self.ask(auth=('wiki-client', secret)))
                self.assertIssued(self.ask_basic(f"wiki-client:{quote(secret, safe='')}"))
                self.assertIssued(self.ask_body('wiki-client', secret))
        # Decoded once and not twice.
        self.application.client_secret = '%2541%2541%2541%2541'
        self.assertIssued(self.ask(auth=('wiki-client', '%2541%2541%2541%2541')))
        self.assertInvalidClient(self.ask_basic('wiki-client:%2541%2541%2541%2541'), challenge=True)

    def test_n097_unknown_client(self):
        """Neither the answer nor the work for it tells an unknown client from a wrong secret."""
        self.other.write({'service_user_id': self.service_user.id, 'client_secret': False})
        answers = {}
        for client_id in ('wiki-client', 'shop-client', 'tool-client', 'unknown-client', '1', "' OR 1=1", 'x' * 3000):
            with self.subTest(client_id=client_id[:20]), self.count_verifications() as verify:
                response = self.ask(auth=(client_id, WRONG_SECRET))
                self.assertInvalidClient(response, challenge=True)
                answers[client_id] = response.content, sorted(set(response.headers) - {'Date'})
                self.assertEqual(verify.call_count, 1)
        self.assertEqual(len({str(answer) for answer in answers.values()}), 1, answers)

    def count_verifications(self):
        """Return a context that counts the slow computations, and lets them happen."""
        return patch.object(client_secret.CONTEXT, 'verify', wraps=client_secret.CONTEXT.verify)

    def test_n098_archived_or_deleted(self):
        self.application.active = False
        self.assertRefused('wiki-client', CLIENT_SECRET)
        self.public.active = False
        self.assertInvalidClient(self.ask_body('tool-client'))
        self.application.active = True
        self.assertIssued(self.ask())
        self.application.unlink()
        self.issued = self.count_issued()
        self.assertRefused('wiki-client', CLIENT_SECRET)

    def test_n099_old_secret(self):
        secret = self.application.generate_client_secret()
        self.assertRefused('wiki-client', CLIENT_SECRET)
        self.assertIssued(self.ask(auth=('wiki-client', secret)))
        self.application.client_secret = CLIENT_SECRET
        self.assertRefused('wiki-client', secret)
        self.application.client_secret = False
        self.assertRefused('wiki-client', CLIENT_SECRET)
        self.assertRefused('wiki-client', '')

    def test_n099_old_secret_with_overlap(self):
        self.stop_clock()
        secret = self.application.generate_client_secret(keep_previous=2)
        self.assertIssued(self.ask(auth=('wiki-client', secret)))
        with self.later(days=2, seconds=-1):
            self.assertIssued(self.ask())
        with self.later(days=2):
            self.assertRefused('wiki-client', CLIENT_SECRET)
            self.assertIssued(self.ask(auth=('wiki-client', secret)))
        # Two secrets work, never three; and the overlap can be ended at once.
        third = self.application.generate_client_secret(keep_previous=2)
        self.assertRefused('wiki-client', CLIENT_SECRET)
        self.assertIssued(self.ask(auth=('wiki-client', secret)))
        self.application.previous_client_secret_expires_at = False
        self.assertRefused('wiki-client', secret)
        self.assertIssued(self.ask(auth=('wiki-client', third)))

    def test_n100_public_client_sends_a_secret(self):
        code = self.get_code(self.public)
        self.assertRefused('tool-client', CLIENT_SECRET)
        self.assertInvalidClient(self.ask(auth=('tool-client', '')), challenge=True)
        # Not even one that it had when it was confidential.
        self.application.write({'service_user_id': False, 'client_type': 'public'})
        self.assertRefused('wiki-client', CLIENT_SECRET)
        self.assertEqual(self.redeem(code, self.public).status_code, 200)

    def test_n101_confidential_client_without_secret(self):
        code = self.get_code()
        self.assertInvalidClient(self.ask_body('wiki-client'))
        self.assertInvalidClient(self.ask_body('wiki-client', ''))
        self.assertInvalidClient(self.redeem(code, auth=None, client_id='wiki-client'))
        self.assertInvalidClient(self.ask(auth=('wiki-client', '')), challenge=True)
        self.assertEqual(self.redeem(code).status_code, 200)

    def test_n102_no_oracle_by_time(self):
        """However much of a secret is right, the same slow computation decides, and it sees the whole of it."""
        with self.count_verifications() as verify:
            for length in range(len(CLIENT_SECRET)):
                with self.later(minutes=2 * length):
                    self.assertInvalidClient(self.ask(auth=('wiki-client', CLIENT_SECRET[:length])), challenge=True)
        self.assertEqual(
            [call.args[0] for call in verify.call_args_list],
            [CLIENT_SECRET[:length] for length in range(len(CLIENT_SECRET))],
        )

    def test_n103_too_many_failures(self):
        self.stop_clock()
        for _attempt in range(FAILURE_LIMIT):
            self.assertInvalidClient(self.ask(auth=('wiki-client', WRONG_SECRET)), challenge=True)
        with self.later(seconds=20):
            # Even with the right secret: whoever guesses must not see which one it is.
            for secret in (WRONG_SECRET, CLIENT_SECRET):
                response = self.ask(auth=('wiki-client', secret))
                self.assertOAuth2Error(response, 429, 'invalid_client')
                self.assertEqual(response.headers['Retry-After'], '40')
            # Others at the same address do not suffer: other applications, and people who log in.
            self.assertIssued(self.redeem(self.get_code(self.public), self.public))
            self.assertOAuth2Error(self.ask(auth=('shop-client', OTHER_SECRET)), 400, 'unauthorized_client')
            credential = {'login': 'mitchell', 'password': PASSWORD, 'type': 'password'}
            login = self.env['res.users'].authenticate(credential, {'interactive': True})
            self.assertEqual(login['uid'], self.user.id)
        with self.later(seconds=FAILURE_WINDOW.seconds - 1):
            self.assertEqual(self.ask().headers['Retry-After'], '1')
        with self.later(seconds=FAILURE_WINDOW.seconds):
            self.assertIssued(self.ask())
        # All workers count the same rows, and refused attempts add none.
        events = self.env['orestapi.event'].search([('kind', '=', 'client_authentication_failed')])
        self.assertEqual(len(events), FAILURE_LIMIT)
        self.assertEqual(events.application_id, self.application)
        self.assertEqual(set(events.mapped('address')), {'127.0.0.1'})

    def test_n103_failures_at_every_endpoint_count(self):
        self.stop_clock()
        for count in range(FAILURE_LIMIT):
            path = ('/oauth2/token', '/oauth2/revoke', '/oauth2/introspect')[count % 3]
            self.assertInvalidClient(
                self.post(path, {'token': 'x', 'client_id': 'wiki-client', 'client_secret': WRONG_SECRET})
            )
        for path in ('/oauth2/token', '/oauth2/revoke', '/oauth2/introspect'):
            response = self.post(path, {'token': 'x'}, self.get_auth())
            self.assertOAuth2Error(response, 429, 'invalid_client')

    def test_n103_failures_of_another_address(self):
        """The failures of a stranger elsewhere do not keep the application out."""
        log = self.env['orestapi.event']._log
        for _attempt in range(FAILURE_LIMIT):
            log('client_authentication_failed', application_id=self.application.id, address='203.0.113.7')
        self.assertIssued(self.ask())
        failures = self.env['orestapi.token']._get_failures(
            self.application.id, '203.0.113.7', fields.Datetime.now() - FAILURE_WINDOW
        )
        self.assertEqual(len(failures), FAILURE_LIMIT)

    def test_n103_addresses_of_one_network(self):
        """Whoever has one IPv6 address has 2^64 of them, and is counted once."""
        event, applications = self.env['orestapi.event'], self.env['orestapi.application']
        for number in range(FAILURE_LIMIT):
            event._log(
                'client_authentication_failed',
                application_id=self.application.id,
                address=f'2001:db8:1:2:{number}::{number}',
            )
        credentials = Credentials('wiki-client', CLIENT_SECRET, 'client_secret_post')
        for address in ('2001:db8:1:2::', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:DB8:1:2::a'):
            with self.assertRaises(TooManyRequests):
                applications._authenticate_client(credentials, address)
        for address in ('2001:db8:1:3::1', '2001:db8:1:1:ffff:ffff:ffff:ffff', '203.0.113.7'):
            self.assertEqual(applications._authenticate_client(credentials, address).id, self.application.id)
        failures = event.search([('kind', '=', 'client_authentication_failed')])
        self.assertEqual(set(failures.mapped('network')), {'2001:db8:1:2::/64'})
        self.assertIn('2001:db8:1:2:9::9', failures.mapped('address'))

    def test_n103_count_is_indexed(self):
        """The events of a year are not read at each token request."""
        # A busy minute of many addresses. With so few rows as in a new database, PostgreSQL may take any index or none.
        self.env.cr.execute(
            """
            INSERT INTO orestapi_event (kind, network, create_date)
            SELECT 'client_authentication_failed', '198.51.100.' || number % 256,
                   now() AT TIME ZONE 'UTC' - number * interval '10 ms'
              FROM generate_series(1, 20000) AS number
            """
        )
        self.env.cr.execute("ANALYZE orestapi_event")
        self.env.cr.execute(
            SQL("EXPLAIN SELECT %s", SQL(FAILURES, 1, '203.0.113.7', fields.Datetime.now() - FAILURE_WINDOW))
        )
        plan = '\n'.join(line for [line] in self.env.cr.fetchall())
        self.assertIn('orestapi_event_failures_idx', plan)
        self.assertRegex(plan, r'Index Cond: .*network')

    def test_n103_unknown_clients(self):
        self.stop_clock()
        for count in range(FAILURE_LIMIT):
            self.assertInvalidClient(self.ask_body(f'unknown-client-{count}', WRONG_SECRET))
        self.assertOAuth2Error(self.ask_body('unknown-client-x', WRONG_SECRET), 429, 'invalid_client')
        self.assertIssued(self.ask())


class Collector(logging.Handler):
    """Keeps what loggers wrote, with tracebacks, as it would stand in a file."""

    def __init__(self):
        super().__init__()
        self.setFormatter(logging.Formatter('%(levelname)s %(name)s: %(message)s'))
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@tagged('post_install', '-at_install')
class TestLog(OAuth2Case):
    """Nobody who reads the log can act as an application or a user (RFC 6819 §4.6.7)."""

    def setUp(self):
        super().setUp()
        self.secrets = {CLIENT_SECRET, WRONG_SECRET, VERIFIER}

    @contextmanager
    def collect_log(self):
        """Let every logger of the process write everything, for the test alone."""
        root = logging.getLogger()
        loggers = [root, *(logging.getLogger(name) for name in list(root.manager.loggerDict))]
        levels = [(logger, logger.level) for logger in loggers]
        handlers = [(handler, handler.level) for logger in loggers for handler in logger.handlers]
        collector = Collector()
        for handler, _level in handlers:
            handler.setLevel(logging.CRITICAL + 1)
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
        root.addHandler(collector)
        try:
            yield collector.lines
        finally:
            root.removeHandler(collector)
            for handler_or_logger, level in levels + handlers:
                handler_or_logger.setLevel(level)

    def keep(self, response, *statuses):
        """Remember the tokens of a response to look for them in the log."""
        self.assertIn(response.status_code, statuses or (200,), response.text)
        answer = response.json() if response.text.startswith('{') else {}
        self.secrets |= {answer[name] for name in ('access_token', 'refresh_token') if name in answer}
        return answer

    def keep_code(self, **changes):
        code = self.get_code(**changes)
        self.secrets.add(code)
        return code

    def test_n109_no_secret_in_the_log(self):
        self.application.write({'refresh_token_grace': 60, 'service_user_id': self.user.id})
        with self.collect_log() as lines:
            self.ask_for_codes()
            self.ask_for_tokens()
            self.ask_wrongly()
            self.use_tokens()
            self.fail_within()
        log = '\n'.join(lines)
        # The log is that of the server, of all of it, and at this level: with each
        # statement and its parameters, with the access log, and with the failure.
        for line in (
            'DEBUG odoo.sql_db: ',
            'INSERT INTO orestapi_token',
            'UPDATE orestapi_token',
            '"POST /oauth2/token HTTP/1.1" 400',
            '"POST /oauth2/revoke HTTP/1.1" 200',
            'ERROR odoo.http: ',
            'Traceback',
            'RaiseException: ',
        ):
            self.assertIn(line, log)
        self.assertGreater(len(self.secrets), 25)
        for secret in self.secrets:
            for form in self.get_forms(secret):
                self.assertNotIn(form, log)

    def get_forms(self, secret):
        """Return a secret, its parts, and each as it may be written."""
        parts = {secret}
        if parsed := token.parse(secret):
            parts |= {parsed.secret, parsed.mac or parsed.secret}
        for part in parts:
            yield from (part, part.swapcase(), quote(part), quote(part, safe=''), quote_plus(part), repr(part)[1:-1])
            yield base64.b64encode(part.encode()).decode().rstrip('=')[:-2]
        yield self.get_basic('wiki-client', secret).partition(' ')[2]

    def ask_for_codes(self):
        self.unused = self.keep_code()
        self.authenticate('mitchell', PASSWORD)
        for changes in ({'scope': 'rpc'}, {'code_challenge': 'x'}, {'client_id': 'x'}):
            self.authorize(self.get_request(**changes))
        self.decide(self.authorize(self.get_request(scope='rpc')), 'deny')
        self.logout()

    def ask_for_tokens(self):
        code = self.keep_code(scope='read rpc')
        self.keep(self.redeem(code, code_verifier='y' * 43), 400)
        self.keep(self.redeem(code, redirect_uri='https://evil.example'), 400)
        self.first = self.keep(self.redeem(code))
        self.second = self.keep(self.refresh(self.first['refresh_token']))
        repeated = self.keep(self.refresh(self.first['refresh_token']))
        self.assertEqual(self.second['refresh_token'], repeated['refresh_token'])
        self.third = self.keep(self.refresh(self.second['refresh_token'], scope='read'))
        self.fourth = self.keep(
            self.refresh(self.third['refresh_token'], auth=None, client_id='wiki-client', client_secret=CLIENT_SECRET)
        )
        self.keep(self.refresh(self.fourth['refresh_token'], scope='unknown'), 400)
        self.service = self.keep(
            self.post('/oauth2/token', {'grant_type': 'client_credentials', 'scope': 'rpc'}, self.get_auth())
        )
        replayed = self.keep_code()
        self.keep(self.redeem(replayed))
        self.keep(self.redeem(replayed), 400)
        reused = [self.keep(self.redeem(self.keep_code()))]
        for _count in range(2):
            reused.append(self.keep(self.refresh(reused[-1]['refresh_token'])))
        self.keep(self.refresh(reused[0]['refresh_token']), 400)

    def ask_wrongly(self):
        whole = {
            'grant_type': 'authorization_code',
            'client_id': 'wiki-client',
            'client_secret': CLIENT_SECRET,
            'code': self.unused,
            'code_verifier': VERIFIER,
            'refresh_token': self.fourth['refresh_token'],
            'token': self.fourth['access_token'],
        }
        encoded = urlencode(whole)
        for path in ('/oauth2/token', '/oauth2/revoke', '/oauth2/introspect'):
            self.keep(self.post(path, {**whole, 'client_secret': WRONG_SECRET}), 401)
            self.keep(self.post(path, whole, ('wiki-client', CLIENT_SECRET)), 400)
            self.keep(self.post(path, whole, headers={'Authorization': 'Bearer ' + self.fourth['access_token']}), 401)
            self.keep(self.post(path, f'{encoded}&{encoded}', headers={'Content-Type': MEDIA_TYPE}), 400)
            self.keep(self.post(path, encoded + '&x=%00', headers={'Content-Type': MEDIA_TYPE}), 400)
            self.keep(self.post(path, encoded + '&x=%ff', headers={'Content-Type': MEDIA_TYPE}), 400)
            self.keep(self.post(path, encoded, headers={'Content-Type': 'text/plain'}), 400)
            self.keep(self.post(path, json.dumps(whole), headers={'Content-Type': 'application/json'}), 400)
            self.keep(self.post(path, {**whole, 'filler': 'x' * 20_000}), 413)
            self.url_open(path, data=encoded, method='PUT', headers={'Content-Type': MEDIA_TYPE})
        for name in ('code', 'refresh_token'):
            for grant_type in ('authorization_code', 'refresh_token', 'password'):
                other = self.unused if name == 'refresh_token' else self.fourth['refresh_token']
                self.keep(
                    self.post(
                        '/oauth2/token',
                        {'grant_type': grant_type, name: other, 'password': CLIENT_SECRET},
                        self.get_auth(),
                    ),
                    400,
                )

    def use_tokens(self):
        for tokens in (self.first, self.third, self.fourth, self.service):
            for name in ('access_token', 'refresh_token'):
                if name in tokens:
                    self.post('/oauth2/introspect', {'token': tokens[name]}, self.get_auth())
                    self.call_json2(tokens[name])
                    self.call_json2(tokens[name], method='no_such_method')
                    with suppress(xmlrpc.client.Fault):
                        self.xmlrpc_object.execute_kw(
                            self.env.cr.dbname, self.user.id, tokens[name], 'res.users', 'context_get', []
                        )
                    self.xmlrpc_common.authenticate(self.env.cr.dbname, 'mitchell', tokens[name], {})
        self.keep(self.post('/oauth2/revoke', {'token': self.fourth['access_token']}, self.get_auth()))

    def fail_within(self):
        """Make the database refuse a row and show all of it, so that Odoo logs that with a traceback."""
        code = self.unused
        tokens = self.keep(self.redeem(self.keep_code()))
        self.env.cr.execute("""
            CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION 'refused: %', NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON orestapi_token
                FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()
        """)
        self.keep(self.redeem(code), 500)
        self.keep(self.refresh(tokens['refresh_token']), 500)
