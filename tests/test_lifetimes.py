from itertools import product

from odoo import fields
from odoo.tests import tagged

from .common import CLIENT_SECRET, OAuth2Case

#: Seconds of the three limits that the tests combine: access token, refresh token, sign-in.
SETTINGS = list(product((60, 3600), (0, 300, 7200), (0, 400, 9000)))


@tagged('post_install', '-at_install')
class TestLifetimes(OAuth2Case):
    """An access token ends at the earliest of its limits, and everything shown agrees with that."""

    def setUp(self):
        super().setUp()
        self.stop_clock()

    def get_state(self, sign_in):
        self.env.invalidate_all()
        return sign_in.state

    def get_uid(self, access_token):
        response = self.call_json2(access_token)
        return response.json()['uid'] if response.status_code == 200 else None

    def assertServedEverywhere(self, access_token):
        """Assert that an access token with both scopes works on each protocol."""
        self.assertActive(access_token)
        self.assertEqual(self.get_uid(access_token), self.user.id)
        self.assertEqual(self.read_records(access_token), 200)
        context = self.call_xmlrpc(self.user, 'res.users', 'context_get', password=access_token)
        self.assertEqual(context['uid'], self.user.id)

    def assertRefusedEverywhere(self, access_token):
        self.assertInactive(access_token)
        self.assertIsNone(self.get_uid(access_token))
        self.assertEqual(self.read_records(access_token), 401)
        self.assertFault(3, self.call_xmlrpc, self.user, 'res.users', 'context_get', password=access_token)

    def read_records(self, access_token):
        headers = {'Authorization': f'Bearer {access_token}'}
        return self.url_open('/orestapi/1/models', headers=headers).status_code

    def get_exp(self, string):
        expires_at = self.introspect(string).get('exp')
        return expires_at and expires_at - int(fields.Datetime.now().timestamp())

    # The earliest limit

    def test_a16_nearest_limit(self):
        for access, refresh, sign_in in SETTINGS:
            with self.subTest(access=access, refresh=refresh, sign_in=sign_in):
                self.application.write({
                    'access_token_expiry': access,
                    'refresh_token_expiry': refresh,
                    'sign_in_expiry': sign_in,
                })
                nearest = min(filter(None, (access, refresh, sign_in)))
                tokens = self.sign_in(scope='read rpc')
                self.assertEqual(tokens['expires_in'], nearest)
                self.assertEqual(self.get_exp(tokens['access_token']), nearest)
                with self.later(seconds=nearest - 1):
                    self.assertActive(tokens['access_token'])
                with self.later(seconds=nearest):
                    self.assertInactive(tokens['access_token'])

    def test_a16_every_protocol(self):
        self.application.sign_in_expiry = 600
        tokens = self.sign_in(scope='read rpc')
        with self.later(seconds=599):
            self.assertServedEverywhere(tokens['access_token'])
        with self.later(seconds=600):
            self.assertRefusedEverywhere(tokens['access_token'])

    def test_a16_refreshed_shortly_before_the_end(self):
        self.application.sign_in_expiry = 7200
        tokens = self.sign_in(scope='read rpc')
        with self.later(seconds=7000):
            tokens = self.refresh(tokens['refresh_token']).json()
            self.assertEqual(tokens['expires_in'], 200)
            self.assertEqual(self.get_exp(tokens['access_token']), 200)
            self.assertServedEverywhere(tokens['access_token'])
        with self.later(seconds=7200):
            self.assertRefusedEverywhere(tokens['access_token'])

    def test_a16_repeated_answer(self):
        """Within the grace period too, `expires_in` is what is left by all limits."""
        self.application.write({'sign_in_expiry': 7200, 'refresh_token_grace': 60})
        tokens = self.sign_in()
        with self.later(seconds=7000):
            first = self.refresh(tokens['refresh_token']).json()
        with self.later(seconds=7030):
            again = self.refresh(tokens['refresh_token']).json()
            self.assertEqual((again['access_token'], again['expires_in']), (first['access_token'], 170))
            self.application.access_token_expiry = 100
            self.assertEqual(self.refresh(tokens['refresh_token']).json()['expires_in'], 70)

    def test_a16_limit_shortened(self):
        """For tokens that were already issued, bearer calls, introspection and `exp` follow a change at once."""
        for changes, nearest in (
            ({'access_token_expiry': 100}, 100),
            ({'refresh_token_expiry': 200}, 200),
            ({'sign_in_expiry': 300}, 300),
        ):
            with self.subTest(changes=changes):
                tokens = self.sign_in(scope='read rpc')
                self.assertEqual(self.get_exp(tokens['access_token']), 3600)
                self.application.write(changes)
                self.assertEqual(self.get_exp(tokens['access_token']), nearest)
                sign_in = self.get_sign_in(tokens)
                self.env.invalidate_all()
                self.assertEqual((sign_in.access_ends_at - sign_in.create_date).total_seconds(), nearest)
                with self.later(seconds=nearest - 1):
                    self.assertServedEverywhere(tokens['access_token'])
                with self.later(seconds=nearest):
                    self.assertRefusedEverywhere(tokens['access_token'])
                self.application.write({'access_token_expiry': 3600, 'refresh_token_expiry': 0, 'sign_in_expiry': 0})

    def test_a16_limit_lengthened(self):
        """No access token works longer than its application was told."""
        self.application.write({'access_token_expiry': 100, 'sign_in_expiry': 50})
        tokens = self.sign_in()
        self.assertEqual(tokens['expires_in'], 50)
        self.application.write({'access_token_expiry': 3600, 'sign_in_expiry': 0})
        self.assertEqual(self.get_exp(tokens['access_token']), 50)
        with self.later(seconds=50):
            self.assertInactive(tokens['access_token'])
            self.assertEqual(self.refresh(tokens['refresh_token']).json()['expires_in'], 3600)

    def test_a16_previous_access_token(self):
        """A refresh gives the previous access token no more time."""
        self.application.write({'access_token_expiry': 3600, 'refresh_token_expiry': 600})
        tokens = self.sign_in(scope='read rpc')
        self.assertEqual(tokens['expires_in'], 600)
        with self.later(seconds=500):
            newer = self.refresh(tokens['refresh_token']).json()
            self.assertEqual(self.get_exp(tokens['access_token']), 100)
            self.assertServedEverywhere(tokens['access_token'])
        with self.later(seconds=600):
            self.assertRefusedEverywhere(tokens['access_token'])
            self.assertServedEverywhere(newer['access_token'])

    def test_a16_tokens_of_the_first_release(self):
        """Tokens of the first release were stored with the whole hour, whatever the limits."""
        self.application.sign_in_expiry = 600
        tokens = self.sign_in(scope='read rpc')
        self.env.cr.execute("UPDATE orestapi_token SET access_expires_at = access_expires_at + interval '1 day'")
        self.assertEqual(self.get_exp(tokens['access_token']), 600)
        with self.later(seconds=600):
            self.assertRefusedEverywhere(tokens['access_token'])

    def test_a16_service(self):
        """A service has neither a sign-in nor a refresh token: only the limit of the access token applies."""
        self.application.write({'service_user_id': self.user.id, 'sign_in_expiry': 60, 'refresh_token_expiry': 60})
        response = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth())
        self.assertEqual(response.json()['expires_in'], 3600)
        access_token = response.json()['access_token']
        sign_in = self.get_sign_in(response.json())
        self.application.access_token_expiry = 100
        self.assertEqual(self.get_exp(access_token), 100)
        with self.later(seconds=99):
            self.assertActive(access_token)
            self.assertEqual(self.get_state(sign_in), 'active')
        with self.later(seconds=100):
            self.assertInactive(access_token)
            self.assertEqual(self.get_state(sign_in), 'expired')
            self.assertEqual(self.env['orestapi.token']._gc_services(), (1, False))

    # Shown values

    def assertShown(self, *responses):
        """Assert that state, counts, searches and preferences agree with the endpoints about sign-ins."""
        acting = self.env['orestapi.token']
        resource_server = self.get_resource_server_auth()
        for tokens in responses:
            with self.subTest(tokens=tokens):
                response = self.post('/oauth2/introspect', {'token': tokens['access_token']}, resource_server)
                works = response.json()['active']
                if 'refresh_token' in tokens:
                    works = works or self.is_refreshable(tokens)
                sign_in = self.get_sign_in(tokens)
                if works:
                    acting += sign_in
                if sign_in.exists():
                    self.assertEqual(self.get_state(sign_in) == 'active', works, sign_in.state)
        self.env.invalidate_all()
        everything = self.env['orestapi.token'].search([])
        states = dict(self.env['orestapi.token']._read_group([], ['state'], ['id:recordset']))
        for state in ('active', 'suspended', 'expired', 'ended'):
            with self.subTest(state=state):
                expected = everything.filtered(lambda sign_in, state=state: sign_in.state == state)
                self.assertEqual(self.env['orestapi.token'].search([('state', '=', state)]), expected)
                self.assertEqual(states.get(state, acting.browse()).sorted('id'), expected.sorted('id'))
                self.assertEqual(self.env['orestapi.token'].search([('state', '!=', state)]), everything - expected)
        self.assertEqual(self.env['orestapi.token'].search([('state', '=', 'active')]).sorted(), acting.sorted())
        for application in self.application + self.other:
            with self.subTest(application=application):
                of_application = acting.filtered(lambda sign_in, own=application: sign_in.application_id == own)
                self.assertEqual(application.sign_in_count, len(of_application))
        for authorization in self.env['orestapi.authorization'].search([]):
            with self.subTest(authorization=authorization):
                own = acting.filtered(lambda sign_in, own=authorization: sign_in.authorization_id == own)
                self.assertEqual(authorization.sign_in_count, len(own))
                self.assertEqual(bool(authorization.devices), bool(own))
                found = self.env['orestapi.authorization'].search([('token_ids', 'any', [('state', '=', 'active')])])
                self.assertEqual(authorization in found, bool(own))
        # The service here has one token; of more, the preferences show the last (`test_s13_many_tokens_of_a_service`).
        devices = acting.filtered(lambda sign_in: sign_in.user_id == self.user)
        self.assertEqual(self.user.orestapi_token_ids.sorted(), devices.sorted())

    def get_resource_server_auth(self):
        server = self.env['orestapi.application'].search([('client_id', '=', 'backend-client')])
        if not server:
            server = server.create({
                'name': "Mobile backend",
                'client_id': 'backend-client',
                'client_secret': CLIENT_SECRET,
                'resource_server': True,
            })
        return self.get_auth(server)

    def is_refreshable(self, tokens):
        """Return whether the token endpoint would give new tokens, without using up the refresh token."""
        sign_in = self.get_sign_in(tokens)
        if not sign_in.exists():
            return False
        # Client authentication fails for an archived application.
        if not sign_in.application_id.active:
            return False
        # A scope that the application does not have is refused last, and uses up nothing.
        with self.env.cr.savepoint() as savepoint:
            response = self.refresh(tokens['refresh_token'], sign_in.application_id, scope='unknown')
            # A refusal may end the sign-in, of which this test wants to see more.
            savepoint.close(rollback=True)
        self.env.invalidate_all()
        self.assertEqual(response.status_code, 400)
        return response.json()['error'] == 'invalid_scope'

    def test_a16_state_of_a_code(self):
        """The shown and searched state of a code agrees with the token endpoint."""

        def assertState(state):
            self.env.invalidate_all()
            code = self.env['orestapi.authorization.code'].search([], limit=1)
            self.assertEqual(code.state, state)
            for other in ('valid', 'used', 'expired', 'revoked'):
                with self.subTest(other=other):
                    self.assertEqual(code in code.search([('state', '=', other)]), other == state, other)

        code = self.get_code()
        self.application.authorization_code_expiry = 60
        with self.later(seconds=59):
            assertState('valid')
        with self.later(seconds=60):
            assertState('expired')
            self.assertOAuth2Error(self.redeem(code), 400, 'invalid_grant')
        # The code was issued while all sign-ins of the user were ended.
        self.count_revocations(1)
        assertState('revoked')
        self.assertOAuth2Error(self.redeem(code), 400, 'invalid_grant')
        self.count_revocations(-1)
        assertState('valid')
        self.assertEqual(self.redeem(code).status_code, 200)
        assertState('used')

    def test_a16_shown_at_many_moments(self):
        self.application.service_user_id = self.user
        settings = [(3600, 0, 0), (3600, 7200, 0), (600, 0, 5000), (100, 7200, 9000), (3600, 60, 60)]
        refreshing, idle, other = (
            self.sign_in(scope='read rpc'), self.sign_in(), self.sign_in(self.other)
        )  # fmt: skip
        service = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth()).json()
        with self.later(seconds=3000):
            refreshing = self.refresh(refreshing['refresh_token']).json()
        for access, refresh, sign_in in settings:
            self.application.write({
                'access_token_expiry': access,
                'refresh_token_expiry': refresh,
                'sign_in_expiry': sign_in,
            })
            for seconds in (3000, 3059, 3060, 3600, 5000, 7199, 7200, 10199, 10200, 100_000):
                with self.subTest(settings=(access, refresh, sign_in), seconds=seconds), self.later(seconds=seconds):
                    self.assertShown(refreshing, idle, other, service)

    def test_a16_service_user_who_is_no_employee_any_more(self):
        self.application.service_user_id = self.user
        service = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth()).json()
        sign_in = self.get_sign_in(service)
        self.assertShown(service)
        self.assertEqual(self.get_state(sign_in), 'active')
        self.user.group_ids = self.env.ref('base.group_portal')
        self.assertShown(service)
        self.assertEqual(self.get_state(sign_in), 'ended')

    def test_a16_shown_whatever_ends_it(self):
        group = self.env['res.groups'].create({'name': "Wiki users"})
        manager = self.env['res.groups'].create({'name': "Wiki managers", 'implied_ids': group.ids})
        self.user.group_ids += manager
        self.application.write({'group_ids': group.ids, 'service_user_id': self.user.id})
        tokens, ended, other = self.sign_in(scope='rpc'), self.sign_in(), self.sign_in(self.other)
        service = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth()).json()
        everything = tokens, ended, other, service
        sign_in = self.get_sign_in(tokens)
        self.get_sign_in(ended).action_revoke()
        self.assertShown(*everything)
        self.assertEqual(self.get_state(sign_in), 'active')
        for what, state, change, undo in (
            ('application', 'suspended', self.application.action_archive, self.application.action_unarchive),
            (
                'group',
                'ended',
                lambda: self.user.write({'group_ids': [(3, manager.id)]}),
                lambda: self.user.write({'group_ids': [(4, manager.id)]}),
            ),
            (
                'implied group',
                'ended',
                lambda: manager.write({'implied_ids': [(3, group.id)]}),
                lambda: manager.write({'implied_ids': [(4, group.id)]}),
            ),
            (
                'service user',
                'active',
                lambda: self.application.write({'service_user_id': False}),
                lambda: self.application.write({'service_user_id': self.user.id}),
            ),
            (
                'groups of the application',
                'ended',
                lambda: self.application.write({'group_ids': [(6, 0, self.env.ref('base.group_system').ids)]}),
                lambda: self.application.write({'group_ids': [(6, 0, group.ids)]}),
            ),
            ('user, in SQL', 'ended', lambda: self.set_active(False), lambda: self.set_active(True)),
            (
                'revoked meanwhile',
                'ended',
                lambda: self.count_revocations(1),
                lambda: self.count_revocations(-1),
            ),
        ):
            with self.subTest(what):
                change()
                self.assertShown(*everything)
                self.assertEqual(self.get_state(sign_in), state)
                undo()
                self.assertShown(*everything)
                self.assertEqual(self.get_state(sign_in), 'active')

    def set_active(self, active):
        self.env.cr.execute("UPDATE res_users SET active = %s WHERE id = %s", [active, self.user.id])
        self.env.invalidate_all()
        self.env.registry.clear_cache()

    def count_revocations(self, number):
        self.env.cr.execute(
            "UPDATE res_users SET orestapi_revocation_count = COALESCE(orestapi_revocation_count, 0) + %s, "
            "orestapi_revoked_at = now() AT TIME ZONE 'utc' WHERE id = %s",
            [number, self.user.id],
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()

    def test_a16_dead_ones_are_cleaned_up(self):
        """Sign-ins that can never act again are deleted eventually; those that can come back stay."""
        collect = self.env['orestapi.token']._gc_not_allowed
        mine, others = self.sign_in(), self.sign_in(user=self.administrator)
        self.assertEqual(collect(), (0, False))
        self.application.action_archive()
        self.assertEqual(collect(), (0, False))
        self.application.action_unarchive()
        for case, change in enumerate((
            lambda: self.user.write({'group_ids': [(6, 0, self.env.ref('base.group_portal').ids)]}),
            lambda: self.set_active(False),
            lambda: self.count_revocations(1),
        )):
            with self.subTest(case=case):
                with self.env.cr.savepoint() as savepoint:
                    change()
                    self.env.flush_all()
                    self.assertEqual(collect(), (1, False))
                    self.env.invalidate_all()
                    self.assertFalse(self.get_sign_in(mine).exists())
                    self.assertTrue(self.get_sign_in(others).exists())
                    savepoint.close(rollback=True)
                self.env.invalidate_all()
                self.env.registry.clear_cache()
