import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from odoo import fields, release
from odoo.tests import freeze_time, tagged

from ..oauth2 import pkce
from ..oauth2.grants.authorization_code import VERIFIER_LIMIT
from ..oauth2.tokens import AUTHORIZATION_CODE, generate_secret, parse, render
from .common import CALLBACK, PASSWORD, OAuth2Case
from .oauth2_client import VERIFIER

OTHER_VERIFIER = 'x' * 43
OTHER_SECRET = 'a-secret-that-nobody-else-has'


@tagged('post_install', '-at_install')
class TestAuthorizationCode(OAuth2Case):
    """A code gives tokens once, in time, and only to its application (RFC 6749 §4.1.3)."""

    def get_record(self, code):
        return self.env['orestapi.authorization.code'].browse(parse(code).row_id)

    def assertGood(self, code, application=None, **changes):
        """Assert that a code can (still) be redeemed, and return the tokens."""
        response = self.redeem(code, application, **changes)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def count_events(self, kind):
        return self.env['orestapi.event'].search_count([('kind', '=', kind)])

    def test_n110_missing(self):
        for code in (None, ''):
            with self.subTest(code=code):
                self.assertNoTokens(self.redeem(code), 'invalid_request')

    def test_n111_garbage(self):
        code = self.get_code()
        kind, row_id, secret = 'orestapi_ac', str(parse(code).row_id), parse(code).secret
        for wrong in (
            'x',
            '%',
            '_',
            '%%',
            f'{kind}_{row_id}_%',
            f'{kind}_%_{secret}',
            f'{kind}_{row_id}_{"_" * 43}',
            "' OR 1=1 --",
            f"{code}' OR '1'='1",
            f'{code}%',
            f'{code[:-1]}_',
            f'{code[:-1]}',
            f'{code}x',
            f'{code} ',
            f' {code}',
            f'{code}\n',
            code.upper(),
            code.lower(),
            code.swapcase(),
            f'{kind}_{row_id}_{secret.swapcase()}',
            f'{kind}_{row_id}_',
            f'{kind}_0{row_id}_{secret}',
            f'{kind}_+{row_id}_{secret}',
            f'{kind}_-{row_id}_{secret}',
            f'{kind}_0_{secret}',
            f'{kind}_2147483647_{secret}',
            f'{kind}_2147483648_{secret}',
            f'{kind}_9999999999_{secret}',
            f'{kind}_{int(row_id) + 1}_{secret}',
            f'{kind}_{row_id}_{generate_secret()}',
            'x' * 10_000,
            f'{kind}_{row_id.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))}_{secret}',
        ):
            if wrong == code:
                continue
            with self.subTest(code=wrong[:80]):
                self.assertNoTokens(self.redeem(wrong))
        self.assertGood(code)

    def test_n112_expired(self):
        self.stop_clock()
        self.application.authorization_code_expiry = 60
        early, late = self.get_code(), self.get_code()
        with self.later(seconds=59):
            self.assertGood(early)
        for seconds in (60, 61, 10_000_000):
            with self.subTest(seconds=seconds), self.later(seconds=seconds):
                self.assertNoTokens(self.redeem(late))

    def test_n113_replayed(self):
        code = self.get_code(scope='read rpc')
        tokens = self.assertGood(code)
        self.assertEqual(self.call_json2(tokens['access_token']).status_code, 200)
        self.assertNoTokens(self.redeem(code))
        self.assertSignInEnded(tokens, reason='code_replayed')
        self.assertEqual(self.count_events('code_replayed'), 1)
        # A third use changes nothing.
        self.assertNoTokens(self.redeem(code))
        self.assertEqual(self.count_events('code_replayed'), 1)

    def test_n113_replayed_when_the_sign_in_is_gone(self):
        self.stop_clock()
        self.application.authorization_code_retain = 1
        code = self.get_code()
        tokens = self.assertGood(code)
        sign_in = self.env['orestapi.token'].search([('user_id', '=', self.user.id)])
        self.assertEqual(self.get_record(code).token_id, sign_in)
        self.post('/oauth2/revoke', {'token': tokens['access_token']}, self.get_auth())
        self.env['orestapi.token']._gc_ended()
        self.env.invalidate_all()
        self.assertFalse(self.get_record(code).token_id)
        self.assertNoTokens(self.redeem(code))
        with self.later(minutes=20):
            self.assertNoTokens(self.redeem(code))

    def test_n113_replayed_when_expired(self):
        """The second use of a code counts as theft even if the code has expired."""
        self.stop_clock()
        code = self.get_code(scope='read rpc')
        tokens = self.assertGood(code)
        with self.later(minutes=20):
            self.assertNoTokens(self.redeem(code))
            self.assertSignInEnded(tokens, reason='code_replayed')

    def test_n114_replayed_after_refresh(self):
        code = self.get_code(scope='read rpc')
        first = self.assertGood(code)
        second = self.refresh(first['refresh_token']).json()
        third = self.refresh(second['refresh_token']).json()
        self.assertNoTokens(self.redeem(code))
        self.assertSignInEnded(first, second, third, reason='code_replayed')

    def test_n115_replayed_by_a_stranger(self):
        """Without the right client, redirect URI and verifier nobody can end the sign-in of a user."""
        self.other.client_secret = OTHER_SECRET
        code = self.get_code()
        tokens = self.assertGood(code)
        for changes in (
            {'code_verifier': None},
            {'code_verifier': OTHER_VERIFIER},
            {'redirect_uri': None},
            {'redirect_uri': 'https://wiki.example.com/other'},
            {'auth': ('shop-client', OTHER_SECRET)},
            {'auth': None, 'client_id': 'tool-client'},
        ):
            with self.subTest(changes=changes):
                self.assertNoTokens(self.redeem(code, **changes))
        for auth in (('wiki-client', 'x' * 20), ('unknown-client', 'x' * 20)):
            with self.subTest(auth=auth):
                self.assertInvalidClient(self.redeem(code, auth=auth))
        self.assertInvalidClient(self.redeem(code, auth=None, client_id='wiki-client'))
        self.assertActive(tokens['access_token'], tokens['refresh_token'])
        self.assertEqual(self.count_events('code_replayed'), 0)
        self.assertEqual(self.refresh(tokens['refresh_token']).status_code, 200)

    def test_n117_another_confidential_client(self):
        self.other.client_secret = OTHER_SECRET
        self.other.uri_ids = [(0, 0, {'uri': CALLBACK})]
        code = self.get_code()
        self.assertNoTokens(self.redeem(code, auth=('shop-client', OTHER_SECRET)))
        self.assertGood(code)

    def test_n118_another_public_client(self):
        other = self.public.copy({'client_id': 'other-tool-client'})
        self.assertEqual(other.uri_ids.mapped('uri'), self.public.uri_ids.mapped('uri'))
        code = self.get_code(self.public)
        self.assertNoTokens(self.redeem(code, self.public, client_id=other.client_id))
        self.assertGood(code, self.public)

    def test_n119_redirect_uri_missing(self):
        code = self.get_code()
        for uri in (None, ''):
            with self.subTest(uri=uri):
                self.assertNoTokens(self.redeem(code, redirect_uri=uri))
        self.assertGood(code)
        # RFC 6749 §4.1.3: only if the authorization request had one.
        self.assertGood(self.get_code(redirect_uri=None), redirect_uri=None)
        self.assertGood(self.get_code(redirect_uri=None))

    def test_n120_redirect_uri_differs(self):
        other = 'https://wiki.example.com/other'
        self.application.uri_ids = [(0, 0, {'uri': other})]
        code = self.get_code(redirect_uri=CALLBACK)
        for uri in (
            other,
            CALLBACK + '/',
            CALLBACK + '?',
            CALLBACK + '?a=b',
            CALLBACK + '#',
            CALLBACK.upper(),
            CALLBACK[:-1],
            CALLBACK.replace('https', 'http'),
            CALLBACK.replace('.com', '.com:443'),
            CALLBACK.replace('callback', '%63allback'),
            ' ' + CALLBACK,
            CALLBACK + '\n',
        ):
            with self.subTest(uri=uri):
                self.assertNoTokens(self.redeem(code, redirect_uri=uri))
        self.assertGood(code, redirect_uri=CALLBACK)

    def test_n120_redirect_uri_sent_for_the_default(self):
        code = self.get_code(redirect_uri=None)
        self.assertNoTokens(self.redeem(code, redirect_uri='https://wiki.example.com/other'))
        self.assertGood(code, redirect_uri=CALLBACK)

    def test_s06_pkce_required_meanwhile(self):
        """RFC 9700 §2.1.1: the requirement at the time of redemption applies."""
        self.application.require_pkce = False
        code = self.get_code(code_challenge=None, code_challenge_method=None)
        self.application.require_pkce = True
        self.assertNoTokens(self.redeem(code, code_verifier=None))
        self.assertNoTokens(self.redeem(code), 'invalid_grant')
        self.application.require_pkce = False
        self.assertGood(code, code_verifier=None)

    def test_s06_public_meanwhile(self):
        self.application.require_pkce = False
        code = self.get_code(code_challenge=None, code_challenge_method=None)
        protected = self.get_code()
        self.application.write({'client_secret': False, 'client_type': 'public'})
        for verifier in (None, VERIFIER):
            with self.subTest(verifier=verifier):
                self.assertNoTokens(self.redeem(code, code_verifier=verifier))
        self.assertGood(protected)
        # Without the verifier, nobody can end the sign-in that it opened either.
        self.application.write({'client_type': 'confidential', 'client_secret': OTHER_SECRET})
        tokens = self.assertGood(code, auth=('wiki-client', OTHER_SECRET), code_verifier=None)
        self.application.write({'client_secret': False, 'client_type': 'public'})
        self.assertNoTokens(self.redeem(code, code_verifier=None))
        self.assertEqual(self.count_events('code_replayed'), 0)
        self.assertEqual(self.refresh(tokens['refresh_token']).status_code, 200)

    def test_s06_confidential_meanwhile(self):
        code = self.get_code(self.public)
        self.public.write({'client_type': 'confidential', 'client_secret': OTHER_SECRET})
        parameters = {'code': code, 'redirect_uri': 'http://127.0.0.1/callback', 'code_verifier': VERIFIER}
        parameters['grant_type'] = 'authorization_code'
        self.assertInvalidClient(self.post('/oauth2/token', {**parameters, 'client_id': 'tool-client'}))
        self.assertEqual(self.post('/oauth2/token', parameters, ('tool-client', OTHER_SECRET)).status_code, 200)

    def test_s06_redirect_uri_removed_meanwhile(self):
        code = self.get_code()
        self.application.uri_ids = [(5,), (0, 0, {'uri': 'https://wiki.example.com/other'})]
        self.assertNoTokens(self.redeem(code, redirect_uri=CALLBACK))
        self.application.uri_ids = [(0, 0, {'uri': CALLBACK})]
        self.assertGood(code, redirect_uri=CALLBACK)
        # The port of an application that is no longer native.
        self.application.write({'native_application': True, 'uri_ids': [(0, 0, {'uri': 'http://localhost/callback'})]})
        uri = 'http://localhost:53219/callback'
        code = self.get_code(redirect_uri=uri)
        self.application.native_application = False
        self.assertNoTokens(self.redeem(code, redirect_uri=uri))

    def test_s06_scope_removed_meanwhile(self):
        code, both = self.get_code(scope='rpc'), self.get_code(scope='read rpc')
        self.application.scope_ids = self.env.ref('orestapi.scope_read')
        self.assertNoTokens(self.redeem(code), 'invalid_scope')
        tokens = self.assertGood(both)
        self.assertEqual(tokens['scope'], 'read')
        self.assertEqual(self.introspect(tokens['access_token'])['scope'], 'read')
        # If it is given back, the next refresh has it again, because the user has allowed it.
        self.application.scope_ids += self.env.ref('orestapi.scope_rpc')
        self.assertEqual(self.introspect(tokens['access_token'])['scope'], 'read')
        self.assertEqual(self.refresh(tokens['refresh_token']).json()['scope'], 'read rpc')
        self.assertGood(code)

    def test_s06_lifetime_shortened_meanwhile(self):
        self.stop_clock()
        code = self.get_code()
        self.application.authorization_code_expiry = 60
        with self.later(seconds=60):
            self.assertNoTokens(self.redeem(code))
            self.assertEqual(self.get_record(code).state, 'expired')
        # A longer expiry does not apply to codes issued before.
        self.application.authorization_code_expiry = 30
        code = self.get_code()
        self.application.authorization_code_expiry = 600
        with self.later(seconds=29):
            self.assertEqual(self.get_record(code).state, 'valid')
        with self.later(seconds=30):
            self.assertNoTokens(self.redeem(code))

    def test_s06_group_lost_meanwhile(self):
        code = self.get_code()
        self.application.group_ids = self.env.ref('base.group_system')
        self.assertNoTokens(self.redeem(code))
        self.application.group_ids = self.env.ref('base.group_user')
        self.assertGood(code)

    def test_n121_loopback_port_differs(self):
        code = self.get_code(self.public, redirect_uri='http://127.0.0.1:53219/callback')
        for uri in (
            'http://127.0.0.1:53220/callback',
            'http://127.0.0.1/callback',
            'http://127.0.0.1:053219/callback',
            'http://localhost:53219/callback',
            'http://[::1]:53219/callback',
            None,
        ):
            with self.subTest(uri=uri):
                self.assertNoTokens(self.redeem(code, self.public, redirect_uri=uri))
        self.assertGood(code, self.public, redirect_uri='http://127.0.0.1:53219/callback')

    def test_n122_verifier_missing(self):
        for application in (self.application, self.public):
            with self.subTest(application=application):
                code = self.get_code(application)
                for verifier in (None, ''):
                    with self.subTest(application=application.name, verifier=verifier):
                        self.assertNoTokens(self.redeem(code, application, code_verifier=verifier))
                self.assertGood(code, application)
        # Also if PKCE is not required but was used.
        self.application.require_pkce = False
        self.assertNoTokens(self.redeem(self.get_code(), code_verifier=None))

    def test_n123_verifier_wrong(self):
        for application in (self.application, self.public):
            with self.subTest(application=application):
                code = self.get_code(application)
                for verifier in (OTHER_VERIFIER, VERIFIER.swapcase(), VERIFIER[:-1] + 'j'):
                    with self.subTest(application=application.name, verifier=verifier):
                        self.assertNoTokens(self.redeem(code, application, code_verifier=verifier))
                self.assertEqual(self.get_record(code).verifier_failures, 3)
                self.assertGood(code, application)

    def test_n124_verifier_malformed(self):
        for verifier in (
            'x' * 42,
            'x' * 129,
            'x' * 10_000,
            '+' * 43,
            'x' * 42 + '/',
            'x' * 42 + '=',
            'x' * 43 + '\n',
            ' ' * 43,
            'é' * 43,
        ):
            # Even when the challenge is the digest of just this.
            challenge = pkce.compute_challenge(verifier if verifier.isascii() else VERIFIER)
            code = self.get_code(code_challenge=challenge)
            with self.subTest(verifier=verifier[:50]):
                self.assertNoTokens(self.redeem(code, code_verifier=verifier))
        for verifier in ('x' * 43, 'x' * 128, '-._~' * 20):
            with self.subTest(verifier=verifier):
                code = self.get_code(code_challenge=pkce.compute_challenge(verifier))
                self.assertGood(code, code_verifier=verifier)

    def test_n125_verifier_is_the_challenge(self):
        code = self.get_code()
        self.assertNoTokens(self.redeem(code, code_verifier=pkce.compute_challenge(VERIFIER)))
        self.assertGood(code)

    def test_n126_downgrade(self):
        """A verifier for a request without a challenge: an attacker removed the challenge."""
        self.application.require_pkce = False
        code = self.get_code(code_challenge=None, code_challenge_method=None)
        self.assertFalse(self.get_record(code).sudo().code_challenge)
        for verifier in (VERIFIER, OTHER_VERIFIER, 'x'):
            with self.subTest(verifier=verifier):
                self.assertNoTokens(self.redeem(code, code_verifier=verifier), 'invalid_request')
        self.assertGood(code, code_verifier=None)

    def test_n127_injected(self):
        """The thief injects the victim's code into their own sign-in at the same application."""
        attacker = self.administrator
        victims = self.get_code()
        attackers = self.get_code(user=attacker, code_challenge=pkce.compute_challenge(OTHER_VERIFIER))
        # The application sends the verifier of the session that the code came back to.
        self.assertNoTokens(self.redeem(victims, code_verifier=OTHER_VERIFIER))
        self.assertNoTokens(self.redeem(attackers, code_verifier=VERIFIER))
        self.assertGood(victims)
        self.assertGood(attackers, code_verifier=OTHER_VERIFIER)

    def test_n128_verifier_wrong_too_often(self):
        """Wrong verifiers leave the code to its owner, up to a limit."""
        code = self.get_code()
        for _attempt in range(VERIFIER_LIMIT - 1):
            self.assertNoTokens(self.redeem(code, code_verifier=OTHER_VERIFIER))
        self.assertGood(code)
        code = self.get_code()
        for _attempt in range(VERIFIER_LIMIT):
            self.assertNoTokens(self.redeem(code, code_verifier=OTHER_VERIFIER))
        for _attempt in range(3):
            self.assertNoTokens(self.redeem(code))
        self.assertEqual(self.get_record(code).verifier_failures, VERIFIER_LIMIT)
        self.assertFalse(self.get_record(code).used_at)

    def test_n129_scope_at_the_token_endpoint(self):
        """The code stands for the scope that the user allowed; the parameter is ignored."""
        for scope in ('rpc', 'read rpc', 'unknown', '"', 'read'):
            with self.subTest(scope=scope):
                tokens = self.assertGood(self.get_code(), scope=scope)
                self.assertEqual(tokens['scope'], 'read')
                self.assertEqual(self.introspect(tokens['access_token'])['scope'], 'read')
                self.assertEqual(self.call_json2(tokens['access_token']).status_code, 403)

    def test_n130_another_kind_of_token(self):
        tokens = self.sign_in()
        for other in (tokens['access_token'], tokens['refresh_token']):
            with self.subTest(other=other):
                self.assertNoTokens(self.redeem(other))
                self.assertNoTokens(self.redeem(other.replace('_at_', '_ac_').replace('_rt_', '_ac_')))
        self.assertActive(*[tokens[name] for name in ('access_token', 'refresh_token')])

    def test_n131_user_archived(self):
        code = self.get_code()
        self.user.active = False
        self.assertNoTokens(self.redeem(code))
        # Unarchiving the account does not restore its codes.
        self.user.active = True
        self.assertNoTokens(self.redeem(code))

    def test_n131_user_deleted(self):
        code = self.get_code()
        self.user.unlink()
        self.assertNoTokens(self.redeem(code))

    def test_n131_user_not_allowed(self):
        """The user leaves the groups of the application between consent and redemption."""
        code = self.get_code()
        self.application.group_ids = self.env.ref('base.group_system')
        self.assertNoTokens(self.redeem(code))
        self.application.group_ids = self.env.ref('base.group_user')
        self.assertGood(code)

    def test_n132_password_changed(self):
        code = self.get_code()
        self.user.password = PASSWORD + ', changed'
        self.assertNoTokens(self.redeem(code))

    def test_n132_logged_out_from_all_devices(self):
        code = self.get_code()
        self.user.with_user(self.user)._action_revoke_all_devices()
        self.assertNoTokens(self.redeem(code))

    def test_n133_authorization_revoked(self):
        code = self.get_code()
        authorization = self.env['orestapi.authorization'].with_user(self.user).search([])
        authorization.action_revoke()
        self.assertNoTokens(self.redeem(code))
        # Allowing it again creates a new authorization.
        self.assertGood(self.get_code())
        self.assertNoTokens(self.redeem(code))

    def test_n134_application_archived(self):
        code = self.get_code()
        public_code = self.get_code(self.public)
        (self.application + self.public).active = False
        self.assertInvalidClient(self.redeem(code))
        self.assertInvalidClient(self.redeem(public_code, self.public))
        (self.application + self.public).active = True
        self.assertGood(code)

    def test_n135_another_database(self):
        """A code of another database names a row that may exist here too, but has another secret."""
        code = self.get_code()
        row_id = parse(code).row_id
        self.assertNoTokens(self.redeem(render(AUTHORIZATION_CODE, row_id, generate_secret())))
        self.assertNoTokens(self.redeem(render(AUTHORIZATION_CODE, row_id + 1000, parse(code).secret)))
        self.assertGood(code)

    def test_n136_time_zones(self):
        """Neither the time zone of user or database nor a change to summer time moves a limit."""
        self.user.tz = 'Europe/Budapest'
        self.env.cr.execute("SET LOCAL TIME ZONE 'America/New_York'")
        self.application.write({'authorization_code_expiry': 60, 'refresh_token_expiry': 7200})
        # Two seconds before the change to summer time and back, in Budapest and in New York.
        for moment in ('2027-03-28 00:59:58', '2027-10-31 00:59:58', '2027-03-14 06:59:58', '2027-11-07 05:59:58'):
            with self.subTest(moment=moment), freeze_time(moment):
                now = datetime.fromisoformat(moment + '+00:00')
                code, late = self.get_code(), self.get_code()
                with self.later(seconds=60):
                    self.assertNoTokens(self.redeem(late))
                with self.later(seconds=59):
                    tokens = self.assertGood(code)
                    self.assertEqual(tokens['expires_in'], 3600)
                    self.assertEqual(self.introspect(tokens['access_token'])['exp'], now.timestamp() + 59 + 3600)
                with self.later(seconds=59 + 3599):
                    self.assertActive(tokens['access_token'])
                with self.later(seconds=59 + 3600):
                    self.assertInactive(tokens['access_token'])
                with self.later(seconds=59 + 7199):
                    self.assertActive(tokens['refresh_token'])
                with self.later(seconds=59 + 7200):
                    self.assertInactive(tokens['refresh_token'])
                    self.assertNoTokens(self.refresh(tokens['refresh_token']))

    def test_n136_clock_set_back(self):
        code = self.get_code()
        with self.later(hours=-2):
            tokens = self.assertGood(code)
            self.assertEqual(tokens['expires_in'], 3600)
            self.assertActive(tokens['access_token'], tokens['refresh_token'])
        self.assertInactive(tokens['access_token'])

    def test_n136_time_zone_of_the_server(self):
        """The server's own time zone: it must be set when Odoo starts, so this runs in a separate process."""
        program = (
            "import odoo, time; from datetime import datetime, timezone; from odoo import fields; "
            "print(abs(fields.Datetime.now() - datetime.now(timezone.utc).replace(tzinfo=None)).total_seconds())"
        )
        path = str(Path(release.__file__).parent.parent)
        for zone in ('Pacific/Kiritimati', 'America/St_Johns'):
            with self.subTest(zone=zone):
                output = subprocess.check_output(  # noqa: S603 - this very Python
                    [sys.executable, '-c', program], env={**os.environ, 'TZ': zone, 'PYTHONPATH': path}, text=True
                )
                self.assertLess(float(output), 2)
        stored = self.get_record(self.get_code()).expires_at
        self.assertAlmostEqual((stored - fields.Datetime.now()).total_seconds(), 600, delta=10)
