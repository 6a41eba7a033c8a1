import base64
import io
from datetime import timedelta

from PIL import Image

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import CALLBACK, CLIENT_SECRET, PASSWORD, OAuth2Case

#: Field, valid values, invalid values.
BOUNDS = {
    'authorization_code_expiry': ((1, 600), (0, -1, 601)),
    'authorization_code_retain': ((0, 3650), (-1, 3651)),
    'access_token_expiry': ((1, 30 * 86400), (0, -1, 30 * 86400 + 1)),
    'refresh_token_expiry': ((0, 5 * 365 * 86400), (-1, 10 * 365 * 86400)),
    'refresh_token_grace': ((0, 60), (-1, 61)),
    'sign_in_expiry': ((0, 5 * 365 * 86400), (-1, 10 * 365 * 86400)),
}
#: Values that are not whole numbers, or too large for the column.
NO_NUMBERS = (1.5, 1.0, True, False, None, '600', 'ten minutes', '', [1], 2**31, 10**30)

#: Mistakes of an administrator in a URI, and part of the message that tells how to write it.
URIS = {
    '': "Enter a URI",
    ' ': "Enter a URI",
    'https://wiki.example.com/call back': "without spaces",
    'https://bücher.example/callback': "Punycode",
    'https://b%C3%BCcher.example/callback': "Punycode",
    'https://wiki .example.com/callback': "hyphens and dots",
    'my_wiki.example:/callback': "digits and + - .",
    'http://::1/callback': "in square brackets",
    'https://wiki.example.com/ö': "percent-encode",
    'https://wiki.example.com/%zz': "percent-encode",
    'https://wiki.example.com/callback#': "without the #",
    'https://wiki.example.com/callback#fragment': "without the #",
    'https://*.example.com/callback': "a wildcard",
    'https://wiki.example.com/*': "a wildcard",
    '/callback': "the whole URI",
    '//wiki.example.com/callback': "the whole URI",
    'wiki.example.com/callback': "the whole URI",
    'wiki.example.com:8069/callback': "the whole URI",
    'https:': "the whole URI",
    'javascript:alert(1)': "Start with https://",
    'JavaScript:alert(1)': "Start with https://",
    'data:text/html,x': "Start with https://",
    'vbscript:x': "Start with https://",
    'file:///etc/passwd': "Start with https://",
    'blob:https://wiki.example.com/x': "Start with https://",
    'https://user@wiki.example.com/callback': "without a user name",
    'https://user:password@wiki.example.com/callback': "without a user name",
    'https:///callback': "a host name",
    'https://2130706433/callback': "a host name",
    'https://[::1/callback': "a host name",
    'https://wiki.example.com:0/callback': "the port",
    'https://wiki.example.com:99999/callback': "the port",
    'https://wiki.example.com:http/callback': "the port",
    'https://wiki.example.com/../callback': "the segments",
    'https://wiki.example.com/%2e%2E/callback': "the segments",
    'https://wiki.example.com/' + 'x' * 2000: "at most 2000 characters",
}


