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
        self.assertEqual(self.env['orestapi.application']._get_issuer(), 'https://odoo.example.com')
        for wrong in ('odoo.example.com', 'https://odoo.example.com/path', 'https://a?b', 'javascript:alert(1)'):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.save(orestapi_issuer=wrong)

    def test_issuer_past_the_settings(self):
        """What no application could use as an issuer is not used, and the security check says so."""
        parameters = self.env['ir.config_parameter']
        parameters.set_param('web.base.url', 'https://odoo.example.com')
        application = self.env['orestapi.application'].create({'name': "Wiki"})
        for wrong in ('odoo.example.com', 'https://odoo.example.com/path', 'javascript:alert(1)', ' '):
            with self.subTest(wrong):
                parameters.set_param('orestapi.issuer', wrong)
                self.assertEqual(application._get_issuer(), 'https://odoo.example.com')
                self.assertIn("The issuer of the settings is not used", '\n'.join(application._get_risks()))
        parameters.set_param('orestapi.issuer', 'https://other.example.com/')
        self.assertEqual(application._get_issuer(), 'https://other.example.com')
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
        """Whoever may change Odoo's settings may save them without seeing our applications."""
        system = new_test_user(self.env, 'sysadmin', 'base.group_system')
        settings = self.env['res.config.settings'].with_user(system).create({})
        settings.execute()
        self.assertNotIn('orestapi_deviating_application_ids', settings.get_view(view_type='form')['arch'])

    def test_mail_switched_off(self):
        """What happened while the mail was off is not sent when it is switched on."""
        self.save(orestapi_mail_administrators=False)
        events = self.env['orestapi.event']
        events._log('code_replayed')
        self.assertTrue(events.search_count([('mail_pending', '=', True)]))
        events._mail_administrators()
        events.invalidate_model()
        self.assertFalse(events.search_count([('mail_pending', '=', True)]))
