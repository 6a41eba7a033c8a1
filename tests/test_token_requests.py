import xmlrpc.client

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import get_db_name, tagged
from odoo.tools import mute_logger

from ..dispatchers.access_token import get_active_token, serve
from .common import CALLBACK, CLIENT_SECRET, PASSWORD, OAuth2Case

SENTENCE = "Not with an access token: sign in to Odoo to change how somebody logs in, or an application."

NEW_PASSWORD = 'a password that outlives the token'

#: Models that only people administer, with values to create a record.
ADMINISTERED = {
    'orestapi.application': {'name': "Made by a token"},
    'orestapi.application.uri': {'uri': 'https://evil.example/callback'},
    'orestapi.scope': {'name': 'made', 'description': "Made by a token"},
    'orestapi.model.scheme': {'name': "Made by a token"},
    'orestapi.model.configuration': {'name': "Made by a token"},
    'orestapi.group.claim': {'name': 'made'},
    'orestapi.claim': {'name': 'made', 'path': 'user.login'},
}

#: Models whose rows nobody creates, writes or deletes by hand; buttons end them.
OF_THE_PROTOCOL = {
    'orestapi.authentication.failure',
    'orestapi.authorization',
    'orestapi.authorization.code',
    'orestapi.event',
    'orestapi.key',
    'orestapi.logout.call',
    'orestapi.logout.session',
    'orestapi.signing.key',
    'orestapi.subject',
    'orestapi.token',
}


