from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged('post_install', '-at_install')
class TestSettings(TransactionCase):
    """The block *Oregional REST API* of Odoo's settings."""

    def save(self, **values):
        settings = self.env['res.config.settings'].create(values)
        settings.execute()
        return settings

    def test_issuer(self):
        self.save(orestapi_issuer='https://odoo.example.com')
        self.assertEqual(self.env['orestapi.server']._get_issuer(), 'https://odoo.example.com')
        for wrong in ('odoo.example.com', 'https://odoo.example.com/path', 'https://a?b', 'javascript:alert(1)'):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.save(orestapi_issuer=wrong)

    def test_a18_issuer_with_other_letters(self):
        """An issuer in lower case without a path gets the same remedy as a callback URI."""
        with self.assertRaises(ValidationError) as caught:
            self.save(orestapi_issuer='https://b\u00fccher.example')
        self.assertIn("Punycode", caught.exception.args[0])
        application = self.env['orestapi.application'].create({'name': "Wiki"})
        self.env['ir.config_parameter'].set_param('orestapi.issuer', 'https://b\u00fccher.example')
        self.assertIn("Punycode", '\n'.join(application._get_issuer_risks()))
        for good in ('https://xn--bcher-kva.example', 'http://odoo_web:8069', '\u200bhttps://odoo.example.com/'):
            with self.subTest(good=good):
                self.save(orestapi_issuer=good)
                self.assertEqual(self.env['orestapi.server']._get_issuer(), good.strip('\u200b/'))

    def test_p13_status_names_the_setting_to_change(self):
        application = self.env['orestapi.application'].create({'name': "Wiki"})
        parameters = self.env['ir.config_parameter']
        for issuer, base, frozen, expected in (
            ('http://odoo.example.com', 'https://odoo.example.com', False, "without encryption"),
            ('', 'http://odoo.example.com', False, "without encryption"),
            ('', 'https://odoo.example.com', False, "No issuer is set"),
            ('', 'https://odoo.example.com', 'True', None),
            ('https://odoo.example.com', 'http://10.0.0.1:8069', False, None),
            ('', 'http://127.0.0.1:8069', False, None),
        ):
            with self.subTest(issuer=issuer, base=base):
                parameters.set_param('orestapi.issuer', issuer)
                parameters.set_param('web.base.url', base)
                parameters.set_param('web.base.url.freeze', frozen)
                risks = application._get_issuer_risks()
                self.assertEqual(len(risks), 1 if expected else 0, risks)
                self.assertIn(expected or '', ''.join(risks))
                self.assertNotIn('web.base.url', ''.join(risks))

    def test_p13_capitals_and_default_port(self):
        parameters = self.env['ir.config_parameter']
        for written in ('HTTPS://Odoo.Example.com', 'https://odoo.example.com:443', 'https://odoo.example.com:443/'):
            with self.subTest(written=written):
                parameters.set_param('orestapi.issuer', written)
                self.assertEqual(self.env['orestapi.server']._get_issuer(), 'https://odoo.example.com')
                self.assertFalse(self.env['orestapi.application']._get_issuer_risks())

    def test_issuer_past_the_settings(self):
        """An issuer that applications could not use is ignored, and the security check tells it."""
        parameters = self.env['ir.config_parameter']
        parameters.set_param('web.base.url', 'https://odoo.example.com')
        application = self.env['orestapi.application'].create({'name': "Wiki"})
        for wrong in ('odoo.example.com', 'https://odoo.example.com/path', 'javascript:alert(1)'):
            with self.subTest(wrong):
                parameters.set_param('orestapi.issuer', wrong)
                self.assertEqual(self.env['orestapi.server']._get_issuer(), 'https://odoo.example.com')
                self.assertIn("The issuer in the settings is ignored", '\n'.join(application._get_risks()))
        parameters.set_param('orestapi.issuer', 'https://other.example.com/')
        self.assertEqual(self.env['orestapi.server']._get_issuer(), 'https://other.example.com')
        self.assertNotIn("The issuer of the settings", '\n'.join(application._get_risks()))

    def test_plain_http(self):
        """RFC 6749 §3.1, §3.2: only the developer's own computer needs no TLS."""
        application = self.env['orestapi.application'].create({'name': "Wiki"})
        for issuer, risky in (
            ('http://odoo.example.com', True),
            ('https://odoo.example.com', False),
            ('http://localhost:8069', False),
            ('http://127.0.0.1:8069', False),
            ('http://[::1]:8069', False),
        ):
            with self.subTest(issuer):
                self.env['ir.config_parameter'].set_param('orestapi.issuer', issuer)
                self.assertEqual("without encryption" in '\n'.join(application._get_risks()), risky)

    def test_retention(self):
        self.save(orestapi_event_retention=30)
        self.assertEqual(self.env['ir.config_parameter'].get_param('orestapi.event_retention'), '30')
        for wrong in (0, -1, 100_000):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.save(orestapi_event_retention=wrong)

    def test_security_check(self):
        """The applications that deviate from RFC 9700 are listed with the reason, and no others."""
        self.env['ir.config_parameter'].set_param('orestapi.issuer', 'https://odoo.example.com')
        careless, careful = self.env['orestapi.application'].create([
            {'name': "Careless", 'require_pkce': False},
            {'name': "Careful"},
        ])
        deviating = self.save().orestapi_deviating_application_ids
        self.assertIn(careless, deviating)
        self.assertNotIn(careful, deviating)
        self.assertIn("PKCE", careless.status_message)

    def test_system_administrator_without_our_group(self):
        """Users who may change Odoo's settings can save them without access to applications."""
        system = new_test_user(self.env, 'sysadmin', 'base.group_system')
        settings = self.env['res.config.settings'].with_user(system).create({})
        settings.execute()
        self.assertNotIn('orestapi_deviating_application_ids', settings.get_view(view_type='form')['arch'])

    def test_mail_switched_off(self):
        """Events from while e-mails were off are not sent when they are turned on."""
        self.save(orestapi_mail_administrators=False)
        events = self.env['orestapi.event']
        events._log('code_replayed')
        self.assertTrue(events.search_count([('mail_pending', '=', True)]))
        events._mail_administrators()
        events.invalidate_model()
        self.assertFalse(events.search_count([('mail_pending', '=', True)]))

    # System parameters written by hand

    def test_o04_retention_that_cannot_be_read(self):
        """The default applies and is shown, and saving any other setting works and corrects the parameter."""
        parameters = self.env['ir.config_parameter']
        events = self.env['orestapi.event']
        for text in ('abc', '-1', '0', '1e9', '99999999999999999999', '1.5', '٣', '30 days', ' 30', '3651', '1_000'):
            with self.subTest(text):
                parameters.set_param('orestapi.event_retention', text)
                settings = self.env['res.config.settings'].create({})
                self.assertEqual(settings.orestapi_event_retention, 365)
                self.assertIn('orestapi.event_retention', settings.orestapi_unread_parameters)
                self.assertIn(text, settings.orestapi_unread_parameters)
                self.assertEqual(events._get_retention()[0], 365)
                events._gc_retention()
                settings.execute()
                self.assertFalse(self.env['res.config.settings'].create({}).orestapi_unread_parameters)

    def test_o04_retention_that_can_be_read(self):
        self.env['ir.config_parameter'].set_param('orestapi.event_retention', '30')
        settings = self.save()
        self.assertEqual(settings.orestapi_event_retention, 30)
        self.assertFalse(settings.orestapi_unread_parameters)
        self.assertEqual(self.env['orestapi.event']._get_retention(), (30, False))

    def test_o04_mail_that_cannot_be_read(self):
        parameters = self.env['ir.config_parameter']
        for text, value, unread in (
            ('True', True, False),
            ('1', True, False),
            ('False', False, False),
            ('0', False, False),
            ('perhaps', False, True),
            ('abc', False, True),
        ):
            with self.subTest(text):
                parameters.set_param('orestapi.mail_administrators', text)
                settings = self.env['res.config.settings'].create({})
                self.assertIs(settings.orestapi_mail_administrators, value)
                self.assertEqual('orestapi.mail_administrators' in settings.orestapi_unread_parameters, unread)
                settings.execute()
                self.assertEqual(parameters._get_choice('orestapi.mail_administrators'), (value, False))

    def test_o04_issuer_that_cannot_be_read(self):
        """It is kept when another setting is saved; changing it to another invalid value is refused."""
        parameters = self.env['ir.config_parameter']
        parameters.set_param('web.base.url', 'https://odoo.example.com')
        for text in ('odoo.example.com', 'https://odoo.example.com/path', 'javascript:alert(1)', '%s', 'x' * 5000):
            with self.subTest(text[:40]):
                parameters.set_param('orestapi.issuer', text)
                settings = self.env['res.config.settings'].create({'orestapi_mail_administrators': True})
                self.assertEqual(settings.orestapi_issuer, text)
                self.assertIn('https://odoo.example.com is used', settings.orestapi_unread_parameters)
                settings.execute()
                self.assertEqual(parameters.get_param('orestapi.issuer'), text)
                with self.assertRaises(ValidationError):
                    self.save(orestapi_issuer='another/wrong')
        self.save(orestapi_issuer=' https://other.example.com ')
        self.assertEqual(parameters.get_param('orestapi.issuer'), 'https://other.example.com')
        self.save(orestapi_issuer=False)
        self.assertFalse(parameters.get_param('orestapi.issuer'))

    def test_o04_settings_of_the_role(self):
        """The page of application administrators shows it too, saves other settings, and corrects it."""
        parameters = self.env['ir.config_parameter']
        administrator = new_test_user(self.env, 'ada', 'orestapi.group_administrator')
        settings = self.env['orestapi.settings'].with_user(administrator)
        self.assertFalse(settings.create({}).unread_parameters)
        for key in ('issuer', 'event_retention', 'mail_administrators'):
            parameters.set_param(f'orestapi.{key}', 'abc')
        shown = settings.create({})
        for key in ('issuer', 'event_retention', 'mail_administrators'):
            with self.subTest(key=key):
                self.assertIn(f'orestapi.{key}', shown.unread_parameters)
        self.assertEqual((shown.event_retention, shown.mail_administrators), (365, False))
        shown.issuer = 'https://odoo.example.com'
        shown.execute()
        self.assertEqual(self.env['orestapi.server']._get_issuer(), 'https://odoo.example.com')
        self.assertFalse(settings.create({}).unread_parameters)
        arch = self.env['orestapi.settings'].get_view(view_type='form')['arch']
        self.assertIn('unread_parameters', arch)

    def test_o04_system_administrator_without_our_group(self):
        """Users who may not see this addon's block can save the other settings, whatever its values are."""
        parameters = self.env['ir.config_parameter']
        for key in ('orestapi.issuer', 'orestapi.event_retention', 'orestapi.mail_administrators'):
            parameters.set_param(key, 'abc')
        system = new_test_user(self.env, 'sysadmin', 'base.group_system')
        self.env['res.config.settings'].with_user(system).create({}).execute()
