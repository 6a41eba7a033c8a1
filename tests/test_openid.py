import html
import json
import re
import time

from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from ..jose import encoding, jws, key_set
from ..openid.authentication import ONE_FACTOR
from .common import CALLBACK, PASSWORD, OAuth2Case

ISSUER = 'https://odoo.example.com'
NONCE = 'n-0S6_WzA2Mj'


class OpenIDCase(OAuth2Case):
    """An application with all scopes of OpenID Connect, and one user who has allowed nothing yet."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scopes = cls.env['orestapi.scope'].search([('name', '!=', 'rpc')])
        cls.application.scope_ids = cls.scopes

    # The browser, with a login of its own: `authenticate` of Odoo's test class gives no credential.

    def log_in(self, user=None, url='/web/login', password=PASSWORD, follow=False):
        """Fill in the login page, and return the answer."""
        self.log_out()
        page = self.url_open(url)
        response = self.url_open(
            '/web/login',
            data={**self.get_hidden(page), 'login': (user or self.user).login, 'password': password},
            allow_redirects=follow,
        )
        self.assertEqual(response.status_code, 200 if follow else 303, response.text)
        return response

    def get_hidden(self, page):
        pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
        pairs += [
            (name, value)
            for value, name in re.findall(r'<input type="hidden" value="([^"]*)" name="([^"]*)"', page.text)
        ]
        return {name: html.unescape(value) for name, value in pairs}

    def log_out(self):
        self.url_open('/web/session/logout', allow_redirects=False)

    def get_openid_request(self, application=None, **changes):
        return self.get_request(application, **{'scope': 'openid', 'nonce': NONCE, **changes})

    def ask(self, application=None, **changes):
        """Send an authentication request of the browser."""
        return self.authorize(self.get_openid_request(application, **changes))

    def get_answer(self, response):
        """Allow what a consent page asks, if there is one, and return the parameters of the response."""
        if response.status_code == 200 and 'name="consent"' in response.text:
            response = self.decide(response)
        return self.get_response(response)

    def assertErrorAtCallback(self, response, error, **parameters):
        """Assert that an error went to the application, and nothing was shown."""
        answer = self.get_response(response)
        self.assertEqual(answer.get('error'), error, answer)
        self.assertTrue(response.headers['Location'].startswith(CALLBACK + '?'))
        self.assertEqual(answer['state'], 'state of the application')
        self.assertEqual(answer['iss'], ISSUER)
        self.assertNotIn('code', answer)

    def assertLoginPage(self, response):
        """Assert the page that asks for a credential once more."""
        self.assertEqual(response.status_code, 200, response.text)
        self.assertIn('action="/oauth2/login?', response.text)
        self.assertNotIn('name="consent"', response.text)

    def confirm(self, page, **values):
        """Enter a credential on that page, and return the answer."""
        action = html.unescape(re.search(r'<form[^>]*action="([^"]*)"', page.text)[1])
        return self.url_open(action, data={**self.get_hidden(page), **values}, allow_redirects=False)

    def follow(self, response):
        self.assertEqual(response.status_code, 303, response.text)
        return self.url_open(response.headers['Location'], allow_redirects=False)

    def get_tokens(self, application=None, login=True, **changes):
        """Go through the whole flow in the browser, and return the token response."""
        if login:
            self.log_in()
        answer = self.get_answer(self.ask(application, **changes))
        self.assertIn('code', answer)
        response = self.redeem(answer['code'], application)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def get_claims(self, tokens):
        """Return the claims of an ID token, checked with the published keys."""
        keys = key_set.parse(self.url_open('/oauth2/jwks').json())
        return jws.verify(tokens['id_token'], keys).claims

    def get_userinfo(self, access_token, method='GET', **kwargs):
        kwargs.setdefault('headers', {'Authorization': f'Bearer {access_token}'})
        return self.url_open('/oauth2/userinfo', method=method, **kwargs)


@tagged('post_install', '-at_install')
class TestOpenIDTokens(OpenIDCase):
    def test_n303_without_openid_nothing_changes(self):
        tokens = self.sign_in(scope='read')
        self.assertEqual(set(tokens), {'access_token', 'token_type', 'expires_in', 'scope', 'refresh_token'})
        self.assertNotIn('id_token', self.refresh(tokens['refresh_token']).json())
        response = self.get_userinfo(tokens['access_token'])
        self.assertEqual(response.status_code, 403)
        self.assertEqual(response.json()['error'], 'insufficient_scope')
        self.assertIn('scope="openid"', response.headers['WWW-Authenticate'])
        # A request with the parameters of OpenID Connect and without its scope is another protocol's.
        self.authenticate('mitchell', PASSWORD)
        response = self.authorize(
            self.get_request(prompt='none', max_age='x', request='x', response_mode='form_post', claims='{')
        )
        self.assertIn('code', self.get_response(response))

    def test_n303_application_without_the_scope(self):
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.authenticate('mitchell', PASSWORD)
        self.assertErrorAtCallback(self.ask(prompt='none'), 'invalid_scope')
        response = self.url_open(
            '/oauth2/authorize', data=self.get_openid_request(), method='POST', allow_redirects=False
        )
        self.assertEqual(response.status_code, 400)

    def test_n311_nonce(self):
        for nonce in ('1', 'x' * 255, 'x' * 2048, 'é 日本 "&', None):
            with self.subTest(nonce=nonce):
                claims = self.get_claims(self.get_tokens(nonce=nonce))
                self.assertEqual(claims.get('nonce'), nonce)
                self.assertEqual('nonce' in claims, nonce is not None)
        self.assertErrorAtCallback(self.ask(nonce='x' * 4097), 'invalid_request')

    def test_n312_id_token(self):
        before = int(time.time())
        tokens = self.get_tokens(scope='openid email')
        self.assertEqual(tokens['scope'], 'email openid')
        claims = self.get_claims(tokens)
        self.assertEqual(
            set(claims), {'iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'amr', 'sid', 'nonce', 'at_hash'}
        )
        self.assertEqual((claims['iss'], claims['aud'], claims['nonce']), (ISSUER, 'wiki-client', NONCE))
        self.assertEqual(claims['exp'] - claims['iat'], 3600)
        self.assertLessEqual(before, claims['auth_time'])
        self.assertLessEqual(claims['auth_time'], claims['iat'])
        self.assertEqual((claims['amr'], claims['acr']), (['pwd'], ONE_FACTOR))
        self.assertRegex(claims['sub'], r'\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z')
        header = json.loads(encoding.decode(tokens['id_token'].partition('.')[0]))
        self.assertEqual(set(header), {'alg', 'kid'})
        refreshed = self.refresh(tokens['refresh_token']).json()
        again = self.get_claims(refreshed)
        for name in ('iss', 'sub', 'aud', 'auth_time', 'acr', 'amr', 'sid'):
            with self.subTest(name=name):
                self.assertEqual(again[name], claims[name])
        self.assertNotIn('nonce', again)
        self.assertNotEqual(again['at_hash'], claims['at_hash'])
        # A refresh for less than `openid` gets none.
        less = self.refresh(refreshed['refresh_token'], scope='email').json()
        self.assertNotIn('id_token', less)

    def test_n312_other_algorithms(self):
        """PyJWT and joserfc would read them; here, the algorithm is that of the setting, and the hash fits it."""
        for algorithm, length in (('RS256', 22), ('ES256', 22), ('EdDSA', 43)):
            with self.subTest(algorithm=algorithm, length=length):
                self.application.id_token_signed_response_alg = algorithm
                tokens = self.get_tokens()
                header = json.loads(encoding.decode(tokens['id_token'].partition('.')[0]))
                self.assertEqual(header['alg'], algorithm)
                self.assertEqual(len(self.get_claims(tokens)['at_hash']), length)

    def test_n312_repeated_refresh(self):
        """Within the grace period, the answer that got lost has an ID token too."""
        self.application.refresh_token_grace = 60
        tokens = self.get_tokens()
        first, second = self.refresh(tokens['refresh_token']).json(), self.refresh(tokens['refresh_token']).json()
        self.assertEqual(first['access_token'], second['access_token'])
        self.assertEqual(self.get_claims(first)['at_hash'], self.get_claims(second)['at_hash'])

    def test_n312_claims_in_the_id_token(self):
        self.application.claims_in_id_token = True
        claims = self.get_claims(self.get_tokens(scope='openid profile'))
        self.assertEqual((claims['name'], claims['preferred_username']), ("Mitchell", 'mitchell'))
        self.assertNotIn('email', claims)

    def test_n313_three_ways(self):
        tokens = self.get_tokens(scope='openid profile')
        access_token, subject = tokens['access_token'], self.get_claims(tokens)['sub']
        for method, kwargs in (
            ('GET', {}),
            ('POST', {}),
            ('POST', {'data': {'access_token': access_token}, 'headers': {}}),
        ):
            with self.subTest(method=method, kwargs=kwargs):
                response = self.get_userinfo(access_token, method, **kwargs)
                self.assertEqual(response.status_code, 200, response.text)
                self.assertEqual(response.headers['Content-Type'], 'application/json')
                self.assertNoStore(response)
                self.assertEqual(response.json()['sub'], subject)
                self.assertEqual(response.json()['name'], "Mitchell")

    def test_n313_refused(self):
        tokens = self.get_tokens()
        access_token = tokens['access_token']
        for status, error, url, kwargs in (
            (401, None, '', {}),
            (401, None, f'?access_token={access_token}', {}),
            (400, 'invalid_request', f'?access_token={access_token}', {'headers': self.get_bearer(access_token)}),
            (400, 'invalid_request', '', {'data': {'access_token': 'x'}, 'headers': self.get_bearer(access_token)}),
            (400, 'invalid_request', f'?access_token={access_token}', {'data': {'access_token': access_token}}),
            (400, 'invalid_request', '', {'data': f'access_token={access_token}&access_token={access_token}'}),
            (401, 'invalid_token', '', {'headers': self.get_bearer(access_token[:-1] + 'x')}),
            (401, 'invalid_token', '', {'headers': self.get_bearer(tokens['refresh_token'])}),
            (401, 'invalid_token', '', {'headers': self.get_bearer(tokens['id_token'])}),
            (401, None, '', {'headers': {'Authorization': f'DPoP {access_token}'}}),
        ):
            with self.subTest(status=status, url=url[:20], kwargs=kwargs):
                if 'data' in kwargs and isinstance(kwargs['data'], str):
                    kwargs['headers'] = {'Content-Type': 'application/x-www-form-urlencoded'}
                response = self.url_open(
                    '/oauth2/userinfo' + url, method='POST' if 'data' in kwargs else 'GET', **kwargs
                )
                self.assertEqual(response.status_code, status, response.text)
                self.assertEqual(response.json().get('error'), error)
                self.assertTrue(response.headers['WWW-Authenticate'].startswith('Bearer realm="orestapi"'))
        with self.later(hours=2):
            self.assertEqual(self.get_userinfo(access_token).status_code, 401)

    def get_bearer(self, access_token):
        return {'Authorization': f'Bearer {access_token}'}

    def test_n314_ended(self):
        for end in (
            lambda tokens: self.post('/oauth2/revoke', {'token': tokens['access_token']}, self.get_auth()),
            lambda _tokens: self.user._action_revoke_all_devices(),
            lambda _tokens: self.user.write({'active': False}),
        ):
            with self.subTest(end=end):
                tokens = self.get_tokens()
                self.assertEqual(self.get_userinfo(tokens['access_token']).status_code, 200)
                end(tokens)
                self.assertEqual(self.get_userinfo(tokens['access_token']).status_code, 401)

    def test_n313_of_a_service(self):
        """Nobody has signed in."""
        self.application.service_user_id = self.user
        response = self.post('/oauth2/token', {'grant_type': 'client_credentials', 'scope': 'openid'}, self.get_auth())
        self.assertNotIn('id_token', response.json())
        self.assertEqual(self.get_userinfo(response.json()['access_token']).status_code, 403)

    def test_n320_subject(self):
        def get_subject(user=None, application=None):
            self.log_in(user)
            return self.get_claims(self.get_tokens(application, login=False))['sub']

        subject = get_subject()
        self.user.write({'name': "Other", 'login': 'other', 'email': 'other@example.com'})
        self.assertEqual(get_subject(), subject)
        self.assertNotIn(str(self.user.id), subject.split('-'))
        copied = self.user.copy({'login': 'copied', 'password': PASSWORD})
        self.assertNotEqual(get_subject(copied), subject)
        self.other.scope_ids = self.scopes
        self.assertEqual(get_subject(application=self.other), subject)
        self.application.pairwise_subject = self.other.pairwise_subject = True
        pairwise = get_subject(), get_subject(application=self.other)
        self.assertEqual(len({subject, *pairwise}), 3)
        self.assertEqual(get_subject(), pairwise[0])
        self.other.pairwise_subject = False
        self.assertEqual(get_subject(application=self.other), subject)
        # Introspection says the same, and no number.
        tokens = self.get_tokens()
        self.assertEqual(self.introspect(tokens['access_token'])['sub'], pairwise[0])
        # Somebody new with the login of before is somebody else.
        self.user.write({'active': False, 'login': 'gone'})
        self.env.flush_all()
        again = new_test_user(self.env, 'other', 'base.group_user', password=PASSWORD)
        self.assertNotIn(get_subject(again), (subject, *pairwise))

    def test_n321_email_verified(self):
        def get_email(scope='openid email'):
            return self.get_userinfo(self.get_tokens(scope=scope)['access_token']).json()

        self.user.email = 'mitchell@example.com'
        self.assertEqual(get_email()['email'], 'mitchell@example.com')
        self.assertIs(get_email()['email_verified'], False)
        self.application.addresses_verified = True
        # Users change their address themselves, and not their login.
        self.assertIs(get_email()['email_verified'], False)
        self.user.login = 'mitchell@example.com'
        self.assertIs(get_email()['email_verified'], True)
        self.user.with_user(self.user).email = 'ada@example.com'
        self.assertIs(get_email()['email_verified'], False)
        self.user.email = False
        self.assertEqual(set(get_email()), {'sub'})

    def test_n321_portal_user(self):
        self.application.group_ids += self.env.ref('base.group_portal')
        self.application.addresses_verified = True
        self.portal_user.write({'login': 'joel@example.com', 'email': 'joel@example.com'})
        self.log_in(self.portal_user)
        tokens = self.get_tokens(login=False, scope='openid email')
        self.assertIs(self.get_userinfo(tokens['access_token']).json()['email_verified'], False)

    def test_n313_claims(self):
        group = self.env['res.groups'].create({'name': "Editors", 'user_ids': self.user.ids})
        self.application.group_claim_ids = self.env['orestapi.group.claim'].create([
            {'name': 'editors', 'group_id': group.id},
            {'name': 'staff', 'group_id': self.env.ref('base.group_user').id},
            {'name': 'bosses', 'group_id': self.env.ref('base.group_system').id},
        ])
        self.user.write({'email': 'm@example.com', 'phone': '+36 1 234 5678', 'tz': 'Europe/Budapest'})
        self.user.partner_id.invalidate_recordset()
        tokens = self.get_tokens(scope='openid profile email phone groups')
        claims = self.get_userinfo(tokens['access_token']).json()
        self.assertTrue(claims.pop('sub'))
        self.assertTrue(claims.pop('picture'))
        self.assertAlmostEqual(claims.pop('updated_at'), time.time(), delta=600)
        self.assertEqual(
            claims,
            {
                'name': "Mitchell",
                'preferred_username': 'mitchell',
                'locale': 'en-US',
                'zoneinfo': 'Europe/Budapest',
                'email': 'm@example.com',
                'email_verified': False,
                'phone_number': '+36 1 234 5678',
                'groups': ['editors', 'staff'],
            },
        )
        group.user_ids -= self.user
        self.assertEqual(self.get_userinfo(tokens['access_token']).json()['groups'], ['staff'])
        self.application.group_claim_ids.filtered(lambda claim: claim.name == 'staff').name = 'people'
        self.assertEqual(self.get_userinfo(tokens['access_token']).json()['groups'], ['people'])
        event = self.env['orestapi.event'].search([('field_name', '=', 'group_claim_ids')], limit=1)
        self.assertIn('people', event.new_value)
        # Only what the scopes allow.
        tokens = self.get_tokens(scope='openid')
        self.assertEqual(set(self.get_userinfo(tokens['access_token']).json()), {'sub'})

    def test_n313_picture(self):
        picture = self.user.image_1920
        self.user.image_1920 = False
        self.assertNotIn('picture', self.get_userinfo(self.get_tokens(scope='openid profile')['access_token']).json())
        self.user.image_1920 = picture
        uri = self.get_userinfo(self.get_tokens(scope='openid profile')['access_token']).json()['picture']
        self.assertTrue(uri.startswith(ISSUER + '/oauth2/picture/'))
        self.assertNotIn(f'/{self.user.id}/', uri)
        path = uri.removeprefix(ISSUER)
        self.log_out()
        response = self.url_open(path)
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.headers['Content-Type'].startswith('image/'))
        for wrong in (path[:-1], path.replace('/picture/', '/picture/x'), re.sub(r'/(\d+)/', '/9999999999/', path)):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.url_open(wrong).status_code, 404)
        with self.later(hours=26):
            self.assertEqual(self.url_open(path).status_code, 404)
        self.user.active = False
        self.assertEqual(self.url_open(path).status_code, 404)

    def test_n325_discovery(self):
        response = self.url_open('/.well-known/openid-configuration')
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers['Access-Control-Allow-Origin'], '*')
        self.assertEqual(response.headers['Cache-Control'], 'public, max-age=3600')
        self.assertNotIn('Pragma', response.headers)
        self.assertNotIn('Set-Cookie', response.headers)
        document = response.json()
        self.assertEqual(document, self.url_open('/.well-known/oauth-authorization-server').json())
        spoofed = self.url_open('/.well-known/openid-configuration', headers={'X-Forwarded-Host': 'evil.example'})
        self.assertEqual(spoofed.json(), document)
        for name, value in document.items():
            with self.subTest(name=name, value=value):
                if name.endswith(('_endpoint', '_uri')):
                    self.assertNotEqual(
                        self.url_open(value.removeprefix(ISSUER), allow_redirects=False).status_code, 404
                    )
        self.assertIn('openid', document['scopes_supported'])
        self.assertIn('RS256', document['id_token_signing_alg_values_supported'])
        elsewhere = self.url_open('/.well-known/openid-configuration/x')
        self.assertEqual((elsewhere.status_code, elsewhere.json()['error']), (404, 'invalid_request'))

    def test_n327_key_set(self):
        response = self.url_open('/oauth2/jwks', headers={'Origin': 'https://anybody.example'})
        self.assertEqual(response.headers['Access-Control-Allow-Origin'], '*')
        self.assertEqual(response.headers['Cache-Control'], 'public, max-age=3600')
        [key] = response.json()['keys']
        self.assertEqual(set(key), {'kty', 'n', 'e', 'kid', 'alg', 'use'})
        self.application.id_token_signed_response_alg = 'ES256'
        self.get_tokens()
        keys = self.url_open('/oauth2/jwks').json()['keys']
        self.assertEqual(len({key['kid'] for key in keys}), 2)
        preflight = self.url_open(
            '/oauth2/jwks',
            method='OPTIONS',
            headers={'Origin': 'https://anybody.example', 'Access-Control-Request-Method': 'GET'},
        )
        self.assertEqual(preflight.headers['Access-Control-Allow-Origin'], '*')

    def test_pkce_exception(self):
        without = {'code_challenge': None, 'code_challenge_method': None}
        self.log_in()
        self.assertErrorAtCallback(self.ask(**without), 'invalid_request')
        self.application.nonce_replaces_pkce = True
        self.assertErrorAtCallback(self.ask(nonce=None, **without), 'invalid_request')
        self.assertErrorAtCallback(self.ask(scope='read', **without), 'invalid_request')
        answer = self.get_answer(self.ask(**without))
        self.application.nonce_replaces_pkce = False
        self.assertOAuth2Error(self.redeem(answer['code'], code_verifier=None), 400, 'invalid_grant')
        self.application.nonce_replaces_pkce = True
        answer = self.get_answer(self.ask(**without))
        self.assertEqual(self.redeem(answer['code'], code_verifier=None).status_code, 200)
        with self.assertRaises(ValidationError):
            self.application.client_type = 'public'
