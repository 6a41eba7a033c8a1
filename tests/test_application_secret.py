from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL

from ..oauth2 import client_secret
from .common import CLIENT_SECRET, PASSWORD
from .test_application import ApplicationCase


@tagged('post_install', '-at_install')
class TestApplicationSecret(ApplicationCase):
    """The client secret, which nobody can read again, and how this Odoo identifies itself to the application."""

    def test_n222_secret_of_a_new_application_is_shown_once(self):
        """The form proposes a client id and a secret, ready to copy. Saved, the secret is gone."""
        form = Form(self.applications.with_context(propose_client_secret=True))
        secret, client_id = form.client_secret, form.client_id
        self.assertRegex(secret, r'\Aorestapi_cs_[A-Za-z0-9_-]{43}\Z')
        self.assertRegex(client_id, r'\A[0-9a-f]{32}\Z')
        form.name = "Calendar"
        application = form.save()
        self.assertFalse(form.client_secret)
        self.assertEqual(application.client_id, client_id)
        self.assertTrue(self.authenticates(secret, application))
        self.assertFalse(Form(application).client_secret)
        self.assertFalse(application.read(['client_secret'])[0]['client_secret'])
        # Saving the form once more changes nothing.
        with Form(application) as form:
            form.description = "When we meet"
        self.assertTrue(self.authenticates(secret, application))

    def test_n221_secret_is_readable_for_nobody(self):
        """Neither for an administrator of ours nor for one of the system."""
        system = new_test_user(
            self.env,
            'root2',
            'base.group_system,base.group_erp_manager,base.group_allow_export,orestapi.group_administrator',
            password=PASSWORD,
        )
        hidden = {
            'orestapi.application': ['client_secret_hash', 'previous_client_secret_hash'],
            'orestapi.authorization.code': ['digest', 'code_challenge'],
            'orestapi.token': ['access_digest', 'previous_access_digest', 'refresh_digest', 'refresh_salt'],
        }
        self.wiki.generate_client_secret(keep_previous=1)
        self.application.refresh_token_grace = 60
        tokens = self.sign_in()
        self.refresh(tokens['refresh_token'])
        self.administrator.group_ids += self.env.ref('base.group_allow_export')
        for user in (self.administrator, system):
            for model_name, names in hidden.items():
                model = self.env[model_name].with_user(user)
                records = model.search([])
                self.assertTrue(records)
                self.assertFalse({*names} & {*records.read()[0]})
                self.assertFalse({*names} & {*model.fields_get()})
                for name in names:
                    for method, args in (
                        (records.read, [[name]]),
                        (records.mapped, [name]),
                        (records.export_data, [[name]]),
                        (records.search, [[(name, '!=', False)]]),
                        (records.search, [[(name, '=like', 'a%')]]),
                        (records.search, [[], 0, 1, name]),
                        (records.formatted_read_group, [[], [name], ['__count']]),
                        (records.formatted_read_group, [[], [], [f'{name}:max']]),
                        (records.web_read, [{name: {}}]),
                        (records.web_search_read, [[], {name: {}}]),
                        (records.filtered_domain, [[(name, '!=', False)]]),
                        (records.write, [{name: 'x'}]),
                    ):
                        with self.subTest(user=user.login, model=model_name, name=name, method=method.__name__):
                            self.env.invalidate_all()
                            with self.assertRaises(AccessError), self.env.cr.savepoint():
                                method(*args)
            application = self.application.with_user(user)
            self.assertEqual(application.read(['client_secret']), [{'id': application.id, 'client_secret': False}])
            self.assertEqual(application.export_data(['client_secret']), {'datas': [['']]})
            for domain in (
                [('authorization_ids.token_ids.access_digest', '!=', False)],
                [('event_ids.application_id.client_secret_hash', '!=', False)],
            ):
                with self.assertRaises(AccessError):
                    application.search(domain)
            # It is in no column that could be searched.
            with self.assertRaises(ValueError):
                application.search([('client_secret', '=', CLIENT_SECRET)])

    def test_n221_secret_is_in_no_table(self):
        """Nor in an event, an attachment, or a wizard."""
        secret = self.wiki.generate_client_secret()
        self.env.flush_all()
        tables = [
            table
            for [table] in self.env.execute_query(SQL("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        ]
        self.assertIn('orestapi_application', tables)
        for table in tables:
            [[count]] = self.env.execute_query(
                SQL(
                    "SELECT count(*) FROM %s AS record WHERE record::text LIKE %s", SQL.identifier(table), f'%{secret}%'
                )
            )
            self.assertEqual(count, 0, table)
        self.assertFalse(self.env['orestapi.client.secret.show']._auto)

    def test_secret_of_the_administrator(self):
        for secret in (
            'short',
            'x' * 15,
            'x' * 257,
            'a secret with ümlauts',
            'a secret with\ttabs',
            'a secret of\ntwo lines',
        ):
            with self.subTest(secret=secret[:20]):
                self.assertInvalid("from 16 to 256 plain characters", self.wiki.write, {'client_secret': secret})
        self.assertTrue(self.authenticates(CLIENT_SECRET))
        for secret in ('x' * 16, 'x' * 256, 'a: "secret" & 50%+1 \\ <b>'):
            self.wiki.client_secret = secret
            self.assertFalse(self.wiki.client_secret)
            self.assertTrue(self.authenticates(secret))
            self.assertFalse(self.authenticates(CLIENT_SECRET))

    def test_secret_is_hashed(self):
        secret = self.wiki.generate_client_secret()
        stored = self.wiki.sudo().client_secret_hash
        self.assertTrue(stored.startswith('$pbkdf2-sha512$'))
        self.assertNotIn(secret, stored)
        self.assertTrue(client_secret.verify(secret, stored))

    def test_secret_removed(self):
        self.wiki.generate_client_secret(keep_previous=1)
        self.wiki.client_secret = False
        self.assertFalse(self.wiki.has_client_secret)
        self.assertFalse(self.wiki.client_secret_date)
        self.assertFalse(self.authenticates(CLIENT_SECRET))

    def test_generate_client_secret(self):
        self.stop_clock()
        secret = self.wiki.generate_client_secret()
        self.assertRegex(secret, r'\Aorestapi_cs_[A-Za-z0-9_-]{43}\Z')
        self.assertNotEqual(secret, self.wiki.generate_client_secret())
        self.assertEqual(self.wiki.client_secret_date, fields.Datetime.now())
        self.assertFalse(self.authenticates(secret))
        self.assertFalse(self.authenticates(CLIENT_SECRET))
        # None is kept that somebody could bring back by its date.
        self.wiki.previous_client_secret_expires_at = fields.Datetime.now() + timedelta(days=1)
        self.assertFalse(self.wiki.sudo().previous_client_secret_hash)
        self.assertFalse(self.authenticates(secret))
        events = self.env['orestapi.event'].search(
            [('kind', '=', 'client_secret_changed'), ('application_id', '=', self.wiki.id)], limit=2
        )
        self.assertEqual(events.actor_id, self.administrator)

    def test_generate_client_secret_keeps_the_previous(self):
        """Until a date, which N099 shows to be kept."""
        self.stop_clock()
        self.wiki.generate_client_secret(keep_previous=7)
        self.assertEqual(self.wiki.previous_client_secret_expires_at, fields.Datetime.now() + timedelta(days=7))
        for days in (-1, 91, 1.5, '7', None):
            self.assertInvalid("0 to 90 days", self.wiki.generate_client_secret, days)

    def test_overlap_has_a_bound(self):
        self.stop_clock()
        self.wiki.generate_client_secret(keep_previous=1)
        bound = fields.Datetime.now() + timedelta(days=90)
        self.wiki.previous_client_secret_expires_at = bound
        self.assertInvalid(
            "0 to 90 days", self.wiki.write, {'previous_client_secret_expires_at': bound + timedelta(seconds=1)}
        )
        with self.later(days=80):
            self.assertInvalid(
                "0 to 90 days", self.wiki.write, {'previous_client_secret_expires_at': bound + timedelta(days=80)}
            )

    def test_button_shows_the_secret_after_a_check_of_identity(self):
        url = '/web/dataset/call_button/orestapi.application/action_generate_client_secret'
        params = {
            'params': {
                'model': 'orestapi.application',
                'method': 'action_generate_client_secret',
                'args': self.application.ids,
                'kwargs': {},
            }
        }
        self.authenticate('ada', PASSWORD)
        action = self.url_open(url, json=params).json()['result']
        self.assertEqual(action['res_model'], 'res.users.identitycheck')
        self.assertTrue(self.authenticates(CLIENT_SECRET))
        self.authenticate(
            'ada', PASSWORD, session_extra={'identity-check-last': fields.Datetime.now().timestamp() + 86400}
        )
        action = self.url_open(url, json=params).json()['result']
        self.assertEqual(action['res_model'], 'orestapi.client.secret.show')
        self.assertFalse(self.authenticates(CLIENT_SECRET))
        self.assertTrue(self.authenticates(action['context']['default_client_secret']))

    def test_who_knew_the_secret_before_does_not_act_as_the_service_user(self):
        self.administrator.group_ids += self.env.ref('base.group_erp_manager')
        colleague = new_test_user(self.env, 'robot', 'base.group_user', password=PASSWORD)
        secret = self.wiki.generate_client_secret(keep_previous=7)
        self.wiki.service_user_id = colleague
        self.assertFalse(self.wiki.has_client_secret)
        self.assertEqual(self.wiki.status, 'incomplete')
        self.assertFalse(self.authenticates(secret))
        self.assertFalse(self.authenticates(CLIENT_SECRET))
        secret = self.wiki.generate_client_secret()
        self.wiki.service_user_id = colleague
        self.assertTrue(self.authenticates(secret), "The same service user")
        self.wiki.service_user_id = False
        self.assertTrue(self.authenticates(secret))
        self.wiki.write({'service_user_id': colleague.id, 'client_secret': 'a secret of the administrator'})
        self.assertTrue(self.authenticates('a secret of the administrator'))

    def test_own_id_and_secret(self):
        own_id, own_secret = self.wiki.generate_own_id(), self.wiki.generate_own_secret()
        self.assertEqual((self.wiki.own_id, self.wiki.own_secret), (own_id, own_secret))
        self.assertGreaterEqual(len(own_secret), 43)
        self.wiki.action_generate_own_id()
        self.wiki.action_generate_own_secret()
        self.assertNotIn(self.wiki.own_id, (own_id, False))
        self.assertNotIn(self.wiki.own_secret, (own_secret, False))