@tagged('post_install', '-at_install')
class TestTokenRequests(OAuth2Case):
    """Actions that an access token must not do over any protocol, because they would outlive the token."""

    def setUp(self):
        super().setUp()
        self.muted = mute_logger(
            'odoo.http', 'odoo.addons.rpc.controllers.xmlrpc', 'odoo.addons.rpc.controllers.jsonrpc', 'odoo.sql_db'
        )
        self.muted.__enter__()
        self.addCleanup(self.muted.__exit__, None, None, None)

    # The three protocols, each with its result or error message

    def by_json2(self, user, secret, model, method, ids=None, kwargs=None):
        arguments = {**({} if ids is None else {'ids': ids}), **(kwargs or {})}
        response = self.url_open(
            f'/json/2/{model}/{method}', json=arguments, method='POST', headers={'Authorization': f'Bearer {secret}'}
        )
        return response.json() if response.status_code == 200 else Refusal(response.json()['message'])

    def by_xmlrpc(self, user, secret, model, method, ids=None, kwargs=None):
        try:
            return self.xmlrpc_object.execute_kw(
                get_db_name(), user.id, secret, model, method, [] if ids is None else [ids], kwargs or {}
            )
        except xmlrpc.client.Fault as fault:
            return Refusal(fault.faultString)

    def by_jsonrpc(self, user, secret, model, method, ids=None, kwargs=None):
        args = [get_db_name(), user.id, secret, model, method, [] if ids is None else [ids], kwargs or {}]
        response = self.url_open(
            '/jsonrpc', json={'params': {'service': 'object', 'method': 'execute_kw', 'args': args}}
        )
        answer = response.json()
        return Refusal(answer['error']['data']['message']) if 'error' in answer else answer.get('result')

    @property
    def protocols(self):
        return self.by_json2, self.by_xmlrpc, self.by_jsonrpc

    def get_token(self, user):
        return self.sign_in(user=user, scope='rpc')['access_token']

    def get_key(self, user):
        return self.env['res.users.apikeys'].with_user(user).sudo()._generate(None, "A key", None)

    def assertCallRefused(self, user, access_token, model, method, ids=None, kwargs=None, sentence=SENTENCE):
        """Assert that a call is refused over each protocol, with the reason."""
        for protocol in self.protocols:
            with self.subTest(f'{protocol.__name__} {model}.{method}', kwargs=kwargs):
                answer = protocol(user, access_token, model, method, ids, kwargs)
                self.assertIsInstance(answer, Refusal, answer)
                self.assertIn(sentence, answer.text)

    # (a) The password

    def test_s03_change_password(self):
        """No oracle: right, wrong and empty passwords get the same response, and nothing is counted or tried."""
        access_token = self.get_token(self.user)
        for old, new in ((PASSWORD, NEW_PASSWORD), ('wrong', NEW_PASSWORD), (PASSWORD, ''), ('', '')):
            with self.subTest(old=old, new=new):
                self.assertCallRefused(
                    self.user,
                    access_token,
                    'res.users',
                    'change_password',
                    kwargs={'old_passwd': old, 'new_passwd': new},
                )
        self.assertEqual(self.call_xmlrpc(self.user, 'res.users', 'context_get')['uid'], self.user.id)

    def test_s03_authenticate(self):
        access_token = self.get_token(self.user)
        for password in (PASSWORD, 'wrong'):
            with self.subTest(password=password):
                self.assertCallRefused(
                    self.user,
                    access_token,
                    'res.users',
                    'authenticate',
                    ids=[],
                    kwargs={
                        'credential': {'type': 'password', 'login': 'ada', 'password': password},
                        'user_agent_env': {'interactive': False},
                    },
                )

    def test_s03_identity_is_confirmed_by_a_person(self):
        """Every method of Odoo and its addons that confirms an identity accepts only the browser."""
        self.user.group_ids += self.env.ref('base.group_system')
        access_token = self.get_token(self.user)
        checked = [
            (model, name)
            for model, model_class in self.env.registry.items()
            for name in dir(model_class)
            if name[0] != '_' and hasattr(getattr(model_class, name), '__has_check_identity')
        ]
        self.assertGreater(len(checked), 8)
        for model, name in checked:
            answer = self.by_json2(self.user, access_token, model, name, ids=[])
            with self.subTest(model=model, name=name):
                self.assertIsInstance(answer, Refusal, answer)
                # Some check their arguments first.
                self.assertIn(answer.text, (SENTENCE, "missing a required argument: 'registration'"))
                answer = self.by_xmlrpc(self.user, access_token, model, name, ids=[])
                self.assertEqual(answer.text, "This method can only be accessed over HTTP")
                answer = self.by_jsonrpc(self.user, access_token, model, name, ids=[])
                self.assertEqual(answer.text, "This method can only be accessed over HTTP")
        self.assertFalse(self.env['res.users.identitycheck'].search([]))
        # It cannot answer a question in the person's browser either: core does not count wrong answers.
        asked = self.env['res.users.identitycheck'].with_user(self.user).create({})
        for password in (PASSWORD, 'wrong'):
            with self.subTest(password=password):
                answer = self.by_json2(
                    self.user, access_token, asked._name, 'run_check', asked.ids, {'context': {'password': password}}
                )
                self.assertIsInstance(answer, Refusal, answer)
                self.assertIn(SENTENCE, answer.text)

    def test_s03_address_of_the_server(self):
        """Core takes the base URL from an administrator's login, and uses it in e-mails."""
        self.user.group_ids += self.env.ref('base.group_system')
        parameters = self.env['ir.config_parameter']
        parameters.set_param('web.base.url', 'https://odoo.example.com')
        answer = self.xmlrpc_common.authenticate(
            get_db_name(), 'mitchell', self.get_token(self.user), {'base_location': 'https://evil.example'}
        )
        self.assertEqual(answer, self.user.id)
        parameters.invalidate_model()
        self.assertEqual(parameters.get_param('web.base.url'), 'https://odoo.example.com')

    # (b) How the user, or anybody, logs in

    def test_s03_own_login(self):
        self.user.email = 'mitchell@example.com'
        access_token = self.get_token(self.user)
        for vals in (
            {'email': 'thief@evil.example'},
            {'email': False},
            {'email': 'thief@evil.example', 'signature': "x"},
            {'login': 'thief'},
            {'password': NEW_PASSWORD},
            {'new_password': NEW_PASSWORD},
            {'partner_id': self.administrator.partner_id.id},
            {'totp_secret': 'A' * 32},
            {'auth_passkey_key_ids': [[0, 0, {'name': "Key", 'credential_identifier': 'x'}]]},
            {'api_key_ids': [[0, 0, {'name': "Key"}]]},
        ):
            with self.subTest(vals=vals):
                # Core may refuse some of them earlier, with its own message.
                sentence = SENTENCE if set(vals) <= {'email', 'signature'} else ''
                self.assertCallRefused(
                    self.user, access_token, 'res.users', 'write', self.user.ids, {'vals': vals}, sentence
                )
                self.assertCallRefused(
                    self.user,
                    access_token,
                    'res.users',
                    'web_save',
                    self.user.ids,
                    {'vals': vals, 'specification': {}},
                    sentence,
                )
        self.assertCallRefused(
            self.user,
            access_token,
            'res.users',
            'write',
            self.user.ids,
            # The caller's context changes nothing.
            {'vals': {'email': 'thief@evil.example'}, 'context': {'orestapi_sign_in': False, 'active_test': False}},
        )
        self.user.invalidate_recordset()
        self.assertEqual((self.user.email, self.user.login), ('mitchell@example.com', 'mitchell'))
        # Other values, and an unchanged value.
        for protocol in self.protocols:
            with self.subTest(protocol=protocol):
                vals = {'signature': "By an application", 'email': 'mitchell@example.com', 'tz': 'Europe/Budapest'}
                self.assertTrue(protocol(self.user, access_token, 'res.users', 'write', self.user.ids, {'vals': vals}))

    def test_s03_email_by_way_of_the_contact(self):
        """A link for a new password is sent to the e-mail address of the user's contact."""
        self.user.group_ids += self.env.ref('base.group_partner_manager')
        company, customer = self.env['res.partner'].create([{'name': "Company"}, {'name': "Customer"}])
        access_token = self.get_token(self.user)
        for partner in (self.user.partner_id, self.administrator.partner_id, self.portal_user.partner_id):
            with self.subTest(partner=partner):
                calls = (
                    ('write', partner.ids, {'vals': {'email': 'thief@evil.example'}}),
                    ('web_save', partner.ids, {'vals': {'email': 'thief@evil.example'}, 'specification': {}}),
                    ('write', company.ids, {'vals': {'child_ids': [[1, partner.id, {'email': 'thief@evil.example'}]]}}),
                )
                for method, ids, kwargs in calls:
                    with self.subTest(method=method, ids=ids):
                        self.assertCallRefused(self.user, access_token, 'res.partner', method, ids, kwargs)
                loaded = self.by_json2(
                    self.user,
                    access_token,
                    'res.partner',
                    'load',
                    None,
                    {'fields': ['.id', 'email'], 'data': [[str(partner.id), 'thief@evil.example']]},
                )
                self.assertFalse(loaded['ids'], loaded)
                partner.invalidate_recordset()
                self.assertNotEqual(partner.email, 'thief@evil.example')
        for protocol in self.protocols:
            with self.subTest(protocol=protocol):
                email = f'{protocol.__name__}@example.com'
                self.assertTrue(
                    protocol(self.user, access_token, 'res.partner', 'write', customer.ids, {'vals': {'email': email}})
                )
                customer.invalidate_recordset()
                self.assertEqual(customer.email, email)

    def test_s03_merge_of_contacts(self):
        self.user.group_ids += self.env.ref('base.group_system')
        thief = self.env['res.partner'].create({'name': "Thief", 'email': 'thief@evil.example'})
        wizard = (
            self
            .env['base.partner.merge.automatic.wizard']
            .with_user(self.user)
            .create({
                'partner_ids': [Command.set((thief + self.portal_user.partner_id).ids)],
                'dst_partner_id': thief.id,
                'state': 'selection',
            })
        )
        access_token = self.get_token(self.user)
        self.assertCallRefused(
            self.user, access_token, 'base.partner.merge.automatic.wizard', 'action_merge', wizard.ids
        )
        self.portal_user.invalidate_recordset()
        self.assertNotEqual(self.portal_user.partner_id, thief)

    def test_s03_others_by_an_administrator(self):
        """It cannot change the login of other users or create users either."""
        self.user.group_ids += self.env.ref('base.group_system')
        access_token = self.get_token(self.user)
        for vals in (
            {'password': NEW_PASSWORD},
            {'new_password': NEW_PASSWORD},
            {'login': 'thief'},
            {'email': 'thief@evil.example'},
        ):
            with self.subTest(vals=vals):
                self.assertCallRefused(
                    self.user, access_token, 'res.users', 'write', self.administrator.ids, {'vals': vals}
                )
        group = self.env.ref('base.group_user')
        vals = {'name': "Thief", 'login': 'thief', 'password': NEW_PASSWORD}
        self.assertCallRefused(self.user, access_token, 'res.users', 'create', None, {'vals_list': [vals]})
        self.assertCallRefused(self.user, access_token, 'res.users', 'copy', self.user.ids, {'default': vals})
        self.assertCallRefused(
            self.user, access_token, 'res.groups', 'write', group.ids, {'vals': {'user_ids': [[0, 0, vals]]}}
        )
        self.assertCallRefused(self.user, access_token, 'res.users', 'name_create', None, {'name': "thief"})
        wizard = (
            self
            .env['change.password.wizard']
            .with_user(self.user)
            .create({'user_ids': [Command.create({'user_id': self.administrator.id, 'new_passwd': NEW_PASSWORD})]})
        )
        self.assertCallRefused(self.user, access_token, 'change.password.wizard', 'change_password_button', wizard.ids)
        self.assertFalse(self.env['res.users'].search([('login', '=', 'thief')]))
        self.assertTrue(self.call_xmlrpc(self.administrator, 'res.users', 'context_get'))

    def test_s03_by_a_server_action(self):
        """Code that the request runs with other rights still belongs to the request."""
        self.user.group_ids += self.env.ref('base.group_system')
        action = self.env['ir.actions.server'].create({
            'name': "Do it with all rights",
            'model_id': self.env.ref('base.model_res_users').id,
            'state': 'code',
            'code': f"env['res.users'].sudo().browse({self.administrator.id}).write({{'password': 'x' * 12}})",
        })
        access_token = self.get_token(self.user)
        self.assertCallRefused(self.user, access_token, 'ir.actions.server', 'run', action.ids)
        action.code = "env['orestapi.application'].sudo().create({'name': 'Made by a token'})"
        self.assertCallRefused(self.user, access_token, 'ir.actions.server', 'run', action.ids)
        self.assertTrue(self.call_xmlrpc(self.user, 'ir.actions.server', 'run', action.ids) or True)

    def test_s03_api_keys_and_devices(self):
        self.user.group_ids += self.env.ref('base.group_system')
        self.get_key(self.user)
        access_token = self.get_token(self.user)
        key = self.env['res.users.apikeys'].search([('user_id', '=', self.user.id)], limit=1)
        self.assertCallRefused(
            self.user, access_token, 'res.users.apikeys.description', 'create', None, {'vals_list': [{'name': "Key"}]}
        )
        self.assertCallRefused(self.user, access_token, 'res.users.apikeys', 'unlink', key.ids)
        passkey = self.env['auth.passkey.key'].create({
            'name': "Key", 'credential_identifier': 'x', 'public_key': 'x', 'create_uid': self.administrator.id,
        })  # fmt: skip
        self.assertCallRefused(self.user, access_token, 'auth.passkey.key', 'unlink', passkey.ids)
        self.assertTrue(passkey.exists())
        # Not through code that the request runs with more rights than the user's either.
        action = self.env['ir.actions.server'].create({
            'name': "Do it with all rights",
            'model_id': self.env.ref('base.model_res_users').id,
            'state': 'code',
        })
        for code in (
            "env['res.users.apikeys'].sudo()._generate(None, 'Made by a token', None)",
            f"env['res.users.apikeys'].sudo().browse({key.id})._remove()",
            f"env['res.users.apikeys'].sudo().browse({key.id}).unlink()",
        ):
            with self.subTest(code=code):
                action.code = code
                self.assertCallRefused(self.user, access_token, 'ir.actions.server', 'run', action.ids)
        self.assertEqual(self.env['res.users.apikeys'].search([('user_id', '=', self.user.id)]), key)

    def test_s03_link_for_a_new_password(self):
        """The preview of an e-mail shows the link to the person who composes it (with other addons: dev/live)."""
        partner = self.user.partner_id.with_user(self.user).with_context(signup_force_type_in_url='reset')
        if 'signup_type' not in partner._fields:
            return
        self.assertIn('token=', partner._get_signup_url())
        action = self.env['ir.actions.server'].create({
            'name': "Show the link",
            'model_id': self.env.ref('base.model_res_partner').id,
            'state': 'code',
            'code': f"env['res.partner'].sudo().browse({partner.id})._get_signup_url_for_action()",
        })
        access_token = self.get_token(self.user)
        # Users may run an action from the menu of their contact.
        action.group_ids = self.env.ref('base.group_user')
        self.user.group_ids += self.env.ref('base.group_system')
        self.assertCallRefused(self.user, access_token, 'ir.actions.server', 'run', action.ids)
        # A customer without an account gets the link for one: that is a mail like any other.
        customer = self.env['res.partner'].create({'name': "Customer"})
        action.code = f"env['res.partner'].sudo().browse({customer.id})._get_signup_url_for_action()"
        self.assertNotIsInstance(
            self.by_json2(self.user, access_token, 'ir.actions.server', 'run', action.ids), Refusal
        )

    # (c) Applications

    def test_s03_applications(self):
        """It cannot create, write, delete or set a secret, which an administrator can do with an API key."""
        access_token, key = self.get_token(self.administrator), self.get_key(self.administrator)
        model = 'orestapi.application'
        vals = {'name': "Made", 'service_user_id': self.administrator.id}
        self.assertCallRefused(self.administrator, access_token, model, 'create', None, {'vals_list': [vals]})
        self.assertCallRefused(self.administrator, access_token, model, 'copy', self.application.ids)
        self.assertCallRefused(
            self.administrator, access_token, model, 'web_save', [], {'vals': vals, 'specification': {}}
        )
        for name in ('generate_client_id', 'generate_client_secret', 'generate_own_id', 'generate_own_secret'):
            with self.subTest(name=name):
                self.assertCallRefused(self.administrator, access_token, model, name, self.application.ids)
        for vals in (
            {'uri_ids': [[0, 0, {'uri': 'https://evil.example/callback'}]]},
            {'client_secret': 'x' * 43},
            {'service_user_id': self.administrator.id},
            {'name': "Another name"},
        ):
            with self.subTest(vals=vals):
                self.assertCallRefused(
                    self.administrator, access_token, model, 'write', self.application.ids, {'vals': vals}
                )
        loaded = self.by_json2(
            self.administrator, access_token, model, 'load', None, {'fields': ['name'], 'data': [["Made"]]}
        )
        self.assertFalse(loaded['ids'])
        self.assertFalse(self.env[model].search([('name', '=', "Made")]))
        self.assertEqual(self.application.uri_ids.mapped('uri'), [CALLBACK])
        # The settings can be read, but not the secret for the remote side.
        self.application.own_secret = 'of the remote side'
        for protocol in self.protocols:
            with self.subTest(protocol=protocol):
                answer = protocol(
                    self.administrator, access_token, model, 'read', self.application.ids, {'fields': ['client_id']}
                )
                self.assertEqual(answer[0]['client_id'], 'wiki-client')
                answer = protocol(
                    self.administrator, access_token, model, 'read', self.application.ids, {'fields': ['own_secret']}
                )
                self.assertIsInstance(answer, Refusal)
                answer = protocol(
                    self.administrator,
                    access_token,
                    model,
                    'search',
                    None,
                    {'domain': [['own_secret', '=like', 'of%']]},
                )
                self.assertIsInstance(answer, Refusal)
        # An API key and the password still work.
        for protocol, secret in ((self.by_json2, key), (self.by_xmlrpc, key), (self.by_jsonrpc, PASSWORD)):
            with self.subTest(protocol=protocol):
                answer = protocol(
                    self.administrator,
                    secret,
                    model,
                    'write',
                    self.application.ids,
                    {'vals': {'description': "By a key"}},
                )
                self.assertIs(answer, True)
                answer = protocol(
                    self.administrator, secret, model, 'read', self.application.ids, {'fields': ['own_secret']}
                )
                self.assertEqual(answer[0]['own_secret'], 'of the remote side')

    def test_s03_each_model_of_this_addon(self):
        """A new model must be guarded, or be on the list of models that nobody writes by hand."""
        self.administrator.group_ids += self.env.ref('base.group_system')
        access_token = self.get_token(self.administrator)
        models = {
            name
            for name, model_class in self.env.registry.items()
            if name.startswith('orestapi.') and not model_class._abstract and not model_class._transient
        }
        self.assertEqual(models, {*ADMINISTERED, *OF_THE_PROTOCOL})
        for name, vals in ADMINISTERED.items():
            with self.subTest(name=name):
                self.assertCallRefused(
                    self.administrator, access_token, name, 'create', None, {'vals_list': [vals]}, ''
                )
                record_id = self.env[name].search([], limit=1).id
                for method, arguments in (('create', [[vals]]), ('write', [vals]), ('unlink', [])):
                    with self.subTest(method=method), self.assertRaises(AccessError), self.env.registry.cursor() as cr:
                        env = self.env(cr=cr, su=True)
                        serve(cr, self.user)
                        records = env[name] if method == 'create' else env[name].browse(record_id)
                        getattr(records, method)(*arguments)

    def test_s03_settings(self):
        self.administrator.group_ids += self.env.ref('base.group_system')
        access_token = self.get_token(self.administrator)
        for key in ('orestapi.issuer', 'orestapi.another'):
            with self.subTest(key=key):
                self.assertCallRefused(
                    self.administrator,
                    access_token,
                    'ir.config_parameter',
                    'set_param',
                    None,
                    {'key': key, 'value': 'https://evil.example'},
                )
        for protocol in self.protocols:
            with self.subTest(protocol=protocol):
                arguments = {'key': 'of.another.addon', 'value': protocol.__name__}
                answer = protocol(self.administrator, access_token, 'ir.config_parameter', 'set_param', None, arguments)
                self.assertNotIsInstance(answer, Refusal)

    def test_s03_disconnect_of_a_service(self):
        """Disconnecting is permanent: otherwise the application would just request the next token."""
        for disconnect in ('action_disconnect', 'action_revoke'):
            with self.subTest(disconnect):
                self.application.service_user_id = self.user
                parameters = {'grant_type': 'client_credentials', 'scope': 'rpc'}
                access_token = self.post('/oauth2/token', parameters, self.get_auth()).json()['access_token']
                self.assertEqual(self.call_json2(access_token).status_code, 200)
                authorization = self.env['orestapi.authorization'].search([('user_id', '=', self.user.id)])
                self.call_xmlrpc(self.user, 'orestapi.authorization', disconnect, authorization.ids)
                self.application.invalidate_recordset()
                self.assertFalse(self.application.service_user_id)
                self.assertEqual(self.call_json2(access_token).status_code, 401)
                response = self.post('/oauth2/token', parameters, self.get_auth())
                self.assertOAuth2Error(response, 400, 'unauthorized_client')
                event = self.env['orestapi.event'].search([('kind', '=', 'service_user_removed')], limit=1)
                self.assertEqual((event.application_id, event.user_id), (self.application, self.user))
                self.assertEqual(event.actor_id, self.user)
                self.assertIn("Wiki", event.message)

    def test_s03_disconnect_of_somebody_else(self):
        """The service user stays if another user disconnects the application."""
        self.application.service_user_id = self.administrator
        self.sign_in()
        self.env['orestapi.authorization'].with_user(self.user).search([]).action_disconnect()
        self.assertEqual(self.application.service_user_id, self.administrator)

    # Later requests

    def test_s03_nothing_left_for_the_next_request(self):
        """The next request on the same connection and thread does not count as one with a token."""
        access_token = self.get_token(self.user)
        key = self.get_key(self.user)
        vals = {'email': 'mitchell@example.org'}
        for protocol in self.protocols:
            with self.subTest(protocol=protocol):
                self.assertIsInstance(
                    protocol(self.user, access_token, 'res.users', 'write', self.user.ids, {'vals': vals}), Refusal
                )
                secret = key if protocol == self.by_json2 else PASSWORD
                self.assertIs(protocol(self.user, secret, 'res.users', 'write', self.user.ids, {'vals': vals}), True)
                vals = {'email': f'{protocol.__name__}@example.org'}
        self.authenticate('mitchell', PASSWORD)
        response = self.url_open(
            '/web/dataset/call_kw/res.users/write',
            json={
                'params': {
                    'model': 'res.users',
                    'method': 'write',
                    'args': [self.user.ids, {'email': 'm@example.net'}],
                    'kwargs': {},
                }
            },
        )
        self.assertIs(response.json()['result'], True)

    def test_s03_cursors(self):
        """Another cursor of the request belongs to the request until it ends."""
        with self.env.registry.cursor() as cr:
            env = self.env(cr=cr)
            self.assertIsNone(get_active_token(cr))
            serve(cr, self.user)
            with self.env.registry.cursor() as other:
                self.assertEqual(get_active_token(other), self.user)
            env.transaction.reset()
            self.assertEqual(get_active_token(cr), self.user)
        with self.env.registry.cursor() as cr:
            self.assertIsNone(get_active_token(cr))

    # S13

    def test_s13_many_tokens_of_a_service(self):
        """20 000 tokens do not slow the preferences down: all of them are one device."""
        self.application.service_user_id = self.user
        self.post('/oauth2/token', {'grant_type': 'client_credentials', 'scope': 'rpc'}, self.get_auth())
        device = self.sign_in(self.other)
        authorization = self.application.authorization_ids
        self.env['orestapi.token'].flush_model()
        self.env.cr.execute(
            """
            INSERT INTO orestapi_token (
                   authorization_id, grant_type, scope, access_expires_at, create_date, last_used_at)
            SELECT authorization_id, grant_type, scope, access_expires_at, create_date, last_used_at
              FROM orestapi_token, generate_series(1, 20000)
             WHERE authorization_id = %s
            """,
            [authorization.id],
        )
        self.env.invalidate_all()
        user = self.user.with_user(self.user)
        with self.assertQueryCount(40):
            user.read(['orestapi_token_ids', 'orestapi_authorization_ids'])
            user.orestapi_authorization_ids.read(['devices', 'sign_in_count', 'last_used_at', 'scope_description'])
        # Only a few are read.
        self.assertLess(len(self.env['orestapi.token']._fields['device']._get_cache(user.env)), 1000)
        self.assertEqual(user.orestapi_token_ids.mapped('device').count("The application itself"), 1)
        self.assertEqual(len(user.orestapi_token_ids), 2)
        self.assertEqual(authorization.sign_in_count, 20_001)
        self.assertEqual(authorization.devices, "The application itself")
        self.assertTrue(device)

    # R5

    def test_r05_public_methods_over_xmlrpc(self):
        """The methods that core gives each model work on the models of this addon, without tracebacks and secrets."""
        self.application.write({'own_id': 'own', 'own_secret': 'of the remote side'})
        self.sign_in()
        # Core logs a warning for a call of one of them, and for each unknown name.
        self.muted_too = mute_logger('py.warnings', 'odoo.models')
        self.muted_too.__enter__()
        self.addCleanup(self.muted_too.__exit__, None, None, None)
        models = [name for name in self.env.registry if name.startswith('orestapi.')]
        for model in models:
            fields = list(self.env[model]._fields)
            records = self.env[model].search([], limit=2) if not self.env[model]._abstract else self.env[model]
            calls = get_calls(fields, records)
            for user in (self.administrator, self.user):
                for method, args, kwargs in calls:
                    with self.subTest(model=model, method=method, user=user.login, args=args):
                        try:
                            answer = self.call_xmlrpc(user, model, method, *args, **kwargs)
                        except xmlrpc.client.Fault as fault:
                            # 2 for a user error, 4 for missing rights; 1 is a traceback.
                            self.assertIn(fault.faultCode, (2, 4), fault.faultString)
                            answer = fault.faultString
                        for secret in (CLIENT_SECRET, '$pbkdf2', "_digest': '"):
                            self.assertNotIn(secret, str(answer))


