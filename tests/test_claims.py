import json
import re
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, TransactionCase, new_test_user, tagged

from ..models.orestapi_claim import HARMLESS_FIELDS, OWNERS, TYPES
from .common import PASSWORD
from .test_openid import OpenIDCase

SCOPE = 'openid profile email'
CREDENTIAL = re.compile(r'pass|secret|token|key|pin$|hash|signature|barcode|bank|iban|sign_?up', re.IGNORECASE)


class ClaimCase(OpenIDCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job, cls.country, cls.tax = cls.env['orestapi.claim'].create([
            {'name': 'job', 'path': 'partner.function'},
            {'name': 'country', 'path': 'partner.country_id', 'scope_id': cls.env.ref('orestapi.scope_email').id},
            {'name': 'tax', 'path': 'company.vat'},
        ])
        cls.user.partner_id.write({'function': "Editor", 'country_id': cls.env.ref('base.hu').id})
        cls.env.ref('base.main_company').vat = 'HU12345676'
        cls.application.claim_ids = cls.job + cls.country

    def get_told(self, tokens, *names):
        """Return some claims of UserInfo, None where they are left out."""
        response = self.get_userinfo(tokens['access_token'])
        self.assertEqual(response.status_code, 200, response.text)
        return [response.json().get(name) for name in names]


@tagged('post_install', '-at_install')
class TestClaims(ClaimCase):
    """Claims that the administrator defines."""

    def test_userinfo_tells_them(self):
        self.assertEqual(
            self.get_told(self.get_tokens(scope=SCOPE), 'job', 'country', 'tax'), ["Editor", "Hungary", None]
        )
        # Each with its scope.
        self.assertEqual(self.get_told(self.get_tokens(scope='openid email'), 'job', 'country'), [None, "Hungary"])
        self.assertEqual(self.get_told(self.get_tokens(scope='openid'), 'job', 'country'), [None, None])
        # Each to its application.
        self.other.scope_ids = self.scopes
        tokens = self.get_tokens(self.other, scope=SCOPE)
        self.assertEqual(self.get_told(tokens, 'job', 'country', 'tax'), [None, None, None])

    def test_they_follow_the_values(self):
        tokens = self.get_tokens(scope=SCOPE)
        self.user.partner_id.function = "Boss"
        self.assertEqual(self.get_told(tokens, 'job'), ["Boss"])
        self.user.partner_id.function = False
        self.assertEqual(self.get_told(tokens, 'job'), [None])
        self.application.claim_ids -= self.country
        self.assertEqual(self.get_told(tokens, 'country'), [None])
        self.application.claim_ids += self.tax
        self.assertEqual(self.get_told(tokens, 'tax'), ['HU12345676'])

    def test_id_token(self):
        self.assertNotIn('job', self.get_claims(self.get_tokens(scope=SCOPE)))
        wish = json.dumps({'id_token': {'job': None, 'tax': None}})
        claims = self.get_claims(self.get_tokens(scope=SCOPE, claims=wish))
        self.assertEqual((claims['job'], claims.get('tax'), claims.get('country')), ("Editor", None, None))
        self.application.claims_in_id_token = True
        tokens = self.get_tokens(scope=SCOPE)
        claims = self.get_claims(tokens)
        self.assertEqual((claims['job'], claims['country']), ("Editor", "Hungary"))
        claims = self.get_claims(self.refresh(tokens['refresh_token']).json())
        self.assertEqual((claims['job'], claims['country']), ("Editor", "Hungary"))

    def test_n315_claims_parameter(self):
        """A claim that is asked for by name brings the scope that carries it, as far as the application may have it."""
        self.log_in()
        wish = json.dumps({'userinfo': {'country': {'essential': True}}})
        page = self.ask(claims=wish)
        self.assertIn("See your email address", page.text)
        tokens = self.redeem(self.get_answer(page)['code']).json()
        self.assertEqual(tokens['scope'], 'email openid')
        self.assertEqual(self.get_told(tokens, 'country', 'job'), ["Hungary", None])
        self.application.scope_ids -= self.env.ref('orestapi.scope_email')
        tokens = self.redeem(self.get_answer(self.ask(claims=wish))['code']).json()
        self.assertEqual((tokens['scope'], self.get_told(tokens, 'country')), ('openid', [None]))

    def test_n325_discovery(self):
        def get_supported():
            document = self.url_open('/.well-known/openid-configuration').json()
            return {'job', 'country', 'tax', 'title'} & {*document['claims_supported']}

        # Only those that an application is told: the others are nobody's business.
        self.assertEqual(get_supported(), {'job', 'country'})
        self.job.name = 'title'
        self.assertEqual(get_supported(), {'title', 'country'})
        self.application.active = False
        self.assertEqual(get_supported(), set())

    def test_consent_page_names_them(self):
        self.application.claim_ids += self.tax
        self.log_in()
        page = self.ask(scope=SCOPE)
        self.assertIn("This includes: Job Position, Tax ID (company)", page.text)
        self.assertIn("This includes: Country", page.text)
        self.assertNotIn("This includes", self.ask(scope='openid').text)

    def test_n078_a_new_claim_needs_consent(self):
        def is_asked(scope=SCOPE):
            return self.ask(scope=scope).status_code == 200

        self.get_tokens(scope=SCOPE)
        self.assertFalse(is_asked())
        self.application.claim_ids += self.tax
        self.assertTrue(is_asked())
        self.assertErrorAtCallback(self.ask(scope=SCOPE, prompt='none'), 'consent_required')
        # Not where it is not told.
        self.assertFalse(is_asked('openid email'))
        self.get_tokens(scope='openid email', login=False)
        self.assertTrue(is_asked())
        self.get_tokens(scope=SCOPE, login=False)
        self.assertFalse(is_asked())
        # Another value under the same name is another claim.
        self.tax.path = 'company.phone'
        self.assertTrue(is_asked())
        self.get_tokens(scope=SCOPE, login=False)
        # What a user has allowed stays allowed.
        self.tax.write({'name': 'tax', 'path': 'company.phone'})
        self.assertFalse(is_asked())
        self.application.claim_ids -= self.tax
        self.application.claim_ids += self.tax
        self.assertFalse(is_asked())

    def test_s01_told_by_setting(self):
        """Nobody was asked about a claim of a trusted application, so that they are asked when it is not trusted."""
        self.application.trusted = True
        self.get_tokens(scope=SCOPE)
        self.application.trusted = False
        self.get_tokens(scope='openid', login=False)
        page = self.ask(scope=SCOPE)
        self.assertIn("This includes: Job Position", page.text)
        self.get_tokens(scope='openid email', login=False)
        self.assertEqual(self.ask(scope=SCOPE).status_code, 200)

    def test_page_that_was_open_when_a_claim_was_added(self):
        self.log_in()
        page = self.ask(scope=SCOPE)
        self.application.claim_ids += self.tax
        self.assertEqual(self.decide(page).status_code, 400)

    def test_logged(self):
        def get_events():
            events = self.env['orestapi.event'].search([('field_name', '=', 'claim_ids')], order='id')
            return [(event.application_id.name, event.old_value, event.new_value) for event in events]

        before = len(get_events())
        self.job.name = 'title'
        self.job.path = 'user.login'
        self.tax.name = 'vat'  # which no application is told
        self.country.unlink()
        renamed, moved, removed = get_events()[before:]
        country = 'country (partner.country_id, email)'
        self.assertEqual(
            renamed,
            ("Wiki", f'{country}, job (partner.function, profile)', f'{country}, title (partner.function, profile)'),
        )
        self.assertIn('title (user.login, profile)', moved[2])
        self.assertEqual(removed[2], 'title (user.login, profile)')

    def test_s01_guarded(self):
        """A claim of a trusted application changes what is told without asking."""
        self.application.trusted = True
        claims = self.env['orestapi.claim'].with_user(self.administrator)
        application = self.application.with_user(self.administrator)
        job = claims.browse(self.job.id)
        for record, values in (
            (job, {'path': 'user.login'}),
            (job, {'name': 'title'}),
            (application, {'claim_ids': [Command.link(self.tax.id)]}),
            (application, {'claim_ids': [Command.create({'name': 'x', 'path': 'user.login'})]}),
            (application, {'claim_ids': [Command.update(self.job.id, {'path': 'user.login'})]}),
        ):
            with (
                self.subTest(record=record, values=values),
                self.assertRaises(AccessError),
                self.env.cr.savepoint(),
            ):
                record.write(values)
        claims.create({'name': 'x', 'path': 'user.login'})
        # Saying less is harmless.
        job.unlink()

    def test_names(self):
        claims = self.env['orestapi.claim']
        for name in ('sub', 'SUB', 'email_verified', 'name', 'two words', 'é', 'x' * 201):
            with self.subTest(name=name), self.assertRaises(ValidationError), self.env.cr.savepoint():
                claims.create({'name': name, 'path': 'user.login'})
        # Two applications may know two values by one name; one application may not.
        same = claims.create({'name': 'JOB', 'path': 'user.login'})
        self.other.claim_ids = same
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.application.claim_ids += same
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.country.name = 'job'

    def test_paths_over_rpc(self):
        for path in ('user.password', 'partner.signup_token', 'user.group_ids', 'partner.comment', 'company.logo',
                     'user.api_key_ids', 'user.partner_id.signup_token', 'partner', 'partner.', '.name', 'x.name',
                     'env.cr', 'user.__class__', 5, [1]):  # fmt: skip
            with self.subTest(path=path):
                fault = self.assertFault(
                    2, self.call_xmlrpc, self.administrator, 'orestapi.claim', 'create', {'name': 'x', 'path': path}
                )
                self.assertIn("is not a value that applications may be told", fault)

    def test_path_that_is_not_there_any_more(self):
        """The app of the field was uninstalled, or somebody has written into the table."""
        for path in ('partner.gone', 'user.password', 'partner.bank_ids', ''):
            with self.subTest(path=path):
                self.env.cr.execute("UPDATE orestapi_claim SET path = %s WHERE id = %s", [path, self.job.id])
                self.env.invalidate_all()
                self.env.registry.clear_cache()
                self.assertEqual(self.get_told(self.get_tokens(scope=SCOPE), 'job', 'country'), [None, "Hungary"])
                self.assertEqual(self.job.example, False)
                self.assertIn(path, dict(self.job.fields_get(['path'])['path']['selection']))

    def test_preview(self):
        """The dialog shows what UserInfo will say, and no more than the administrator may see."""
        previews = self.env['orestapi.claim.preview'].with_user(self.administrator)
        action = self.application.with_user(self.administrator).action_preview_claims()
        with Form(previews.with_context(**action['context'])) as form:
            self.assertEqual(form.user_id, self.administrator)
            form.user_id = self.user
            told = json.loads(form.text)
        real = self.get_userinfo(self.get_tokens(scope=' '.join(self.scopes.mapped('name')))['access_token']).json()
        self.assertEqual({*told}, {*real})
        for name in {*real} - {'sub', 'picture', 'updated_at'}:
            with self.subTest(name=name):
                self.assertEqual(told[name], real[name])
        self.assertEqual((told['sub'], told['job'], told.get('picture', '…')), ('…', "Editor", '…'))
        subjects = self.env['orestapi.subject'].search_count([])
        with Form(previews.with_context(**action['context'])) as form:
            form.user_id = self.portal_user
            json.loads(form.text)
        self.assertEqual(self.env['orestapi.subject'].search_count([]), subjects, "Nobody has signed in.")

    def test_preview_hides(self):
        company = self.env['res.company'].create({'name': "Hidden"})
        # Colleagues see each other, in whatever company.
        hidden = new_test_user(
            self.env, 'hidden', 'base.group_portal', company_id=company.id, company_ids=[Command.set(company.ids)]
        )
        preview = self.env['orestapi.claim.preview'].with_user(self.administrator)
        with self.assertRaises(AccessError):
            preview.new({'application_id': self.application.id, 'user_id': hidden.id}).text  # noqa: B018
        # Somebody of this company whose own company the administrator may not see.
        self.application.claim_ids += self.tax
        company.vat = 'HU98765432'
        self.user.write({'company_ids': [Command.link(company.id)], 'company_id': company.id})
        text = preview.new({'application_id': self.application.id, 'user_id': self.user.id}).text
        self.assertEqual(json.loads(text)['tax'], '…')

    def test_example_of_the_form(self):
        with Form(self.env['orestapi.claim'].with_user(self.administrator)) as form:
            form.name = 'place'
            form.path = 'user.lang'
            self.assertEqual(form.example, '"en_US"')
            self.assertEqual(form.scope_id.name, 'profile')
            form.example_user_id = self.user
            form.path = 'partner.function'
            self.assertEqual(form.example, '"Editor"')
        # Another example is no change, not even of a claim that only others may change.
        claim = self.job.with_user(self.administrator)
        self.application.trusted = True
        with Form(claim) as form:
            self.assertEqual(form.example_user_id, self.administrator)
            form.example_user_id = self.user
            self.assertEqual(form.example, '"Editor"')
        claim.write({'example_user_id': self.portal_user.id})
        with self.assertRaises(AccessError):
            claim.write({'example_user_id': self.user.id, 'name': 'title'})


@tagged('post_install', '-at_install')
class TestClaimFields(TransactionCase):
    """Which fields claims may tell, in a database with whatever is installed, and how their values are told."""

    def setUp(self):
        # After the transaction was undone, because they read the fields from the database.
        self.addCleanup(self.registry.reset_changes)
        self.addCleanup(self.registry.clear_all_caches)
        super().setUp()
        self.claims = self.env['orestapi.claim']
        self.user = new_test_user(self.env, 'mitchell', 'base.group_user', password=PASSWORD)
        self.portal_user = new_test_user(self.env, 'joel', 'base.group_portal', password=PASSWORD)

    def get_fields(self):
        return [
            (f'{owner}.{field.name}', field)
            for owner, model in OWNERS.items()
            for field in self.env[model]._fields.values()
        ]

    def add_field(self, model, name, ttype, **values):
        self.env['ir.model.fields'].create({
            'model_id': self.env['ir.model']._get_id(model),
            'name': name,
            'ttype': ttype,
            'field_description': name,
            **values,
        })

    def test_only_what_is_listed(self):
        """Guarded by default: a field of any app is not told until somebody has listed it."""
        offered = dict(self.claims._get_paths())
        count = 0
        for path, field in self.get_fields():
            with self.subTest(path=path):
                is_offered = path in offered
                count += is_offered
                self.assertEqual(is_offered, self.claims._find_field(path) is not None)
                if not is_offered:
                    continue
                self.assertTrue(field.name in HARMLESS_FIELDS[field.model_name] or field.manual)
                self.assertIn(field.type, TYPES)
                self.assertFalse(field.groups)
                self.assertNotRegex(field.name, CREDENTIAL)
                self.assertFalse(self.env['orestapi.record']._is_credential(self.env[field.model_name], field))
        self.assertGreater(count, 40)
        self.assertEqual(len(offered), count)

    def test_listed_fields_are_not_forgotten(self):
        """Each name in the list is one that an app of Odoo has, and no typing error; this database has base only."""
        later = {'job_title', 'mobile_phone', 'work_email', 'work_location_id', 'work_location_name',
                 'work_location_type', 'work_phone', 'mobile'}  # fmt: skip
        for model, names in HARMLESS_FIELDS.items():
            with self.subTest(model=model):
                self.assertFalse({*names} - {*self.env[model]._fields} - later)

    def test_everybody_may_know_them(self):
        """Each value can be read by the user it is about, without an error, and is one that JSON has."""
        self.user.partner_id.write({'category_id': [Command.create({'name': "Press"})], 'vat': 'HU12345676'})
        for user in (self.user, self.portal_user):
            for path, _label in self.claims._get_paths():
                with self.subTest(user=user.login, path=path):
                    value = self.claims._get_value(user.id, path)
                    json.dumps(value, allow_nan=False)
                    self.assertNotEqual(value, '')

    def test_values(self):
        partner = self.user.partner_id
        partner.write({
            'function': "Editor",
            'country_id': self.env.ref('base.hu').id,
            'is_company': False,
            'category_id': [Command.create({'name': "Zoo"}), Command.create({'name': "Ant"})],
            'lang': 'en_US',
        })
        self.env['res.lang']._activate_lang('de_DE')
        self.env.ref('base.hu').with_context(lang='de_DE').name = "Ungarn"
        self.user.lang = 'de_DE'
        for path, value in (
            ('partner.function', "Editor"),
            ('partner.country_id', "Hungary"),  # whatever the language of the user
            ('partner.country_code', 'HU'),
            ('partner.is_company', False),
            ('partner.category_id', ["Ant", "Zoo"]),
            ('partner.lang', 'de_DE'),
            ('partner.street', None),
            ('partner.parent_id', None),
            ('user.login', 'mitchell'),
            ('user.share', False),
            ('user.company_id', self.env.company.name),
            ('user.company_ids', [self.env.company.name]),
            ('company.currency_id', self.env.company.currency_id.name),
        ):
            with self.subTest(path=path):
                self.assertEqual(self.claims._get_value(self.user.id, path), value)
        self.assertRegex(
            self.claims._get_value(self.user.id, 'user.create_date'), r'\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z'
        )
        partner.function = 'x' * 1001
        self.assertIsNone(self.claims._get_value(self.user.id, 'partner.function'))

    def test_custom_fields(self):
        """Somebody who administers the database has added them; a repetition is judged by what it repeats."""
        for name, ttype, values, is_offered in (
            ('x_note', 'char', {}, True),
            ('x_date', 'date', {}, True),
            ('x_float', 'float', {}, True),
            ('x_flag', 'boolean', {}, True),
            ('x_choice', 'selection', {'selection_ids': [Command.create({'value': 'a', 'name': "First"})]}, True),
            ('x_country', 'many2one', {'relation': 'res.country'}, True),
            ('x_city', 'char', {'related': 'commercial_partner_id.city', 'readonly': True}, True),
            ('x_manager_city', 'char', {'related': 'user_id.city', 'readonly': True}, True),
            ('x_long', 'text', {}, False),
            ('x_html', 'html', {}, False),
            ('x_file', 'binary', {}, False),
            ('x_api_key', 'char', {}, False),
            ('x_studio_password', 'char', {}, False),
            ('x_apiKey', 'char', {}, False),
            ('x_bank', 'many2one', {'relation': 'res.partner.bank'}, False),
            ('x_sequence', 'many2one', {'relation': 'ir.sequence'}, False),
            ('x_signup', 'char', {'related': 'signup_type', 'readonly': True}, False),
            ('x_account', 'char', {'related': 'bank_ids.acc_number', 'readonly': True}, False),
            ('x_computed', 'char', {'compute': "for r in self: r['x_computed'] = 'x'", 'depends': 'name', 'store': False, 'readonly': True}, False),  # noqa: E501
        ):  # fmt: skip
            with self.subTest(name=name):
                if values.get('related') == 'signup_type' and 'signup_type' not in self.env['res.partner']._fields:
                    continue
                self.add_field('res.partner', name, ttype, **values)
                self.assertEqual(self.claims._find_field(f'partner.{name}') is not None, is_offered)
        self.env['res.partner'].browse(self.user.partner_id.id).write({
            'x_note': "N", 'x_date': '2026-02-28', 'x_float': 1.5, 'x_choice': 'a', 'city': "Pécs",
        })  # fmt: skip
        for name, value in (
            ('x_note', "N"),
            ('x_date', '2026-02-28'),
            ('x_float', 1.5),
            ('x_flag', False),
            ('x_choice', 'a'),
            ('x_country', None),
            ('x_city', "Pécs"),
            ('x_api_key', None),
        ):
            with self.subTest(name=name):
                self.assertEqual(self.claims._get_value(self.user.id, f'partner.{name}'), value)
        self.add_field('res.users', 'x_rank', 'char')
        (self.user + self.portal_user).write({'x_rank': "First"})
        for user in (self.user, self.portal_user):
            with self.subTest(user=user.login):
                self.assertEqual(self.claims._get_value(user.id, 'user.x_rank'), "First")

    def test_restricted_fields(self):
        """Not told, even if it is listed, and even if this user may read it."""
        self.user.partner_id.function = "Editor"
        for groups in ('base.group_system', 'base.group_user', '.'):
            with (
                self.subTest(groups=groups),
                patch.object(self.env['res.partner']._fields['function'], 'groups', groups),
            ):
                self.assertIsNone(self.claims._get_value(self.user.id, 'partner.function'))
                self.assertNotIn('partner.function', dict(self.claims._get_paths()))
