from odoo.tests import tagged

from ..oauth2.tokens import generate_secret, parse, render_refresh_token
from .common import OAuth2Case

OTHER_SECRET = 'a-secret-that-nobody-else-has'


@tagged('post_install', '-at_install')
class TestRefreshToken(OAuth2Case):
    """A refresh token gives new tokens once, and its second use ends the sign-in (RFC 6749 §6, RFC 9700 §4.14.2)."""

    def renew(self, tokens, application=None, **changes):
        """Refresh and return the new tokens."""
        response = self.refresh(tokens['refresh_token'], application, **changes)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertNoStore(response)
        return response.json()

    def assertRefreshRefused(self, refresh_token, application=None, error='invalid_grant', **changes):
        self.assertOAuth2Error(self.refresh(refresh_token, application, **changes), 400, error)

    def assertAlive(self, tokens, application=None):
        """Assert that nothing has happened to a sign-in, and return its next tokens."""
        if not application:
            self.assertActive(tokens['access_token'], tokens['refresh_token'])
        return self.renew(tokens, application)

    def count_events(self):
        return self.env['orestapi.event'].search_count([('kind', '=', 'refresh_token_reused')])

    def test_n137_missing(self):
        for refresh_token in (None, ''):
            with self.subTest(refresh_token=refresh_token):
                self.assertRefreshRefused(refresh_token, error='invalid_request')

    def test_n137_garbage(self):
        tokens = self.sign_in()
        refresh_token = tokens['refresh_token']
        parsed = parse(refresh_token)
        other_secret = generate_secret()
        for wrong in (
            'x',
            '%',
            "' OR 1=1 --",
            refresh_token[:-1],
            refresh_token + 'x',
            refresh_token + ' ',
            refresh_token + '\n',
            refresh_token.upper(),
            refresh_token.swapcase(),
            'x' * 10_000,
            refresh_token.replace(parsed.mac, parsed.mac.swapcase()),
            refresh_token.replace(parsed.secret, other_secret),
            f'orestapi_rt_{parsed.row_id}_1_{parsed.secret}_{parsed.mac}',
            f'orestapi_rt_{parsed.row_id}_9999999999_{parsed.secret}_{parsed.mac}',
            f'orestapi_rt_{parsed.row_id + 1}_0_{parsed.secret}_{parsed.mac}',
            f'orestapi_rt_9999999999_0_{parsed.secret}_{parsed.mac}',
            # Its MAC is right, as somebody who reads the database could make it, but its secret is wrong.
            render_refresh_token(self.env['orestapi.token']._get_mac_key(), parsed.row_id, 0, other_secret),
            render_refresh_token(self.env['orestapi.token']._get_mac_key(), parsed.row_id, 7, other_secret),
        ):
            with self.subTest(refresh_token=wrong[:80]):
                self.assertRefreshRefused(wrong)
        self.assertAlive(tokens)

    def test_n137_forged(self):
        """A made-up token of an earlier refresh must not end a sign-in: anybody could end all."""
        first = self.sign_in()
        second = self.renew(first)
        row_id = self.get_sign_in(first).id
        secret = parse(first['refresh_token']).secret
        self.assertRefreshRefused(render_refresh_token(b'another key', row_id, 0, secret))
        self.assertRefreshRefused(f'orestapi_rt_{row_id}_0_{generate_secret()}_{generate_secret()}')
        self.assertAlive(second)
        self.assertEqual(self.count_events(), 0)

    def test_n137_revoked(self):
        tokens = self.sign_in()
        self.get_sign_in(tokens).with_user(self.user).action_revoke()
        self.assertSignInEnded(tokens, reason='user')

    def test_n138_another_confidential_client(self):
        self.other.client_secret = OTHER_SECRET
        first = self.sign_in()
        second = self.renew(first)
        for refresh_token in (first['refresh_token'], second['refresh_token']):
            with self.subTest(refresh_token=refresh_token):
                self.assertRefreshRefused(refresh_token, auth=('shop-client', OTHER_SECRET))
        self.assertAlive(second)

    def test_n139_another_public_client(self):
        self.public.copy({'client_id': 'other-tool-client'})
        first = self.sign_in(self.public)
        second = self.renew(first, self.public)
        for refresh_token in (first['refresh_token'], second['refresh_token']):
            with self.subTest(refresh_token=refresh_token):
                self.assertRefreshRefused(refresh_token, self.public, client_id='other-tool-client')
                # Not with another secret either, nor the other way round.
                self.assertRefreshRefused(refresh_token, auth=self.get_auth())
        self.assertAlive(second, self.public)
        self.assertRefreshRefused(self.sign_in()['refresh_token'], self.public)

    def test_n140_no_authentication(self):
        tokens = self.sign_in()
        for changes in (
            {},
            {'client_id': 'wiki-client'},
            {'client_id': 'wiki-client', 'client_secret': ''},
            {'client_id': 'wiki-client', 'client_secret': OTHER_SECRET},
        ):
            with self.subTest(changes=changes):
                self.assertInvalidClient(self.refresh(tokens['refresh_token'], auth=None, **changes))
        response = self.refresh(tokens['refresh_token'], auth=('wiki-client', OTHER_SECRET))
        self.assertInvalidClient(response)
        self.assertAlive(tokens)

    def test_n141_wider_scope(self):
        tokens = self.sign_in(scope='read')
        for scope in ('rpc', 'read rpc', 'read unknown', 'READ', '"', 'read\\', 'read\tread', 'x' * 2000):
            with self.subTest(scope=scope[:50]):
                self.assertRefreshRefused(tokens['refresh_token'], error='invalid_scope', scope=scope)
        self.assertEqual(self.assertAlive(tokens)['scope'], 'read')

    def test_n141_scope_taken_from_the_application(self):
        """A scope that an administrator removes is gone at once, not only at the next refresh."""
        tokens = self.sign_in(scope='read rpc')
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertEqual(self.introspect(tokens['access_token'])['scope'], 'read')
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 403)
        self.assertRefreshRefused(tokens['refresh_token'], error='invalid_scope', scope='read rpc')
        tokens = self.renew(tokens)
        self.assertEqual(tokens['scope'], 'read')
        self.application.scope_ids = False
        self.assertRefreshRefused(tokens['refresh_token'], error='invalid_scope')
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertAlive(tokens)

    def test_n142_narrower_scope(self):
        tokens = self.sign_in(scope='read rpc')
        narrow = self.renew(tokens, scope='read')
        self.assertEqual(narrow['scope'], 'read')
        self.assertEqual(self.introspect(narrow['access_token'])['scope'], 'read')
        self.assertEqual(self.call_json2(narrow['access_token']).status_code, 403)
        # RFC 6749 §6: the new refresh token has the scope of the presented one.
        self.assertEqual(self.introspect(narrow['refresh_token'])['scope'], 'read rpc')
        wide = self.renew(narrow)
        self.assertEqual(wide['scope'], 'read rpc')
        self.assertEqual(self.call_json2(wide['access_token']).status_code, 200)
        # The previous access token still has the narrow scope.
        self.assertEqual(self.introspect(narrow['access_token'])['scope'], 'read')

    def test_n143_replayed(self):
        tokens = [self.sign_in(scope='read rpc')]
        for _count in range(3):
            tokens.append(self.renew(tokens[-1]))
        self.assertEqual(len({response[name] for response in tokens for name in ('access_token', 'refresh_token')}), 8)
        self.assertEqual(self.call_json2(tokens[-1]['access_token']).status_code, 200)
        self.assertRefreshRefused(tokens[-2]['refresh_token'])
        self.assertSignInEnded(*tokens, reason='refresh_token_reused')
        # One event, however often the token is tried.
        self.assertEqual(self.count_events(), 1)
        event = self.env['orestapi.event'].search([('kind', '=', 'refresh_token_reused')])
        self.assertEqual((event.application_id, event.user_id), (self.application, self.user))
        self.assertEqual(event.address, '127.0.0.1')

    def test_n143_replayed_of_any_generation(self):
        """Every token is recognised, although there is no history of tokens."""
        for generation in (0, 1, 2, 5):
            with self.subTest(generation=generation):
                tokens = [self.sign_in()]
                for _count in range(6):
                    tokens.append(self.renew(tokens[-1]))
                self.assertRefreshRefused(tokens[generation]['refresh_token'])
                self.assertSignInEnded(tokens[-1], reason='refresh_token_reused')

    def test_n143_public_client(self):
        first = self.sign_in(self.public, scope='rpc')
        second = self.renew(first, self.public)
        self.assertEqual(self.call_json2(second['access_token']).status_code, 200)
        self.assertRefreshRefused(first['refresh_token'], self.public)
        self.assertRefreshRefused(second['refresh_token'], self.public)
        self.assertEqual(self.call_json2(second['access_token']).status_code, 401)

    def test_n144_grandparent_in_grace_period(self):
        self.stop_clock()
        self.application.refresh_token_grace = 60
        first = self.sign_in(scope='rpc')
        second = self.renew(first)
        third = self.renew(second)
        self.assertRefreshRefused(first['refresh_token'])
        self.assertSignInEnded(first, second, third, reason='refresh_token_reused')

    def test_n145_grace_period(self):
        self.stop_clock()
        self.application.refresh_token_grace = 30
        first = self.sign_in(scope='read rpc')
        second = self.renew(first)
        for seconds in (0, 1, 30):
            with self.subTest(seconds=seconds), self.later(seconds=seconds):
                # The same response, whatever is requested, except for the time.
                self.assertEqual(self.renew(first), {**second, 'expires_in': 3600 - seconds})
                self.assertEqual(self.renew(first, scope='read'), {**second, 'expires_in': 3600 - seconds})
        sign_in = self.get_sign_in(first)
        self.assertEqual(sign_in.generation, 1)
        self.assertEqual(self.call_json2(second['access_token']).status_code, 200)
        third = self.renew(second)
        # Its successor has been used, so the first response is no longer needed.
        self.assertRefreshRefused(first['refresh_token'])
        self.assertSignInEnded(second, third, reason='refresh_token_reused')

    def test_n145_after_the_grace_period(self):
        self.stop_clock()
        self.application.refresh_token_grace = 30
        first = self.sign_in()
        second = self.renew(first)
        with self.later(seconds=31):
            self.assertRefreshRefused(first['refresh_token'])
            self.assertSignInEnded(first, second, reason='refresh_token_reused')

    def test_n145_grace_period_for_the_application_only(self):
        """A stolen predecessor is of no use to other applications, and neither is one with a wrong secret."""
        self.stop_clock()
        self.other.client_secret = OTHER_SECRET
        (self.application + self.other).refresh_token_grace = 60
        first = self.sign_in()
        second = self.renew(first)
        self.assertRefreshRefused(first['refresh_token'], auth=('shop-client', OTHER_SECRET))
        self.assertInvalidClient(self.refresh(first['refresh_token'], auth=None, client_id='wiki-client'))
        forged = f'orestapi_rt_{self.get_sign_in(first).id}_0_{generate_secret()}_{generate_secret()}'
        self.assertRefreshRefused(forged)
        self.assertAlive(second)

    def test_n145_grace_period_switched_off_or_on(self):
        """The current setting applies, and the application must have had a grace period at the refresh."""
        self.stop_clock()
        self.application.refresh_token_grace = 60
        first = self.sign_in()
        second = self.renew(first)
        self.application.refresh_token_grace = 0
        with self.later(seconds=5):
            self.assertRefreshRefused(first['refresh_token'])
            self.assertSignInEnded(second, reason='refresh_token_reused')
        first = self.sign_in()
        second = self.renew(first)
        self.application.refresh_token_grace = 60
        self.assertRefreshRefused(first['refresh_token'])
        self.assertSignInEnded(second, reason='refresh_token_reused')

    def test_n146_revoked_in_grace_period(self):
        self.stop_clock()
        self.application.refresh_token_grace = 60
        for revoked in (0, 1):
            with self.subTest(revoked=revoked):
                tokens = [self.sign_in()]
                tokens.append(self.renew(tokens[0]))
                response = self.post('/oauth2/revoke', {'token': tokens[revoked]['refresh_token']}, self.get_auth())
                self.assertEqual(response.status_code, 200)
                self.assertSignInEnded(*tokens, reason='application')
        self.assertEqual(self.count_events(), 0)

    def test_n148_answer_lost(self):
        """The application never got the response, and retries with the token that it has."""
        first = self.sign_in(scope='rpc')
        self.renew(first)
        # Without a grace period this looks like a theft: the user must sign in again.
        self.assertRefreshRefused(first['refresh_token'])
        self.assertSignInEnded(first, reason='refresh_token_reused')
        self.application.refresh_token_grace = 60
        first = self.sign_in(scope='rpc')
        self.renew(first)
        second = self.renew(first)
        self.assertEqual(self.call_json2(second['access_token']).status_code, 200)
        self.assertAlive(second)

    def test_n149_idle_limit(self):
        self.stop_clock()
        self.application.write({'refresh_token_expiry': 7200, 'access_token_expiry': 3600})
        tokens = self.sign_in()
        other = self.sign_in()
        for _count in range(3):
            with self.later(seconds=7199):
                # Each use restarts the period.
                self.assertActive(tokens['refresh_token'])
        with self.later(seconds=7199):
            tokens = self.renew(tokens)
            with self.later(seconds=7199):
                tokens = self.renew(tokens)
        with self.later(seconds=7200):
            self.assertInactive(other['refresh_token'])
            self.assertRefreshRefused(other['refresh_token'])
        with self.later(seconds=3 * 7200):
            self.assertRefreshRefused(tokens['refresh_token'])

    def test_n149_absolute_limit(self):
        self.stop_clock()
        self.application.sign_in_expiry = 10_000
        tokens = self.sign_in()
        other = self.sign_in()
        for seconds in (3000, 6000, 9999):
            with self.later(seconds=seconds):
                tokens = self.renew(tokens)
        with self.later(seconds=10_000):
            # However often it was refreshed, and however lately.
            for refresh_token in (tokens['refresh_token'], other['refresh_token']):
                with self.subTest(refresh_token=refresh_token):
                    self.assertInactive(refresh_token)
                    self.assertRefreshRefused(refresh_token)

    def test_n149_no_limit(self):
        """The default: a refresh token never expires."""
        tokens = self.sign_in()
        with self.later(days=5000):
            self.assertEqual(self.introspect(tokens['refresh_token']).get('exp'), None)
            self.assertEqual(self.renew(tokens)['expires_in'], 3600)

    def test_n150_limit_shortened(self):
        self.stop_clock()
        tokens = self.sign_in()
        self.application.refresh_token_expiry = 600
        with self.later(seconds=599):
            self.assertActive(tokens['refresh_token'])
        with self.later(seconds=600):
            self.assertInactive(tokens['refresh_token'])
            self.assertRefreshRefused(tokens['refresh_token'])
            self.application.write({'refresh_token_expiry': 0, 'sign_in_expiry': 600})
            self.assertRefreshRefused(tokens['refresh_token'])
            # After the limit is lengthened again, the sign-in works, because nobody has ended it.
            self.application.sign_in_expiry = 601
            self.assertAlive(tokens)

    def test_n154_application_archived(self):
        tokens = self.sign_in(scope='rpc')
        public_tokens = self.sign_in(self.public, scope='rpc')
        (self.application + self.public).active = False
        self.assertInvalidClient(self.refresh(tokens['refresh_token']))
        self.assertInvalidClient(self.refresh(public_tokens['refresh_token'], self.public))
        for response in (tokens, public_tokens):
            with self.subTest(response=response):
                self.assertEqual(self.call_json2(response['access_token']).status_code, 401)
        (self.application + self.public).active = True
        self.assertAlive(tokens)

    def test_n154_application_deleted(self):
        tokens = self.sign_in(scope='rpc')
        auth = self.get_auth()
        self.application.unlink()
        self.assertInvalidClient(self.refresh(tokens['refresh_token'], self.other, auth))
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 401)
        self.assertFalse(self.env['orestapi.token'].search([]))

    def test_n154_secret_rotated(self):
        """A new secret locks out anyone with only the old one, and users stay signed in."""
        tokens = self.sign_in()
        secret = self.application.generate_client_secret()
        self.assertInvalidClient(self.refresh(tokens['refresh_token']))
        self.renew(tokens, auth=('wiki-client', secret))

    def test_n156_another_kind_of_token(self):
        code = self.get_code()
        tokens = self.sign_in()
        for other in (code, tokens['access_token']):
            with self.subTest(other=other):
                self.assertRefreshRefused(other)
                self.assertRefreshRefused(other.replace('_at_', '_rt_').replace('_ac_', '_rt_'))
        self.assertAlive(tokens)
        self.assertEqual(self.redeem(code).status_code, 200)

    def test_n157_two_devices(self):
        first, second, third = (self.sign_in(scope='rpc') for _device in range(3))
        self.assertEqual(len({self.get_sign_in(tokens).id for tokens in (first, second, third)}), 3)
        self.assertEqual(len(self.get_sign_in(first).authorization_id.token_ids), 3)
        newer = self.renew(first)
        self.assertRefreshRefused(first['refresh_token'])
        self.assertSignInEnded(first, newer, reason='refresh_token_reused')
        second = self.assertAlive(second)
        self.get_sign_in(second).with_user(self.user).action_revoke()
        self.assertSignInEnded(second, reason='user')
        self.assertAlive(third)
