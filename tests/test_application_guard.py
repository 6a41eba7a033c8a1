import json
import runpy
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from odoo import Command, fields
from odoo.tests import new_test_user, tagged

from ..oauth2.tokens import parse
from .common import CALLBACK, CLIENT_SECRET, PASSWORD
from .test_application import ApplicationCase

TRUSTED = "Users are not asked about a trusted application"
SERVICE = "This application acts as another user"

APPLICATION = 'orestapi.application'
URI = 'orestapi.application.uri'

#: Values that an application administrator may write to any application, because they give no rights.
HARMLESS = (
    {'name': "Wiki of the sales team"},
    {'description': "Pages"},
    {'logo': 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='},
    {'authorization_code_expiry': 60},
    {'access_token_expiry': 60},
    {'refresh_token_expiry': 60},
    {'refresh_token_grace': 0},
    {'sign_in_expiry': 60},
    {'require_pkce': True},
    {'legacy_connector': False},
    {'resource_server': False},
    {'previous_client_secret_expires_at': False},
    {'model_scheme_id': False},
    {'trusted': False},
    {'service_user_id': False},
    {'active': False},
    # Unchanged values.
    {'client_id': 'wiki-client', 'client_type': 'confidential', 'uri_ids': [], 'allowed_origins': False},
)


@tagged('post_install', '-at_install')
class TestApplicationGuard(ApplicationCase):
    """Actions on applications that act for people without asking them, which only access rights administrators may do.

    All are tried over XML-RPC, as an administrator of applications only.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = new_test_user(cls.env, 'robot', 'base.group_user', password=PASSWORD, name="Robot")
        cls.boss = new_test_user(
            cls.env, 'boss', 'orestapi.group_administrator,base.group_erp_manager', password=PASSWORD
        )
        cls.application.write({
            'require_pkce': False,
            'legacy_connector': True,
            'resource_server': True,
            'refresh_token_grace': 10,
            'refresh_token_expiry': 600,
            'sign_in_expiry': 600,
            'authorization_code_expiry': 100,
        })
        cls.application.generate_client_secret(keep_previous=1)

    def call(self, method, *args, model=APPLICATION, user=None, **kwargs):
        # XML-RPC does not support enumerations, which the commands are.
        args = json.loads(json.dumps(args))
        return self.call_xmlrpc(user or self.administrator, model, method, *args, **kwargs)

    def assertGuarded(self, sentence, method, *args, **kwargs):
        """Assert that a call is refused because of the missing right, and changes nothing."""
        before = self.snapshot()
        self.assertIn(sentence, self.assertFault(4, self.call, method, *args, **kwargs))
        self.assertEqual(self.snapshot(), before)

    def snapshot(self):
        self.env.flush_all()
        rows = []
        for table in ('orestapi_application', 'orestapi_application_uri', 'orestapi_application_res_groups_rel'):
            self.env.cr.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2')  # noqa: S608
            rows.append(self.env.cr.fetchall())
        return rows

    def make_trusted(self):
        self.application.trusted = True
        return TRUSTED

    def make_service(self):
        self.application.write({'service_user_id': self.colleague.id, 'client_secret': CLIENT_SECRET})
        return SERVICE

    @contextmanager
    def undone(self):
        """Undo all changes made inside."""
        with self.env.cr.savepoint() as savepoint:
            try:
                yield
            finally:
                savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def each(self, method):
        """Call a method with the message of each kind of guarded application, and undo its changes."""
        for make in (self.make_trusted, self.make_service):
            with self.subTest(make.__name__), self.undone():
                method(make())

    def get_changed(self, field):
        """Return a value that differs from the current one of a field."""
        value = self.application.sudo()[field.name]
        match field.type:
            case 'boolean':
                return not value
            case 'integer':
                return value + 1
            case 'datetime':
                return fields.Datetime.to_string((value or fields.Datetime.now()) + timedelta(hours=1))
            case 'selection':
                return next(key for key in field.get_values(self.env) if key != value)
            case 'many2one':
                return (self.env[field.comodel_name].sudo().search([]) - value)[:1].id or 2**31 - 1
            case 'many2many' | 'one2many':
                return [Command.clear()] if value else [Command.create({})]
            case _:
                return 'something.else-123456789'

    def test_s01_every_field(self):
        """A field that is added later is guarded until it is listed as harmless."""
        harmless = {name for vals in HARMLESS for name in vals}

        def check(sentence):
            for name, field in self.application._fields.items():
                if name in ('name', 'description', 'logo', 'id', 'display_name'):
                    continue
                if name == ('trusted' if sentence == TRUSTED else 'service_user_id'):
                    continue
                value = self.get_changed(field)
                if (value is False and {name: False} in HARMLESS) or name == 'require_pkce':
                    continue
                with self.subTest(name=name, listed=name in harmless), self.undone():
                    self.assertGuarded(sentence, 'write', self.application.ids, {name: value})
                    # Not together with harmless values either, nor with a value that ends the guard.
                    vals = {'name': "Wiki", 'trusted': False, 'service_user_id': False, name: value}
                    self.assertGuarded(sentence, 'write', self.application.ids, vals)

        self.each(check)

    def test_s01_harmless(self):
        def check(_sentence):
            for vals in HARMLESS:
                with self.subTest(vals=[*vals]), self.undone():
                    self.assertTrue(self.call('write', self.application.ids, vals))

        self.each(check)

    def test_s01_never_is_longer(self):
        """0 means no limit, so it is not a shorter lifetime."""
        lifetimes = {'refresh_token_expiry': 600, 'sign_in_expiry': 600, 'access_token_expiry': 600}
        self.application.write(lifetimes)
        self.application.refresh_token_grace = 0

        def check(sentence):
            for vals in (
                {'refresh_token_expiry': 0},
                {'sign_in_expiry': 0},
                {'refresh_token_expiry': 601},
                {'sign_in_expiry': 601},
                {'access_token_expiry': 601},
                {'refresh_token_grace': 1},
                {'refresh_token_expiry': 60, 'sign_in_expiry': 0},
            ):
                with self.subTest(vals=vals):
                    self.assertGuarded(sentence, 'write', self.application.ids, vals)
            for vals in (
                {'refresh_token_expiry': 599},
                {'sign_in_expiry': 599},
                {'access_token_expiry': 1},
            ):
                with self.subTest(vals=vals):
                    self.assertTrue(self.call('write', self.application.ids, vals))

        self.each(check)

    def test_s01_several_applications(self):
        """One guarded application is enough to refuse the call."""

        def check(sentence):
            self.assertGuarded(sentence, 'write', (self.other + self.application).ids, {'own_id': 'Wiki'})
            self.assertGuarded(sentence, 'write', (self.other + self.application).ids, {'access_token_expiry': 7200})
            self.assertTrue(self.call('write', self.other.ids, {'access_token_expiry': 7200}))

        self.each(check)

    def test_s01_uris(self):
        """Created, changed, moved and removed, directly and as a part of the application."""
        evil = 'https://evil.example/callback'
        own, other = self.application.uri_ids, self.other.uri_ids

        def check(sentence):
            for method, *args in (
                ('create', {'application_id': self.application.id, 'uri': evil}),
                ('create', [{'application_id': self.application.id, 'uri': evil}]),
                ('web_save', [], {'application_id': self.application.id, 'uri': evil}, {}),
                ('write', own.ids, {'uri': evil}),
                ('write', (other + own).ids, {'uri': evil}),
                ('write', own.ids, {'application_id': self.other.id}),
                ('write', other.ids, {'application_id': self.application.id}),
                ('copy', own.ids, {'uri': evil}),
                ('copy', other.ids, {'application_id': self.application.id}),
                ('unlink', own.ids),
                ('unlink', (other + own).ids),
            ):
                with self.subTest(method=method, args=args):
                    self.assertGuarded(sentence, method, *args, model=URI)
            for command in (
                Command.create({'uri': evil}),
                Command.update(own.id, {'uri': evil}),
                Command.delete(own.id),
                Command.unlink(own.id),
                Command.link(other.id),
                Command.clear(),
                Command.set([]),
                Command.set(other.ids),
            ):
                with self.subTest(command=command):
                    self.assertGuarded(sentence, 'write', self.application.ids, {'uri_ids': [command]})
            # Through another application.
            for command in (Command.update(own.id, {'uri': evil}), Command.delete(own.id), Command.link(own.id)):
                with self.subTest(command=command):
                    self.assertGuarded(sentence, 'write', self.other.ids, {'uri_ids': [command]})
            # Its description is not part of the protocol.
            self.assertTrue(self.call('write', own.ids, {'description': "Production"}, model=URI))
            vals = {'uri_ids': [Command.update(own.id, {'description': "Test server", 'uri': CALLBACK})]}
            self.assertTrue(self.call('write', self.application.ids, vals))

        self.each(check)

    def test_s01_methods(self):
        """Other ways to change the application."""

        def check(sentence):
            for method, *args in (
                ('generate_client_id', self.application.ids),
                ('generate_client_secret', self.application.ids),
                ('generate_client_secret', self.application.ids, 7),
                ('generate_own_id', self.application.ids),
                ('generate_own_secret', self.application.ids),
                ('action_generate_client_id', self.application.ids),
                ('action_generate_own_id', self.application.ids),
                ('action_generate_own_secret', self.application.ids),
                ('web_save', self.application.ids, {'require_pkce': True, 'group_ids': [Command.clear()]}, {}),
                ('write', self.application.ids, {'client_secret': 'Ohng0ohng3aevaPh4ohX'}),
            ):
                with self.subTest(method=method, args=args):
                    self.assertGuarded(sentence, method, *args)
            group = self.env.ref('base.group_portal').get_external_id()[self.env.ref('base.group_portal').id]
            names, rows = ['.id', 'group_ids/id'], [[str(self.application.id), group]]
            before = self.snapshot()
            result = self.call('load', names, rows)
            self.assertFalse(result['ids'])
            self.assertIn(sentence, str(result['messages']))
            self.assertEqual(self.snapshot(), before)

        self.each(check)

    def test_s02_unarchive(self):
        """An archived application does not come back without the right, nor do its tokens."""

        def check(sentence):
            self.assertTrue(self.call('action_archive', self.application.ids))
            for method, *args in (
                ('action_unarchive', self.application.ids),
                ('write', self.application.ids, {'active': True}),
                ('write', self.application.ids, {'active': True, 'trusted': False, 'service_user_id': False}),
                ('web_save', self.application.ids, {'active': True}, {}),
                ('write', self.application.ids, {'group_ids': [Command.clear()]}),
            ):
                with self.subTest(method=method, args=args):
                    self.assertGuarded(sentence, method, *args)
            if sentence == SERVICE:
                auth = self.get_auth()
                response = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, auth)
                self.assertInvalidClient(response)
            self.assertTrue(self.call('action_unarchive', self.application.ids, user=self.boss))

        self.each(check)

    def test_s01_create_and_copy(self):
        def check(_sentence):
            copy = self.applications.browse(self.call('copy', self.application.ids))
            self.assertFalse(copy.trusted or copy.service_user_id)

        self.each(check)

        for vals, sentence in (({'trusted': True}, TRUSTED), ({'service_user_id': self.colleague.id}, SERVICE)):
            with self.subTest(vals=vals):
                self.assertGuarded(sentence, 'create', {'name': "Calendar", **vals})
                self.assertGuarded(sentence, 'copy', self.application.ids, vals)
                self.assertGuarded(sentence, 'write', self.application.ids, vals)
                defaults = {f'default_{name}': value for name, value in vals.items()}
                for method in ('create', 'name_create'):
                    with self.subTest(method=method):
                        args = [{'name': "Calendar"}] if method == 'create' else ["Calendar"]
                        self.assertGuarded(sentence, method, *args, context=defaults)

    def test_s01_who_administers_rights(self):
        def check(_sentence):
            vals = {'uri_ids': [Command.create({'uri': 'https://wiki.example.com/second'})], 'require_pkce': False}
            self.assertTrue(self.call('write', self.application.ids, vals, user=self.boss))
            self.assertTrue(self.call('generate_client_secret', self.application.ids, user=self.boss))

        self.each(check)

    def test_s02_own_service_user(self):
        """An administrator may do it all for an application that acts as themself."""
        self.application.service_user_id = self.administrator
        self.assertTrue(self.call('write', self.application.ids, {'access_token_expiry': 7200}))
        self.assertTrue(self.call('generate_client_secret', self.application.ids))

    def test_s01_model_scheme(self):
        """The model scheme, its configurations, and the application through its scheme."""
        configuration = self.env['orestapi.model.configuration'].create({
            'name': "Banks",
            'model_id': self.env['ir.model']._get_id('res.bank'),
        })
        narrow, wide = self.env['orestapi.model.scheme'].create([
            {'name': "Narrow", 'configuration_ids': configuration.ids},
            {'name': "Wide", 'limit_models': 'none'},
        ])
        self.application.model_scheme_id = narrow

        def check(sentence):
            for model, method, *args in (
                (APPLICATION, 'write', self.application.ids, {'model_scheme_id': wide.id}),
                ('orestapi.model.scheme', 'write', narrow.ids, {'limit_models': 'none'}),
                ('orestapi.model.scheme', 'write', wide.ids, {'application_ids': [Command.link(self.application.id)]}),
                (
                    'orestapi.model.scheme',
                    'write',
                    narrow.ids,
                    {
                        'application_ids': [
                            Command.update(self.application.id, {'require_pkce': False, 'active': False})
                        ]
                    },
                ),
                ('orestapi.model.configuration', 'write', configuration.ids, {'limit_fields': 'none'}),
            ):
                if args[1].get('application_ids'):
                    self.application.require_pkce = True
                with self.subTest(model=model, method=method, args=args):
                    self.assertGuarded(sentence, method, *args, model=model)
            # Offering less is harmless, and so is offering more to other applications.
            self.assertTrue(
                self.call('write', narrow.ids, {'configuration_ids': [Command.clear()]}, model='orestapi.model.scheme')
            )
            self.assertTrue(self.call('write', self.other.ids, {'model_scheme_id': wide.id}))

        self.each(check)

    def test_s01_no_longer_trusted(self):
        """Users who were never asked are asked when the application is no longer trusted.

        Otherwise turning Trusted off, which is harmless, and then changing the rest would bypass the guard.
        """
        self.application.trusted = True
        self.authenticate('mitchell', PASSWORD)
        self.get_response(self.authorize(self.get_request()))
        self.get_response(self.authorize(self.get_request()))
        self.call('write', self.application.ids, {'trusted': False})
        self.call('write', self.application.uri_ids.ids, {'uri': 'https://evil.example/callback'}, model=URI)
        page = self.authorize(self.get_request(scope='read rpc'))
        self.assertEqual(page.status_code, 200)
        # Consent by the user is stored, for that scope only.
        page = self.authorize(self.get_request())
        self.get_response(self.decide(page))
        self.get_response(self.authorize(self.get_request()))
        self.assertEqual(self.authorize(self.get_request(scope='read rpc')).status_code, 200)

    def test_s01_what_the_user_allowed_stays_allowed(self):
        self.authenticate('mitchell', PASSWORD)
        self.get_response(self.decide(self.authorize(self.get_request())))
        self.application.trusted = True
        self.get_response(self.authorize(self.get_request()))
        self.application.trusted = False
        self.get_response(self.authorize(self.get_request()))

    def test_s01_database_of_the_release_before(self):
        """The first release did not store who was asked: users of a trusted application may never have been."""
        self.authenticate('mitchell', PASSWORD)
        for application in (self.application, self.other):
            self.get_response(self.decide(self.authorize(self.get_request(application))))
        self.application.trusted = True
        self.public.client_secret_hash = 'of the time when it was confidential'
        self.env.flush_all()
        path = Path(__file__).parent.parent / 'migrations/19.0.2.0.0/post-migration.py'
        runpy.run_path(str(path))['migrate'](self.env.cr, '19.0.1.0.0')
        self.env.invalidate_all()
        authorizations = self.env['orestapi.authorization'].search([])
        self.assertEqual(authorizations.filtered('by_setting').application_id, self.application)
        self.assertFalse(self.public.client_secret_hash)
        self.assertTrue(self.application.client_secret_hash)

    def test_s02_service_user(self):
        """A service user must be an employee, when it is chosen and later."""
        for user in (self.portal_user, self.env.ref('base.public_user'), self.env.ref('base.user_root')):
            with self.subTest(user=user.login):
                sentence = self.assertFault(
                    2, self.call, 'write', self.application.ids, {'service_user_id': user.id}, user=self.boss
                )
                self.assertIn("internal user", sentence)
        self.make_service()
        grant = {'grant_type': 'client_credentials'}
        tokens = self.post('/oauth2/token', grant, self.get_auth()).json()
        self.assertActive(tokens['access_token'])
        self.colleague.group_ids = self.env.ref('base.group_portal')
        self.assertOAuth2Error(self.post('/oauth2/token', grant, self.get_auth()), 400, 'invalid_grant')
        self.assertInactive(tokens['access_token'])
        self.assertTrue(parse(tokens['access_token']))
