import re
import time
from urllib.parse import quote, urlencode

import requests

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..oauth2.parameters import MAX_PARAMETERS
from .common import PASSWORD, OAuth2Case

URI = 'https://app.example/cb'
STATE = 'marker of the request'


@tagged('post_install', '-at_install')
class TestAuthorizeClient(OAuth2Case):
    """Requests that must not be answered by redirect, because client or redirect URI are not known to be good.

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
        """Store these redirect URIs of an application without the checks of the form."""
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

    def assertRefusedURIs(self, *uris, application=None):
        for uri in uris:
            with self.subTest(uri=uri):
                self.assertErrorPage(self.ask(redirect_uri=uri, client_id=(application or self.application).client_id))

    def assertAnswered(self, response, uri):
        self.assertIn('code', self.get_response(response))
        location = response.headers['Location']
        self.assertEqual(location.partition('code=')[0], uri + ('&' if '?' in uri else '?'))

    def get_page(self, response):
        """Return an error page without the parts that differ each time."""
        return re.sub(r'[0-9a-f]{8,}', '', response.text)

    def test_n001_client_id_missing(self):
        self.assertAnswered(self.ask(), URI)
        self.env['orestapi.authorization'].search([]).unlink()
        self.assertErrorPage(self.ask(client_id=None))
        self.assertErrorPage(self.ask(client_id=''))
        self.assertErrorPage(self.authorize(''))

    def test_n002_client_id_unknown(self):
        for client_id in ('unknown-client', 'WIKI-CLIENT', 'wiki-client ', "'", 'ä' * 100, '%', '0', 'a' * 5000):
            with self.subTest(client_id=client_id):
                self.assertErrorPage(self.ask(client_id=client_id))

    def test_n003_application_archived(self):
        unknown = self.ask(client_id='unknown-client')
        self.application.active = False
        archived = self.ask()
        self.assertErrorPage(archived)
        self.assertEqual(self.get_page(archived), self.get_page(unknown))

    def test_n004_application_deleted_while_the_page_is_open(self):
        unknown = self.ask(client_id='unknown-client')
        self.application.trusted = False
        page = self.ask()
        self.application.unlink()
        response = self.decide(page)
        self.assertErrorPage(response)
        self.assertEqual(self.get_page(response), self.get_page(unknown))

    def test_n005_client_id_repeated(self):
        for client_id in ('wiki-client', 'shop-client', 'unknown-client', ''):
            with self.subTest(client_id=client_id):
                self.assertErrorPage(self.ask(('client_id', client_id)))
                self.assertErrorPage(self.ask(('client_id', 'wiki-client'), client_id=client_id))

    def test_n006_redirect_uri_repeated(self):
        for uri in (URI, 'https://evil.example/cb', ''):
            with self.subTest(uri=uri):
                self.assertErrorPage(self.ask(('redirect_uri', uri)))
                self.assertErrorPage(self.ask(('redirect_uri', URI), redirect_uri=uri))

    def test_n007_redirect_uri_omitted_with_two_registered(self):
        self.register(URI, URI + '2')
        self.assertErrorPage(self.ask(redirect_uri=None))
        self.assertErrorPage(self.ask(redirect_uri=''))

    def test_n008_redirect_uri_omitted_with_one_registered(self):
        self.assertAnswered(self.ask(redirect_uri=None), URI)

    def test_n009_redirect_uri_omitted_with_none_registered(self):
        self.register()
        self.assertErrorPage(self.ask(redirect_uri=None))
        self.assertErrorPage(self.ask())

    def test_n010_redirect_uri_of_another_application(self):
        self.assertRefusedURIs('https://shop.example.com/callback', 'http://127.0.0.1/callback')
        # The administrator can find out which application is misconfigured.
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
        # A URI that the form refuses is refused even if it got into the database.
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
            with self.subTest(uri=uri):
                response = self.ask(redirect_uri=uri)
                self.assertNotIn('evil', str(response.headers))

    def test_n025_nul(self):
        self.assertRefusedURIs(URI + '\0', '\0', URI + '\0.evil.example')
        self.assertErrorPage(self.ask(client_id='wiki-client\0'))
        self.assertErrorPage(self.ask(client_id='\0'))
        self.assertErrorPage(self.ask(('\0', '')))

    def test_n026_invalid_utf8(self):
        good = urlencode(self.get_request(redirect_uri=URI, state=STATE))
        for name in ('client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'code_challenge', 'other'):
            for value in ('%ff%fe', 'a%c0%80', '%ed%a0%80', '%C3'):
                with self.subTest(name=name, value=value):
                    self.assertErrorPage(self.authorize(f'{good}&{name}2={value}'))
                    self.assertErrorPage(self.authorize(f'{name}={value}&{good}'))
        self.assertErrorPage(self.authorize(f'{good}&%ff=1'))

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
                self.assertErrorPage(self.ask((name, URI)))
                self.assertErrorPage(self.ask((name, URI), redirect_uri=None))
                self.assertErrorPage(self.ask((name, 'https://evil.example/cb')))

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
        """Never instead of the IP address; with any port for a native application (RFC 9700 §4.1.3)."""
        self.assertRefusedURIs('http://localhost/callback', 'http://localhost:5000/callback', application=self.public)
        self.register('http://localhost/callback', application=self.public)
        self.assertRefusedURIs(
            'http://127.0.0.1/callback',
            'http://127.0.0.1:5000/callback',
            'http://LOCALHOST/callback',
            'http://LOCALHOST:5000/callback',
            'https://localhost:5000/callback',
            'http://localhost:5000/callback/',
            'http://localhost:5000/callback?a=b',
            'http://localhost.:5000/callback',
            'http://localhost:0/callback',
            application=self.public,
        )
        self.assertLoopback('http://localhost/callback')

    def test_p03_localhost_with_any_port(self):
        """Libraries listen on a random port there; the consent is never remembered."""
        self.register('http://localhost:8080/callback?a=b', application=self.public)
        for port in (':53219', '', ':8080', ':53219'):
            with self.subTest(port=port):
                uri = f'http://localhost{port}/callback?a=b'
                page = self.ask(client_id='tool-client', redirect_uri=uri)
                self.assertIn(f'localhost{port}', page.text)
                self.assertAnswered(self.decide(page), uri)
        # Users are asked even if the application is trusted.
        self.public.trusted = True
        self.get_form(self.ask(client_id='tool-client', redirect_uri='http://localhost:53219/callback?a=b'))

    def test_p03_localhost_of_a_confidential_application(self):
        """The port must match exactly, unless Native Application is ticked."""
        self.register('http://localhost:8080/callback')
        uri = 'http://localhost:53219/callback'
        self.assertRefusedURIs(uri)
        self.application.native_application = True
        for _time in range(2):
            # Asked although it is trusted, and although the user has allowed it before.
            self.assertAnswered(self.decide(self.ask(redirect_uri=uri)), uri)
        self.application.native_application = False
        self.assertEqual(self.ask(redirect_uri=uri).status_code, 400)

    def test_p03_warning_at_the_uri(self):
        self.register('http://localhost/callback', 'http://127.0.0.1/callback', application=self.public)
        warnings = {uri.uri: uri.warning or '' for uri in self.public.uri_ids}
        self.assertIn("127.0.0.1", warnings['http://localhost/callback'])
        self.assertFalse(warnings['http://127.0.0.1/callback'])
        self.assertNotIn("without encryption", self.public.status_message or '')

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
            # It takes milliseconds; the margin allows for other load on the machine.
            self.assertLess(time.monotonic() - start, 5)
            self.assertNotIn('Location', response.headers)
            self.assertFalse(self.env['orestapi.authorization.code'].search([]))
            return response

        good = urlencode(self.get_request(redirect_uri=URI, state=STATE))
        self.assertErrorPage(measure(good + '&a=' * 10_000))
        self.assertErrorPage(measure(good + '&' + '&'.join(f'a{number}' for number in range(MAX_PARAMETERS))))
        self.assertErrorPage(measure(good + '&client_id=' + 'a' * 60_000))
        # Longer than Odoo's HTTP server accepts: it closes the connection, and logs that.
        with mute_logger('werkzeug', 'odoo.service.server'), self.assertRaises(requests.ConnectionError):
            measure(good + '&a=' + 'a' * 70_000)
        # A body that does not come from the consent page.
        response = measure(good, data='&'.join(['a='] * 100_000))
        self.assertIn(response.status_code, (400, 413))
