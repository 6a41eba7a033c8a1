from odoo.tests import tagged

from .common import PASSWORD, VERIFIER, OAuth2Case

ORIGIN = 'https://shop.example.com'
OTHER_ORIGIN = 'https://page.example.com'
TOKEN = '/oauth2/token'
REVOKE = '/oauth2/revoke'
WELL_KNOWN = '/.well-known/oauth-authorization-server'


@tagged('post_install', '-at_install')
class TestCrossOrigin(OAuth2Case):
    """RFC 9700 §2.6: at the endpoints that pages of an application call, never at the authorization endpoint.

    The pages of `self.application` are at `ORIGIN` and elsewhere, those of `self.public` at `OTHER_ORIGIN`.
    """

    ENDPOINTS = {TOKEN: 'POST', REVOKE: 'POST', WELL_KNOWN: 'GET'}
    ORIGINS = (ORIGIN, f'{ORIGIN}:8443', 'http://127.0.0.1:3000')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.application.write({'allowed_origins': '\n'.join(cls.ORIGINS), 'service_user_id': cls.user.id})
        cls.public.allowed_origins = OTHER_ORIGIN

    def ask(self, origin, grant_type='client_credentials'):
        """Ask for a token as the page of an application at this origin."""
        return self.post(TOKEN, {'grant_type': grant_type}, self.get_auth(), headers={'Origin': origin})

    def preflight(self, path, origin=ORIGIN, method='POST'):
        headers = {
            'Origin': origin,
            'Access-Control-Request-Method': method,
            'Access-Control-Request-Headers': 'authorization',
        }
        return self.url_open(path, method='OPTIONS', headers=headers)

    def assertAllowed(self, response, origin=ORIGIN):
        self.assertEqual(response.headers['Access-Control-Allow-Origin'], origin)
        self.assertEqual(response.headers['Vary'], 'Origin')
        self.assertNotIn('Access-Control-Allow-Credentials', response.headers)
        self.assertNotIn('Set-Cookie', response.headers)

    def assertNotAllowed(self, response):
        self.assertFalse([name for name in response.headers if name.lower().startswith('access-control-')])

    def assertWithheld(self, response):
        """Assert that this origin may not read what another may, and that no cache mixes the two up."""
        self.assertNotAllowed(response)
        self.assertEqual(response.headers['Vary'], 'Origin')
        self.assertNotIn('Set-Cookie', response.headers)

    def test_n107_preflight(self):
        """It names no application: the origins of any are allowed."""
        for path, method in self.ENDPOINTS.items():
            for origin in (*self.ORIGINS, OTHER_ORIGIN):
                with self.subTest(path=path, origin=origin):
                    response = self.preflight(path, origin, method)
                    self.assertEqual((response.status_code, response.text), (204, ''))
                    self.assertAllowed(response, origin)
                    self.assertEqual(response.headers['Access-Control-Allow-Methods'], method)
                    self.assertEqual(response.headers['Access-Control-Allow-Headers'], 'Authorization, Content-Type')

    def test_n107_other_origins(self):
        for origin in (
            'https://evil.example',
            'null',
            '*',
            f'{ORIGIN}.evil.example',
            'http://shop.example.com',
            f'{ORIGIN}:8444',
            'http://127.0.0.1',
            'https://SHOP.example.com',
            'https://shop.example.co',
            f'{ORIGIN}/',
            'shop.example.com',
            f'{ORIGIN} https://evil.example',
            f'{ORIGIN}\0',
            '%',
        ):
            with self.subTest(origin=origin):
                for path, method in self.ENDPOINTS.items():
                    response = self.preflight(path, origin, method)
                    self.assertEqual((response.status_code, response.text), (204, ''))
                    self.assertWithheld(response)
                self.assertWithheld(self.url_open(WELL_KNOWN, headers={'Origin': origin}))
                for grant_type, status in (('client_credentials', 200), ('password', 400)):
                    response = self.ask(origin, grant_type)
                    self.assertEqual(response.status_code, status)
                    self.assertWithheld(response)

    def test_n107_no_origin(self):
        """As a server asks: nothing of the answer depends on an origin."""
        for response in (self.preflight(TOKEN, ''), self.ask('')):
            self.assertNotAllowed(response)
            self.assertNotIn('Vary', response.headers)

    def test_n107_answers(self):
        """A page can read the error, too."""
        for origin in self.ORIGINS:
            with self.subTest(origin=origin):
                self.assertAllowed(self.url_open(WELL_KNOWN, headers={'Origin': origin}), origin)
                for grant_type, status in (('client_credentials', 200), ('password', 400)):
                    response = self.ask(origin, grant_type)
                    self.assertEqual(response.status_code, status)
                    self.assertAllowed(response, origin)
        code = self.get_code(self.public)
        parameters = {
            'grant_type': 'authorization_code',
            'code': code,
            'client_id': self.public.client_id,
            'redirect_uri': 'http://127.0.0.1/callback',
        }
        for verifier, status in (('x' * 43, 400), (VERIFIER, 200)):
            response = self.post(TOKEN, {**parameters, 'code_verifier': verifier}, headers={'Origin': OTHER_ORIGIN})
            self.assertEqual(response.status_code, status)
            self.assertAllowed(response, OTHER_ORIGIN)

    def test_n107_by_application(self):
        """The page of one application does not read the answers to another."""
        for application, own in ((self.application, ORIGIN), (self.public, OTHER_ORIGIN), (self.other, None)):
            for origin in (ORIGIN, OTHER_ORIGIN):
                with self.subTest(application=application.name, origin=origin):
                    response = self.post(
                        REVOKE,
                        {'token': 'x', 'client_id': application.client_id},
                        headers={'Origin': origin},
                        auth=None if application.client_type == 'public' else self.get_auth(application),
                    )
                    self.assertEqual(response.status_code, 200)
                    if origin == own:
                        self.assertAllowed(response, origin)
                    else:
                        self.assertWithheld(response)
        self.assertWithheld(self.ask(OTHER_ORIGIN))

    def test_n107_inactive_application(self):
        self.application.action_archive()
        for path, method in self.ENDPOINTS.items():
            self.assertWithheld(self.preflight(path, method=method))
        self.assertWithheld(self.url_open(TOKEN, method='OPTIONS', headers={'Origin': ORIGIN}))

    def test_never_elsewhere(self):
        """Not where people log in, and not where only servers ask (N077)."""
        self.authenticate('mitchell', PASSWORD)
        for path in ('/oauth2/authorize', '/oauth2/introspect', '/web/login'):
            for method in ('GET', 'POST'):
                with self.subTest(path=path, method=method):
                    self.assertNotAllowed(self.preflight(path, method=method))
        response = self.authorize(self.get_request(), headers={'Origin': ORIGIN})
        self.assertEqual(response.status_code, 200)
        self.assertNotAllowed(response)
        response = self.post('/oauth2/introspect', {'token': 'x'}, self.get_auth(), headers={'Origin': ORIGIN})
        self.assertEqual(response.status_code, 200)
        self.assertNotAllowed(response)
