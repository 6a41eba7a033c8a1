import html
import re
import time
from unittest.mock import patch
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg2
import requests

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..controllers.authorize import HEADERS
from ..oauth2.parameters import MAX_PARAMETERS
from .common import CALLBACK, PASSWORD, OAuth2Case

URI = 'https://app.example/cb'
STATE = 'marker of the request'


@tagged('post_install', '-at_install')
class TestAuthorizeClient(OAuth2Case):
    """Requests that must not be answered by redirect: client or redirect URI are not known to be good.

    The application is trusted and the user is logged in, so that each request
    would get a code at once if it got past the check.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.application.write({'trusted': True, 'uri_ids': [(5,), (0, 0, {'uri': URI})]})
        cls.public.trusted = True

    def setUp(self):
        super().setUp()
        self.authenticate('mitchell', PASSWORD)

    def register(self, *uris, application=None):
        """Make these the redirect URIs of an application, as stored, whatever the form would say of them."""
        application = application or self.application
        application.uri_ids.unlink()
        for uri in uris:
            record = self.env['orestapi.application.uri'].create({
                'application_id': application.id,
                'uri': 'https://app.example/placeholder',
            })
            self.env.flush_all()
            self.env.cr.execute("UPDATE orestapi_application_uri SET uri = %s WHERE id = %s", (uri, record.id))
        self.env.invalidate_all()

    def ask(self, *pairs, **changes):
        """Send a request with changes, and with further pairs appended."""
        parameters = self.get_request(**{'redirect_uri': URI, 'state': STATE, **changes})
        return self.authorize([*parameters.items(), *pairs])

    def assertRefused(self, response):
        """Assert [E]: an error page, no redirect, no code, and nothing of the request on the page."""
        self.assertEqual(response.status_code, 400, response.headers.get('Location'))
        self.assertNotIn('Location', response.headers)
        self.assertEqual(response.headers['Content-Type'], 'text/html; charset=utf-8')
        self.assertLessEqual(HEADERS.items(), dict(response.headers).items())
        for trace in ('app.example', 'evil', 'marker'):
            self.assertNotIn(trace, response.text)
        self.assertFalse(self.env['orestapi.authorization.code'].search([]))
        self.assertFalse(self.env['orestapi.authorization'].search([]))

    def assertRefusedURIs(self, *uris, application=None):
        for uri in uris:
            with self.subTest(uri=uri):
                self.assertRefused(self.ask(redirect_uri=uri, client_id=(application or self.application).client_id))

    def assertAnswered(self, response, uri):
        self.assertIn('code', self.get_response(response))
        location = response.headers['Location']
        self.assertEqual(location.partition('code=')[0], uri + ('&' if '?' in uri else '?'))

    def get_page(self, response):
        """Return an error page without what differs each time."""
        return re.sub(r'[0-9a-f]{8,}', '', response.text)

    def test_n001_client_id_missing(self):
        self.assertAnswered(self.ask(), URI)
        self.env['orestapi.authorization'].search([]).unlink()
        self.assertRefused(self.ask(client_id=None))
        self.assertRefused(self.ask(client_id=''))
        self.assertRefused(self.authorize(''))

    def test_n002_client_id_unknown(self):
        for client_id in ('unknown-client', 'WIKI-CLIENT', 'wiki-client ', "'", 'ä' * 100, '%', '0', 'a' * 5000):
            with self.subTest(client_id=client_id):
                self.assertRefused(self.ask(client_id=client_id))

    def test_n003_application_archived(self):
        unknown = self.ask(client_id='unknown-client')
        self.application.active = False
        archived = self.ask()
        self.assertRefused(archived)
        self.assertEqual(self.get_page(archived), self.get_page(unknown))

    def test_n004_application_deleted_while_the_page_is_open(self):
        unknown = self.ask(client_id='unknown-client')
        self.application.trusted = False
        page = self.ask()
        self.application.unlink()
        response = self.decide(page)
        self.assertRefused(response)
        self.assertEqual(self.get_page(response), self.get_page(unknown))

    def test_n005_client_id_repeated(self):
        for client_id in ('wiki-client', 'shop-client', 'unknown-client', ''):
            with self.subTest(client_id=client_id):
                self.assertRefused(self.ask(('client_id', client_id)))
                self.assertRefused(self.ask(('client_id', 'wiki-client'), client_id=client_id))

    def test_n006_redirect_uri_repeated(self):
        for uri in (URI, 'https://evil.example/cb', ''):
            with self.subTest(uri=uri):
                self.assertRefused(self.ask(('redirect_uri', uri)))
                self.assertRefused(self.ask(('redirect_uri', URI), redirect_uri=uri))

    def test_n007_redirect_uri_omitted_with_two_registered(self):
        self.register(URI, URI + '2')
        self.assertRefused(self.ask(redirect_uri=None))
        self.assertRefused(self.ask(redirect_uri=''))

    def test_n008_redirect_uri_omitted_with_one_registered(self):
        self.assertAnswered(self.ask(redirect_uri=None), URI)

    def test_n009_redirect_uri_omitted_with_none_registered(self):
        self.register()
        self.assertRefused(self.ask(redirect_uri=None))
        self.assertRefused(self.ask())

    def test_n010_redirect_uri_of_another_application(self):
        self.assertRefusedURIs('https://shop.example.com/callback', 'http://127.0.0.1/callback')
        # The administrator finds out which application is set up wrongly.
        self.assertEqual(self.env['orestapi.event'].search([], limit=1).application_id, self.application)

    def test_n011_path_longer_or_shorter(self):
        self.assertRefusedURIs(
            'https://app.example/cb/x',
            'https://app.example/cbx',
            'https://app.example/c',
            'https://app.example/',
            'https://app.example',
            'https://app.example/cb;x',
            'https://app.example/cb/../cb',
        )

    def test_n012_slash_at_the_end(self):
        self.assertRefusedURIs('https://app.example/cb/')
        self.register('https://app.example/cb/')
        self.assertRefusedURIs('https://app.example/cb', 'https://app.example/cb//')

    def test_n013_other_letter_case(self):
        self.assertRefusedURIs(
            'https://app.example/CB', 'https://App.Example/cb', 'HTTPS://app.example/cb', 'Https://app.example/cb'
        )

    def test_n014_other_scheme(self):
        self.assertRefusedURIs('http://app.example/cb', 'app.example/cb', 'wss://app.example/cb')

    def test_n015_other_port(self):
        self.assertRefusedURIs(
            'https://app.example:443/cb',
            'https://app.example:8443/cb',
            'https://app.example:/cb',
            'https://app.example:0443/cb',
        )

    def test_n016_other_query(self):
        self.assertRefusedURIs('https://app.example/cb?x=1', 'https://app.example/cb?')
        self.register('https://app.example/cb?a=1&b=2')
        self.assertRefusedURIs(
            'https://app.example/cb?a=1&b=2&c=3',
            'https://app.example/cb?b=2&a=1',
            'https://app.example/cb?a=1&b=3',
            'https://app.example/cb?a=1',
            'https://app.example/cb',
            'https://app.example/cb?a=1&b=2&b=2',
            'https://app.example/cb?a=%31&b=2',
        )

    def test_n017_fragment(self):
        self.assertRefusedURIs('https://app.example/cb#x', 'https://app.example/cb#')
        self.register('https://app.example/cb#x')
        self.assertRefusedURIs('https://app.example/cb#x')

    def test_n018_user_information(self):
        self.assertRefusedURIs(
            'https://app.example@evil.example/cb',
            'https://evil@app.example/cb',
            'https://evil:x@app.example/cb',
            'https://@app.example/cb',
            'https://app.example%40evil.example/cb',
        )

    def test_n019_other_host(self):
        self.assertRefusedURIs(
            'https://app.example.evil.example/cb',
            'https://evilapp.example/cb',
            'https://app.example./cb',
            'https://evil.app.example/cb',
            'https://app.exampleevil/cb',
        )

    def test_n020_path_with_dots(self):
        self.assertRefusedURIs(
            'https://app.example/x/../cb',
            'https://app.example/cb/../evil',
            'https://app.example/%2e%2e%2fcb',
            'https://app.example/cb%2f..%2fevil',
            'https://app.example//cb',
            'https://app.example/./cb',
            'https://app.example/cb/.',
        )
        # What the form refuses is refused again, however it came into the database.
        self.register('https://app.example/x/../cb', 'https://app.example/%2E%2e/cb')
        self.assertRefusedURIs('https://app.example/x/../cb', 'https://app.example/%2E%2e/cb')

    def test_n021_other_percent_encoding(self):
        self.assertRefusedURIs(
            'https://app.example/%63b',
            'https://app.example/%2563b',
            'https%3A%2F%2Fapp.example%2Fcb',
            'https://app.example%2Fcb',
            quote(quote(URI, safe=''), safe=''),
        )
        self.register('https://app.example/%63b')
        self.assertRefusedURIs('https://app.example/cb', 'https://app.example/%2563b')
        self.assertAnswered(self.ask(redirect_uri='https://app.example/%63b'), 'https://app.example/%63b')

    def test_n022_backslash_and_white_space(self):
        uris = (
            'https://app.example\\@evil.example',
            'https://app.example\\@evil.example/cb',
            'https:\\\\app.example\\cb',
            'https://app.example/\tcb',
            'https://app.exa\nmple/cb',
            'https://app.example/c\x0bb',
            'https:/app.example/cb',
            'https:app.example/cb',
        )
        self.assertRefusedURIs(*uris)
        self.register(*uris[:6])
        self.assertRefusedURIs(*uris[:6])

    def test_n023_blank_at_either_end(self):
        self.assertRefusedURIs(' ' + URI, URI + ' ', URI + '%20', '%20' + URI, '\ufeff' + URI, URI + '\xa0', URI + '\t')

    def test_n024_line_break(self):
        uris = [URI + '\r\nLocation: https://evil.example', URI + '\n', '\r' + URI, URI + '%0d%0aSet-Cookie:evil=1']
        self.assertRefusedURIs(*uris)
        self.register(*uris[:3])
        self.assertRefusedURIs(*uris[:3])
        for uri in uris:
            response = self.ask(redirect_uri=uri)
            self.assertNotIn('evil', str(response.headers))

    def test_n025_nul(self):
        self.assertRefusedURIs(URI + '\0', '\0', URI + '\0.evil.example')
        self.assertRefused(self.ask(client_id='wiki-client\0'))
        self.assertRefused(self.ask(client_id='\0'))
        self.assertRefused(self.ask(('\0', '')))

    def test_n026_invalid_utf8(self):
        good = urlencode(self.get_request(redirect_uri=URI, state=STATE))
        for name in ('client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'code_challenge', 'other'):
            for value in ('%ff%fe', 'a%c0%80', '%ed%a0%80', '%C3'):
                with self.subTest(name=name, value=value):
                    self.assertRefused(self.authorize(f'{good}&{name}2={value}'))
                    self.assertRefused(self.authorize(f'{name}={value}&{good}'))
        self.assertRefused(self.authorize(f'{good}&%ff=1'))

    def test_n027_host_that_looks_alike(self):
        uris = (
            'https://аpp.example/cb',
            'https://app。example/cb',
            'https://app.example／cb',
            'https://ａpp.example/cb',
            'https://xn--pp-6kc.example/cb',
            'https://app.ex\xadample/cb',
        )
        self.assertRefusedURIs(*uris)
        self.register(*uris[:4])
        self.assertRefusedURIs(*uris[:4])

    def test_n028_script_scheme(self):
        uris = (
            'javascript:alert(1)',
            'javascript://app.example/%0aalert(1)',
            'data:text/html,evil',
            'vbscript:evil',
            'file:///etc/passwd',
            'JavaScript:alert(1)',
            'blob:https://app.example/1',
            'about:blank',
            'view-source:https://app.example/cb',
        )
        self.assertRefusedURIs(*uris)
        self.register(*uris)
        self.assertRefusedURIs(*uris)

    def test_n029_relative(self):
        uris = ('/cb', '//evil.example/cb', 'cb', '?x=1', '#', './cb', '///evil.example/cb', 'https:///cb', 'https://')
        self.assertRefusedURIs(*uris)
        self.register(*uris)
        self.assertRefusedURIs(*uris)

    def test_n030_array_syntax(self):
        for name in ('redirect_uri[]', 'redirect_uri[0]', 'redirect_uri[a][b]', 'client_id[]'):
            with self.subTest(name=name):
                self.assertRefused(self.ask((name, URI)))
                self.assertRefused(self.ask((name, URI), redirect_uri=None))
                self.assertRefused(self.ask((name, 'https://evil.example/cb')))

    def test_n031_wildcard(self):
        self.assertRefusedURIs('https://*.example/cb', 'https://*/cb', 'https://app.example/*', '*', 'https://app.%/cb')
        self.register('https://*.example/cb', 'https://app.example/*', 'https://app.example/_b')
        self.assertRefusedURIs(
            'https://*.example/cb', 'https://app.example/cb', 'https://app.example/*', 'https://evil.example/cb'
        )

    def assertLoopback(self, uri):
        """Assert that the public application gets its code at `uri`, after a consent that is never remembered."""
        page = self.ask(client_id='tool-client', redirect_uri=uri)
        self.assertAnswered(self.decide(page), uri)

    def test_n032_loopback_with_any_port(self):
        for uri in (
            'http://127.0.0.1:53219/callback',
            'http://127.0.0.1/callback',
            'http://127.0.0.1:80/callback',
            'http://127.0.0.1:1/callback',
            'http://127.0.0.1:65535/callback',
        ):
            with self.subTest(uri=uri):
                self.assertLoopback(uri)
        self.register('http://[::1]/callback?x=1', application=self.public)
        self.assertLoopback('http://[::1]:53219/callback?x=1')

    def test_n033_loopback_registered_with_a_port(self):
        for address in ('127.0.0.1', '[::1]'):
            self.register(f'http://{address}:8080/callback', application=self.public)
            for port in (':8081', ':8080', ''):
                with self.subTest(address=address, port=port):
                    self.assertLoopback(f'http://{address}{port}/callback')

    def test_n034_loopback_localhost(self):
        self.assertRefusedURIs('http://localhost/callback', 'http://localhost:5000/callback', application=self.public)
        self.register('http://localhost/callback', application=self.public)
        self.assertRefusedURIs(
            'http://127.0.0.1/callback',
            'http://127.0.0.1:5000/callback',
            'http://localhost:5000/callback',
            'http://LOCALHOST/callback',
            application=self.public,
        )
        self.assertLoopback('http://localhost/callback')

    def test_n035_loopback_other_address(self):
        hosts = (
            '[::1]',
            '127.0.0.2',
            '127.1',
            '0x7f.1',
            '2130706433',
            '127.0.0.01',
            '0177.0.0.1',
            '0',
            '127.0.0.1.',
            '[0:0:0:0:0:0:0:1]',
            '[::ffff:127.0.0.1]',
            '١27.0.0.1',
        )
        self.assertRefusedURIs(
            *(f'http://{host}{port}/callback' for host in hosts for port in ('', ':5000')), application=self.public
        )
        self.register('http://[::1]/callback', application=self.public)
        self.assertRefusedURIs(
            'http://127.0.0.1:5000/callback',
            'http://[::01]:5000/callback',
            'http://::1:5000/callback',
            'http://[::1%25lo]:5000/callback',
            application=self.public,
        )

    def test_n036_loopback_other_than_the_port(self):
        self.assertRefusedURIs(
            'http://127.0.0.1:5000/other',
            'http://127.0.0.1:5000/callback/',
            'http://127.0.0.1:5000/callback?x=1',
            'http://127.0.0.1:5000',
            'https://127.0.0.1:5000/callback',
            'http://a@127.0.0.1:1/callback',
            'http://127.0.0.1:5000/callback#x',
            'http://127.0.0.1:0/callback',
            'http://127.0.0.1:65536/callback',
            'http://127.0.0.1:/callback',
            'http://127.0.0.1:-1/callback',
            'http://127.0.0.1:٥/callback',
            'http://127.0.0.1:5000\n/callback',
            'http://127.0.0.1:5000/callback\n',
            'HTTP://127.0.0.1:5000/callback',
            application=self.public,
        )
        self.register('https://127.0.0.1/callback', application=self.public)
        self.assertRefusedURIs('https://127.0.0.1:5000/callback', application=self.public)

    def test_n037_loopback_look_alike(self):
        self.assertRefusedURIs(
            'http://127.0.0.1.evil.example/callback',
            'http://127.0.0.1@evil.example/callback',
            'http://127.0.0.1:80@evil.example/callback',
            'http://127.0.0.1:5000.evil.example/callback',
            'http://127.0.0.1\\@evil.example/callback',
            'http://127.0.0.1%2eevil.example/callback',
            'http://evil.example/http://127.0.0.1/callback',
            application=self.public,
        )

    def test_n038_huge_request(self):
        def measure(query, **kwargs):
            start = time.monotonic()
            response = self.authorize(query, **kwargs)
            # It takes milliseconds; the margin is for what runs beside the tests.
            self.assertLess(time.monotonic() - start, 5)
            self.assertNotIn('Location', response.headers)
            self.assertFalse(self.env['orestapi.authorization.code'].search([]))
            return response

        good = urlencode(self.get_request(redirect_uri=URI, state=STATE))
        self.assertRefused(measure(good + '&a=' * 10_000))
        self.assertRefused(measure(good + '&' + '&'.join(f'a{number}' for number in range(MAX_PARAMETERS))))
        self.assertRefused(measure(good + '&client_id=' + 'a' * 60_000))
        # Longer than what the HTTP server of Odoo takes: it hangs up, and logs that.
        with mute_logger('werkzeug', 'odoo.service.server'), self.assertRaises(requests.ConnectionError):
            measure(good + '&a=' + 'a' * 70_000)
        # A body that is no answer of the consent page.
        response = measure(good, data='&'.join(['a='] * 100_000))
        self.assertIn(response.status_code, (400, 413))


@tagged('post_install', '-at_install')
class TestAuthorizeResponse(OAuth2Case):
    """Answers to requests of a known client with a good redirect URI: they go there."""

    def setUp(self):
        super().setUp()
        self.authenticate('mitchell', PASSWORD)

    def ask(self, *pairs, **changes):
        return self.authorize([*self.get_request(**changes).items(), *pairs])

    def assertRedirected(self, response, uri=CALLBACK):
        """Assert a redirect to the application that no cache keeps and no referrer leaks."""
        self.assertEqual(response.status_code, 303, response.text)
        self.assertEqual(response.headers['Location'].partition('?')[0], uri)
        self.assertNotIn('#', response.headers['Location'])
        self.assertLessEqual(HEADERS.items(), dict(response.headers).items())
        self.assertFalse(response.text)

    def assertErrorRedirected(self, response, error, state='state of the application'):
        """Assert an error response of RFC 6749 §4.1.2.1 with `iss` (RFC 9207 §2), and that it left no code."""
        self.assertRedirected(response)
        self.assertError(self.get_response(response), error, state)

    def assertError(self, parameters, error, state='state of the application'):
        description = parameters.pop('error_description')
        self.assertRegex(description, r'\A[\x20-\x21\x23-\x5b\x5d-\x7e]+\Z')
        expected = {'error': error, 'iss': 'https://odoo.example.com'}
        if state is not None:
            expected['state'] = state
        self.assertEqual(parameters, expected)
        self.assertFalse(self.env['orestapi.authorization.code'].search([]))
        self.assertFalse(self.env['orestapi.authorization'].search([]))

    def assertErrors(self, error, *changes):
        for change in changes:
            with self.subTest(change=change):
                self.assertErrorRedirected(self.ask(**change), error)

    def assertAsked(self, response):
        """Assert that the request is good: the user sees the consent page."""
        self.get_form(response)

    def test_n039_response_type_missing(self):
        self.assertErrors('invalid_request', {'response_type': None}, {'response_type': ''})

    def test_n040_response_type_unsupported(self):
        self.assertErrors(
            'unsupported_response_type',
            *(
                {'response_type': response_type}
                for response_type in (
                    'token',
                    'id_token',
                    'code token',
                    'code id_token',
                    'none',
                    'CODE',
                    ' code',
                    'code ',
                )
            ),
        )

    def test_n041_parameter_repeated(self):
        for name in ('response_type', 'scope', 'state', 'code_challenge', 'code_challenge_method'):
            good = self.get_request()[name]
            for value in (good, 'other', ''):
                with self.subTest(name=name, value=value):
                    # Which of two states is the right one is anybody's guess.
                    expected = None if name == 'state' else 'state of the application'
                    self.assertErrorRedirected(self.ask((name, value)), 'invalid_request', expected)

    def test_n042_grant_not_allowed(self):
        client = self.env['orestapi.application']._find_client('wiki-client')
        # Every application may use codes, until a setting says otherwise.
        client = type(client)(**{**vars(client), 'grant_types': frozenset({'client_credentials'})})
        with patch.object(self.env.registry['orestapi.application'], '_find_client', lambda self, client_id: client):
            self.assertErrorRedirected(self.ask(), 'unauthorized_client')

    def test_n043_scope_unknown(self):
        self.assertErrors(
            'invalid_scope',
            *({'scope': scope} for scope in ('unknown', 'read unknown', 'READ', 'rea', 'read,rpc', 'read+rpc')),
        )

    def test_n044_scope_not_of_the_application(self):
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertErrors('invalid_scope', {'scope': 'rpc'}, {'scope': 'read rpc'})
        self.application.scope_ids = False
        self.assertErrors('invalid_scope', {'scope': 'read'}, {'scope': None})

    def test_n045_scope_malformed(self):
        self.assertErrors(
            'invalid_scope',
            *(
                {'scope': scope}
                for scope in (
                    'read"',
                    'read\\',
                    'read\n',
                    'read\trpc',
                    'read  rpc',
                    ' read',
                    'read ',
                    'réad',
                    'read\x7f',
                    ' ',
                    'read\u2003rpc',
                    '"',
                    ' '.join(['read'] * 10_000),
                )
            ),
        )

    def test_n046_scope_as_array(self):
        for name in (
            'scope[a]',
            'scope[]',
            'state[]',
            'response_type[0]',
            'code_challenge[]',
            'code_challenge_method[]',
        ):
            with self.subTest(name=name):
                self.assertErrorRedirected(self.ask((name, 'read')), 'invalid_request')

    def test_n047_challenge_missing(self):
        change = {'code_challenge': None, 'code_challenge_method': None}
        self.assertErrors('invalid_request', change, {'code_challenge': '', 'code_challenge_method': ''})
        self.application.require_pkce = False
        self.assertAsked(self.ask(**change))
        # The setting is for confidential applications: a public one must use PKCE always.
        self.application.write({'client_secret': False, 'client_type': 'public'})
        self.assertErrors('invalid_request', change)

    def assertRefusedChallenges(self, *changes):
        """Assert that malformed PKCE is refused, also where the application may leave PKCE out."""
        for required in (True, False):
            self.application.require_pkce = required
            self.assertErrors('invalid_request', *changes)

    def test_n048_method_plain(self):
        self.assertRefusedChallenges({'code_challenge_method': 'plain'})

    def test_n049_method_missing(self):
        self.assertRefusedChallenges({'code_challenge_method': None}, {'code_challenge_method': ''})

    def test_n050_method_unknown(self):
        self.assertRefusedChallenges(
            *({'code_challenge_method': method} for method in ('S512', 's256', 'S256 ', 'PLAIN', 'SHA256', 'none'))
        )

    def test_n051_challenge_malformed(self):
        good = self.get_request()['code_challenge']
        self.assertRefusedChallenges(
            *(
                {'code_challenge': challenge}
                for challenge in (
                    good[:-1],
                    good + 'A',
                    good + '=',
                    good[:-1] + '=',
                    good[:-1] + '+',
                    good[:-1] + '/',
                    good[:-1] + '.',
                    good + '\n',
                    good[:-1] + 'ä',
                    'a',
                    'a' * 10_000,
                )
            )
        )

    def test_n052_method_without_challenge(self):
        self.assertRefusedChallenges({'code_challenge': None}, {'code_challenge': ''})

    def test_n053_user_refuses(self):
        for decision in ('deny', '', 'Allow', 'allow '):
            with self.subTest(decision=decision):
                self.assertErrorRedirected(self.decide(self.ask(), decision), 'access_denied')
        event = self.env['orestapi.event'].search([], limit=1)
        self.assertEqual(event.kind, 'consent_refused')
        self.assertEqual((event.application_id, event.user_id), (self.application, self.user))

    def assertNotAllowed(self, response):
        """Assert the page that says so, from which the user takes `access_denied` back to the application."""
        self.assertEqual(response.status_code, 403, response.text)
        self.assertNotIn('Location', response.headers)
        self.assertLessEqual(HEADERS.items(), dict(response.headers).items())
        back = html.unescape(re.search(rf'href="({re.escape(CALLBACK)}[^"]*)"', response.text)[1])
        self.assertError(dict(parse_qsl(urlsplit(back).query)), 'access_denied')

    def test_n054_user_not_permitted(self):
        page = self.ask()
        group = self.env['res.groups'].create({'name': "Writers of the wiki"})
        self.application.group_ids = group
        self.assertNotAllowed(self.ask())
        # The group was lost while the page was open.
        self.assertNotAllowed(self.decide(page))
        # Neither a trusted application nor a consent of before helps.
        self.application.trusted = True
        self.assertNotAllowed(self.ask())
        self.user.group_ids += group
        self.assertIn('code', self.get_response(self.ask()))
        self.env['orestapi.authorization'].search([]).unlink()
        # By default, the portal may not.
        self.application.group_ids = self.env.ref('base.group_user')
        self.authenticate('joel', PASSWORD)
        self.assertNotAllowed(self.ask())

    # Odoo logs the exception, which is what an administrator needs here.
    @mute_logger('odoo.http', 'odoo.service.model')
    def assertExceptionRedirected(self, exception, error):
        code = self.env.registry['orestapi.authorization.code']
        form = self.ask()
        with patch.object(code, '_issue', side_effect=exception):
            self.assertErrorRedirected(self.decide(form), error)
        authorization = self.env.registry['orestapi.authorization']
        with patch.object(authorization, '_find_granted_scope', side_effect=exception):
            self.assertErrorRedirected(self.ask(), error)
            # Before the redirect URI is checked, there is nowhere to report it to.
            self.assertEqual(self.ask(redirect_uri='https://evil.example/').status_code, 400)

    def test_n055_internal_exception(self):
        for exception in (ValueError("a defect"), KeyError('code'), psycopg2.DataError("too long")):
            self.assertExceptionRedirected(exception, 'server_error')

    def test_n056_overload(self):
        self.assertExceptionRedirected(psycopg2.OperationalError("too many connections"), 'temporarily_unavailable')

    def test_n057_request_object_is_ignored(self):
        self.assertAsked(self.ask(('request', 'eyJhbGciOiJub25lIn0.e30.')))
        self.assertAsked(self.ask(('request_uri', 'https://evil.example/request')))

    def test_n058_resource_is_ignored(self):
        for resource in ('https://api.example', '/relative', 'https://api.example#fragment'):
            self.assertAsked(self.ask(('resource', resource), ('resource', resource)))

    def test_n059_unknown_parameters_are_ignored(self):
        # The second line: what Odoo's own machinery might stumble over.
        for name in (
            'nonce',
            'prompt',
            'response_mode',
            'utm_source',
            'Scope',
            'x[y]',
            '[]',
            '',
            'é',
            'self',
            'cls',
            'args',
            'kwargs',
            'endpoint',
            'request',
            'csrf_token',
            'db',
            'consent',
            'decision',
        ):
            with self.subTest(name=name):
                self.assertAsked(self.ask((name, 'allow')))
                self.assertAsked(self.ask((name, 'allow'), (name, 'twice')))
        self.assertFalse(self.env['orestapi.authorization.code'].search([]))

    def test_n060_empty_is_omitted(self):
        self.application.require_pkce = False
        page = self.ask(redirect_uri='', scope='', state='', code_challenge='', code_challenge_method='')
        response = self.decide(page)
        self.assertRedirected(response)
        self.assertEqual(set(self.get_response(response)), {'code', 'iss'})
        code = self.env['orestapi.authorization.code'].search([])
        self.assertEqual((code.scope, code.redirect_uri_sent, code.sudo().code_challenge), ('read', False, False))

    def test_n061_registered_query_is_kept(self):
        uri = CALLBACK + '?state=fixed&x=1&y=%2F+%20'
        self.application.uri_ids.uri = uri
        response = self.decide(self.ask(redirect_uri=uri))
        self.assertRedirected(response)
        self.assertTrue(response.headers['Location'].startswith(CALLBACK + '?x=1&y=%2F+%20&code='))
        parameters = self.get_response(response)
        self.assertEqual(set(parameters), {'x', 'y', 'code', 'state', 'iss'})
        self.assertEqual(parameters['state'], 'state of the application')

    def test_n062_state_comes_back_unchanged(self):
        self.application.trusted = True
        for state in (
            'a&b=c#d%e+f g',
            '&=#%',
            '%2B%26',
            '😀 é \u202e \ufeff',
            'x\r\nSet-Cookie: evil=1',
            '\t',
            '"><script>',
            "' OR 1=1 --",
            '[]{}|\\^`',
            's' * 8192,
            'é' * 4096,
            '0',
            'null',
            '\x01\x7f',
        ):
            with self.subTest(state=state[:20]):
                response = self.ask(state=state)
                self.assertRedirected(response)
                self.assertTrue(response.headers['Location'].isascii())
                self.assertTrue(response.headers['Location'].isprintable())
                self.assertEqual(self.get_response(response)['state'], state)
                self.assertNotIn('Set-Cookie', response.headers)
                error = self.ask(state=state, response_type=None)
                self.assertEqual(self.get_response(error)['state'], state)

    def test_n063_consent_is_not_forwarded(self):
        page = self.ask()
        _action, fields = self.get_form(page)
        for decision in ('deny', 'allow'):
            response = self.decide(page, decision)
            self.assertRedirected(response)
            for value in fields.values():
                self.assertNotIn(value, response.headers['Location'])

    def test_n064_success(self):
        issuer = self.url_open('/.well-known/oauth-authorization-server').json()['issuer']
        response = self.decide(self.ask())
        self.assertRedirected(response)
        parameters = self.get_response(response)
        self.assertEqual(set(parameters), {'code', 'state', 'iss'})
        self.assertEqual(parameters['state'], 'state of the application')
        self.assertEqual(parameters['iss'], issuer)
        # What is stored is worth nothing to a thief.
        code = self.env['orestapi.authorization.code'].search([])
        self.assertNotIn(code.sudo().digest, parameters['code'])
        self.assertEqual(self.redeem(parameters['code']).status_code, 200)

    def test_n065_issuers_differ(self):
        """Two databases are told apart by `iss`, whatever the host that the browser asks."""
        seen = set()
        for issuer in ('https://odoo.example.com', 'https://odoo.example.org'):
            self.env['ir.config_parameter'].set_param('orestapi.issuer', issuer)
            metadata = self.url_open('/.well-known/oauth-authorization-server').json()
            for response in (self.ask(scope='unknown'), self.decide(self.ask())):
                # What a strict client compares (RFC 9207 §2.4).
                self.assertEqual(self.get_response(response)['iss'], metadata['issuer'])
            seen.add(metadata['issuer'])
            self.env['orestapi.authorization'].search([]).unlink()
        self.assertEqual(len(seen), 2)
