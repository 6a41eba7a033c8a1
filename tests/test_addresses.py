from werkzeug.exceptions import NotFound
from werkzeug.test import EnvironBuilder

from odoo.http import HttpDispatcher, HTTPRequest, Request, _request_stack
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import OAuth2Case


@tagged('post_install', '-at_install')
class TestAddresses(OAuth2Case):
    """Paths and methods without a route: applications get an error in their own format, others Odoo's page."""

    def ask(self, path, method='GET', **kwargs):
        return self.url_open(path, method=method, allow_redirects=False, **kwargs)

    def assertLegacyInvalidRequest(self, response, status, code):
        self.assertEqual(response.status_code, status, response.text)
        self.assertNoStore(response)
        content = response.json()
        self.assertEqual(content['error'], 'invalid_request')
        self.assertEqual(content['orestapi_code'], code)
        self.assertEqual(content['orestapi_message'], content['error_description'])

    def test_n081_n158_n182_n205_other_methods(self):
        for path in ('token', 'revoke', 'introspect'):
            for method in ('GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'):
                with self.subTest(path=path, method=method):
                    response = self.ask(f'/oauth2/{path}', method)
                    if method == 'HEAD':
                        self.assertEqual(response.status_code, 405)
                        self.assertNoStore(response)
                    else:
                        self.assertOAuth2Error(response, 405, 'invalid_request')
                    self.assertEqual(response.headers['Allow'], 'OPTIONS, POST')
        response = self.ask('/.well-known/oauth-authorization-server', 'POST', data='x')
        self.assertOAuth2Error(response, 405, 'invalid_request')
        response = self.ask('/orestapi/1/models', 'POST', json={})
        self.assertProblem(response, 405, 'method_not_allowed', challenge=False)
        self.assertEqual(response.headers['Allow'], 'GET, HEAD, OPTIONS')
        self.assertLegacyInvalidRequest(self.ask('/orestapi/oauth2/access_token'), 405, 'Oauth2AccessToken-405')
        self.assertLegacyInvalidRequest(self.ask('/orestapi/application/status', 'PUT'), 405, 'ApplicationStatus-405')
        response = self.ask('/orestapi/record/read', 'DELETE')
        self.assertEqual((response.status_code, response.json()['orestapi_code']), (405, 'RecordRead-405'))

    def test_n214_slashes_in_a_row(self):
        """No client is redirected to the host in a request, where it would send its data again."""
        for path in ('/oauth2//token', '/oauth2//authorize', '/orestapi//1/models', '/orestapi///x'):
            for method in ('GET', 'POST'):
                with self.subTest(path=path, method=method):
                    response = self.ask(self.base_url() + path, method, headers={'Host': 'evil.example'})
                    self.assertEqual(response.status_code, 404, response.text)
                    self.assertNotIn('Location', response.headers)
                    self.assertIn('no-store', response.headers['Cache-Control'])
        # Not after a language either, which http_routing strips from the path.
        for path in ('/en/oauth2//token', '/en//oauth2/token', '/en/orestapi//1/models'):
            with self.subTest(path=path):
                response = self.ask(self.base_url() + path, 'POST', headers={'Host': 'evil.example'})
                self.assertFalse(response.is_redirect)
                self.assertNotIn('Location', response.headers)
        # Paths of other addons are not affected.
        self.assertEqual(self.ask('/web//login').status_code, 308)

    @mute_logger('odoo.http')
    def test_addresses_that_nothing_serves(self):
        self.authenticate(self.user.login, 'a password of at least 8')
        for method in ('GET', 'POST', 'DELETE'):
            with self.subTest(method=method):
                for path in ('/oauth2/nothing', '/oauth2/token/nothing', '/oauth2/token.json'):
                    with self.subTest(path=path):
                        self.assertOAuth2Error(self.ask(path, method), 404, 'invalid_request')
                self.assertProblem(self.ask('/orestapi/1/nothing', method), 404, 'not_found', challenge=False)
                self.assertProblem(
                    self.ask('/orestapi/1/records/res.partner/1/unlink', method), 404, 'not_found', challenge=False
                )
                # Odoo would look for an attachment, and PostgreSQL does not accept the character.
                self.assertOAuth2Error(self.ask('/oauth2/token%00', method), 404, 'invalid_request')
                self.assertProblem(self.ask('/orestapi/1/models%00', method), 404, 'not_found', challenge=False)
                response = self.ask('/orestapi/a_stranger/wrote_this', method)
                self.assertLegacyInvalidRequest(response, 404, 'Address-404')
                self.assertNotIn('stranger', response.text)

    @mute_logger('odoo.http')
    def test_others_answer_as_before(self):
        for path, method, status in (
            ('/oauth2x/nothing', 'GET', 404),
            ('/nothing/oauth2/token', 'GET', 404),
            ('/orestapi', 'GET', 404),
            ('/xmlrpc/2/common', 'GET', 405),
            ('/orestapi/1/docs', 'POST', 405),
            ('/oauth2/authorize', 'PUT', 405),
        ):
            with self.subTest(path):
                response = self.ask(path, method)
                self.assertEqual(response.status_code, status)
                self.assertTrue(response.headers['Content-Type'].startswith('text/html'))

    def test_attachment_below_our_addresses(self):
        """Odoo serves an attachment at the path if there is one, before it reports 404."""
        self.env['ir.attachment'].create({
            'name': "logo",
            'type': 'binary',
            'raw': b'a file',
            'mimetype': 'text/plain',
            'public': True,
            'url': '/oauth2/logo.txt',
        })
        response = self.ask('/oauth2/logo.txt')
        self.assertEqual((response.status_code, response.text), (200, 'a file'))

    def test_link_to_such_an_address(self):
        """Odoo looks up where the links of a page lead; such lookups are not affected."""
        for path, routing_type in (('/web', 'http'), ('/oauth2/nothing', 'orestapi_protocol')):
            with self.subTest(path=path), HTTPRequest(EnvironBuilder(path).get_environ()) as httprequest:
                page = Request(httprequest)
                page.env, page.registry, page.session = self.env, self.env.registry, self.authenticate(None, None)
                _request_stack.push(page)
                self.addCleanup(_request_stack.pop)
                page.dispatcher = HttpDispatcher(page)
                with self.assertRaises(NotFound):
                    self.env['ir.http']._match('/oauth2/nothing')
                self.assertEqual(page.dispatcher.routing_type, routing_type)
