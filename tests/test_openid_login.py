import hashlib
import hmac
import html
import json
import time
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import serialization

from odoo import http
from odoo.exceptions import AccessDenied
from odoo.http import SessionExpiredException
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..controllers.authorize import MAX_REQUEST
from ..jose import encoding, jws, keys
from ..models.res_users_authentication import SESSION_KEY, _remember
from ..openid.authentication import ONE_FACTOR, TWO_FACTORS
from ..openid.required_login import MAX_REQUESTS
from .common import CALLBACK, PASSWORD
from .test_openid import ISSUER, NONCE, OpenIDCase


class OpenIDLoginCase(OpenIDCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Asked on a page only where a test is about it.
        cls.application.trusted = True
        cls.other.write({'scope_ids': cls.scopes.ids, 'trusted': True})

    def get_session(self):
        return http.root.session_store.get(self.opener.cookies['session_id'])

    def make_older(self, seconds):
        """Let the login of the browser's session be longer ago."""
        session = self.get_session()
        remembered = session[SESSION_KEY]
        credentials = {method: given_at - seconds for method, given_at in remembered['credentials'].items()}
        session[SESSION_KEY] = {**remembered, 'credentials': credentials}
        http.root.session_store.save(session)

    def redeem_answer(self, response, **changes):
        """Return the claims of the ID token that a response of the authorization endpoint gives."""
        answer = self.get_answer(response)
        self.assertIn('code', answer)
        response = self.redeem(answer['code'], **changes)
        self.assertEqual(response.status_code, 200, response.text)
        return self.get_claims(response.json())


@tagged('post_install', '-at_install')
class TestOpenIDLogin(OpenIDLoginCase):
    """What an authentication request asks of the login (Core §3.1.2.1)."""

    # prompt=none

    def test_n304_signed_out(self):
        self.authenticate(None, None)
        self.assertErrorAtCallback(self.ask(prompt='none'), 'login_required')
        self.assertErrorAtCallback(self.ask(prompt='none', max_age='x'), 'invalid_request')
        page = self.ask(prompt='none', redirect_uri='https://evil.example/')
        self.assertEqual(page.status_code, 400)
        self.assertNotIn('Location', page.headers)
        # It is what happens every few minutes where an application looks whether somebody is there.
        self.assertFalse(self.env['orestapi.event'].search([('reason', '=', 'login_required')]))

    def test_n304_signed_in(self):
        self.log_in()
        first = self.redeem_answer(self.ask())
        second = self.redeem_answer(self.ask(prompt='none'))
        for name in ('sub', 'auth_time', 'sid', 'acr'):
            with self.subTest(name=name):
                self.assertEqual(first[name], second[name])

    def test_n305_consent_missing(self):
        self.application.trusted = False
        self.log_in()
        self.assertErrorAtCallback(self.ask(prompt='none'), 'consent_required')
        self.decide(self.ask())
        self.assertIn('code', self.get_response(self.ask(prompt='none')))
        self.assertErrorAtCallback(self.ask(prompt='none', scope='openid email'), 'consent_required')
        # A program on the device could claim that address, so that users are asked each time.
        self.application.uri_ids.uri = 'http://127.0.0.1/callback'
        response = self.ask(prompt='none', redirect_uri='http://127.0.0.1:5000/callback')
        self.assertEqual(self.get_response(response)['error'], 'consent_required')

    def test_n305_user_not_allowed(self):
        self.application.group_ids = self.env.ref('base.group_system')
        self.log_in()
        self.assertErrorAtCallback(self.ask(prompt='none'), 'access_denied')
        page = self.ask()
        self.assertEqual(page.status_code, 403)
        self.assertIn('error=access_denied', page.text)

    def test_n322_others(self):
        """Portal users where they are not admitted. OdooBot and the public user cannot log in at all."""
        self.log_in(self.portal_user)
        self.assertErrorAtCallback(self.ask(prompt='none'), 'access_denied')
        self.assertEqual(self.ask().status_code, 403)

    def test_n305_second_factor_pending(self):
        """After the password alone, nobody is logged in."""
        with patch.object(type(self.env['res.users']), '_mfa_url', lambda _user: '/web/login/totp'):
            self.log_in()
            self.assertTrue(self.get_session()['pre_uid'])
            self.assertErrorAtCallback(self.ask(prompt='none'), 'login_required')

    def test_n305_locked_session(self):
        """`auth_timeout` raises this where the user must confirm who they are."""
        self.log_in()
        http_class = type(self.env['ir.http'])
        original = http_class._authenticate

        def authenticate(cls, endpoint):
            if endpoint.routing['auth'] == 'user':
                raise SessionExpiredException("User needs to confirm his identity")
            return original(endpoint)

        with patch.object(http_class, '_authenticate', classmethod(authenticate)):
            self.assertErrorAtCallback(self.ask(prompt='none'), 'login_required')

    def test_n306_prompt(self):
        self.log_in()
        for prompt in ('none login', 'consent none', 'create', 'login x'):
            with self.subTest(prompt=prompt):
                self.assertErrorAtCallback(self.ask(prompt=prompt), 'invalid_request')
        # RFC 6749 §3.1: an empty parameter is as if it was left out.
        self.assertIn('code', self.get_response(self.ask(prompt='')))

    # prompt=login

    def test_n307_password_is_asked(self):
        self.log_in()
        first = self.redeem_answer(self.ask())
        self.make_older(100)
        page = self.ask(prompt='login')
        self.assertLoginPage(page)
        for name, value in (('X-Frame-Options', 'DENY'), ('Cache-Control', 'no-store')):
            with self.subTest(name=name, value=value):
                self.assertEqual(page.headers[name], value)
        answer = self.confirm(page, password=PASSWORD)
        claims = self.redeem_answer(self.follow(answer))
        self.assertGreater(claims['auth_time'], first['auth_time'] - 100)
        self.assertAlmostEqual(claims['auth_time'], time.time(), delta=30)
        self.assertEqual((claims['sub'], claims['sid']), (first['sub'], first['sid']))
        # Once: the next request asks again.
        self.assertLoginPage(self.ask(prompt='login'))

    def test_n307_wrong_password(self):
        self.log_in()
        page = self.ask(prompt='login')
        for password in ('wrong', '', PASSWORD + ' '):
            with self.subTest(password=password):
                answer = self.confirm(page, password=password)
                self.assertLoginPage(answer)
                self.assertIn('role="alert"', answer.text)
        self.assertLoginPage(self.ask(prompt='login'))
        # Without the page, with a token of another page, and without a session.
        with mute_logger('odoo.http'):
            response = self.url_open(
                '/oauth2/login?' + urlencode(self.get_openid_request()), data={'password': PASSWORD}
            )
        self.assertEqual(response.status_code, 400)

    def test_n307_guesses_are_counted(self):
        self.registry._login_failures = None
        self.addCleanup(setattr, self.registry, '_login_failures', None)
        self.log_in()
        page = self.ask(prompt='login')
        with mute_logger('odoo.addons.base.models.res_users'):
            for _number in range(11):
                answer = self.confirm(page, password='wrong')
            answer = self.confirm(page, password=PASSWORD)
        self.assertLoginPage(answer)
        self.assertIn('Too many', answer.text)

    def test_n307_parameter_cut_out_of_the_address(self):
        """Whatever page is opened after that, no code comes without a password."""
        self.log_in()
        self.assertLoginPage(self.ask(prompt='login'))
        for changes in (
            {},
            {'prompt': 'consent'},
            {'prompt': 'select_account'},
            {'max_age': '10000'},
            {'scope': 'openid email'},
            {'scope': 'read'},
            {'scope': None},
            {'acr_values': 'x', 'display': 'popup'},
        ):
            with self.subTest(changes=changes):
                self.assertLoginPage(self.ask(**changes))
        self.assertErrorAtCallback(self.ask(prompt='none'), 'login_required')
        # At the other address.
        query = urlencode(self.get_openid_request())
        response = self.url_open('/orestapi/oauth2/authorization?' + query, allow_redirects=False)
        self.assertLoginPage(self.follow(response))
        # Odoo's login page, which leads on who is logged in.
        response = self.url_open('/web/login?' + urlencode({'redirect': '/oauth2/authorize?' + query}))
        self.assertLoginPage(response)
        # What the application compares was changed: another request, whose code it refuses.
        self.assertIn('code', self.get_response(self.ask(state='another')))

    def test_n307_signed_out_at_first(self):
        """The login that the request leads to is a new one, and no second one is asked for."""
        self.authenticate(None, None)
        response = self.ask(prompt='login', login_hint='mitchell')
        location = response.headers['Location']
        self.assertTrue(urlsplit(location).path == '/web/login', location)
        page = self.url_open(location)
        response = self.url_open(
            '/web/login',
            data={**self.get_hidden(page), 'login': 'mitchell', 'password': PASSWORD},
            allow_redirects=False,
        )
        claims = self.redeem_answer(self.follow(response))
        self.assertEqual(claims['amr'], ['pwd'])
        # The same address once more, as *back* would do it.
        self.assertLoginPage(self.ask(prompt='login'))

    def test_n307_forgotten_by_asking_for_many(self):
        self.log_in()
        self.assertLoginPage(self.ask(prompt='login'))
        for number in range(MAX_REQUESTS + 1):
            self.ask(prompt='login', state=str(number))
        self.assertLoginPage(self.ask())

    def test_n307_not_by_a_login_of_before(self):
        """A confirmation counts for the requests of before it, and not for those of after it."""
        self.log_in()
        page = self.ask(prompt='login', state='first')
        self.confirm(page, password=PASSWORD)
        self.assertLoginPage(self.ask(prompt='login', state='second'))
        self.assertIn('code', self.get_response(self.ask(state='first')))

    def test_n308_somebody_else(self):
        self.log_in()
        tokens = self.get_tokens(login=False)
        for hint in (None, tokens['id_token']):
            with self.subTest(hint=hint):
                self.log_in()
                page = self.ask(prompt='login', id_token_hint=hint)
                self.assertLoginPage(page)
                link = html.unescape(page.text.split('href="/oauth2/login?')[1].split('"')[0])
                response = self.url_open('/oauth2/login?' + link, allow_redirects=False)
                page = self.url_open(response.headers['Location'])
                response = self.url_open(
                    '/web/login',
                    data={**self.get_hidden(page), 'login': 'ada', 'password': PASSWORD},
                    allow_redirects=False,
                )
                response = self.follow(response)
                if hint:
                    self.assertErrorAtCallback(response, 'login_required')
                else:
                    claims = self.redeem_answer(response)
                    self.assertNotEqual(claims['sub'], self.get_claims(tokens)['sub'])

    # max_age

    def test_n309_max_age(self):
        self.log_in()
        auth_time = self.redeem_answer(self.ask(max_age='10000'))['auth_time']
        self.assertAlmostEqual(auth_time, time.time(), delta=30)
        self.assertLoginPage(self.ask(max_age='0', state='0'))
        self.make_older(100)
        self.assertLoginPage(self.ask(max_age='1', state='1'))
        self.assertErrorAtCallback(
            self.ask(max_age='1', prompt='none', state='state of the application'), 'login_required'
        )
        self.assertEqual(self.redeem_answer(self.ask(max_age='10000', state='2'))['auth_time'], auth_time - 100)
        for max_age in ('-1', 'x', '1' + '0' * 20, '1.5', '٣'):
            with self.subTest(max_age=max_age):
                self.assertErrorAtCallback(self.ask(max_age=max_age), 'invalid_request')
        claims = self.redeem_answer(self.follow(self.confirm(self.ask(max_age='1', state='1'), password=PASSWORD)))
        self.assertGreaterEqual(claims['auth_time'], auth_time)

    def test_n309_session_without_known_time(self):
        """One that began before the addon was installed; `authenticate` gives no credential."""
        self.authenticate('mitchell', PASSWORD)
        claims = self.redeem_answer(self.ask())
        self.assertNotIn('auth_time', claims)
        self.assertNotIn('amr', claims)
        self.assertTrue(claims['sid'])
        self.assertLoginPage(self.ask(max_age='100000'))

    def test_n309_confirmed_for_another_request(self):
        """A password that was just confirmed is fresh for every request."""
        self.log_in()
        self.make_older(1000)
        self.assertLoginPage(self.ask(max_age='100', state='1'))
        self.confirm(self.ask(max_age='100', state='1'), password=PASSWORD)
        self.assertIn('code', self.get_response(self.ask(max_age='100', state='2')))

    # Other parameters

    def test_n315_claims(self):
        self.log_in()
        for text in ('x', '[]', '{"userinfo": 1}', '{"x":"' + 'x' * 5000 + '"}', '{"a":1,"a":2}'):
            with self.subTest(text=text[:20]):
                self.assertErrorAtCallback(self.ask(claims=text), 'invalid_request')
        self.assertIn(
            'code', self.get_response(self.ask(claims='{"userinfo": {"unknown": null, "website": {"x": 1}}}'))
        )
        tokens = self.get_tokens(
            login=False,
            claims='{"userinfo": {"name": {"essential": true}}, "id_token": {"email": null, "groups": null}}',
        )
        self.assertEqual(tokens['scope'], 'email groups openid profile')
        self.assertEqual(self.get_userinfo(tokens['access_token']).json()['name'], "Mitchell")
        self.assertNotIn('name', self.get_claims(tokens))
        self.assertErrorAtCallback(
            self.ask(claims='{"id_token": {"sub": {"value": "somebody else"}}}'), 'login_required'
        )
        subject = self.get_claims(tokens)['sub']
        response = self.ask(claims=json.dumps({'id_token': {'sub': {'value': subject}}}))
        self.assertIn('code', self.get_response(response))

    def test_n315_claims_never_widen(self):
        """What the application may not ask for, it does not get by naming single claims."""
        self.application.scope_ids -= self.scopes.filtered(lambda scope: scope.name == 'email')
        self.user.email = 'm@example.com'
        tokens = self.get_tokens(claims='{"userinfo": {"email": {"essential": true}}, "id_token": {"email": null}}')
        self.assertEqual(tokens['scope'], 'openid')
        self.assertNotIn('email', self.get_userinfo(tokens['access_token']).json())
        self.assertNotIn('email', self.get_claims(tokens))

    def test_n316_request_objects(self):
        self.log_in()
        with patch('socket.create_connection', side_effect=AssertionError("Something was fetched.")):
            for changes, error in (
                ({'request': 'eyJhbGciOiJub25lIn0.e30.'}, 'request_not_supported'),
                ({'request_uri': 'https://wiki.example.com/request.jwt'}, 'request_uri_not_supported'),
                ({'request_uri': 'http://169.254.169.254/latest'}, 'request_uri_not_supported'),
                ({'registration': '{}'}, 'registration_not_supported'),
            ):
                with self.subTest(changes=changes, error=error):
                    self.assertErrorAtCallback(self.ask(**changes), error)

    def test_n317_response_types_and_modes(self):
        self.log_in()
        for response_type in ('id_token', 'code id_token', 'id_token token', 'none'):
            with self.subTest(response_type=response_type):
                self.assertErrorAtCallback(self.ask(response_type=response_type), 'unsupported_response_type')
        for response_mode in ('fragment', 'web_message', 'query.jwt'):
            with self.subTest(response_mode=response_mode):
                self.assertErrorAtCallback(self.ask(response_mode=response_mode), 'invalid_request')
        self.assertIn('code', self.get_response(self.ask(response_mode='query')))

    def test_n317_form_post(self):
        self.log_in()
        for changes, expected in (
            ({'state': '"><script>alert(1)</script>&x'}, 'code'),
            ({'prompt': 'none login', 'state': 'x'}, 'error'),
        ):
            with self.subTest(changes=changes, expected=expected):
                response = self.ask(response_mode='form_post', **changes)
                self.assertEqual(response.status_code, 200, response.text)
                self.assertNotIn('Location', response.headers)
                self.assertIn(f'action="{CALLBACK}"', response.text)
                fields = self.get_hidden(response)
                self.assertIn(expected, fields)
                self.assertEqual((fields['state'], fields['iss']), (changes['state'], ISSUER))
                self.assertNotIn('<script>alert', response.text)
                policy = response.headers['Content-Security-Policy']
                self.assertIn("script-src 'self';", policy)
                self.assertIn("frame-ancestors 'none'", policy)
                self.assertEqual(response.headers['Cache-Control'], 'no-store')
        self.assertEqual(self.url_open('/orestapi/static/form_post/submit.js').status_code, 200)

    def test_n318_login_hint(self):
        pages = {}
        for hint in ('mitchell', 'nobody', '"><script>alert(1)</script>', 'x' * 10000):
            with self.subTest(hint=hint):
                self.authenticate(None, None)
                response = self.ask(login_hint=hint)
                page = self.url_open(response.headers['Location'])
                self.assertIn(
                    f'value="{html.escape(hint[:320])}"'.replace('&#x27;', "'").replace('&quot;', '&#34;'), page.text
                )
                self.assertNotIn('<script>alert', page.text)
                pages[hint] = page.text
        self.assertEqual(len(pages['mitchell'].splitlines()), len(pages['nobody'].splitlines()))

    def test_n319_id_token_hint(self):
        self.log_in()
        tokens = self.get_tokens(login=False)
        hint, claims = tokens['id_token'], self.get_claims(tokens)
        self.assertIn('code', self.get_response(self.ask(id_token_hint=hint, prompt='none')))
        with self.later(days=3):
            self.log_in()
            self.assertIn('code', self.get_response(self.ask(id_token_hint=hint, prompt='none')))
        other = self.get_tokens(self.other, login=False)['id_token']
        key = self.env['orestapi.signing.key']._get_private_key('RS256')
        for wrong in (
            'eyJhbGciOiJub25lIn0.' + hint.split('.')[1] + '.',
            jws.sign(claims, keys.generate('RS256')),
            other,
            jws.sign(claims, key, typ='logout+jwt'),
            jws.sign({**claims, 'iss': 'https://evil.example'}, key),
            tokens['access_token'],
            hint + 'x',
        ):
            with self.subTest(wrong=wrong):
                self.assertErrorAtCallback(self.ask(id_token_hint=wrong), 'invalid_request')
        # It names who is expected, and signs nobody in.
        self.log_in(self.administrator)
        self.assertErrorAtCallback(self.ask(id_token_hint=hint), 'login_required')
        self.log_out()
        self.assertErrorAtCallback(self.ask(id_token_hint=hint, prompt='none'), 'login_required')
        self.assertTrue(self.ask(id_token_hint=hint).headers['Location'].find('/web/login') >= 0)

    def test_n348_n349_hint_with_hostile_header(self):
        """Over HTTP, as an application sends it: refused each time, without a look at what the header names."""
        self.log_in()
        hint = self.get_tokens(login=False)['id_token']
        signing_key = self.env['orestapi.signing.key']._get_private_key('RS256')
        jwk, attacker = signing_key.to_public_jwk(), keys.generate('RS256')
        public = signing_key.key.public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        good = json.loads(encoding.decode(hint.partition('.')[0]))
        payload = hint.split('.')[1]

        def sign(changes, key=signing_key):
            return sign_with(changes, lambda message: jws.ALGORITHMS['RS256'].sign(key.key, message))

        def sign_with(changes, sign):
            message = f'{encoding.encode(json.dumps({**good, **changes}).encode())}.{payload}'
            return f'{message}.{encoding.encode(sign(message.encode()))}'

        def sign_symmetric(secret):
            return sign_with({'alg': 'HS256'}, lambda message: hmac.digest(secret, message, hashlib.sha256))

        self.assertIn('code', self.get_response(self.ask(id_token_hint=sign({}), prompt='none')))
        for wrong in (
            *(sign({'alg': alg}) for alg in ('none', 'None', 'HS256', 'PS256', 'ES256', 'EdDSA', 'RS512')),
            *(sign_with({'alg': alg}, lambda _message: b'') for alg in ('none', 'None')),
            *map(sign_symmetric, (pem, json.dumps(jwk).encode(), b'')),
            sign({'jwk': attacker.to_public_jwk()}, attacker),
            sign({'kid': attacker.kid}, attacker),
            *(sign(changes) for changes in (
                {'jwk': jwk},
                {'jku': 'http://127.0.0.1:9/jwks'},
                {'x5u': 'http://127.0.0.1:9/certificate'},
                {'crit': ['exp']},
                {'b64': False},
                {'zip': 'DEF'},
                {'kid': '../../etc/passwd'},
                {'kid': "' OR 1=1 --"},
                {'kid': 'x' * 10_000},
                {'kid': 1},
                {'kid': ['x']},
            )),
        ):  # fmt: skip
            with self.subTest(header=wrong.partition('.')[0][:200]):
                self.assertErrorAtCallback(self.ask(id_token_hint=wrong, prompt='none'), 'invalid_request')

    def test_n323_acr(self):
        self.log_in()
        self.assertEqual(self.redeem_answer(self.ask(acr_values=f'{TWO_FACTORS} {ONE_FACTOR}'))['acr'], ONE_FACTOR)
        essential = '{"id_token": {"acr": {"essential": true, "values": ["%s"]}}}'
        self.assertErrorAtCallback(self.ask(claims=essential % TWO_FACTORS), 'unmet_authentication_requirements')
        self.assertErrorAtCallback(
            self.ask(claims=essential % 'urn:x', prompt='none'), 'unmet_authentication_requirements'
        )
        self.assertEqual(self.redeem_answer(self.ask(claims=essential % ONE_FACTOR))['acr'], ONE_FACTOR)

    def test_n323_second_factor(self):
        """A user with a second factor is asked for it; a trusted device has skipped it, and is not called one."""
        self.log_in()
        essential = json.dumps({'id_token': {'acr': {'essential': True, 'value': TWO_FACTORS}}})
        users = type(self.env['res.users'])
        check = users._check_credentials

        problem = "Wrong code"

        def check_credentials(user, credential, env):
            if credential['type'] == 'totp':
                if credential['token'] != 123456:
                    raise AccessDenied(problem)
                return {'uid': user.id, 'auth_method': 'totp', 'mfa': 'default'}
            return check.__wrapped__(user, credential, env)

        with (
            patch.object(users, '_mfa_type', lambda _user: 'totp'),
            patch.object(users, '_check_credentials', _remember(check_credentials)),
        ):
            # The session has the password alone, as after the cookie of a trusted device.
            self.assertEqual(self.redeem_answer(self.ask())['amr'], ['pwd'])
            self.assertErrorAtCallback(self.ask(claims=essential, prompt='none'), 'login_required')
            page = self.ask(claims=essential)
            self.assertIn('name="password"', page.text)
            page = self.follow(self.confirm(page, password=PASSWORD))
            self.assertLoginPage(page)
            self.assertIn('name="totp_token"', page.text)
            for code in ('12345', 'abcdef', '654321', '１２３４５６'):
                with self.subTest(code=code):
                    page = self.confirm(page, totp_token=code)
                    self.assertIn('role="alert"', page.text)
                    self.assertIn('name="totp_token"', page.text)
            claims = self.redeem_answer(self.follow(self.confirm(page, totp_token='123 456')))
            self.assertEqual((claims['amr'], claims['acr']), (['pwd', 'otp', 'mfa'], TWO_FACTORS))

    def test_n324_post(self):
        self.log_in()
        response = self.url_open(
            '/oauth2/authorize', data=self.get_openid_request(), method='POST', allow_redirects=False
        )
        self.assertIn('code', self.get_answer(self.follow(response)))
        big = self.get_openid_request(claims='x' * MAX_REQUEST)
        response = self.url_open('/oauth2/authorize', data=big, method='POST', allow_redirects=False)
        self.assertEqual(response.status_code, 413)
        # Without a login: it comes back with all that was asked.
        self.log_out()
        sent = self.get_openid_request(state='ä&b=c')
        response = self.url_open('/oauth2/authorize', data=sent, method='POST', allow_redirects=False)
        response = self.follow(response)
        page = self.url_open(response.headers['Location'])
        response = self.url_open(
            '/web/login',
            data={**self.get_hidden(page), 'login': 'mitchell', 'password': PASSWORD},
            allow_redirects=False,
        )
        answer = self.get_response(self.follow(response))
        self.assertEqual(answer['state'], 'ä&b=c')
        self.assertEqual(self.get_claims(self.redeem(answer['code']).json())['nonce'], NONCE)
        response = self.url_open(
            '/oauth2/authorize',
            data={**sent, 'redirect_uri': 'https://evil.example'},
            method='POST',
            allow_redirects=False,
        )
        self.assertEqual(self.follow(response).status_code, 400)

    def test_prompt_consent_and_select_account(self):
        self.log_in()
        for prompt in ('consent', 'select_account', 'consent select_account'):
            with self.subTest(prompt=prompt):
                page = self.ask(prompt=prompt)
                self.assertEqual(page.status_code, 200)
                self.assertIn('name="consent"', page.text)
                self.assertIn('href="/oauth2/login?', page.text)
                self.assertIn('code', self.get_response(self.decide(page)))
        page = self.ask(prompt='login consent')
        self.assertLoginPage(page)
        page = self.follow(self.confirm(page, password=PASSWORD))
        self.assertIn('code', self.get_response(self.decide(page)))

    def test_display_and_languages(self):
        self.log_in()
        for changes in (
            {'display': 'page'},
            {'display': 'popup'},
            {'display': 'touch'},
            {'display': 'wap'},
            {'display': 'hologram'},
            {'ui_locales': 'de fr'},
            {'ui_locales': '*, ;q=1 -- x'},
            {'claims_locales': 'de'},
            {'acr_values': 'urn:x'},
        ):
            with self.subTest(changes=changes):
                self.assertIn('code', self.get_response(self.ask(**changes)))
        document = self.url_open('/.well-known/openid-configuration').json()
        self.assertEqual(document['display_values_supported'], ['page', 'popup', 'touch'])

    def test_languages_before_the_login(self):
        """The application's wish comes before the browser's, if Odoo has the language; Core §3.1.2.1 knows no error."""
        for code in ('de_DE', 'zh_TW'):
            self.env['res.lang']._activate_lang(code)
        languages = []
        render = type(self.env['ir.qweb'])._render

        def note(qweb, template, *args, **kwargs):
            if template in ('web.login', self.env.ref('web.login').id):
                languages.append(qweb.env.lang)
            return render(qweb, template, *args, **kwargs)

        self.startPatcher(patch.object(type(self.env['ir.qweb']), '_render', note))
        for locales, header, expected in (
            ('de', 'zh-TW', 'de_DE'),
            ('xx de-AT en', 'zh-TW', 'de_DE'),
            ('zh-Hant', 'de', 'zh_TW'),
            ('de ' * 1000, 'zh-TW', 'de_DE'),
            # As Odoo chooses.
            ('xx', 'zh-TW', 'en_US'),
            ('', 'zh-TW', 'en_US'),
            ('*', 'zh-TW', 'en_US'),
            ('de;q=0.1, "<script>', 'zh-TW', 'en_US'),
            (None, 'de', 'en_US'),
        ):
            with self.subTest(locales=locales and locales[:30], header=header):
                self.authenticate(None, None)
                headers = {'Accept-Language': header}
                response = self.authorize(self.get_openid_request(ui_locales=locales), headers=headers)
                del languages[:]
                self.url_open(response.headers['Location'], headers=headers)
                self.assertEqual(languages, [expected])

    def test_language_of_the_user(self):
        """Once somebody is logged in, their own language is used, as Keycloak does it."""
        self.env['res.lang']._activate_lang('de_DE')
        self.env['res.lang']._activate_lang('zh_TW')
        self.user.lang = 'zh_TW'
        page = self.log_in(url='/oauth2/authorize?' + urlencode(self.get_openid_request(ui_locales='de')))
        self.assertTrue(page)
        page = self.ask(ui_locales='de', prompt='consent')
        self.assertIn('name="consent"', page.text)
        self.assertEqual(page.headers['Content-Language'], 'zh-TW')
        self.assertEqual(self.ask(ui_locales='de', prompt='login').headers['Content-Language'], 'zh-TW')
        # Pages for nobody follow the application.
        self.log_out()
        page = self.authorize({'client_id': 'nobody', 'ui_locales': 'de'})
        self.assertEqual(page.headers['Content-Language'], 'de-DE')
