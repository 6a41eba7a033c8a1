import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import TransactionCase, freeze_time, new_test_user, tagged
from odoo.tools import config, mute_logger

from ..jose import jws, keys
from ..models import orestapi_signing_key


@tagged('post_install', '-at_install')
class TestSigningKey(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls.env['orestapi.signing.key']
        cls.administrator = new_test_user(cls.env, 'ada', 'orestapi.group_administrator')

    def setUp(self):
        super().setUp()
        # Keys are made in a transaction of their own, which must not outlive the test.
        self.enterContext(self.enter_registry_test_mode())
        orestapi_signing_key._private_keys.clear()

    def sign(self, algorithm='ES256'):
        return jws.sign({'sub': 'x'}, self.keys._get_private_key(algorithm))

    def verify(self, token):
        return jws.verify(token, [keys.parse(jwk) for jwk in self.keys._get_jwks()])

    def later(self, **delta):
        return freeze_time(fields.Datetime.now() + timedelta(**delta))

    def test_n329_made_at_first_use(self):
        self.assertFalse(self.keys._get_jwks())
        token = self.sign()
        [jwk] = self.keys._get_jwks()
        self.assertEqual(set(jwk), {'kty', 'crv', 'x', 'y', 'kid', 'alg', 'use'})
        self.verify(token)
        self.sign()
        self.assertEqual(len(self.keys._get_jwks()), 1, "The second signature made another key.")

    def test_n327_private_part_is_out_of_reach(self):
        self.sign()
        key = self.keys.search([])
        [values] = key.read()
        self.env.cr.execute("SELECT private_key FROM orestapi_signing_key")
        [[private_key]] = self.env.cr.fetchall()
        self.assertIn('PRIVATE KEY', private_key)
        self.assertNotIn('PRIVATE', json.dumps(values, default=str))
        self.assertNotIn('private_key', self.keys._fields)
        with self.assertRaises(ValueError), mute_logger('odoo.models'):
            self.keys.search([('private_key', '!=', False)])
        exported = key.export_data(['kid', 'public_jwk', 'state'])
        self.assertNotIn('PRIVATE', json.dumps(exported))

    def test_n327_nobody_writes_keys(self):
        self.sign()
        key = self.keys.search([]).with_user(self.administrator)
        self.assertTrue(key.kid)
        for call in (
            lambda: key.write({'kid': 'x'}),
            key.unlink,
            lambda: self.keys.with_user(self.administrator).create({'algorithm': 'RS256'}),
            key.copy,
        ):
            with self.subTest(call=call):
                with self.assertRaises(AccessError):
                    call()

    def test_n328_rotation(self):
        """A successor is published a day before it signs, and the key before it for three days after."""
        first = self.sign()
        with self.later(days=88):
            self.keys._rotate()
            self.assertEqual(len(self.keys._get_jwks()), 1)
        with self.later(days=89, hours=1):
            self.keys._rotate()
            self.keys._rotate()
            self.assertEqual(len(self.keys._get_jwks()), 2, "The successor was not announced, or more than once.")
            self.assertEqual(jws._split(self.sign())[0]['kid'], jws._split(first)[0]['kid'])
        with self.later(days=90, hours=2):
            second = self.sign()
            self.assertNotEqual(jws._split(second)[0]['kid'], jws._split(first)[0]['kid'])
            self.verify(first)
            self.verify(second)
        with self.later(days=93):
            self.verify(first)
        with self.later(days=94, hours=2):
            self.verify(second)
            with self.assertRaises(ValueError):
                self.verify(first)

    def test_n328_withdrawn_at_once(self):
        token = self.sign()
        self.keys.search([]).with_user(self.administrator).action_withdraw()
        with self.assertRaises(ValueError):
            self.verify(token)
        self.verify(self.sign())

    def test_n328_withdrawn_by_others(self):
        self.sign()
        user = new_test_user(self.env, 'eve', 'base.group_user')
        with self.assertRaises(AccessError):
            self.keys.search([]).with_user(user).action_withdraw()

    def test_n328_other_process_hears_of_it(self):
        """The keys are remembered by each process, and whatever changes them empties that."""
        token = self.sign()
        self.assertTrue(self.keys._get_scheduled())
        with patch.object(type(self.env.registry), 'clear_cache') as clear_cache:
            self.keys.search([]).with_user(self.administrator).action_withdraw()
            self.assertTrue(clear_cache.called)
        self.env.registry.clear_cache()
        with self.assertRaises(ValueError):
            self.verify(token)

    def test_n328_clock_set_back(self):
        """A key that begins to sign in the future signs nothing: another is made, which is published at once."""
        self.sign()
        with self.later(minutes=-10):
            self.verify(self.sign())

    def test_n329_creation_interrupted(self):
        """A process that dies while it makes a key leaves nothing behind, and the next try makes one."""
        with (
            patch.object(orestapi_signing_key.keys, 'dump_private', side_effect=MemoryError),
            self.assertRaises(MemoryError),
        ):
            self.sign()
        self.assertFalse(self.keys.search([]))
        self.verify(self.sign())
        self.assertEqual(len(self.keys.search([])), 1)

    def test_n330_neutralized(self):
        """A neutralized copy has none of the keys, also where it has a backup of a release without them."""
        token = self.sign()
        [query] = get_neutralization_queries(['orestapi'])
        self.env.cr.execute(query)
        self.env.registry.clear_cache()
        self.env.invalidate_all()
        self.assertFalse(self.keys.search([]))
        with self.assertRaises(ValueError):
            self.verify(token)
        with self.env.cr.savepoint() as savepoint:
            self.env.cr.execute("DROP TABLE orestapi_signing_key")
            self.env.cr.execute(query)
            savepoint.close(rollback=True)
        self.env.invalidate_all()

    def test_n330_copy_of_the_database(self):
        token = self.sign()
        self.env['ir.config_parameter'].set_param('database.uuid', 'another')
        self.assertFalse(self.keys._get_jwks())
        other = self.sign()
        self.verify(other)
        with self.assertRaises(ValueError):
            self.verify(token)

    def test_n327_encrypted_with_the_key_of_the_configuration(self):
        with patch.dict(config.options, {'orestapi_key': 'a long password'}):
            token = self.sign()
            self.env.cr.execute("SELECT private_key FROM orestapi_signing_key")
            self.assertIn('ENCRYPTED', self.env.cr.fetchone()[0])
            orestapi_signing_key._private_keys.clear()
            self.assertEqual(jws._split(self.sign())[0]['kid'], jws._split(token)[0]['kid'])
        orestapi_signing_key._private_keys.clear()
        with self.assertLogs('odoo.addons.orestapi.models.orestapi_signing_key', 'WARNING'):
            other = self.sign()
        self.assertNotEqual(jws._split(other)[0]['kid'], jws._split(token)[0]['kid'])
        self.verify(other)
        self.verify(token)

    def test_each_algorithm_has_its_key(self):
        for algorithm in ('RS256', 'ES256', 'EdDSA'):
            with self.subTest(algorithm=algorithm):
                self.assertEqual(self.verify(self.sign(algorithm)).header['alg'], algorithm)
        self.assertEqual(len(self.keys._get_jwks()), 3)
