import html
import re
from ast import literal_eval
from contextlib import suppress

from odoo import Command, fields
from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from .common import CALLBACK, CLIENT_SECRET, PASSWORD, OAuth2Case


@tagged('post_install', '-at_install')
class TestApplicationChanges(OAuth2Case):
    """Each change of an application is an event with the old and the new value."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute("DELETE FROM orestapi_event")
        cls.wiki = cls.application

    def get_events(self, domain=()):
        return self.env['orestapi.event'].search(list(domain), order='id')

    def get_change(self, name):
        """Return a value that differs from the current one of a field."""
        field, value = self.wiki._fields[name], self.wiki[name]
        if name == 'client_id':
            return 'another-client'
        if name == 'allowed_origins':
            return 'https://shop.example.com\nhttps://other.example.com'
        if name in ('post_logout_redirect_uris', 'backchannel_logout_uri'):
            return 'https://wiki.example.com/logout'
        if name == 'previous_client_secret_expires_at':
            return fields.Datetime.now()
        match field.type:
            case 'boolean':
                return not value
            case 'integer':
                return value - 1 if value > 1 else value + 1
            case 'selection':
                return next(key for key in field.get_values(self.env) if key != value)
            case 'many2one':
                return self.env[field.comodel_name].search([('id', '!=', value.id)], limit=1).id
            case 'many2many':
                return [Command.set(self.env[field.comodel_name].search([('id', 'not in', value.ids)], limit=1).ids)]
            case 'binary':
                return (
                    b'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
                )
            case 'datetime':
                return fields.Datetime.now()
        return f'Changed {name}'

    def test_s12_every_setting(self):
        """Changes of fields added later are logged too, without listing them here."""
        self.env['orestapi.scope'].create({'name': 'calendar', 'description': "Calendar"})
        self.env['orestapi.group.claim'].create({'name': 'staff', 'group_id': self.env.ref('base.group_user').id})
        self.env['orestapi.claim'].create({'name': 'job', 'path': 'partner.function'})
        names = [
            name
            for name, field in self.wiki._fields.items()
            if field.store
            and not field.readonly
            and field.type != 'one2many'
            and name != 'active'
            and not name.endswith('client_secret_hash')
        ]
        self.assertLessEqual(
            {'name', 'trusted', 'group_ids', 'scope_ids', 'own_secret', 'logo', 'model_scheme_id'}, set(names)
        )
        self.assertFalse(
            [
                name
                for name, field in self.wiki._fields.items()
                if field.store
                and field.type == 'one2many'
                and name not in ('uri_ids', 'authorization_ids', 'event_ids')
            ],
            "The records of a list have to tell of their changes themselves.",
        )
        for name in names:
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                # These two exclude each other.
                self.wiki.write({'service_user_id': False, 'legacy_connector': False})
                if name == 'own_secret':
                    self.wiki.own_secret = 'the secret before'
                before = self.get_events()
                change = self.get_change(name)
                self.wiki.write({name: change})
                events = (self.get_events() - before).filtered(lambda event, name=name: event.field_name == name)
                self.assertEqual(events.mapped('kind'), ['application_changed'])
                self.assertEqual(events.application_id, self.wiki)
                self.assertIn(self.wiki._fields[name]._description_string(self.env), events.message)
                if not self.wiki._is_hidden(name):
                    self.assertTrue(events.new_value)
                    self.assertNotEqual(events.new_value, events.old_value)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_s12_sentences(self):
        self.wiki = self.wiki.with_user(self.administrator)
        scheme = self.env['orestapi.model.scheme'].create({'name': "Little"})
        self.wiki.model_scheme_id = False
        for change, sentences in (
            ({'require_pkce': False}, ["Ada changed \"Require PKCE\" of Wiki from \"Yes\" to \"No\"."]),
            ({'access_token_expiry': 60}, ["Ada changed \"Access Token Expiry\" of Wiki from \"3600\" to \"60\"."]),
            (
                {'scope_ids': self.env.ref('orestapi.scope_read')},
                ["Ada changed \"Scopes\" of Wiki from \"read, rpc\" to \"read\"."],
            ),
            (
                {'allowed_origins': 'https://a.example\nhttps://b.example'},
                ["Ada set \"Allowed Origins\" of Wiki to \"https://a.example, https://b.example\"."],
            ),
            (
                {'allowed_origins': False},
                ["Ada emptied \"Allowed Origins\" of Wiki, which was \"https://a.example, https://b.example\"."],
            ),
            ({'own_secret': 'the secret of this Odoo'}, ["Ada changed \"Own Secret\" of Wiki."]),
            ({'model_scheme_id': scheme.id}, ["Ada set \"Model Scheme\" of Wiki to \"Little\"."]),
            ({'name': "Intranet"}, ["Ada changed \"Name\" of Intranet from \"Wiki\" to \"Intranet\"."]),
            ({'name': "Intranet"}, []),
            (
                {'client_type': 'public'},
                [
                    "Ada changed \"Refresh Token Expiry\" of Intranet from \"0\" to \"2592000\".",
                    "Ada changed \"Client Type\" of Intranet from \"Confidential\" to \"Public\".",
                ],
            ),
        ):
            with self.subTest(change):
                before = self.get_events()
                self.wiki.write(change)
                events = (self.get_events() - before).filtered(lambda event: event.kind == 'application_changed')
                self.assertEqual(events.mapped('message'), sentences)

    def test_s12_uris(self):
        before = self.get_events()
        self.wiki = self.wiki.with_user(self.administrator)
        self.wiki.uri_ids = [Command.create({'uri': 'https://new.example/cb?key=1', 'description': "Test server"})]
        uri = self.wiki.uri_ids[-1]
        uri.uri = 'https://new.example/cb?key=2'
        uri.write({'uri': 'https://newer.example/cb', 'description': False})
        uri.write({'uri': 'https://newer.example/cb'})
        uri.application_id = self.other
        self.wiki.write({'uri_ids': [Command.delete(self.wiki.uri_ids[0].id)]})
        self.assertEqual(
            (self.get_events() - before).mapped('message'),
            [
                "Ada added the callback URI https://new.example/cb (Test server) to Wiki.",
                "Ada changed the query of the callback URI https://new.example/cb (Test server) of Wiki.",
                "Ada changed a callback URI of Wiki from https://new.example/cb (Test server) to https://newer.example/cb.",
                "Ada removed the callback URI https://newer.example/cb from Wiki.",
                "Ada added the callback URI https://newer.example/cb to Shop.",
                f"Ada removed the callback URI {CALLBACK} from Wiki.",
            ],
        )

    def test_s12_secrets(self):
        """The event tells only that they changed, once for each change, and never their values."""
        secrets = [
            self.wiki.generate_client_secret(),
            self.wiki.generate_client_secret(keep_previous=7),
            self.wiki.generate_own_secret(),
            self.wiki.generate_own_secret(),
        ]
        self.wiki.previous_client_secret_expires_at = False
        self.wiki.client_secret = CLIENT_SECRET
        self.wiki.client_secret = False  # changes nothing
        self.wiki.action_remove_client_secret()
        events = self.get_events()
        self.assertEqual(
            [(event.kind, event.field_name) for event in events],
            [
                ('client_secret_changed', False),
                ('client_secret_changed', False),
                ('application_changed', 'own_secret'),
                ('application_changed', 'own_secret'),
                ('application_changed', 'previous_client_secret_expires_at'),
                ('client_secret_changed', False),
                ('client_secret_changed', False),
            ],
        )
        stored = str(events.read())
        self.env.cr.execute("SELECT client_secret_hash FROM orestapi_application WHERE client_secret_hash IS NOT NULL")
        for secret in (*secrets, CLIENT_SECRET, *(hash_ for [hash_] in self.env.cr.fetchall())):
            with self.subTest(secret=secret):
                self.assertNotIn(secret, stored)

    def test_s12_indirectly(self):
        """Changes through other records are logged for the application."""
        group = self.env['res.groups'].create({'name': "Writers"})
        scope = self.env['orestapi.scope'].create({'name': 'calendar', 'description': "Calendar"})
        self.wiki.write({'group_ids': [Command.link(group.id)], 'scope_ids': [Command.link(scope.id)]})
        self.wiki.active = False
        before = self.get_events()
        scope.name = 'events'
        scope.description = "Calendar and tasks"
        scope.unlink()
        group.unlink()
        self.assertEqual(
            [(event.field_name, event.old_value, event.new_value) for event in self.get_events() - before],
            [
                ('scope_ids', 'read, rpc, calendar', 'read, rpc, events'),
                ('scope_ids', 'read, rpc, events', 'read, rpc'),
                ('group_ids', 'Role / User, Writers', 'Role / User'),
            ],
        )

    def test_a20_created_first(self):
        application = (
            self
            .env['orestapi.application']
            .with_user(self.administrator)
            .create({
                'name': "Calendar",
                'client_secret': CLIENT_SECRET,
                'require_pkce': False,
                'uri_ids': [Command.create({'uri': CALLBACK})],
            })
        )
        self.assertEqual(
            self.get_events([('application_id', '=', application.id)]).mapped('message'),
            [
                "Ada created Calendar.",
                "Ada changed the client secret of Calendar.",
                "Ada set \"Require PKCE\" of Calendar to \"No\".",
                f"Ada added the callback URI {CALLBACK} to Calendar.",
            ],
        )

    def test_a20_public_without_secret(self):
        application = self.env['orestapi.application'].create({
            'name': "Tool",
            'client_type': 'public',
            'client_secret': False,
        })
        events = self.get_events([('application_id', '=', application.id)])
        # The client type, and the expiry that a public application gets.
        self.assertEqual(events.mapped('kind'), ['application_created', *['application_changed'] * 2])

    def test_s12_long_values(self):
        """A long value is cut to begin where it differs."""
        origins = [f'https://shop-{number}.example.com' for number in range(200)]
        self.wiki.allowed_origins = '\n'.join(origins)
        self.wiki.allowed_origins = '\n'.join([*origins[:-1], 'https://evil.example'])
        event = self.get_events()[-1]
        self.assertIn('https://shop-199.example.com', event.old_value)
        self.assertIn('https://evil.example', event.new_value)
        self.assertLessEqual(max(len(event.old_value or ''), len(event.new_value or '')), 500)

    def test_s12_refused_change_leaves_nothing(self):
        before = len(self.get_events())
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.wiki.write({'access_token_expiry': 60, 'allowed_origins': 'no origin'})
        self.assertEqual(len(self.get_events()), before)
        # An addon may catch the error and continue without a savepoint that would undo everything.
        with suppress(ValidationError):
            self.wiki.write({'access_token_expiry': 0})
        self.wiki.access_token_expiry = 60
        self.assertEqual(len(self.get_events()), before + 1)

    def test_a20_address_of_a_change_over_rpc(self):
        for case, change in enumerate((
            lambda: self.call_xmlrpc(
                self.administrator, 'orestapi.application', 'write', self.wiki.ids, {'description': "XML-RPC"}
            ),
            lambda: self.call_jsonrpc('write', self.wiki.ids, {'description': "JSON-RPC"}),
        )):
            with self.subTest(case=case):
                change()
                event = self.get_events()[-1]
                self.assertEqual((event.field_name, event.address), ('description', '127.0.0.1'))
                self.assertEqual(event.actor_id, self.administrator)

    def call_jsonrpc(self, method, *args):
        params = {
            'service': 'object',
            'method': 'execute',
            'args': [self.env.cr.dbname, self.administrator.id, PASSWORD, 'orestapi.application', method, *args],
        }
        with self.assertLogs('odoo.addons.rpc.controllers.jsonrpc', 'WARNING'):
            response = self.url_open('/jsonrpc', json={'jsonrpc': '2.0', 'method': 'call', 'params': params})
        self.assertNotIn('error', response.json(), response.text)


@tagged('post_install', '-at_install')
class TestSignedIn(OAuth2Case):
    """Successful sign-ins are logged too."""

    def find(self):
        return self.env['orestapi.event'].search([('kind', '=', 'signed_in')])

    def test_s12_user(self):
        tokens = self.sign_in()
        event = self.find()
        self.assertEqual(
            (event.application_id, event.user_id, event.address), (self.application, self.user, '127.0.0.1')
        )
        self.assertEqual(event.message, "Wiki signed Mitchell in from 127.0.0.1: read.")
        # Refreshes and calls are not logged.
        before = self.env['orestapi.event'].search([])
        tokens = self.refresh(tokens['refresh_token']).json()
        self.assertActive(tokens['access_token'])
        self.assertEqual(self.env['orestapi.event'].search([]), before)

    def test_s12_service(self):
        self.application.service_user_id = self.user
        self.application.client_secret = CLIENT_SECRET
        for _number in range(40):
            response = self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth())
            self.assertEqual(response.status_code, 200, response.text)
        events = self.find()
        self.assertEqual(events[0].message, "Wiki signed in as its service user Mitchell from 127.0.0.1: read.")
        # A service may request a token before each call: only the first ones within an hour are stored.
        self.assertEqual(len(events), 30)


@tagged('post_install', '-at_install')
class TestLists(OAuth2Case):
    """Lists that administrators filter, sort, group and export."""

    def setUp(self):
        super().setUp()
        self.stop_clock()
        self.sign_in()
        self.sign_in(self.other)
        self.colleague = new_test_user(self.env, 'abigail', 'base.group_user', password=PASSWORD, name="Abigail")
        self.sign_in(user=self.colleague)
        self.application.service_user_id = self.user
        self.application.client_secret = CLIENT_SECRET
        self.post('/oauth2/token', {'grant_type': 'client_credentials'}, self.get_auth())
        self.tokens = self.env['orestapi.token'].with_user(self.administrator)
        self.authorizations = self.env['orestapi.authorization'].with_user(self.administrator)

    def test_a14_state_as_filter(self):
        """Searches agree with the list, whatever the limits."""
        self.tokens.search([], limit=1, order='id').action_revoke()
        for settings in ({}, {'refresh_token_expiry': 1800}, {'sign_in_expiry': 1800}, {'access_token_expiry': 600}):
            self.application.write({'refresh_token_expiry': 0, 'sign_in_expiry': 0, **settings})
            for seconds in (0, 1799, 1800, 3600, 7200):
                with self.subTest(settings=settings, seconds=seconds), self.later(seconds=seconds):
                    self.tokens.invalidate_model()
                    for state in ('active', 'expired', 'ended'):
                        expected = self.tokens.search([]).filtered(lambda sign_in, state=state: sign_in.state == state)
                        self.assertEqual(self.tokens.search([('state', '=', state)]), expected)
                        self.assertEqual(
                            self.tokens.search([('state', '!=', state)]), self.tokens.search([]) - expected
                        )
        codes = self.env['orestapi.authorization.code'].with_user(self.administrator)
        self.get_code()
        for expiry, seconds in ((600, 0), (600, 600), (60, 59), (60, 60), (600, 60)):
            self.application.authorization_code_expiry = expiry
            with self.subTest(expiry=expiry, seconds=seconds), self.later(seconds=seconds):
                codes.invalidate_model()
                for state in ('valid', 'used', 'expired', 'revoked'):
                    expected = codes.search([]).filtered(lambda code, state=state: code.state == state)
                    self.assertEqual(codes.search([('state', '=', state)]), expected)
                    self.assertEqual(codes.search([('state', '!=', state)]), codes.search([]) - expected)

    def test_a14_groups(self):
        """By user and by application, by name."""
        for name, names in (
            ('user_id', {"Abigail", "Mitchell"}),
            ('authorization_id', {"Abigail, Wiki", "Mitchell, Wiki", "Mitchell, Shop"}),
        ):
            with self.subTest(name=name):
                groups = self.tokens.formatted_read_group([], [name], ['__count'])
                self.assertEqual({group[name][1] for group in groups}, names)
        groups = self.tokens.formatted_read_group([], ['application_id'], ['__count'])
        self.assertEqual({group['application_id'][1]: group['__count'] for group in groups}, {"Wiki": 3, "Shop": 1})
        for model in ('orestapi.token', 'orestapi.authorization', 'orestapi.authorization.code', 'orestapi.event'):
            view = self.env.ref(model.replace('.', '_').replace('orestapi_', 'orestapi.orestapi_', 1) + '_view_search')
            for name in self.get_groupbys(view):
                with self.subTest(model=model, name=name):
                    self.env[model].with_user(self.administrator).formatted_read_group([], [name], ['__count'])

    def get_groupbys(self, view):

        for context in re.findall(r'context="({\'group_by[^"]*)"', view.arch):
            names = literal_eval(context)['group_by']
            yield 'create_date:day' if names == 'create_date' else names

    def test_a14_last_used(self):
        now = fields.Datetime.now()
        token_of_wiki = self.tokens.search([('user_id', '=', self.colleague.id)])
        self.env.cr.execute(
            "UPDATE orestapi_token SET last_used_at = %s WHERE id = %s",
            [fields.Datetime.subtract(now, days=100), token_of_wiki.id],
        )
        self.env.cr.execute(
            "UPDATE orestapi_authorization SET create_date = %s", [fields.Datetime.subtract(now, days=200)]
        )
        self.env.invalidate_all()
        old = token_of_wiki.authorization_id
        for model, expected in (('token', token_of_wiki), ('authorization', old)):
            with self.subTest(model=model):
                view = self.env.ref(f'orestapi.orestapi_{model}_view_search')

                domain = literal_eval(html.unescape(re.search(r'name="not_used"[^>]*domain="([^"]*)"', view.arch)[1]))
                self.assertEqual(self.env[f'orestapi.{model}'].with_user(self.administrator).search(domain), expected)
        everything = self.authorizations.search([])
        self.assertEqual(self.authorizations.search([], order='last_used_at', limit=1), old)
        self.assertEqual(self.authorizations.search([], order='last_used_at desc')[-1], old)
        self.assertTrue(self.authorizations.fields_get(['last_used_at'])['last_used_at']['sortable'])
        limit = fields.Datetime.subtract(now, days=90)
        self.assertEqual(self.authorizations.search([('last_used_at', '<', limit)]), old)
        self.assertEqual(self.authorizations.search([('last_used_at', '>=', limit)]), everything - old)
        token_of_wiki.action_revoke()
        self.assertEqual(self.authorizations.search([('last_used_at', '=', False)]), old)
        self.assertEqual(self.authorizations.search([('last_used_at', '!=', False)]), everything - old)

    def test_a14_export(self):
        """Application administrators can export events, but nothing else that Odoo does not let them export."""
        self.application.name = '=cmd()'
        events = self.env['orestapi.event'].with_user(self.administrator).search([])
        action = events.action_export()
        self.authenticate('ada', PASSWORD)
        response = self.url_open(action['url'])
        self.assertEqual(response.status_code, 200)
        self.assertIn('attachment', response.headers['Content-Disposition'])
        lines = response.content.decode('utf-8-sig').splitlines()
        self.assertEqual(len(lines), len(events) + 1)
        self.assertTrue(lines[0].startswith("When,Kind,Event,What to Do,"))
        self.assertIn("'=cmd()", response.text)
        self.assertIn("Wiki signed Mitchell in from 127.0.0.1: read.", response.text)
        self.assertFalse(self.administrator.has_group('base.group_allow_export'))
        self.authenticate('mitchell', PASSWORD)
        self.assertEqual(self.url_open(action['url']).status_code, 404)
        other = new_test_user(self.env, 'eve', 'orestapi.group_administrator', password=PASSWORD)
        self.authenticate(other.login, PASSWORD)
        self.assertEqual(self.url_open(action['url']).status_code, 404)