class ApplicationCase(OAuth2Case):
    """`self.wiki` is `self.application` with the rights of `self.administrator`, `self.applications` all of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.applications = cls.env['orestapi.application'].with_user(cls.administrator)
        cls.wiki = cls.application.with_user(cls.administrator)

    def assertValidationError(self, sentence, method, *args):
        """Assert that an action is refused with one sentence, and return it."""
        with self.assertRaises(ValidationError) as caught, self.env.cr.savepoint():
            method(*args)
        message = caught.exception.args[0]
        self.assertIn(sentence, message)
        return message

    def authenticates(self, secret, application=None):
        """Return whether a client secret is accepted."""
        application = application or self.application
        response = self.post('/oauth2/revoke', {'token': 'x'}, (application.client_id, secret))
        self.assertIn(response.status_code, (200, 401))
        return response.status_code == 200


@tagged('post_install', '-at_install')
class TestApplication(ApplicationCase):
    """Which settings an administrator can choose for an application."""

    # New applications

    def test_what_is_missing(self):
        """The form tells what to do until the application can work, one sentence for each step."""
        application = self.env['orestapi.application'].create({'name': "Calendar", 'scope_ids': [Command.clear()]})
        self.assertEqual(application.status, 'incomplete')
        for word in ("No callback URI", "No client secret", "No scope"):
            with self.subTest(word=word):
                self.assertIn(word, application.status_message)

    def test_name_of_a_scope(self):
        """RFC 6749 §3.3: an application could not request any other scope."""
        for name in ('two words', 'quote"', 'ö', ''):
            with self.subTest(name), self.assertRaises(ValidationError):
                self.env['orestapi.scope'].create({'name': name, 'description': "See when you are busy"})

    def test_defaults(self):
        application = self.applications.create({'name': "Calendar"})
        self.assertRegex(application.client_id, r'\A[0-9a-f]{32}\Z')
        expected = {
            'active': True,
            'client_type': 'confidential',
            'has_client_secret': False,
            'require_pkce': True,
            'trusted': False,
            'resource_server': False,
            'authorization_code_expiry': 600,
            'authorization_code_retain': 0,
            'access_token_expiry': 3600,
            'refresh_token_expiry': 0,
            'refresh_token_grace': 0,
            'sign_in_expiry': 0,
            'scope_ids': self.env.ref('orestapi.scope_read').ids,
            'group_ids': self.env.ref('base.group_user').ids,
        }
        self.assertRecordValues(application, [expected])
        events = self.env['orestapi.event'].search([('application_id', '=', application.id)])
        self.assertEqual(events.mapped('kind'), ['application_created'])
        self.assertEqual(events.actor_id, self.administrator)
        self.assertFalse(self.authenticates('', application))

    def read_status(self, application):
        """Return the status and message that an application administrator sees at the top of the form."""
        application = application.with_user(self.administrator)
        application.invalidate_recordset()
        return application.status, application.status_message or ''

    def test_p12_resource_server(self):
        """An API that only checks tokens needs no callback URI and no scope, which would widen its rights."""
        application = self.applications.create({'name': "Mail server", 'resource_server': True, 'require_pkce': False})
        self.assertEqual(
            self.read_status(application), ('incomplete', "No client secret yet. Generate one on the General tab.")
        )
        application.generate_client_secret()
        for vals in ({}, {'scope_ids': [Command.clear()]}, {'model_scheme_id': False}):
            with self.subTest(vals=vals):
                application.write(vals)
                self.assertEqual(self.read_status(application), ('ready', ''))
        # An application that also signs people in needs the rest.
        application.uri_ids = [Command.create({'uri': 'https://mail.example.com/callback'})]
        status, message = self.read_status(application)
        self.assertEqual(status, 'incomplete')
        self.assertIn("No scopes yet", message)
        application.write({'resource_server': False, 'uri_ids': [Command.clear()]})
        self.assertIn("No callback URI yet", self.read_status(application)[1])

    def test_a17_group(self):
        """An application without groups is not saved; if its group is removed otherwise, the form tells it."""
        for method, vals in (
            (self.wiki.write, {'group_ids': [Command.clear()]}),
            (self.wiki.write, {'group_ids': [Command.unlink(self.env.ref('base.group_user').id)]}),
            (self.applications.create, {'name': "Calendar", 'group_ids': []}),
            (self.applications.create, {'name': "Calendar", 'group_ids': [Command.set([])]}),
        ):
            with self.subTest(method=method, vals=vals):
                self.assertValidationError("at least one group", method, vals)
        self.assertNotEqual(self.read_status(self.application)[0], 'incomplete')
        group = self.env['res.groups'].create({'name': "Sales"})
        self.application.group_ids = group
        status, message = self.read_status(self.application)
        self.assertEqual(status, 'incomplete')
        self.assertIn("have no members", message)
        self.user.group_ids += group
        self.assertNotEqual(self.read_status(self.application)[0], 'incomplete')
        self.user.active = False
        self.assertIn("have no members", self.read_status(self.application)[1])
        group.unlink()
        self.assertIn("at least one group", self.read_status(self.application)[1])

    def test_a17_service_user(self):
        """An application that acts only on its own is not ready without a valid service user."""
        robot = new_test_user(self.env, 'robot', 'base.group_user')
        application = self.applications.create({'name': "Nightly job", 'client_secret': CLIENT_SECRET})
        application.sudo().service_user_id = robot
        self.assertNotEqual(self.read_status(application)[0], 'incomplete')
        grant = {'grant_type': 'client_credentials', 'scope': 'read'}
        application.sudo().client_secret = CLIENT_SECRET
        for change, undo, word in (
            ({'active': False}, {'active': True}, "Unarchive the user"),
            (
                {'group_ids': [Command.set(self.env.ref('base.group_portal').ids)]},
                {'group_ids': [Command.set(self.env.ref('base.group_user').ids)]},
                "Choose an internal user",
            ),
        ):
            with self.subTest(change=change):
                robot.write(change)
                self.assertOAuth2Error(
                    self.post('/oauth2/token', grant, self.get_auth(application)), 400, 'invalid_grant'
                )
                status, message = self.read_status(application)
                self.assertEqual(status, 'incomplete')
                self.assertIn(word, message)
                robot.write(undo)
                self.assertNotEqual(self.read_status(application)[0], 'incomplete')

    def test_s11_status(self):
        """The form of a confidential application on a user's device tells why users are asked each time."""
        word = "Users are asked each time"
        self.assertNotIn(word, self.read_status(self.application)[1])
        for uri in ('http://127.0.0.1/callback', 'https://localhost/callback', 'com.example.app:/callback'):
            with self.subTest(uri=uri):
                self.application.uri_ids[1:].unlink()
                self.application.uri_ids = [Command.create({'uri': uri})]
                self.assertIn(f"{word} when the code goes to {uri}:", self.read_status(self.application)[1])
        # Public applications are made for that; a trusted one gets a warning.
        self.assertNotIn(word, self.read_status(self.public)[1])
        self.public.trusted = True
        self.assertIn(word, self.read_status(self.public)[1])

    def test_a20_status_while_it_is_typed(self):
        """The form is not green while it contains values that cannot be saved."""
        self.application.model_scheme_id = self.env['orestapi.model.scheme'].create({'name': "Narrow"})
        form = Form(self.wiki)
        self.assertEqual(form.status, 'ready')
        with form.uri_ids.new() as line:
            line.uri = 'https://bücher.example/callback'
            self.assertIn("Punycode", line.warning)
        self.assertEqual(form.status, 'incomplete')
        self.assertIn("https://bücher.example/callback cannot be saved", form.status_message)
        with form.uri_ids.edit(1) as line:
            line.uri = ' HTTPS://wiki.example.com/second '
            self.assertEqual(line.uri, 'https://wiki.example.com/second')
            self.assertFalse(line.warning)
        self.assertEqual(form.status, 'ready')
        with form.uri_ids.edit(1) as line:
            line.uri = CALLBACK
        self.assertIn("twice", form.status_message)
        form.uri_ids.remove(1)
        self.assertEqual(form.status, 'ready')
        for name, wrong, right in (
            ('allowed_origins', 'https://bücher.example', False),
            ('access_token_expiry', 0, 60),
            ('refresh_token_grace', 61, 60),
        ):
            with self.subTest(name=name):
                form[name] = wrong
                self.assertEqual(form.status, 'incomplete', name)
                form[name] = right
                self.assertEqual(form.status, 'ready', name)
        form.allowed_origins = 'HTTPS://Shop.example.com/ https://wiki.example.com:443'
        self.assertEqual(form.allowed_origins, 'https://shop.example.com\nhttps://wiki.example.com')
        form.save()

    def test_a20_repaired(self):
        """Obvious typing mistakes are repaired, everything else is kept exactly."""
        for typed, stored in (
            ('https://wiki.example.com/1 ', 'https://wiki.example.com/1'),
            ('\u00a0https://wiki.example.com/2\n', 'https://wiki.example.com/2'),
            ('HTTPS://Wiki.example.com/3', 'https://Wiki.example.com/3'),
        ):
            with self.subTest(typed=typed):
                self.wiki.uri_ids = [Command.create({'uri': typed})]
                self.assertEqual(self.wiki.uri_ids[-1].uri, stored)
                self.wiki.uri_ids[-1].uri = typed
                self.assertEqual(self.wiki.uri_ids[-1].uri, stored)
        for vals in ({}, {'name': "Calendar"}):
            with self.subTest(vals=vals):
                application = self.wiki if not vals else self.applications.create(vals)
                application.allowed_origins = 'https://shop.example.com/\n HTTP://Localhost:3000 '
                self.assertEqual(application.allowed_origins, 'https://shop.example.com\nhttp://localhost:3000')
        application = self.applications.create({'name': "Calendar", 'allowed_origins': 'https://page.example.com/'})
        self.assertEqual(application.allowed_origins, 'https://page.example.com')
        self.assertTrue(self.env['orestapi.application']._is_allowed_origin('https://page.example.com'))

    def test_a20_public_application_expires(self):
        """A public application gets an expiry by default. No expiry can be chosen, but gives a warning."""
        month = 30 * 86400
        for vals, expected in (
            ({}, month),
            ({'refresh_token_expiry': 60}, 60),
            ({'sign_in_expiry': 60}, 0),
            ({'refresh_token_expiry': 0}, 0),
        ):
            with self.subTest(vals=vals):
                application = self.applications.create({'name': "Tool", 'client_type': 'public', **vals})
                self.assertEqual(application.refresh_token_expiry, expected)
                application = self.applications.create({'name': "Tool"})
                application.write({'client_type': 'public', **vals})
                self.assertEqual(application.refresh_token_expiry, expected)
        self.assertIn("never expire", self.read_status(application)[1])
        application = self.applications.with_context(default_client_type='public').create({'name': "Tool"})
        self.assertEqual(application.refresh_token_expiry, month)
        self.assertNotIn("never expire", self.read_status(application)[1])
        form = Form(self.applications)
        form.client_type = 'public'
        self.assertEqual(form.refresh_token_expiry, month)
        # A write without a change keeps the chosen value.
        application.refresh_token_expiry = 0
        application.write({'client_type': 'public', 'name': "Tool"})
        self.assertEqual(application.refresh_token_expiry, 0)

    # N217

    def test_n217_uris(self):
        for uri, sentence in URIS.items():
            for method, vals in (
                (self.wiki.write, {'uri_ids': [Command.create({'uri': uri})]}),
                (self.wiki.uri_ids.write, {'uri': uri}),
                (self.applications.create, {'name': "Calendar", 'uri_ids': [Command.create({'uri': uri})]}),
            ):
                with self.subTest(uri=uri[:60], method=method.__name__):
                    message = self.assertValidationError(sentence, method, vals)
                    self.assertEqual(len(message.splitlines()), 1)
        self.assertEqual(self.application.uri_ids.mapped('uri'), [CALLBACK])

    def test_n217_good_uris(self):
        for uri, plain in {
            'https://wiki.example.com:8443/callback?a=1&b=2': False,
            'com.example.app:/callback': False,
            'com.example.app://callback/': False,
            'http://127.0.0.1/callback': False,
            'http://[::1]:8080/callback': False,
            # P03: the name is riskier than the IP address.
            'http://localhost:3000/callback': True,
            'https://xn--bcher-kva.example/callback': False,
            'http://intranet/callback': True,
            'http://127.0.0.1.example.com/callback': True,
        }.items():
            with self.subTest(uri=uri):
                self.wiki.uri_ids = [Command.create({'uri': uri, 'description': "Test server"})]
                # N217, decided: an intranet may have nothing else, so it is allowed with a warning.
                self.assertEqual(bool(self.wiki.uri_ids[-1].warning), plain)

    def test_uri_half_typed(self):
        """The form computes the warning while somebody types."""
        for uri, warned in ((False, False), ('http://[', True), ('http://wiki.example.com', True)):
            with self.subTest(uri=uri):
                uris = self.env['orestapi.application.uri'].new({'uri': uri})
                self.assertEqual(bool(uris.warning), warned, uri)

    def test_uri_twice(self):
        with self.assertRaises(Exception) as caught, mute_logger('odoo.sql_db'), self.env.cr.savepoint():
            self.wiki.uri_ids = [Command.create({'uri': CALLBACK})]
        self.assertIn('uri_unique', str(caught.exception))
        self.other.uri_ids = [Command.create({'uri': CALLBACK})]
        self.assertEqual(self.wiki.uri_count, 1)

    # N218

    def test_n218_bounds(self):
        for name, (good, bad) in BOUNDS.items():
            label = self.applications._fields[name].string
            for value in good:
                with self.subTest(name=name, value=value):
                    self.wiki[name] = value
                    self.assertEqual(self.wiki[name], value)
            for value in (*bad, *NO_NUMBERS):
                with self.subTest(name=name, value=value):
                    for method, vals in (
                        (self.wiki.write, {name: value}),
                        (self.applications.create, {'name': "Calendar", name: value}),
                    ):
                        message = self.assertValidationError("enter a whole number from", method, vals)
                        self.assertTrue(message.startswith(label), message)
                    self.assertEqual(self.wiki[name], good[-1])
            for value in bad:
                with self.subTest(name=name, value=value):
                    # Values can also come from the context.
                    create = self.applications.with_context(**{f'default_{name}': value}).create
                    self.assertValidationError("enter a whole number from", create, {'name': "Calendar"})

    def test_n218_lifetimes_count_at_that_moment(self):
        self.application.access_token_expiry = 60
        tokens = self.sign_in()
        self.assertEqual(tokens['expires_in'], 60)
        self.application.access_token_expiry = 120
        self.assertEqual(self.refresh(tokens['refresh_token']).json()['expires_in'], 120)

    # N219

    def test_n219_copy(self):
        self.sign_in()
        self.wiki.write({
            'own_id': 'our id there',
            'own_secret': 'our secret there',
            'allowed_origins': 'https://wiki.example.com',
            'access_token_expiry': 60,
            'description': "Pages",
        })
        self.wiki.generate_client_secret(keep_previous=1)
        copy = self.wiki.copy()
        expected = {
            'name': "Wiki (copy)",
            'description': "Pages",
            'access_token_expiry': 60,
            'allowed_origins': 'https://wiki.example.com',
            'has_client_secret': False,
            'client_secret_date': False,
            'previous_client_secret_expires_at': False,
            'own_id': False,
            'own_secret': False,
            'authorization_ids': [],
            'scope_ids': self.application.scope_ids.ids,
        }
        self.assertRecordValues(copy, [expected])
        self.assertNotEqual(copy.client_id, self.wiki.client_id)
        self.assertEqual(copy.uri_ids.mapped('uri'), [CALLBACK])
        self.assertNotEqual(copy.uri_ids, self.wiki.uri_ids)
        self.assertFalse(self.authenticates(CLIENT_SECRET, copy))
        self.assertEqual(
            [*map(bool, copy.sudo().mapped('client_secret_hash')), *copy.sudo().mapped('previous_client_secret_hash')],
            [False, False],
        )
        self.assertEqual(self.wiki.copy({'name': "Wiki of the sales team"}).name, "Wiki of the sales team")

    # N220

    def test_n220_duplicate_client_id(self):
        for archived in (False, True):
            self.application.active = not archived
            for method, vals in (
                (self.applications.create, {'name': "Calendar", 'client_id': 'wiki-client'}),
                (self.other.with_user(self.administrator).write, {'client_id': 'wiki-client'}),
            ):
                with self.subTest(archived=archived):
                    with self.assertRaises(Exception) as caught, mute_logger('odoo.sql_db'), self.env.cr.savepoint():
                        method(vals)
                        self.env.flush_all()
                    self.assertIn('client_id_unique', str(caught.exception))

    def test_client_id(self):
        for client_id in (
            '',
            False,
            'short',
            'x' * 129,
            '12345678',
            'with blank',
            'wiki:client',
            'wiki/client',
            'wiki-clïent',
            'wiki-client\n',
            'wiki+client',
            '１２３４５６７８',
        ):
            with self.subTest(client_id=client_id):
                self.assertValidationError(
                    "A client ID has 8 to 128 characters", self.wiki.write, {'client_id': client_id}
                )
        for client_id in ('wiki.client~1', 'x' * 128, '1234567-'):
            self.wiki.client_id = client_id
        self.assertTrue(self.authenticates(CLIENT_SECRET))

    def test_generate_client_id(self):
        tokens = self.sign_in()
        client_id = self.wiki.generate_client_id()
        self.assertEqual(self.wiki.client_id, client_id)
        self.assertRegex(client_id, r'\A[0-9a-f]{32}\Z')
        response = self.post(
            '/oauth2/token',
            {'grant_type': 'refresh_token', 'refresh_token': tokens['refresh_token']},
            ('wiki-client', CLIENT_SECRET),
        )
        self.assertInvalidClient(response)
        self.assertEqual(self.refresh(tokens['refresh_token']).status_code, 200)
        self.wiki.action_generate_client_id()
        self.assertNotEqual(self.wiki.client_id, client_id)

    # Other settings

    def test_allowed_origins(self):
        for text in (
            '*',
            'null',
            'shop.example.com',
            'https://shop.example.com/path',
            'https://bücher.example',
            'https://shop.example.com https://*.example.com',
            'ftp://shop.example.com',
            'https://shop.example.com,https://wiki.example.com',
            'javascript:alert(1)',
            'https://user@shop.example.com',
        ):
            with self.subTest(text=text):
                self.assertValidationError("each origin as https://", self.wiki.write, {'allowed_origins': text})
        self.wiki.allowed_origins = 'https://shop.example.com\nhttp://localhost:3000\r\n http://[::1]:3000'

    def test_logo(self):
        picture = io.BytesIO()
        Image.new('RGB', (1024, 600), 'red').save(picture, 'PNG')
        self.wiki.logo = base64.b64encode(picture.getvalue())
        stored = Image.open(io.BytesIO(base64.b64decode(self.wiki.logo)))
        self.assertEqual(stored.size, (512, 300))

    def test_public_application_has_no_service_user(self):
        self.assertValidationError(
            "A public application has no secret", self.public.write, {'service_user_id': self.user.id}
        )
        self.application.service_user_id = self.user
        self.assertValidationError(
            "A public application has no secret", self.application.write, {'client_type': 'public'}
        )

    def assertAccessError(self, sentence, method, *args):
        """Assert that an action is refused because of missing rights."""
        with self.assertRaises(AccessError) as caught, self.env.cr.savepoint():
            method(*args)
        self.assertIn(sentence, caught.exception.args[0])

    def test_only_who_administers_rights_names_another_service_user(self):
        """Otherwise an administrator of applications could act as any colleague."""
        refused = "This application acts as another user"
        colleague = new_test_user(self.env, 'robot', 'base.group_user', password=PASSWORD)
        for method, args in (
            (self.wiki.write, [{'service_user_id': colleague.id}]),
            (self.applications.create, [{'name': "Calendar", 'service_user_id': colleague.id}]),
            (self.applications.with_context(default_service_user_id=colleague.id).create, [{'name': "Calendar"}]),
        ):
            with self.subTest(method=method):
                self.assertAccessError(refused, method, *args)
        # For a service user chosen by somebody else, adding a secret or a scope would have the same effect.
        self.application.service_user_id = colleague
        until = fields.Datetime.now() + timedelta(days=1)
        for method, args in (
            (self.wiki.generate_client_secret, []),
            (self.wiki.write, [{'client_secret': 'a-secret-of-the-administrator'}]),
            (self.wiki.write, [{'previous_client_secret_expires_at': until}]),
            (self.wiki.write, [{'scope_ids': [Command.clear()]}]),
        ):
            with self.subTest(method=method, args=args):
                self.assertAccessError(refused, method, *args)
        self.wiki.write({'description': "The rest", 'previous_client_secret_expires_at': False})
        self.assertFalse(self.wiki.copy().service_user_id)
        # An administrator may do it all if the application acts only as themself.
        self.assertAccessError(refused, self.wiki.write, {'service_user_id': self.administrator.id})
        self.wiki.service_user_id = False
        self.wiki.service_user_id = self.administrator
        self.wiki.generate_client_secret()
        self.administrator.group_ids += self.env.ref('base.group_erp_manager')
        self.wiki.service_user_id = colleague
        self.wiki.generate_client_secret()

    def test_only_who_administers_rights_trusts_an_application(self):
        """Otherwise an administrator's application could act for anybody without asking them."""
        refused = "Users are not asked about a trusted application"
        for method, args in (
            (self.wiki.write, [{'trusted': True}]),
            (self.applications.create, [{'name': "Calendar", 'trusted': True}]),
            (self.applications.with_context(default_trusted=True).create, [{'name': "Calendar"}]),
        ):
            with self.subTest(method=method):
                self.assertAccessError(refused, method, *args)
        self.application.trusted = True
        uri = {'uri': 'https://evil.example/callback'}
        for method, args in (
            (self.wiki.write, [{'uri_ids': [Command.create(uri)]}]),
            (self.wiki.uri_ids.write, [uri]),
            (self.wiki.write, [{'scope_ids': [Command.clear()]}]),
        ):
            with self.subTest(method=method, args=args):
                self.assertAccessError(refused, method, *args)
        self.assertFalse(self.wiki.copy().trusted)
        self.wiki.trusted = False
        self.wiki.uri_ids.write(uri)
        self.administrator.group_ids += self.env.ref('base.group_erp_manager')
        self.wiki.trusted = True

    # Archive and delete

    def test_archive(self):
        self.wiki.action_archive()
        domain = [('client_id', '=', 'wiki-client')]
        self.assertFalse(self.applications.search(domain))
        self.assertEqual(self.applications.search([*domain, ('active', '=', False)]), self.wiki)
        self.assertFalse(self.authenticates(CLIENT_SECRET))
        self.authenticate('mitchell', PASSWORD)
        self.assertEqual(self.authorize(self.get_request()).status_code, 400)
        self.wiki.action_unarchive()
        self.assertTrue(self.authenticates(CLIENT_SECRET))
        self.assertEqual(
            self.env['orestapi.event'].search([('application_id', '=', self.wiki.id)], limit=4).mapped('kind'),
            # A8: events of refusals name the archived application, not an unknown one.
            [
                'application_activated',
                'authorization_request_refused',
                'client_authentication_failed',
                'application_deactivated',
            ],
        )

    def test_delete(self):
        self.sign_in()
        self.get_code()
        self.wiki.unlink()
        for model in ('authorization', 'authorization.code', 'token'):
            with self.subTest(model=model):
                self.assertFalse(self.env[f'orestapi.{model}'].search([]))
        self.assertFalse(self.env['orestapi.application.uri'].search([('uri', '=', CALLBACK)]))
        event = self.env['orestapi.event'].search([('kind', '=', 'application_deleted')])
        self.assertEqual((event.application_name, event.actor_id), ("Wiki", self.administrator))
        self.assertEqual(event.message, "Ada deleted Wiki.")