class Refusal:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return f'Refusal({self.text!r})'


def get_calls(fields, records):
    """Return the calls of core's public methods, with arguments that each of them takes."""
    ids = records.ids
    name = [name for name in fields if name == 'name'] or ['id']
    secrets = [name for name in fields if 'secret' in name]
    specification = {name: {} for name in fields}
    calls = [
        ('default_get', [fields], {}),
        ('default_get', [secrets], {}),
        ('default_get', [fields], {'context': {'propose_client_secret': True}}),
        ('fields_get', [], {}),
        ('get_view', [], {}),
        ('get_views', [[[False, 'form'], [False, 'list'], [False, 'search']]], {'options': {'load_filters': True}}),
        ('has_access', [[], 'read'], {}),
        ('name_search', [], {}),
        ('onchange', [[], {}, [], specification], {}),
        ('get_metadata', [ids], {}),
        ('export_data', [ids, ['id']], {}),
        ('read', [ids], {}),
        ('search', [[]], {'limit': 1}),
        ('search_count', [[]], {}),
        ('search_read', [[]], {'limit': 1}),
        ('web_search_read', [[], {'id': {}}], {'limit': 1}),
        ('web_read', [ids, {'id': {}}], {}),
        ('web_name_search', ['', {'display_name': {}}], {}),
        ('read_group', [[], ['id'], ['id']], {}),
        ('web_read_group', [[], ['id'], ['__count']], {}),
        ('formatted_read_group', [[], ['id'], ['__count']], {}),
        ('exists', [ids], {}),
        ('check_access', [ids, 'read'], {}),
        ('copy_data', [ids], {}),
        ('get_base_url', [ids[:1]], {}),
        ('get_formview_id', [ids[:1]], {}),
        ('load', [name, []], {}),
        ('name_create', [''], {}),
        ('create', [[]], {}),
        ('write', [ids, {}], {}),
        ('web_save', [ids[:1], {}, {'id': {}}], {}),
        ('copy', [[]], {}),
        ('unlink', [[]], {}),
    ]
    if ids:
        calls.append(('get_formview_action', [ids[:1]], {}))
    if 'active' in fields:
        calls += [('action_archive', [[]], {}), ('action_unarchive', [[]], {})]
    for name in fields:
        calls.append(('read', [ids, [name]], {}))
        calls.append(('search_read', [[], [name]], {'limit': 1, 'order': 'id'}))
        calls.append(('default_get', [[name]], {}))
    return calls
