import base64
import time

from odoo import Command
from odoo.addons.auth_totp.models.totp import hotp
from odoo.http import STORED_SESSION_BYTES, root
from odoo.tests import new_test_user, tagged

from .common import PASSWORD, OAuth2Case

NEW_PASSWORD = 'another password of the user'

PASSKEY = {'name': "Key ring", 'credential_identifier': 'identifier', 'public_key': 'key'}

#: The secret of a second factor, as authenticator apps write it.
TOTP_SECRET = base64.b32encode(bytes(range(20))).decode()


@tagged('post_install', '-at_install')
class TestUsers(OAuth2Case):
    """Codes and sign-ins when the user account changes."""

    def setUp(self):
        super().setUp()
        self.tokens = self.sign_in(scope='rpc')
        self.second = self.sign_in(self.other, scope='rpc')
        self.code = self.get_code(scope='rpc')
        self.bystander = self.sign_in(user=self.administrator, scope='rpc')
        self.bystander_code = self.get_code(user=self.administrator)

    def assertUserSignedOut(self, reason):
        """Assert that no code and no sign-in of the user works any more, and that the reason is stored."""
        for tokens, application in ((self.tokens, self.application), (self.second, self.other)):
            with self.subTest(tokens=tokens):
                self.assertInactive(tokens['access_token'], tokens['refresh_token'], application=application)
                self.assertEqual(self.call_json2(tokens['access_token']).status_code, 401)
                self.assertOAuth2Error(self.refresh(tokens['refresh_token'], application), 400, 'invalid_grant')
        self.assertOAuth2Error(self.redeem(self.code), 400, 'invalid_grant')
        if reason:
            sign_ins = self.env['orestapi.token'].search([('user_id', '=', self.user.id)])
            self.assertEqual(set(sign_ins.mapped('revoked_reason')), {reason})
            self.assertTrue(all(sign_ins.mapped('revoked_at')))
            events = self.env['orestapi.event'].search([('kind', '=', 'sign_ins_ended')])
            self.assertEqual(events.mapped('detail'), [reason] * 2)
            self.assertEqual(set(events.application_id), set(self.application + self.other))
            self.assertEqual(events.user_id, self.user)

    def assertOthersUntouched(self):
        self.assertActive(self.bystander['access_token'], self.bystander['refresh_token'])
        self.assertEqual(self.redeem(self.bystander_code).status_code, 200)

    def assertAllUntouched(self):
        self.assertActive(self.tokens['access_token'], self.tokens['refresh_token'])
        self.assertEqual(self.call_json2(self.second['access_token']).status_code, 200)
        self.assertEqual(self.redeem(self.code).status_code, 200)
        self.assertOthersUntouched()

    def call_kw(self, method, *args, identity=True):
        """Call a method of the user, as the web client does."""
        self.authenticate(self.user.login, PASSWORD, session_extra={'identity-check-last': time.time() * identity})
        response = self.url_open(
            f'/web/dataset/call_kw/res.users/{method}',
            json={'params': {'model': 'res.users', 'method': method, 'args': [self.user.ids, *args], 'kwargs': {}}},
        )
        self.logout()
        self.assertNotIn('error', response.json())
        return response.json()['result']

    # The preferences

    def test_device(self):
        sign_in = self.env['orestapi.token'].search([('user_id', '=', self.user.id)], limit=1)
        for user_agent, device in (
            ('Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0', "Firefox on Linux"),
            (
                'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15',
                "Safari on macOS",
            ),
            ('curl/8.5.0', "Unknown browser"),
            (False, "Unknown browser"),
        ):
            with self.subTest(user_agent):
                sign_in.user_agent = user_agent
                self.assertEqual(sign_in.device, device)

    # The account

    def test_n151_archived(self):
        self.user.action_archive()
        self.assertUserSignedOut('user_archived')
        self.assertOthersUntouched()

    def test_n151_archived_and_activated_again(self):
        """Unarchiving the account does not restore its sign-ins."""
        self.user.active = False
        self.user.active = True
        self.assertUserSignedOut('user_archived')
        self.assertEqual(len(self.env['orestapi.event'].search([('kind', '=', 'sign_ins_ended')])), 2)
        self.assertOthersUntouched()
        # The consent is kept: the user is not asked again.
        self.authenticate('mitchell', PASSWORD)
        self.assertIn('code', self.get_response(self.authorize(self.get_request(scope='rpc'))))

    def test_portal_account_deleted_by_its_owner(self):
        """Odoo archives the account at once, and deletes it later."""
        self.application.group_ids += self.env.ref('base.group_portal')
        tokens = self.sign_in(user=self.portal_user)
        self.portal_user.with_user(self.portal_user).sudo()._deactivate_portal_user()
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        self.assertAllUntouched()

    def test_n151_deleted(self):
        user_id = self.user.id
        self.user.unlink()
        self.assertUserSignedOut(None)
        self.assertFalse(self.env['orestapi.authorization'].search([('user_id', '=', user_id)]))
        self.assertEqual(self.env['orestapi.token'].search([]).user_id, self.administrator)
        self.assertOthersUntouched()

    def test_deleted_during_consent(self):
        self.authenticate('mitchell', PASSWORD)
        page = self.authorize(self.get_request(scope='read rpc'))
        self.user.unlink()
        response = self.decide(page)
        self.assertIn('/web/login', response.headers['Location'])
        unused = self.env['orestapi.authorization.code'].search([('used_at', '=', False)])
        self.assertEqual(unused.user_id, self.administrator)

    def test_service_user_is_not_deleted(self):
        """Otherwise the application would stop working for everybody."""
        robot = new_test_user(self.env, 'robot', 'base.group_user', password=PASSWORD)
        self.application.service_user_id = robot
        response = self.post('/oauth2/token', {'grant_type': 'client_credentials', 'scope': 'rpc'}, self.get_auth())
        access_token = response.json()['access_token']
        self.assertEqual(self.call_json2(access_token).json()['uid'], robot.id)
        authorization = self.env['orestapi.authorization'].search([('user_id', '=', robot.id)])
        self.assertEqual(authorization.scope_description, "Act on its own as this user, when nobody signs in")
        robot.action_archive()
        self.assertEqual(self.call_json2(access_token).status_code, 401)
        response = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth())
        self.assertOAuth2Error(response, 400, 'invalid_grant')

    # The password

    def test_n153_password_changed_by_the_user(self):
        self.assertTrue(self.call_xmlrpc(self.user, 'res.users', 'change_password', PASSWORD, NEW_PASSWORD))
        self.assertUserSignedOut('password_changed')
        self.assertOthersUntouched()

    def test_n153_password_changed_by_the_administrator(self):
        self.env['change.password.wizard'].create({
            'user_ids': [
                Command.create({
                    'user_id': self.user.id,
                    'user_login': 'mitchell',
                    'new_passwd': NEW_PASSWORD,
                })
            ]
        }).change_password_button()
        self.assertUserSignedOut('password_changed')
        self.assertOthersUntouched()

    def test_n153_password_written(self):
        """Also by an import, a reset by e-mail or a script, even with the same password."""
        device = self.sign_in(scope='rpc')
        self.administrator.group_ids += self.env.ref('base.group_erp_manager')
        self.user.with_user(self.administrator).write({'password': PASSWORD})
        self.assertUserSignedOut('password_changed')
        self.assertInactive(device['access_token'], device['refresh_token'])
        self.assertOthersUntouched()

    def test_n153_password_not_changed(self):
        """A wrong old password ends nothing, and neither does a login, at which Odoo may renew the hash."""
        weak = self.env['res.users']._crypt_context().copy(pbkdf2_sha512__rounds=10).hash(PASSWORD)
        self.env.cr.execute("UPDATE res_users SET password = %s WHERE id = %s", [weak, self.user.id])
        self.assertTrue(self.env['res.users']._crypt_context().needs_update(weak))
        self.assertEqual(self.call_xmlrpc(self.user, 'res.users', 'context_get')['uid'], self.user.id)
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [self.user.id])
        self.assertNotEqual(self.env.cr.fetchone(), (weak,))
        credential = {'login': 'mitchell', 'password': PASSWORD, 'type': 'password'}
        self.env['res.users'].authenticate(credential, {'interactive': True})
        self.assertFault(
            3, self.call_xmlrpc, self.user, 'res.users', 'change_password', 'not the password', NEW_PASSWORD
        )
        self.assertAllUntouched()

    def test_n132_session_of_the_old_password(self):
        """Core considers the session valid until the other process reports the change: no code is issued meanwhile."""
        self.authenticate('mitchell', PASSWORD)
        query = self.get_request(scope='rpc')
        self.assertIn('code', self.get_response(self.authorize(query)))
        page = self.authorize(self.get_request(scope='rpc read'))
        hashed = self.env['res.users']._crypt_context().hash(NEW_PASSWORD)
        # In SQL, so that the caches of this process stay.
        self.env.cr.execute("UPDATE res_users SET password = %s WHERE id = %s", [hashed, self.user.id])
        self.assertEqual(self.url_open('/odoo', allow_redirects=False).status_code, 200, "Core has noticed.")
        codes = self.env['orestapi.authorization.code'].search_count([])
        for case, response in enumerate((self.authorize(query), self.decide(page))):
            with self.subTest(case=case):
                self.assertEqual(response.status_code, 303)
                self.assertTrue(response.headers['Location'].startswith('/web/login?'), response.headers['Location'])
        self.assertEqual(self.env['orestapi.authorization.code'].search_count([]), codes)

    def test_n132_session_that_was_ended(self):
        """They end before the commit, even for a request that has already read its session."""
        session = self.authenticate('mitchell', PASSWORD)
        self.assertTrue(self.user._is_session_valid(session))
        self.assertFalse(self.administrator._is_session_valid(session))
        root.session_store.delete_from_identifiers([session.sid[:STORED_SESSION_BYTES]])
        self.assertFalse(self.user._is_session_valid(session))

    # The sessions

    def test_n153_logged_out_from_all_devices(self):
        self.call_kw('action_revoke_all_devices')
        self.assertUserSignedOut('logged_out')
        self.assertOthersUntouched()

    def test_n153_logging_out_needs_the_password(self):
        """Somebody at an unattended browser cannot end the sign-ins."""
        action = self.call_kw('action_revoke_all_devices', identity=False)
        self.assertEqual(action['res_model'], 'res.users.identitycheck')
        self.assertAllUntouched()

    def test_n153_logged_out_here(self):
        """Logging out of the browser does not end sign-ins: the mobile app stays signed in."""
        self.authenticate('mitchell', PASSWORD)
        self.url_open('/web/session/logout', allow_redirects=False)
        self.assertAllUntouched()

    # The groups

    def test_n152_group_lost(self):
        group = self.env['res.groups'].create({'name': "Wiki users"})
        (self.user + self.administrator).write({'group_ids': [Command.link(group.id)]})
        self.application.group_ids = group
        self.assertAllUntouched()
        self.code = self.get_code(scope='rpc')
        self.user.group_ids -= group
        for token in (self.tokens['access_token'], self.tokens['refresh_token']):
            with self.subTest(token=token):
                self.assertInactive(token)
        self.assertEqual(self.call_json2(self.tokens['access_token']).status_code, 401)
        self.assertOAuth2Error(self.redeem(self.code), 400, 'invalid_grant')
        # The user may still use another application.
        self.assertActive(self.second['access_token'], self.second['refresh_token'], application=self.other)
        self.assertActive(self.bystander['access_token'])
        # Nothing was ended explicitly: the missing group decides.
        self.user.group_ids += group
        self.assertActive(self.tokens['access_token'], self.tokens['refresh_token'])
        self.user.group_ids -= group
        self.assertOAuth2Error(self.refresh(self.tokens['refresh_token']), 400, 'invalid_grant')
        self.user.group_ids += group
        self.assertInactive(self.tokens['access_token'], self.tokens['refresh_token'])
        self.assertEqual(self.call_json2(self.tokens['access_token']).status_code, 401)
        self.assertOAuth2Error(self.refresh(self.tokens['refresh_token']), 400, 'invalid_grant')
        sign_in = self.env['orestapi.token'].search([('revoked_reason', '=', 'user_not_allowed')])
        self.assertEqual(sign_in.user_id, self.user)

    def test_n152_group_by_way_of_another(self):
        """A member of a group that implies an admitted one may use the application."""
        manager = self.env['res.groups'].create({'name': "Wiki managers"})
        group = self.env['res.groups'].create({'name': "Wiki users", 'implied_by_ids': manager.ids})
        self.application.group_ids = group
        self.assertInactive(self.tokens['access_token'])
        self.user.group_ids += manager
        self.assertActive(self.tokens['access_token'])
        manager.implied_ids -= group
        self.assertInactive(self.tokens['access_token'])

    def test_n152_group_deleted(self):
        group = self.env['res.groups'].create({'name': "Wiki users"})
        self.user.group_ids += group
        self.application.group_ids = group
        self.assertActive(self.tokens['access_token'])
        group.unlink()
        self.assertInactive(self.tokens['access_token'])

    def test_n152_removed_on_the_form_of_the_group(self):
        group = self.env['res.groups'].create({'name': "Wiki users"})
        self.user.group_ids += group
        self.application.group_ids = group
        self.assertActive(self.tokens['access_token'])
        group.user_ids -= self.user
        self.assertInactive(self.tokens['access_token'])
        self.assertEqual(self.call_json2(self.tokens['access_token']).status_code, 401)

    def test_made_a_portal_user(self):
        """A former employee who keeps an account for their payslips."""
        self.user.group_ids = self.env.ref('base.group_portal')
        self.assertInactive(self.tokens['access_token'], self.tokens['refresh_token'])
        self.assertUserSignedOut(None)

    # The rest

    def test_other_changes(self):
        """A new name, e-mail address or time zone ends nothing, and neither does an unchanged login."""
        self.user.write({
            'name': "Mitchell Admin",
            'login': 'mitchell',
            'email': 'mitchell@example.com',
            'tz': 'Europe/Budapest',
        })
        self.assertAllUntouched()

    # The login, with the fields of core's session token

    def test_s09_login_changed(self):
        self.user.write({'login': 'mitchell.admin'})
        self.assertUserSignedOut('login_changed')
        self.assertOthersUntouched()

    def test_s09_two_users_at_once(self):
        """A write to several users signs out only those whose login it changes."""
        (self.user + self.administrator).write({'active': True, 'totp_secret': False})
        self.assertAllUntouched()

    def test_s09_second_factor(self):
        """Turned on with a valid code, as the dialog does."""
        code = hotp(base64.b32decode(TOTP_SECRET), int(time.time() / 30))
        self.assertTrue(self.user.with_user(self.user)._totp_try_setting(TOTP_SECRET, code))
        self.assertUserSignedOut('login_changed')
        self.assertOthersUntouched()

    def test_s09_second_factor_switched_off(self):
        """Turned off by an administrator of users."""
        self.user.sudo().totp_secret = TOTP_SECRET
        # The sign-ins of somebody who had it switched on before they signed in.
        self.env.cr.execute(
            "UPDATE orestapi_token SET revoked_at = NULL, revocation_count = NULL WHERE revoked_reason IS NOT NULL"
        )
        self.env['orestapi.token'].invalidate_model()
        self.assertActive(self.tokens['access_token'])
        self.user.sudo().write({'totp_secret': False})
        self.assertInactive(self.tokens['access_token'], self.tokens['refresh_token'])

    def test_s09_passkey_added(self):
        self.user.with_user(self.user).sudo().write({'auth_passkey_key_ids': [Command.create(PASSKEY)]})
        self.assertUserSignedOut('login_changed')
        self.assertOthersUntouched()

    def test_s09_passkey_created_on_its_own(self):
        self.env['auth.passkey.key'].with_user(self.user).sudo().create(PASSKEY)
        self.assertUserSignedOut('login_changed')
        self.assertOthersUntouched()

    def test_s09_passkey_removed(self):
        """Adding or deleting one ends the sign-ins; using or renaming one does not."""
        for case, remove in enumerate((
            lambda passkey: passkey.unlink(),
            lambda passkey: self.user.sudo().write({'auth_passkey_key_ids': [Command.delete(passkey.id)]}),
        )):
            with self.subTest(case=case):
                passkey = self.env['auth.passkey.key'].with_user(self.user).sudo().create(PASSKEY)
                tokens = self.sign_in(scope='rpc')
                passkey.write({'name': "Another name", 'sign_count': 5})
                self.assertActive(tokens['access_token'], tokens['refresh_token'])
                remove(passkey)
                self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        self.assertOthersUntouched()

    def test_s09_each_field_of_the_session_token(self):
        """All fields of the session token of core and installed addons are covered."""
        fields = self.env['res.users']._get_session_token_fields()
        self.assertEqual(fields, {'id', 'active', 'login', 'password', 'totp_secret', 'auth_passkey_key_ids'})

    def test_new_user(self):
        """Setting the first password of a user logs no ended sign-ins."""
        new_test_user(self.env, 'grace', 'base.group_user', password=PASSWORD)
        self.assertFalse(self.env['orestapi.event'].search([('kind', '=', 'sign_ins_ended')]))
        self.assertAllUntouched()

    def test_not_by_others(self):
        """Users cannot end the sign-ins of a colleague with the methods for their own."""
        for method, args in (
            ('action_archive', []),
            ('write', [{'password': NEW_PASSWORD}]),
            ('write', [{'active': False}]),
        ):
            with self.subTest(method=method, args=args):
                self.assertFault(4, self.call_xmlrpc, self.administrator, 'res.users', method, self.user.ids, *args)
        self.assertAllUntouched()
