from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged
from odoo.tests.common import ChromeBrowser

from ..oauth2 import client_secret
from .common import CLIENT_SECRET, OAuth2Case


class TwoWindowsBrowser(ChromeBrowser):
    """Lets a tour open a second window, which Chromium allows only after a click by a person."""

    def _spawn_chrome(self, cmd):
        return super()._spawn_chrome([cmd[0], '--disable-popup-blocking', *cmd[1:]])


@tagged('post_install', '-at_install')
class TestTours(OAuth2Case):
    """Browser tours in Chromium. No tour depends on the text of one language."""

    language = 'en_US'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.language != 'en_US':
            language = cls.env['res.lang'].with_context(active_test=False).search([('code', '=', cls.language)])
            cls.env['base.language.install'].create({'lang_ids': language.ids}).lang_install()
        (cls.user + cls.administrator).lang = cls.language
        # A file of this server, so that the browser contacts no other.
        cls.application.uri_ids = [Command.create({'uri': 'http://127.0.0.1/web/static/img/favicon.ico'})]

    def assertSecret(self, application, secret):
        self.assertTrue(client_secret.verify(secret, application.sudo().client_secret_hash))

    def find_authorizations(self):
        return self.env['orestapi.authorization'].search([('application_id', '=', self.application.id)])

    def find_events(self, kind):
        return self.env['orestapi.event'].search([('application_id', '=', self.application.id), ('kind', '=', kind)])

    def test_create(self):
        self.start_tour('/odoo', 'orestapi_application_create', login='ada')
        application = self.env['orestapi.application'].search([('name', '=', "Library")])
        self.assertEqual(application.create_uid, self.administrator)
        self.assertEqual(application.uri_ids.uri, 'https://library.example.com/callback')
        # The tour has written the copied text there.
        self.assertSecret(application, application.description)

    def test_a11_leave(self):
        """A new application that is left without saving is saved, and its secret is shown before anything else."""
        self.start_tour('/odoo', 'orestapi_application_leave', login='ada')
        application = self.env['orestapi.application'].search([('name', '=', "Library")])
        self.assertSecret(application, application.description)

    def test_a20_loss(self):
        """Before an application is archived or deleted, its administrator reads how many people lose access."""
        self.sign_in()
        self.sign_in()
        self.start_tour('/odoo', 'orestapi_application_loss', login='ada')
        self.assertFalse(self.application.active)

    def test_rotate(self):
        self.start_tour('/odoo', 'orestapi_application_rotate', login='ada')
        stored = self.application.sudo().client_secret_hash
        expires_at = self.application.previous_client_secret_expires_at
        self.assertAlmostEqual(expires_at, self.application.client_secret_date + timedelta(days=3))
        self.assertSecret(self.application, self.application.description)
        self.assertFalse(client_secret.verify(CLIENT_SECRET, stored))
        event = self.find_events('client_secret_changed')[0]
        self.assertEqual(event.actor_id, self.administrator)

    def test_revoke_sign_in(self):
        tokens = self.sign_in()
        sign_in = self.find_authorizations().token_ids
        self.start_tour('/odoo', 'orestapi_sign_in_revoke', login='ada')
        self.assertEqual(sign_in.revoked_reason, 'administrator')
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        self.assertEqual(self.find_events('sign_in_revoked').user_id, self.user)

    def test_revoke_sign_ins(self):
        tokens = self.sign_in()
        self.start_tour('/odoo', 'orestapi_sign_ins_revoke', login='ada')
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        self.assertEqual(self.find_authorizations().token_ids.revoked_reason, 'administrator')

    def test_revoke_authorizations(self):
        tokens = self.sign_in()
        self.start_tour('/odoo', 'orestapi_authorization_revoke', login='ada')
        self.assertFalse(self.find_authorizations())
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])

    def test_lifetime(self):
        self.start_tour('/odoo', 'orestapi_application_lifetime', login='ada')
        self.assertEqual(self.application.refresh_token_expiry, 907200)

    def test_settings(self):
        self.application.require_pkce = False
        # The settings belong to system administrators.
        self.administrator.group_ids += self.env.ref('base.group_system')
        self.start_tour('/odoo/settings', 'orestapi_settings', login='ada')
        self.assertEqual(self.env['ir.config_parameter'].get_param('orestapi.event_retention'), '90')

    def test_a06_settings_of_the_role(self):
        self.application.require_pkce = False
        self.start_tour('/odoo', 'orestapi_own_settings', login='ada')
        self.assertEqual(self.env['ir.config_parameter'].get_param('orestapi.event_retention'), '90')

    def test_disconnect(self):
        tokens = self.sign_in(scope='read rpc')
        self.start_tour('/odoo', 'orestapi_disconnect', login='mitchell')
        self.assertFalse(self.find_authorizations())
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        self.assertEqual(self.find_events('authorization_revoked').actor_id, self.user)

    def test_sign_out(self):
        ended, kept = self.sign_in(), self.sign_in(self.other)
        self.start_tour('/odoo', 'orestapi_sign_out', login='mitchell')
        self.assertInactive(ended['access_token'], ended['refresh_token'])
        self.assertActive(kept['access_token'], application=self.other)
        self.assertTrue(self.find_authorizations())
        self.assertEqual(self.find_events('sign_in_revoked').actor_id, self.user)

    def start_consent_tour(self, *args, **kwargs):
        with patch('odoo.tests.common.ChromeBrowser', TwoWindowsBrowser):
            self.start_tour(*args, **kwargs)

    def test_allow(self):
        self.start_consent_tour('/web/login', 'orestapi_consent_allow')
        authorization = self.find_authorizations()
        self.assertEqual(authorization.user_id, self.user)
        self.assertEqual(set(authorization.scope_ids.mapped('name')), {'read', 'rpc'})

    def test_deny(self):
        self.start_consent_tour('/odoo', 'orestapi_consent_deny', login='mitchell')
        self.assertFalse(self.find_authorizations())
        self.assertEqual(self.find_events('consent_refused').user_id, self.user)

    def test_not_you(self):
        self.start_consent_tour('/odoo', 'orestapi_consent_not_you', login='mitchell')
        self.assertEqual(self.find_authorizations().user_id, self.administrator)


@tagged('post_install', '-at_install')
class TestToursInHungarian(TestTours):
    """The same in another language."""

    # Odoo runs an inherited test only when it is told to.
    allow_inherited_tests_method = True
    language = 'hu_HU'
