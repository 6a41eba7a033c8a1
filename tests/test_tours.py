import contextlib
import http.client
import json
import shutil
import subprocess
from datetime import timedelta
from unittest.mock import Mock, patch

from odoo import Command
from odoo.tests import tagged
from odoo.tests.common import HOST, ChromeBrowser, websocket

from ..oauth2 import client_secret
from .common import CLIENT_SECRET, OAuth2Case


class Tab(ChromeBrowser):
    """A tab of a Chromium that all tours of a class share, with its cache of scripts.

    Core starts a Chromium for each tour, which takes as long as the tour. Each tour has a new tab; at its end, its
    cookies, its storage and all tabs that it has opened are removed.
    """

    process = port = folder = first = None

    def _spawn_chrome(self, cmd):
        # Otherwise Chromium opens a second window only after a click by a person, not by a tour.
        return super()._spawn_chrome([cmd[0], '--disable-popup-blocking', *cmd[1:]])

    def _chrome_start(self, **kwargs):
        if not Tab.process:
            Tab.process, Tab.port = super()._chrome_start(**kwargs)
            Tab.folder, self.user_data_dir = self.user_data_dir, ''
            targets = json.loads(self._send('GET', 'list'))
            Tab.first = next(target['id'] for target in targets if target['type'] == 'page')
        # Core may look at the process, but does not end it with the tour.
        return Mock(poll=Tab.process.poll, pid=Tab.process.pid), Tab.port

    def _send(self, method, path):
        with contextlib.closing(http.client.HTTPConnection(HOST, Tab.port, timeout=10)) as connection:
            connection.request(method, f'/json/{path}')
            return connection.getresponse().read()

    def _open_websocket(self):
        address = json.loads(self._send('PUT', 'new?about:blank'))['webSocketDebuggerUrl']
        socket = websocket.create_connection(address, enable_multithread=True, suppress_origin=True)
        socket.settimeout(0.01)
        return socket

    def _websocket_request(self, method, **kwargs):
        if method != 'Browser.close':
            return super()._websocket_request(method, **kwargs)
        storage = 'cookies,local_storage,indexeddb,cache_storage,service_workers'
        super()._websocket_request(
            'Storage.clearDataForOrigin', params={'origin': self.test_case.base_url(), 'storageTypes': storage}
        )
        super()._websocket_request('Network.clearBrowserCookies')
        for target in json.loads(self._send('GET', 'list')):
            if target['type'] == 'page' and target['id'] != Tab.first:
                self._send('GET', f'close/{target["id"]}')
        return {}

    @classmethod
    def quit(cls):
        """End Chromium."""
        if Tab.process:
            Tab.process.terminate()
            try:
                Tab.process.wait(5)
            except subprocess.TimeoutExpired:
                Tab.process.kill()
                Tab.process.wait()
            shutil.rmtree(Tab.folder, ignore_errors=True)
            Tab.process = None


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
        cls.startClassPatcher(patch('odoo.tests.common.ChromeBrowser', Tab))
        cls.addClassCleanup(Tab.quit)
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

    def test_allow(self):
        self.start_tour('/web/login', 'orestapi_consent_allow')
        authorization = self.find_authorizations()
        self.assertEqual(authorization.user_id, self.user)
        self.assertEqual(set(authorization.scope_ids.mapped('name')), {'read', 'rpc'})

    def test_deny(self):
        self.start_tour('/odoo', 'orestapi_consent_deny', login='mitchell')
        self.assertFalse(self.find_authorizations())
        self.assertEqual(self.find_events('consent_refused').user_id, self.user)

    def test_not_you(self):
        self.start_tour('/odoo', 'orestapi_consent_not_you', login='mitchell')
        self.assertEqual(self.find_authorizations().user_id, self.administrator)


@tagged('post_install', '-at_install')
class TestToursInHungarian(TestTours):
    """The same in another language."""

    # Odoo runs an inherited test only when it is told to.
    allow_inherited_tests_method = True
    language = 'hu_HU'
