from datetime import timedelta

from psycopg2 import errorcodes

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import PASSWORD, OAuth2Case
from .oauth2_client import VERIFIER

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
        """Request a token as a page of an application at this origin."""
        return self.post(TOKEN, {'grant_type': grant_type}, self.get_auth(), headers={'Origin': origin})

    def preflight(self, path, origin=ORIGIN, method='POST', headers='authorization'):
        headers = {
            'Origin': origin,
            'Access-Control-Request-Method': method,
            'Access-Control-Request-Headers': headers,
        }
        return self.url_open(path, method='OPTIONS', headers=headers)

    def assertAllowed(self, response, origin=ORIGIN):
        self.assertEqual(response.headers['Access-Control-Allow-Origin'], origin)
        self.assertEqual(response.headers['Vary'], 'Origin')
        self.assertNotIn('Access-Control-Allow-Credentials', response.headers)
        self.assertNotIn('Set-Cookie', response.headers)

    def assertNoAccessControl(self, response):
        self.assertFalse([name for name in response.headers if name.lower().startswith('access-control-')])

    def assertWithheld(self, response):
        """Assert that this origin may not read what another may, and that no cache mixes the two up."""
        self.assertNoAccessControl(response)
        self.assertEqual(response.headers['Vary'], 'Origin')
        self.assertNotIn('Set-Cookie', response.headers)

    def test_n107_preflight(self):
        """A preflight request names no application: the origins of any are allowed."""
        for path, method in self.ENDPOINTS.items():
            for origin in (*self.ORIGINS, OTHER_ORIGIN):
                with self.subTest(path=path, origin=origin):
                    response = self.preflight(path, origin, method)
                    self.assertEqual((response.status_code, response.text), (204, ''))
                    self.assertAllowed(response, origin)
                    self.assertEqual(response.headers['Access-Control-Allow-Methods'], method)
                    allowed = response.headers['Access-Control-Allow-Headers'].split(', ')
                    self.assertLessEqual({'Authorization', 'Content-Type', 'traceparent'}, set(allowed))

    def test_p04_headers_that_pages_send(self):
        """Headers that libraries add, and any other header of a listed page: a header gives no right."""
        names = (
            'authorization,content-type,traceparent,tracestate,baggage,x-odoo-database,accept-language,'
            'idempotency-key,if-match,mcp-protocol-version,x-shop-version'
        )
        for path, method in self.ENDPOINTS.items():
            with self.subTest(path=path):
                response = self.preflight(path, method=method, headers=names)
                allowed = response.headers['Access-Control-Allow-Headers'].lower().split(', ')
                self.assertEqual(set(names.split(',')) - set(allowed), set())
                self.assertEqual(len(allowed), len(set(allowed)))
                self.assertNotIn('Content-Type', response.headers)
        # Not a text that is not a list of names.
        for names in ('x-a x-b', 'x-a,,x-b', 'x:a', 'é', ','.join(f'x-{number}' for number in range(100))):
            with self.subTest(names=names):
                allowed = self.preflight(TOKEN, headers=names.encode()).headers['Access-Control-Allow-Headers']
                self.assertNotIn('x-', allowed.replace('X-', ''))
        self.assertNoAccessControl(self.preflight(TOKEN, 'https://evil.example', headers='x-a'))

    def test_p04_page_reads_the_headers(self):
        for case, response in enumerate((
            self.url_open(WELL_KNOWN, headers={'Origin': ORIGIN}),
            self.ask(ORIGIN),
            self.post(TOKEN, {'client_id': 'wiki-client'}, headers={'Origin': ORIGIN}),
            self.url_open('/orestapi/1/models', headers={'Origin': ORIGIN}),
        )):
            with self.subTest(case=case):
                exposed = response.headers['Access-Control-Expose-Headers'].split(', ')
                self.assertLessEqual({'WWW-Authenticate', 'Retry-After'}, set(exposed))

    @mute_logger('odoo.http', 'odoo.sql_db')
    def test_p04_errors_outside_of_a_handler(self):
        """A page must be able to tell what is wrong from a connection that failed."""

        def ask_all(origin):
            headers = {'Origin': origin, 'Content-Type': 'application/x-www-form-urlencoded'}
            yield 404, self.url_open('/oauth2/nothing', headers=headers)
            yield 404, self.url_open('/oauth2//token', headers=headers, allow_redirects=False)
            yield 404, self.url_open('/orestapi/1/nothing', headers=headers)
            yield 405, self.url_open('/oauth2/token', headers=headers)
            yield 405, self.post('/orestapi/1/models', 'x=1', headers=headers)
            yield 413, self.post(TOKEN, 'x' * 100_000, headers=headers)
            yield 413, self.url_open('/orestapi/1/models', data='x' * 100_000, method='GET', headers=headers)
            for status, code in ((500, errorcodes.DATA_EXCEPTION), (503, errorcodes.DISK_FULL)):
                # The database fails at the first write.
                self.env.cr.execute(
                    SQL(
                        """
                        CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS
                            $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = %s; END $$;
                        CREATE TRIGGER fail BEFORE INSERT ON orestapi_event
                            FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()
                        """,
                        code,
                    )
                )
                yield status, self.post(TOKEN, {'client_id': 'wiki-client'}, headers={'Origin': origin})
                self.env.cr.execute("DROP TRIGGER fail ON orestapi_event; DROP FUNCTION pg_temp.fail()")

        for origin in (ORIGIN, 'https://evil.example'):
            for status, response in ask_all(origin):
                with self.subTest(origin=origin, status=status, url=response.url):
                    self.assertEqual(response.status_code, status, response.text)
                    if origin == ORIGIN:
                        self.assertAllowed(response)
                    else:
                        self.assertWithheld(response)
        for path in ('/oauth2/introspect', '/orestapi/nothing', '/orestapi/oauth2/access_token'):
            with self.subTest(path=path):
                self.assertNoAccessControl(self.url_open(path, headers={'Origin': ORIGIN}))

    def call(self, access_token, origin, path='/json/2/res.users/context_get'):
        return self.url_open(
            path, json={}, method='POST', headers={'Authorization': f'Bearer {access_token}', 'Origin': origin}
        )

    def test_p04_odoo_api_from_a_page(self):
        """Odoo's own API accepts the token, so it also accepts it from a listed page."""
        path = '/json/2/res.users/context_get'
        response = self.preflight(path)
        self.assertEqual((response.status_code, response.text), (204, ''))
        self.assertAllowed(response)
        self.assertNotIn('Content-Type', response.headers)
        self.assertEqual(response.headers['Access-Control-Allow-Methods'], 'POST')
        self.assertIn('traceparent', response.headers['Access-Control-Allow-Headers'])
        access_token = self.sign_in(scope='rpc')['access_token']
        response = self.call(access_token, ORIGIN)
        self.assertEqual(response.status_code, 200)
        self.assertAllowed(response)
        # An origin of this application, not of another.
        response = self.call(access_token, OTHER_ORIGIN)
        self.assertEqual(response.status_code, 200)
        self.assertWithheld(response)

    @mute_logger('odoo.http')
    def test_p04_errors_of_the_odoo_api(self):
        access_token, reading = self.sign_in(scope='rpc')['access_token'], self.sign_in()['access_token']
        for token, path, status in (
            ('orestapi_at_1_' + 'x' * 43, '/json/2/res.users/context_get', 401),
            (reading, '/json/2/res.users/context_get', 403),
            (access_token, '/json/2/no.model/read', 404),
            (access_token, '/json/2/res.users', 404),
            (access_token, '/json/2/res.users/no_method', 404),
            (access_token, '/json/2/res.users/write', 422),
        ):
            with self.subTest(path=path, status=status):
                response = self.call(token, ORIGIN, path)
                self.assertEqual(response.status_code, status, response.text)
                self.assertAllowed(response)
                self.assertIn('WWW-Authenticate', response.headers['Access-Control-Expose-Headers'])
                self.assertWithheld(self.call(token, 'https://evil.example', path))

    @mute_logger('odoo.http')
    def test_p04_odoo_api_without_our_token(self):
        """Neither a session nor an API key: nobody has listed an origin for those."""
        path = '/json/2/res.users/context_get'
        for origin in ('https://evil.example', 'null', '*'):
            with self.subTest(origin=origin):
                self.assertNoAccessControl(self.preflight(path, origin))
        self.assertNoAccessControl(self.call('x', ORIGIN))
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        key = self.env['res.users.apikeys'].with_user(self.user)._generate('rpc', 'Key', tomorrow)
        response = self.call(key, ORIGIN)
        self.assertEqual(response.status_code, 200)
        self.assertNoAccessControl(response)
        self.authenticate('mitchell', PASSWORD)
        self.assertNoAccessControl(self.url_open(path, json={}, headers={'Origin': ORIGIN}, method='POST'))
        # Other routes of Odoo stay as they are.
        self.assertNoAccessControl(self.preflight('/web/session/get_session_info'))
        self.application.action_archive()
        self.assertNoAccessControl(self.preflight(path))

    def test_p07_blanks_around_the_origin(self):
        self.assertAllowed(self.ask(ORIGIN + ' '))

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
        """For a request from a server, the response does not depend on an origin."""
        for case, response in enumerate((self.preflight(TOKEN, ''), self.ask(''))):
            with self.subTest(case=case):
                self.assertNoAccessControl(response)
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
            with self.subTest(verifier=verifier):
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
            with self.subTest(path=path):
                self.assertWithheld(self.preflight(path, method=method))
        self.assertWithheld(self.url_open(TOKEN, method='OPTIONS', headers={'Origin': ORIGIN}))

    def test_never_elsewhere(self):
        """Not where people log in, and not where only servers ask (N077)."""
        self.authenticate('mitchell', PASSWORD)
        for path in ('/oauth2/authorize', '/oauth2/introspect', '/web/login'):
            for method in ('GET', 'POST'):
                with self.subTest(path=path, method=method):
                    self.assertNoAccessControl(self.preflight(path, method=method))
        response = self.authorize(self.get_request(), headers={'Origin': ORIGIN})
        self.assertEqual(response.status_code, 200)
        self.assertNoAccessControl(response)
        response = self.post('/oauth2/introspect', {'token': 'x'}, self.get_auth(), headers={'Origin': ORIGIN})
        self.assertEqual(response.status_code, 200)
        self.assertNoAccessControl(response)
