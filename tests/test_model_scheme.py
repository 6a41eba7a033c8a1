from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..records.offer import NOTHING, Limit
from .common import OAuth2Case


@tagged('post_install', '-at_install')
class TestModelScheme(OAuth2Case):
    """The offers of model schemes and configurations, and the effects of changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.as_administrator = cls.env(user=cls.administrator)
        cls.configuration = cls.as_administrator['orestapi.model.configuration'].create({
            'name': "Countries",
            'model_id': cls.env.ref('base.model_res_country').id,
            'field_ids': [Command.set(cls.get_field_ids('res.country', 'name', 'code'))],
        })
        cls.scheme = cls.as_administrator['orestapi.model.scheme'].create({
            'name': "Wiki scheme",
            'configuration_ids': [Command.set(cls.configuration.ids)],
        })
        cls.application.model_scheme_id = cls.scheme.id
        cls.env.cr.execute("DELETE FROM orestapi_event")

    @classmethod
    def get_field_ids(cls, model, *names):
        return [cls.env['ir.model.fields']._get_ids(model)[name] for name in names]

    def get_offer(self, scheme=None):
        return self.env['orestapi.model.scheme']._get_offer((scheme or self.scheme).id)

    def get_events(self):
        return self.env['orestapi.event'].search([('kind', 'like', 'offer_')], order='id')

    def add_model(self, model='x_orestapi_plan'):
        """Create a model as an app would, which can be removed again."""
        return self.env['ir.model'].create({
            'name': "Plan",
            'model': model,
            'field_id': [
                Command.create({'name': 'x_name', 'ttype': 'char', 'field_description': "Name"}),
                Command.create({'name': 'x_salary', 'ttype': 'integer', 'field_description': "Salary"}),
            ],
        })

    # Offers

    def test_shipped(self):
        """The default scheme offers partners, by a list of fields; nothing of it looks like a credential."""
        offer = self.get_offer(self.env.ref('orestapi.model_scheme_default'))
        configuration = self.env.ref('orestapi.model_configuration_partner')
        self.assertEqual(offer.models, Limit('whitelist', frozenset({'res.partner'})))
        self.assertEqual(offer.get_fields('res.partner').mode, 'whitelist')
        self.assertEqual(offer.configurations, {'res.partner': configuration.id})
        self.assertIn('email', offer.get_fields('res.partner'))
        for name in ('signup_type', 'user_ids', 'image_1920', 'comment', 'vat', 'bank_ids'):
            with self.subTest(name=name):
                self.assertNotIn(name, offer.get_fields('res.partner'))
        self.assertTrue(configuration.icon)
        self.assertFalse(configuration.missing_field_names)
        self.assertEqual(self.get_offer(self.env.ref('orestapi.model_scheme_all')).models, Limit())

    def test_new_application_begins_with_the_default_scheme(self):
        application = self.as_administrator['orestapi.application'].create({'name': "New"})
        self.assertEqual(application.model_scheme_id, self.env.ref('orestapi.model_scheme_default'))
        self.env.ref('orestapi.model_scheme_default').active = False
        application = self.as_administrator['orestapi.application'].create({'name': "Newer"})
        self.assertFalse(application.model_scheme_id)

    def test_no_scheme_offers_nothing(self):
        self.assertEqual(self.env['orestapi.model.scheme']._get_offer(False), NOTHING)
        gone = self.scheme.copy()
        id_ = gone.id
        gone.unlink()
        self.assertEqual(self.env['orestapi.model.scheme']._get_offer(id_), NOTHING)

    def test_inactive_scheme_offers_nothing(self):
        for limit in ('whitelist', 'blacklist', 'none'):
            with self.subTest(limit):
                self.scheme.write({'limit_models': limit, 'active': False})
                self.assertEqual(self.get_offer(), NOTHING)

    def test_whitelist(self):
        offer = self.get_offer()
        self.assertEqual(offer.models, Limit('whitelist', frozenset({'res.country'})))
        self.assertEqual(offer.get_fields('res.country'), Limit('whitelist', frozenset({'name', 'code'})))
        self.assertNotIn('name', offer.get_fields('res.partner'))
        self.scheme.configuration_ids = False
        self.assertEqual(self.get_offer().models, Limit('whitelist'))

    def test_blacklist(self):
        self.scheme.write({
            'limit_models': 'blacklist',
            'model_ids': [Command.set(self.env.ref('base.model_res_users').ids)],
        })
        offer = self.get_offer()
        self.assertNotIn('res.users', offer.models)
        self.assertIn('res.partner', offer.models)
        # A configuration limits the fields in each mode.
        self.assertNotIn('phone_code', offer.get_fields('res.country'))
        self.configuration.limit_fields = 'blacklist'
        fields = self.get_offer().get_fields('res.country')
        self.assertEqual(('name' in fields, 'phone_code' in fields), (False, True))
        self.configuration.limit_fields = 'none'
        self.assertEqual(self.get_offer().get_fields('res.country'), Limit())

    def test_inactive_configuration_takes_its_model_out(self):
        """Archiving never offers more."""
        for limit in ('whitelist', 'blacklist', 'none'):
            with self.subTest(limit):
                self.scheme.limit_models = limit
                self.configuration.active = True
                before = self.get_offer()
                self.assertIn('res.country', before.models)
                self.configuration.active = False
                self.assertNotIn('res.country', self.get_offer().models)
                self.assertNotIn('res.country', self.get_offer().configurations)
                self.assertTrue(self.get_offer().is_within(before))

    def test_one_configuration_of_a_model(self):
        """In a scheme, inactive ones included, and from either side."""
        second = self.configuration.copy()
        self.assertFalse(second.scheme_ids)
        with self.assertRaises(ValidationError):
            self.scheme.configuration_ids += second
        second.active = False
        with self.assertRaises(ValidationError):
            second.scheme_ids = self.scheme
        self.assertTrue(self.scheme.copy())

    def test_fields_of_the_own_model_only(self):
        with self.assertRaises(ValidationError):
            self.configuration.field_ids = [Command.link(self.get_field_ids('res.partner', 'email')[0])]

    def test_model_cannot_be_changed(self):
        self.configuration.model_id = self.env.ref('base.model_res_country')
        for vals in ({'model_id': self.env.ref('base.model_res_users').id}, {'model': 'res.users'}):
            with self.subTest(vals), self.assertRaises(ValidationError):
                self.configuration.write(vals)

    def test_model_with_records(self):
        create = self.as_administrator['orestapi.model.configuration'].create
        for model in ('base', 'base.module.upgrade', 'no.such.model'):
            with self.subTest(model), self.assertRaises(ValidationError):
                create({'name': "Abstract", 'model': model})
        with self.assertRaises(IntegrityError), mute_logger('odoo.sql_db'), self.env.cr.savepoint():
            create({'name': "None"})

    def test_search_by_model(self):
        found = self.as_administrator['orestapi.model.configuration'].search([
            ('model_id', '=', self.env.ref('base.model_res_country').id)
        ])
        self.assertIn(self.configuration, found)
        self.assertEqual(set(found.mapped('model')), {'res.country'})

    # Uninstalled apps

    def test_removed_field_stays_excluded(self):
        """A blacklist keeps the name of a field whose app is removed: it is not offered when it comes back."""
        model = self.add_model()
        configuration = self.as_administrator['orestapi.model.configuration'].create({
            'name': "Plans",
            'model_id': model.id,
            'limit_fields': 'blacklist',
            'scheme_ids': self.scheme.ids,
            'field_ids': [Command.set(self.get_field_ids('x_orestapi_plan', 'x_salary'))],
        })
        model.field_id.filtered(lambda field: field.name == 'x_salary').unlink()
        configuration.invalidate_recordset()
        self.assertFalse(configuration.field_ids)
        self.assertEqual(configuration.missing_field_names, 'x_salary')
        self.assertNotIn('x_salary', self.get_offer().get_fields('x_orestapi_plan'))
        # Another change of the list does not lose it.
        configuration.field_ids = [Command.link(self.get_field_ids('x_orestapi_plan', 'x_name')[0])]
        self.assertNotIn('x_salary', self.get_offer().get_fields('x_orestapi_plan'))
        configuration.action_forget_missing_fields()
        self.assertEqual(configuration.field_names, 'x_name')

    def test_removed_field_leaves_a_whitelist(self):
        model = self.add_model()
        self.as_administrator['orestapi.model.configuration'].create({
            'name': "Plans",
            'model_id': model.id,
            'scheme_ids': self.scheme.ids,
            'field_ids': [Command.set(self.get_field_ids('x_orestapi_plan', 'x_salary'))],
        })
        model.field_id.filtered(lambda field: field.name == 'x_salary').unlink()
        self.assertEqual(self.get_offer().get_fields('x_orestapi_plan').mode, 'whitelist')
        self.assertNotIn('x_name', self.get_offer().get_fields('x_orestapi_plan'))

    def test_removed_model_stays_excluded(self):
        """The same for a model and the limits of its fields."""
        plan, secret = self.add_model(), self.add_model('x_orestapi_secret')
        configuration = self.as_administrator['orestapi.model.configuration'].create({
            'name': "Plans",
            'model_id': plan.id,
            'scheme_ids': self.scheme.ids,
            'field_ids': [Command.set(self.get_field_ids('x_orestapi_plan', 'x_name'))],
        })
        self.scheme.write({'limit_models': 'blacklist', 'model_ids': [Command.set(secret.ids)]})
        before = self.get_offer()
        (plan + secret).unlink()
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertEqual(self.get_offer(), before)
        self.assertFalse(configuration.model_id)
        self.assertEqual(configuration.model, 'x_orestapi_plan')
        self.assertEqual(self.scheme.missing_model_names, 'x_orestapi_secret')
        self.scheme.model_ids = [Command.link(self.env.ref('base.model_res_users').id)]
        self.assertLessEqual({'res.users', 'x_orestapi_secret'}, self.get_offer().models.names)
        # And the administrator can still change the configuration.
        configuration.name = "Old plans"
        self.scheme.action_forget_missing_models()
        self.assertEqual(self.scheme.model_names, 'res.users')

    # Caches

    def test_offer_costs_no_query(self):
        self.get_offer()
        self.get_offer()
        scheme = self.env['orestapi.model.scheme'].with_user(self.user)
        with self.assertQueryCount(0):
            scheme._get_offer(self.scheme.id)

    def test_every_change_is_noticed(self):
        changes = (
            (self.scheme, {'limit_models': 'blacklist'}),
            (self.scheme, {'model_names': 'res.users'}),
            (self.configuration, {'limit_fields': 'none'}),
            (self.configuration, {'limit_fields': 'blacklist'}),
            (self.configuration, {'field_names': 'name'}),
            (self.configuration, {'active': False}),
            (self.configuration, {'active': True}),
            (self.configuration, {'scheme_ids': [Command.clear()]}),
            (self.scheme, {'configuration_ids': [Command.create({'name': "Users", 'model': 'res.users'})]}),
            (self.scheme, {'active': False}),
        )
        for record, vals in changes:
            with self.subTest(vals):
                before = self.get_offer()
                record.write(vals)
                self.assertNotEqual(self.get_offer(), before)
        self.scheme.active = True
        before = self.get_offer()
        self.scheme.configuration_ids.unlink()
        self.assertNotEqual(self.get_offer(), before)

    def test_failed_change_leaves_nothing_behind(self):
        """The next change is watched again, after one that was refused."""
        with self.assertRaises(ValidationError):
            self.configuration.model = 'res.users'
        self.configuration.limit_fields = 'none'
        self.assertEqual(self.get_offer().get_fields('res.country'), Limit())

    # Consent and events

    def test_widened_scheme_asks_again(self):
        """N078: consent counts only for what the user was asked about."""
        self.sign_in()
        self.authenticate(self.user.login, 'a password of at least 8')
        widen = (
            lambda: self.configuration.write({
                'field_ids': [Command.link(self.get_field_ids('res.country', 'phone_code')[0])]
            }),
            lambda: self.scheme.write({
                'configuration_ids': [Command.link(self.env.ref('orestapi.model_configuration_partner').id)]
            }),
            lambda: self.application.write({'model_scheme_id': self.env.ref('orestapi.model_scheme_all').id}),
        )
        for case, change in enumerate(widen):
            with self.subTest(case=case):
                self.assertEqual(self.authorize(self.get_request()).status_code, 303)
                change()
                self.assertEqual(self.authorize(self.get_request()).status_code, 200)
                self.get_response(self.decide(self.authorize(self.get_request())))
        self.assertEqual(self.get_events().mapped('kind'), ['offer_widened'] * 3)
        self.assertEqual(self.authorize(self.get_request()).status_code, 303)

    def test_narrowed_scheme_does_not_ask_again(self):
        self.sign_in()
        self.authenticate(self.user.login, 'a password of at least 8')
        self.configuration.field_ids = [Command.set(self.get_field_ids('res.country', 'name'))]
        self.scheme.configuration_ids = False
        # This is not less than before.
        self.application.model_scheme_id = False
        self.assertEqual(self.authorize(self.get_request()).status_code, 303)
        self.assertEqual(self.get_events().mapped('kind'), ['offer_changed'] * 2)

    def test_widened_scheme_of_another_application(self):
        self.sign_in()
        self.authenticate(self.user.login, 'a password of at least 8')
        self.other.model_scheme_id = self.env.ref('orestapi.model_scheme_all')
        self.assertEqual(self.authorize(self.get_request()).status_code, 303)
        self.assertEqual(self.get_events().application_id, self.other)

    def test_other_scopes_are_not_asked_for_again(self):
        self.sign_in(scope='read rpc')
        self.authenticate(self.user.login, 'a password of at least 8')
        self.application.model_scheme_id = self.env.ref('orestapi.model_scheme_all')
        self.assertEqual(self.authorize(self.get_request(scope='rpc')).status_code, 303)
        # The user was not asked about reading.
        self.assertEqual(self.authorize(self.get_request(scope='read rpc')).status_code, 200)

    def test_tokens_outlive_a_change_of_the_scheme(self):
        """N155: after the scheme is emptied, refreshes keep working, but nothing is offered any more."""
        tokens = self.sign_in()
        self.scheme.configuration_ids = False
        self.assertEqual(self.get_offer(self.application.model_scheme_id).models, Limit('whitelist'))
        tokens = self.refresh(tokens['refresh_token'])
        self.assertEqual(tokens.status_code, 200, tokens.text)
        self.application.model_scheme_id = self.env.ref('orestapi.model_scheme_all')
        self.assertActive(tokens.json()['access_token'])
        self.assertEqual(self.refresh(tokens.json()['refresh_token']).status_code, 200)

    def test_events(self):
        """One event for each change and application, however many records it involves; none without a change."""
        self.other.model_scheme_id = self.scheme
        self.env.cr.execute("DELETE FROM orestapi_event")
        self.scheme.write({
            'description': "Another text",
            'configuration_ids': [
                Command.update(self.configuration.id, {'limit_fields': 'none'}),
                Command.create({'name': "Users", 'model': 'res.users'}),
            ],
        })
        self.assertEqual(len(self.get_events()), 2)
        self.assertEqual(self.get_events().application_id, self.application + self.other)
        self.assertEqual(
            self.get_events().filtered(lambda event: event.application_id == self.application).message,
            "Ada let Wiki read more (model scheme: Wiki scheme); its users are asked again.",
        )
        self.scheme.name = "Another name"
        self.assertEqual(len(self.get_events()), 2)

    # Access rights

    def test_rights(self):
        """Only Oregional Odoo App administrators read and change schemes; they need no other right for it."""
        for model in ('orestapi.model.scheme', 'orestapi.model.configuration'):
            for user in (self.user, self.portal_user):
                with self.subTest(model=model, user=user.login):
                    records = self.env[model].with_user(user)
                    with self.assertRaises(AccessError):
                        records.search([])
                    with self.assertRaises(AccessError):
                        records.browse(self.scheme.id).write({'name': "Mine"})
        self.assertFalse(self.administrator.has_group('base.group_erp_manager'))
        with self.assertRaises(AccessError):
            self.application.with_user(self.user).read(['model_scheme_id'])
        with self.assertRaises(AccessError):
            self.env.ref('base.model_res_country').with_user(self.administrator).write({'name': "Mine"})

    def test_form(self):
        """An administrator of applications only can fill in the forms."""
        with Form(self.as_administrator['orestapi.model.configuration']) as form:
            form.model_id = self.as_administrator['ir.model']._get('res.currency')
            self.assertEqual(form.name, "Currency")
            form.field_ids.add(self.as_administrator['ir.model.fields']._get('res.currency', 'symbol'))
        configuration = form.record
        self.assertEqual((configuration.model, configuration.field_names), ('res.currency', 'symbol'))
        with Form(self.scheme) as form:
            form.configuration_ids.add(configuration)
            form.limit_models = 'blacklist'
            form.model_ids.add(self.as_administrator['ir.model']._get('res.users'))
        self.assertNotIn('res.users', self.get_offer().models)
        with Form(self.application.with_user(self.administrator)) as form:
            form.model_scheme_id = self.as_administrator.ref('orestapi.model_scheme_all')
        self.assertIn('res.users', self.get_offer(self.application.model_scheme_id).models)

    def test_status(self):
        self.env['ir.config_parameter'].set_param('orestapi.issuer', 'https://odoo.example.com')
        self.assertEqual(self.application.status, 'ready')
        self.application.model_scheme_id = self.env.ref('orestapi.model_scheme_all')
        self.assertEqual(self.application.status, 'risky')
        self.assertIn("all models", self.application.status_message)
        self.application.model_scheme_id = self.scheme
        self.scheme.active = False
        self.assertEqual(self.application.status, 'incomplete')
        self.assertIn("inactive", self.application.status_message)
        self.application.model_scheme_id = False
        self.assertIn("No model scheme yet", self.application.status_message)
        # An application that cannot request records needs no scheme.
        self.application.scope_ids = self.env.ref('orestapi.scope_rpc')
        self.assertEqual(self.application.status, 'ready')

    def test_buttons(self):
        action = self.scheme.action_open_applications()
        self.assertEqual(self.env[action['res_model']].search(action['domain']), self.application)
        self.assertEqual(self.scheme.application_count, 1)
        action = self.configuration.action_open_schemes()
        self.assertEqual(self.env[action['res_model']].search(action['domain']), self.scheme)
        self.assertEqual(self.configuration.scheme_count, 1)

    def test_scheme_in_use_cannot_be_deleted(self):
        archived = self.application.copy({'name': "Shop", 'active': False})
        with self.assertRaisesRegex(UserError, "because these applications use it: (Shop, Wiki|Wiki, Shop)"):
            self.scheme.unlink()
        (self.application + archived).model_scheme_id = False
        self.assertTrue(self.scheme.unlink())
