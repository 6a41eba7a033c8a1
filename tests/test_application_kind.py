from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..models.orestapi_application_kind import KINDS
from .test_application import ApplicationCase

APPLICATION = 'orestapi.application'


@tagged('post_install', '-at_install')
class TestApplicationKind(ApplicationCase):
    """Kinds of applications, which fill in the settings."""

    def get_scopes(self, application):
        return {*application.scope_ids.mapped('name')}

    def assertSignsIn(self, application):
        self.assertEqual(application.kind, 'sign_in')
        self.assertEqual(self.get_scopes(application), {'openid', 'profile', 'email'})
        self.assertEqual((application.client_type, application.require_pkce), ('confidential', True))
        self.assertFalse(application.model_scheme_id)
        self.assertFalse(application.trusted or application.service_user_id or application.legacy_connector)

    def test_table(self):
        self.assertEqual({*KINDS}, {*self.application._fields['kind'].get_values(self.env)})
        names = {*self.env['orestapi.scope'].search([]).mapped('name')}
        for key, kind in KINDS.items():
            with self.subTest(kind=key):
                self.assertLessEqual({*kind.scopes, *kind.further_scopes}, names)
                self.assertLessEqual({*kind.marks, *kind.settings}, {*self.application._fields})
                # What it fills in is of the kind.
                application = self.env[APPLICATION].create({'name': "New", 'kind': key})
                self.assertEqual(application.kind, key)

    def test_new(self):
        with Form(self.env[APPLICATION].with_user(self.administrator)) as form:
            self.assertFalse(form.kind)
            form.name = "Intranet"
            form.kind = 'sign_in'
            self.assertEqual({scope.name for scope in form.scope_ids}, {'openid', 'profile', 'email'})
            self.assertFalse(form.model_scheme_id)
            with form.uri_ids.new() as uri:
                uri.uri = 'https://intranet.example.com/callback'
        self.assertSignsIn(form.record)

    def test_changed_by_hand(self):
        phone, read = self.env.ref('orestapi.scope_phone'), self.env.ref('orestapi.scope_read')
        with Form(self.env[APPLICATION].with_user(self.administrator)) as form:
            form.name = "Intranet"
            form.kind = 'sign_in'
            form.scope_ids.add(phone)
            form.require_pkce = False
        application = form.record
        self.assertEqual(self.get_scopes(application), {'openid', 'profile', 'email', 'phone'})
        self.assertFalse(application.require_pkce)
        # It is of the kind still, and saving it again takes nothing back.
        self.assertEqual(application.kind, 'sign_in')
        application.kind = 'sign_in'
        self.assertFalse(application.require_pkce)
        # With records it is of another kind.
        application.scope_ids += read
        self.assertFalse(application.kind)
        application.write({'scope_ids': [Command.unlink(read.id)], 'client_type': 'public'})
        self.assertFalse(application.kind)

    def test_existing(self):
        self.application.write({'require_pkce': False, 'legacy_connector': True})
        self.assertFalse(self.application.kind)
        with Form(self.application.with_user(self.administrator)) as form:
            form.kind = 'sign_in'
        self.assertSignsIn(self.application)
        events = self.env['orestapi.event'].search([('application_id', '=', self.application.id)])
        self.assertLessEqual({'scope_ids', 'require_pkce', 'legacy_connector'}, {*events.mapped('field_name')})
        self.assertNotIn('kind', events.mapped('field_name'))

    def test_over_rpc(self):
        self.call_xmlrpc(self.administrator, APPLICATION, 'write', self.application.ids, {'kind': 'sign_in'})
        self.application.invalidate_recordset()
        self.assertSignsIn(self.application)
        ident = self.call_xmlrpc(self.administrator, APPLICATION, 'create', {'name': "X", 'kind': 'sign_in'})
        self.assertSignsIn(self.env[APPLICATION].browse(ident))
        values = {'name': "Y", 'kind': 'sign_in', 'require_pkce': False}
        ident = self.call_xmlrpc(self.administrator, APPLICATION, 'create', values)
        self.assertFalse(self.env[APPLICATION].browse(ident).require_pkce)

    def test_s01_guarded(self):
        self.application.trusted = True
        with self.assertRaises(AccessError):
            self.application.with_user(self.administrator).kind = 'sign_in'

    def test_what_to_copy(self):
        """The form shows the addresses of OpenID Connect for an application that signs people in."""
        arch = self.env.ref('orestapi.orestapi_application_view_form').arch
        for name, path in (
            ('openid_configuration_uri', '/.well-known/openid-configuration'),
            ('userinfo_endpoint', '/oauth2/userinfo'),
            ('jwks_uri', '/oauth2/jwks'),
            ('end_session_endpoint', '/oauth2/logout'),
        ):
            with self.subTest(name=name):
                self.assertIn(f'<field name="{name}" widget="CopyClipboardChar" invisible="not signs_in"/>', arch)
                self.assertEqual(self.application[name], 'https://odoo.example.com' + path)
                self.assertNotEqual(self.url_open(path, allow_redirects=False).status_code, 404)
