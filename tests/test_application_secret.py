from datetime import timedelta
from urllib.parse import quote

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ..oauth2 import client_secret
from .common import CLIENT_SECRET, PASSWORD
from .test_application import ApplicationCase


@tagged('post_install', '-at_install')
class TestApplicationSecret(ApplicationCase):
    """The client secret, which cannot be read again, and this Odoo's own credentials."""

    def test_n222_secret_of_the_form(self):
        """The form proposes no secret, which could get lost. The application's existing secret can be entered."""
        form = Form(self.applications)
        self.assertFalse(form.client_secret)
        self.assertRegex(form.client_id, r'\A[0-9a-f]{32}\Z')
        form.name = "Calendar"
        form.client_secret = 'Ohng0ohng3aevaPh4ohX'
        application = form.save()
        self.assertFalse(form.client_secret)
        self.assertTrue(self.authenticates('Ohng0ohng3aevaPh4ohX', application))
        self.assertFalse(application.read(['client_secret'])[0]['client_secret'])
        # Saving the form once more changes nothing.
        with Form(application) as form:
            form.description = "When we meet"
        self.assertTrue(self.authenticates('Ohng0ohng3aevaPh4ohX', application))

    def test_n221_secret_is_readable_for_nobody(self):
        """Neither for an application administrator nor for a system administrator."""
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
            with self.subTest(user=user):
                for model_name, names in hidden.items():
                    with self.subTest(model_name=model_name):
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
                    with self.subTest(domain=domain), self.assertRaises(AccessError):
                        application.search(domain)
                # It is not in a column that could be searched.
                with self.assertRaises(ValueError):
                    application.search([('client_secret', '=', CLIENT_SECRET)])

    def test_n221_secret_is_in_no_table(self):
        """It is not in an event, an attachment, or a wizard either."""
        secret = self.wiki.generate_client_secret()
        self.env.flush_all()
        tables = [
            table
            for [table] in self.env.execute_query(SQL("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        ]
        self.assertIn('orestapi_application', tables)
        for table in tables:
            with self.subTest(table=table):
                [[count]] = self.env.execute_query(
                    SQL(
                        "SELECT count(*) FROM %s AS record WHERE record::text LIKE %s",
                        SQL.identifier(table),
                        f'%{secret}%',
                    )
                )
                self.assertEqual(count, 0, table)
        self.assertFalse(self.env['orestapi.client.secret.show']._auto)

    def test_secret_of_the_administrator(self):
        for secret, sentence in (
            ('short', "has 16 to 256 characters"),
            ('Ab3-' * 3 + 'xyz', "has 16 to 256 characters"),
            ('Ab3-' * 64 + 'x', "has 16 to 256 characters"),
            ('a-secret-with-\u00fcmlauts', "digits and - . _ ~"),
            ('a-secret-with\ttabs', "digits and - . _ ~"),
            ('a-secret-of\ntwo-lines', "digits and - . _ ~"),
        ):
            with self.subTest(secret=secret[:20]):
                self.assertValidationError(sentence, self.wiki.write, {'client_secret': secret})
        self.assertTrue(self.authenticates(CLIENT_SECRET))
        for secret in ('Ohng0ohng3aevaPh', 'Ohng0ohng3aevaPh4ohXu8ai~Qu.a' * 8 + 'x' * 24, 'a_secret-of.the~moon'):
            with self.subTest(secret=secret):
                self.wiki.client_secret = secret
                self.assertFalse(self.wiki.client_secret)
                self.assertTrue(self.authenticates(secret))
                self.assertFalse(self.authenticates(CLIENT_SECRET))

    def test_p09_secret_that_few_clients_can_send(self):
        """Reported when it is set, not when a program fails that does not encode it by RFC 6749 §2.3.1."""
        for sign in '%+ :/?#[]@!$&\'()*,;="\\<>^`{|}':
            secret = f'Ohng0ohng3aevaPh{sign}ohX'
            for method, vals in (
                (self.wiki.write, {'client_secret': secret}),
                (self.applications.create, {'name': "Calendar", 'client_secret': secret}),
                (self.applications.with_context(default_client_secret=secret).create, {'name': "Calendar"}),
            ):
                with self.subTest(sign=sign, method=method.__name__):
                    self.assertValidationError("digits and - . _ ~", method, vals)
        # An accepted secret needs no encoding.
        for _number in range(20):
            secret = self.wiki.generate_client_secret()
            self.assertEqual(quote(secret, safe=''), secret)

    def test_s13_secret_that_can_be_guessed(self):
        for secret in (
            'a' * 16,
            '0123456789abcdef',
            'passwordpassword',
            'wiki-client-wiki-client',
            'Wiki-Wiki-Wiki-Wiki',
        ):
            with self.subTest(secret=secret):
                self.assertValidationError("easy to guess", self.wiki.write, {'client_secret': secret})
                vals = {'name': "Wiki", 'client_id': 'wiki-client-2', 'client_secret': secret}
                self.assertValidationError("easy to guess", self.applications.create, vals)
        self.assertTrue(self.authenticates(CLIENT_SECRET))

    def test_secret_is_hashed(self):
        secret = self.wiki.generate_client_secret()
        stored = self.wiki.sudo().client_secret_hash
        self.assertTrue(stored.startswith('$pbkdf2-sha512$'))
        self.assertNotIn(secret, stored)
        self.assertTrue(client_secret.verify(secret, stored))

    def test_a07_empty_changes_nothing(self):
        """An imported export, and the values that a program has read, lack the secrets, which are kept."""
        self.wiki.own_secret = 'our secret there'
        self.wiki.generate_client_secret(keep_previous=7)
        stored = self.application.client_secret_hash
        names = ['.id', 'name', 'client_secret', 'own_secret']
        for method, *args in (
            ('write', self.wiki.ids, {'client_secret': False, 'own_secret': False}),
            ('write', self.wiki.ids, {'client_secret': '', 'own_secret': '', 'name': "Wiki"}),
            ('web_save', self.wiki.ids, {'client_secret': False, 'own_secret': False}, {}),
            ('load', names, [[str(self.wiki.id), "Wiki", '', '']]),
            ('load', names[:1] + names[2:3], [[str(self.wiki.id), '']]),
        ):
            with self.subTest(method=method, args=args):
                self.assertTrue(self.call_xmlrpc(self.administrator, 'orestapi.application', method, *args))
                self.assertEqual(self.application.client_secret_hash, stored)
                self.assertTrue(self.authenticates(CLIENT_SECRET))
                self.assertEqual(self.wiki.own_secret, 'our secret there')

    def test_a07_round_trip(self):
        """An export from Odoo can be imported again, and every application keeps working."""
        self.administrator.group_ids += self.env.ref('base.group_allow_export')
        self.wiki.own_secret = 'our secret there'
        fields_get = self.call_xmlrpc(self.administrator, 'orestapi.application', 'fields_get', [], ['exportable'])
        for name in ('client_secret', 'own_secret'):
            with self.subTest(name=name):
                self.assertIs(fields_get[name]['exportable'], False)
        names = ['.id', 'name', 'client_id', 'own_id', 'own_secret', 'client_secret', 'allowed_origins', 'active']
        rows = self.call_xmlrpc(self.administrator, 'orestapi.application', 'export_data', self.wiki.ids, names)[
            'datas'
        ]
        self.assertNotIn('our secret there', str(rows))
        # The values from the file.
        rows = [['' if value is False else str(value) for value in row] for row in rows]
        # Through another model too.
        paths = ['uri', 'application_id/own_secret', 'application_id/client_secret']
        model = 'orestapi.application.uri'
        exported = self.call_xmlrpc(self.administrator, model, 'export_data', self.wiki.uri_ids.ids, paths)['datas']
        self.assertEqual([row[1:] for row in exported], [['', '']])
        result = self.call_xmlrpc(self.administrator, 'orestapi.application', 'load', names, rows)
        self.assertEqual(result['ids'], self.wiki.ids, result['messages'])
        self.assertTrue(self.authenticates(CLIENT_SECRET))
        self.assertEqual(self.wiki.own_secret, 'our secret there')

    def test_a07_every_field_of_a_secret(self):
        """Every field that can be set but not read has this type, including fields added later."""
        readable = self.wiki.read()[0]
        for name, field in self.applications._fields.items():
            with self.subTest(name=name):
                if (field.inverse and not field.store) or (
                    name in readable and name.endswith('_secret') and name[:4] != 'has_'
                ):
                    self.assertFalse(field.exportable, name)

    def test_a07_removed(self):
        """Removing has its own methods and event."""
        self.wiki.own_secret = 'our secret there'
        self.wiki.generate_client_secret(keep_previous=1)
        self.assertTrue(
            self.call_xmlrpc(self.administrator, 'orestapi.application', 'action_remove_own_secret', self.wiki.ids)
        )
        self.assertFalse(self.wiki.own_secret)
        for _time in range(2):
            self.assertTrue(
                self.call_xmlrpc(
                    self.administrator, 'orestapi.application', 'action_remove_client_secret', self.wiki.ids
                )
            )
        self.assertFalse(self.wiki.has_client_secret)
        self.assertFalse(self.wiki.client_secret_date)
        self.assertFalse(self.wiki.previous_client_secret_expires_at)
        self.assertFalse(self.authenticates(CLIENT_SECRET))
        events = self.env['orestapi.event'].search([('kind', '=', 'client_secret_changed')])
        self.assertEqual(
            events.filtered(lambda event: event.reason == 'removed').mapped('message'),
            ["Ada removed the client secret of Wiki."],
        )

    def test_a20_public(self):
        """A public application has no secret: it neither keeps one, nor gets one, nor gets an old one back."""
        secret = self.wiki.generate_client_secret(keep_previous=7)
        before = self.env['orestapi.event'].search([])
        self.wiki.write({'client_type': 'public'})
        self.assertEqual(
            (self.wiki.has_client_secret, self.wiki.client_secret_date, self.wiki.previous_client_secret_expires_at),
            (False, False, False),
        )
        self.assertFalse(self.application.client_secret_hash or self.application.previous_client_secret_hash)
        self.assertNotIn('client_secret_changed', (self.env['orestapi.event'].search([]) - before).mapped('kind'))
        for method, *args in (
            (self.wiki.generate_client_secret,),
            (self.wiki.write, {'client_secret': 'Ohng0ohng3aevaPh4ohX'}),
            (self.applications.create, {'name': "X", 'client_type': 'public', 'client_secret': 'Ohng0ohng3aevaPh4ohX'}),
            (self.other.write, {'client_type': 'public', 'client_secret': 'Ohng0ohng3aevaPh4ohX'}),
        ):
            with self.subTest(method=method):
                self.assertValidationError("A public application has no client secret", method, *args)
        self.wiki.client_type = 'confidential'
        self.assertFalse(self.authenticates(secret))
        self.assertFalse(self.authenticates(CLIENT_SECRET))

    def test_a20_public_form(self):
        """A secret that was typed before the type was chosen is left out."""
        form = Form(self.applications)
        form.name = "Calendar"
        form.client_secret = 'Ohng0ohng3aevaPh4ohX'
        form.client_type = 'public'
        self.assertFalse(form.save().has_client_secret)

    def test_a20_order_of_events(self):
        application = self.applications.browse(
            self.call_xmlrpc(
                self.administrator,
                'orestapi.application',
                'create',
                [
                    {'name': "Calendar", 'client_secret': 'Ohng0ohng3aevaPh4ohX'},
                    {'name': "Shop", 'client_secret': 'eiS7Aefoo9eiThae9ei.'},
                ],
            )
        )
        for record in application:
            with self.subTest(record=record):
                events = self.env['orestapi.event'].search([('application_id', '=', record.id)], order='id')
                self.assertEqual(events.mapped('kind'), ['application_created', 'client_secret_changed'])
        self.assertTrue(self.authenticates('eiS7Aefoo9eiThae9ei.', application[1]))

    def test_generate_client_secret(self):
        self.stop_clock()
        secret = self.wiki.generate_client_secret()
        self.assertRegex(secret, r'\Aorestapi_cs_[A-Za-z0-9_-]{43}\Z')
        self.assertNotEqual(secret, self.wiki.generate_client_secret())
        self.assertEqual(self.wiki.client_secret_date, fields.Datetime.now())
        self.assertFalse(self.authenticates(secret))
        self.assertFalse(self.authenticates(CLIENT_SECRET))
        # No previous secret is kept that could be restored by its date.
        self.wiki.previous_client_secret_expires_at = fields.Datetime.now() + timedelta(days=1)
        self.assertFalse(self.wiki.sudo().previous_client_secret_hash)
        self.assertFalse(self.authenticates(secret))
        events = self.env['orestapi.event'].search(
            [('kind', '=', 'client_secret_changed'), ('application_id', '=', self.wiki.id)], limit=2
        )
        self.assertEqual(events.actor_id, self.administrator)

    def test_generate_client_secret_keeps_the_previous(self):
        """Until a date; N099 proves that it is respected."""
        self.stop_clock()
        self.wiki.generate_client_secret(keep_previous=7)
        self.assertEqual(self.wiki.previous_client_secret_expires_at, fields.Datetime.now() + timedelta(days=7))
        for days in (-1, 91, 1.5, '7', None):
            with self.subTest(days=days):
                self.assertValidationError("0 to 90 days", self.wiki.generate_client_secret, days)

    def test_a05_question(self):
        """Before a new secret is generated, the dialog tells which one stops working now and asks for the days."""
        ask = lambda: self.call_xmlrpc(
            self.administrator, 'orestapi.application', 'action_ask_generate_client_secret', self.wiki.ids
        )['params']
        question = ask()
        self.assertEqual(question['method'], 'action_generate_client_secret')
        self.assertIn("The current secret", question['body'])
        self.assertNotIn("The previous secret, which", question['body'])
        limits = {key: question['input'][key] for key in ('name', 'value', 'min', 'max')}
        self.assertEqual(limits, {'name': 'keep_previous', 'value': 7, 'min': 0, 'max': 90})
        self.wiki.generate_client_secret(keep_previous=7)
        until = format_datetime(self.wiki.env, self.wiki.previous_client_secret_expires_at)
        self.assertIn(f"The previous secret, which would work until {until}, stops working now.", ask()['body'])
        with self.later(days=7, seconds=1):
            self.assertNotIn("The previous secret, which", ask()['body'])
        # Opening the dialog changes nothing.
        self.assertTrue(self.authenticates(CLIENT_SECRET))

    def show_first(self, application):
        return self.call_xmlrpc(
            self.administrator, 'orestapi.application', 'action_show_first_client_secret', application.ids
        )

    def test_a11_first_secret(self):
        """The form shows the secret of a new application after the first save, once and for nobody else."""
        application = self.applications.create({'name': "Calendar"})
        action = self.show_first(application)
        self.assertEqual(action['res_model'], 'orestapi.client.secret.show')
        secret = action['context']['default_client_secret']
        self.assertTrue(self.authenticates(secret, application))
        # Any other secret requires the check of identity.
        self.assertFalse(self.show_first(application))
        application.action_remove_client_secret()
        self.assertFalse(self.show_first(application))
        self.assertFalse(self.authenticates(secret, application))
        for vals in ({'client_type': 'public'}, {'client_secret': 'Ohng0ohng3aevaPh4ohX'}):
            with self.subTest(vals=vals):
                self.assertFalse(self.show_first(self.applications.create({'name': "Calendar", **vals})))
        self.assertFalse(self.show_first(self.env['orestapi.application'].create({'name': "Of somebody else"})))
        application = self.applications.create({'name': "Calendar"})
        with self.later(minutes=11):
            self.assertFalse(self.show_first(application))
        self.assertFalse(application.has_client_secret)

    def test_a12_client_id_in_the_form(self):
        """It can be chosen for a new application, and after that only be replaced with the button, which asks first."""
        form = Form(self.applications)
        form.name = "Calendar"
        form.client_id = 'calendar-client'
        application = form.save()
        self.assertEqual(application.client_id, 'calendar-client')
        with self.assertRaises(AssertionError):
            Form(application).client_id = 'another-client'
        arch = etree.fromstring(self.applications.get_view(view_type='form')['arch'])
        for method in ('action_generate_client_id', 'action_remove_client_secret', 'action_remove_own_secret'):
            with self.subTest(method=method):
                [button] = arch.xpath(f'//button[@name="{method}"]')
                self.assertTrue(button.get('confirm'))

    def test_overlap_has_a_bound(self):
        self.stop_clock()
        self.wiki.generate_client_secret(keep_previous=1)
        bound = fields.Datetime.now() + timedelta(days=90)
        self.wiki.previous_client_secret_expires_at = bound
        self.assertValidationError(
            "0 to 90 days", self.wiki.write, {'previous_client_secret_expires_at': bound + timedelta(seconds=1)}
        )
        with self.later(days=80):
            self.assertValidationError(
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
        self.wiki.write({'service_user_id': colleague.id, 'client_secret': 'a-secret-of-the-administrator'})
        self.assertTrue(self.authenticates('a-secret-of-the-administrator'))

    def test_own_id_and_secret(self):
        own_id, own_secret = self.wiki.generate_own_id(), self.wiki.generate_own_secret()
        self.assertEqual((self.wiki.own_id, self.wiki.own_secret), (own_id, own_secret))
        self.assertGreaterEqual(len(own_secret), 43)
        self.wiki.action_generate_own_id()
        self.wiki.action_generate_own_secret()
        self.assertNotIn(self.wiki.own_id, (own_id, False))
        self.assertNotIn(self.wiki.own_secret, (own_secret, False))
