import hashlib
import hmac
import importlib.util

from odoo import fields
from odoo.exceptions import AccessError
from odoo.modules import get_module_path
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import PASSWORD, OAuth2Case


@tagged('post_install', '-at_install')
class TestKey(OAuth2Case):
    """The key of refresh tokens stays with the data, and nobody reads it."""

    def assertReuseRecognized(self, tokens):
        newer = self.refresh(tokens['refresh_token'])
        self.assertEqual(newer.status_code, 200, newer.text)
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')
        self.assertInactive(newer.json()['access_token'], newer.json()['refresh_token'])
        self.assertEqual(self.get_sign_in(tokens).revoked_reason, 'refresh_token_reused')

    def test_o03_copied_database(self):
        """Refresh tokens and reuse detection survive the new secret of a restored or duplicated database."""
        tokens = self.sign_in()
        self.env['ir.config_parameter'].init(force=True)
        self.assertActive(tokens['access_token'], tokens['refresh_token'])
        self.assertReuseRecognized(tokens)

    def test_o03_neutralized(self):
        """A neutralized copy has no sign-in, and another key."""
        self.sign_in()
        before = self.get_key()
        [query] = get_neutralization_queries(['orestapi'])
        self.env.cr.execute(query)
        self.env.registry.clear_cache()
        self.env.invalidate_all()
        self.assertNotEqual(self.get_key(), before)
        self.assertEqual(len(self.get_key()), 32)
        self.assertFalse(self.env['orestapi.token'].search([]))
        self.assertEqual(self.env['orestapi.token']._get_mac_key(), self.get_key())

    def test_o03_neutralized_before_the_upgrade(self):
        """A backup of the first release has no key yet, and is neutralized with the script of this release."""
        [query] = get_neutralization_queries(['orestapi'])
        with self.env.cr.savepoint() as savepoint:
            self.env.cr.execute("DROP TABLE orestapi_key")
            self.env.cr.execute(query)
            savepoint.close(rollback=True)
        self.env.invalidate_all()

    def get_key(self):
        [[value]] = self.env.execute_query(SQL("SELECT value FROM orestapi_key WHERE purpose = 'refresh_token'"))
        return bytes.fromhex(value)

    def test_o03_key_deleted(self):
        """A deleted key is replaced, and the sign-ins that the new key cannot verify are ended."""
        self.application.service_user_id = self.user
        tokens = self.sign_in()
        service = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth()).json()
        before = self.get_key()
        self.env.cr.execute("DELETE FROM orestapi_key")
        self.env.registry.clear_cache()
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')
        self.assertNotEqual(self.get_key(), before)
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        self.env.invalidate_all()
        sign_in = self.get_sign_in(tokens)
        self.assertEqual((sign_in.state, sign_in.revoked_reason), ('ended', 'key_replaced'))
        self.assertActive(service['access_token'])
        self.assertReuseRecognized(self.sign_in())

    def test_o03_revoked_by_a_token_of_another_key(self):
        """Ending the sign-in needs the secret of the current refresh token; a token of the right form is not enough."""
        tokens, refreshed = self.sign_in(), self.sign_in()
        self.refresh(refreshed['refresh_token'])
        self.env.cr.execute("UPDATE orestapi_key SET value = repeat('0', 64)")
        self.env.registry.clear_cache()
        made_up = f'{tokens["refresh_token"].rsplit("_", 2)[0]}_{"x" * 43}_{"x" * 43}'
        for string in (made_up, refreshed['refresh_token']):
            with self.subTest(string=string):
                self.assertEqual(self.post('/oauth2/revoke', {'token': string}, self.get_auth()).status_code, 200)
        self.assertActive(tokens['access_token'])
        self.assertEqual(
            self.post('/oauth2/revoke', {'token': tokens['refresh_token']}, self.get_auth()).status_code, 200
        )
        self.assertInactive(tokens['access_token'])
        self.env.invalidate_all()
        self.assertEqual(self.get_sign_in(tokens).revoked_reason, 'application')

    def test_o03_first_release(self):
        """The migration keeps the key of the first release, and ends the sign-ins that it refused after a copy."""
        script = self.load_migration()
        [[secret]] = self.env.execute_query(SQL("SELECT value FROM ir_config_parameter WHERE key = 'database.secret'"))
        script.migrate(self.env.cr, '19.0.1.0.0')
        self.env.registry.clear_cache()
        expected = hmac.digest(secret.encode(), b'orestapi.refresh_token', hashlib.sha256)
        self.assertEqual(self.env['orestapi.token']._get_mac_key(), expected)
        old, new = self.sign_in(), self.sign_in()
        copied_at = fields.Datetime.now()
        self.env['ir.config_parameter'].set_param('database.create_date', copied_at)
        self.env.cr.execute(
            "UPDATE orestapi_token SET create_date = create_date - interval '1 day', "
            "refreshed_at = refreshed_at - interval '1 day' WHERE id = %s",
            [self.get_sign_in(old).id],
        )
        script.migrate(self.env.cr, '19.0.1.0.0')
        self.env.invalidate_all()
        self.assertEqual(self.get_sign_in(old).revoked_reason, 'key_replaced')
        self.assertEqual(self.get_sign_in(new).state, 'active')
        for text in ('', 'yesterday', '2026-13-45'):
            self.env.cr.execute("UPDATE ir_config_parameter SET value = %s WHERE key = 'database.create_date'", [text])
            script.migrate(self.env.cr, '19.0.1.0.0')
        self.assertReuseRecognized(new)

    def load_migration(self):
        path = get_module_path('orestapi') + '/migrations/19.0.2.0.0/post-migration.py'
        spec = importlib.util.spec_from_file_location('orestapi_post_migration', path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_o03_nobody_reads_the_key(self):
        """The key cannot be read over RPC, the ORM, settings or parameters, and is not logged."""
        key = self.get_key().hex()
        admin = self.env.ref('base.user_admin')
        admin.password = PASSWORD
        with self.assertRaises(AccessError):
            self.env['orestapi.key'].with_user(admin).search([])
        record = self.env['orestapi.key'].search([])
        with self.assertRaises(AccessError):
            record.with_user(admin).read(['value'])
        for method, args in (
            ('search_read', [[], ['value']]),
            ('read', [record.ids, ['value']]),
            ('read', [record.ids]),
            ('export_data', [record.ids, ['value']]),
            ('create', [{'purpose': 'x', 'value': 'y'}]),
            ('write', [record.ids, {'value': 'y'}]),
            ('unlink', [record.ids]),
            ('search', [[('value', 'like', 'a')]]),
            ('fields_get', []),
        ):
            with self.subTest(method):
                try:
                    with mute_logger('odoo.addons.base.models.ir_model'):
                        result = self.call_xmlrpc(admin, 'orestapi.key', method, *args)
                except Exception as error:  # noqa: BLE001
                    result = error
                self.assertNotIn(key, str(result))
        self.env['ir.config_parameter'].search([]).mapped('value')
        self.assertFalse(self.env['ir.config_parameter'].search([('value', 'like', key)]))
        self.assertFalse(self.env['orestapi.server'].with_user(admin)._fields.keys() & {'key', 'value'})
        self.assertEqual(self.get_key().hex(), key)

    def test_o03_not_in_a_log_of_statements(self):
        self.env.cr.execute("DELETE FROM orestapi_key")
        self.env.registry.clear_cache()
        with self.assertLogs('odoo.sql_db', 'DEBUG') as logs:
            key = self.env['orestapi.token']._get_mac_key().hex()
            self.load_migration().migrate(self.env.cr, '19.0.1.0.0')
        text = '\n'.join(logs.output)
        self.assertIn('orestapi_key', text)
        self.assertNotIn(key, text)
        self.assertNotIn(self.get_key().hex(), text)
