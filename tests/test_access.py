from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import CLIENT_SECRET, PASSWORD, OAuth2Case

APPLICATION = 'orestapi.application'
AUTHORIZATION = 'orestapi.authorization'
CODE = 'orestapi.authorization.code'
CONFIGURATION = 'orestapi.model.configuration'
EVENT = 'orestapi.event'
KEY = 'orestapi.key'
FAILURE = 'orestapi.authentication.failure'
SIGNING_KEY = 'orestapi.signing.key'
SUBJECT = 'orestapi.subject'
LOGOUT_CALL = 'orestapi.logout.call'
LOGOUT_SESSION = 'orestapi.logout.session'
GROUP_CLAIM = 'orestapi.group.claim'
CLAIM = 'orestapi.claim'
EXPORT = 'orestapi.event.export'
SCHEME = 'orestapi.model.scheme'
SCOPE = 'orestapi.scope'
TOKEN = 'orestapi.token'
URI = 'orestapi.application.uri'

OPERATIONS = ('create', 'read', 'write', 'unlink')

#: The operations that each user may do, on all records or on their own. A user who is not listed may do nothing; who
#: administers the system may do what any employee may.
ALLOWED = {
    APPLICATION: {'administrator': OPERATIONS, 'user': ('read',)},
    URI: {'administrator': OPERATIONS},
    SCHEME: {'administrator': OPERATIONS},
    CONFIGURATION: {'administrator': OPERATIONS},
    SCOPE: {'administrator': ('read',), 'user': ('read',)},
    AUTHORIZATION: {'administrator': ('read',), 'user': ('read',)},
    CODE: {'administrator': ('read',)},
    TOKEN: {'administrator': ('read',), 'user': ('read',)},
    EVENT: {'administrator': ('read',)},
    KEY: {},
    FAILURE: {},
    SIGNING_KEY: {'administrator': ('read',)},
    SUBJECT: {},
    LOGOUT_CALL: {},
    LOGOUT_SESSION: {},
    GROUP_CLAIM: {'administrator': OPERATIONS},
    CLAIM: {'administrator': OPERATIONS},
    EXPORT: {'administrator': ('read',)},
}

#: Public methods by name; `True` if an administrator may call it for the records of others.
ACTIONS = {
    (APPLICATION, 'generate_client_id'): True,
    (APPLICATION, 'generate_client_secret'): True,
    (APPLICATION, 'generate_own_id'): True,
    (APPLICATION, 'generate_own_secret'): True,
    (APPLICATION, 'get_loss'): True,
    (APPLICATION, 'action_ask_generate_client_secret'): True,
    (APPLICATION, 'action_remove_own_secret'): True,
    (APPLICATION, 'action_remove_client_secret'): True,
    (APPLICATION, 'action_preview_claims'): True,
    (APPLICATION, 'copy'): True,
    (AUTHORIZATION, 'copy'): False,
    (CODE, 'copy'): False,
    (TOKEN, 'copy'): False,
    (EVENT, 'copy'): False,
    (EVENT, 'action_export'): True,
    (TOKEN, 'action_revoke'): True,
    (TOKEN, 'action_ask_revoke'): True,
    (TOKEN, 'action_confirm_revoke'): True,
    (TOKEN, 'action_sign_out'): True,
    (AUTHORIZATION, 'action_revoke'): True,
    (AUTHORIZATION, 'action_ask_revoke'): True,
    (AUTHORIZATION, 'action_confirm_revoke'): True,
    (AUTHORIZATION, 'action_disconnect'): True,
    (SIGNING_KEY, 'action_withdraw'): True,
}


@tagged('post_install', '-at_install')
class TestAccess(OAuth2Case):
    """Tries every operation on every model over XML-RPC: as an application administrator, a system administrator, an
    employee, a portal user and an anonymous user.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.public_user = cls.env.ref('base.public_user')
        cls.users = {
            'portal': cls.portal_user,
            'user': cls.user,
            # Settings do not include our group: one of the system is an employee until somebody admits them.
            'system': new_test_user(cls.env, 'root2', 'base.group_system', password=PASSWORD),
            'administrator': cls.administrator,
        }
        cls.application.write({'own_id': 'our id there', 'own_secret': 'our secret there', 'description': "Pages"})

    def setUp(self):
        super().setUp()
        self.sign_in()
        self.sign_in(user=self.administrator)
        self.sign_in(user=self.users['system'])
        self.env[SIGNING_KEY]._get_private_key('ES256')
        self.env[SUBJECT]._get(self.user.id, 0)
        self.env[GROUP_CLAIM].create({'name': 'staff', 'group_id': self.env.ref('base.group_user').id})
        self.env[CLAIM].create({'name': 'job', 'path': 'partner.function'})
        self.env[EVENT].with_user(self.administrator).search([], limit=1).action_export()
        self.env[LOGOUT_CALL].create(self.get_values(LOGOUT_CALL, None))
        self.env[LOGOUT_SESSION].create({**self.get_values(LOGOUT_SESSION, None), 'sid': 'another'})
        self.env[FAILURE]._count(self.application.id, '192.0.2.1', False)

    def get_others(self):
        """Return the users who are not application administrators."""
        return [user for name, user in self.users.items() if name != 'administrator']

    def get_allowed(self, model, name):
        return ALLOWED[model].get('user' if name == 'system' else name, ())

    def get_records(self, model, user=None):
        domain = [('user_id', '=', user.id)] if user and model in (AUTHORIZATION, CODE, TOKEN) else []
        records = self.env[model].search(domain)
        self.assertTrue(records, "Nothing to try it on.")
        return records

    def get_values(self, model, records):
        """Return the best possible values for a new record."""
        return {
            APPLICATION: {'name': "Calendar"},
            URI: {'application_id': self.application.id, 'uri': 'https://wiki.example.com/second'},
            SCHEME: {'name': "Calendar"},
            CONFIGURATION: {'name': "Banks", 'model_id': self.env['ir.model']._get_id('res.bank')},
            SCOPE: {'name': 'calendar', 'description': "See when you are busy"},
            AUTHORIZATION: {'user_id': self.user.id, 'application_id': self.other.id},
            CODE: {
                'authorization_id': self.env[AUTHORIZATION].search([], limit=1).id,
                'scope': 'read',
                'redirect_uri': 'https://evil.example',
                'create_date': '2030-01-01',
                'expires_at': '2030-01-01',
            },
            TOKEN: {
                'authorization_id': self.env[AUTHORIZATION].search([], limit=1).id,
                'scope': 'read rpc',
                'grant_type': 'authorization_code',
                'create_date': '2030-01-01',
            },
            EVENT: {'kind': 'application_created', 'create_date': '2030-01-01'},
            KEY: {'purpose': 'mine', 'value': '00'},
            FAILURE: {'application': 1, 'network': '192.0.2.1', 'create_date': '2030-01-01', 'cross_site': False},
            SIGNING_KEY: {'algorithm': 'ES256', 'kid': 'mine'},
            SUBJECT: {'user_id': self.user.id, 'subject': 'mine'},
            LOGOUT_CALL: {
                'application_id': self.application.id,
                'subject': 'mine',
                'sid': 'mine',
                'tries': 0,
                'next_try_at': '2030-01-01',
                'create_date': '2030-01-01',
            },
            LOGOUT_SESSION: {
                'application_id': self.application.id,
                'user_id': self.user.id,
                'sid': 'mine',
                'session_identifier': 'mine',
                'create_date': '2030-01-01',
            },
            GROUP_CLAIM: {'name': 'sales', 'group_id': self.env.ref('base.group_portal').id},
            CLAIM: {'name': 'city', 'path': 'partner.city'},
            EXPORT: {'name': 'events.csv', 'content': 'eA=='},
        }[model]

    def get_change(self, model):
        return {
            APPLICATION: {'description': "Changed"},
            URI: {'description': "Changed"},
            SCHEME: {'description': "Changed"},
            CONFIGURATION: {'name': "Changed"},
            SCOPE: {'description': "Changed"},
            AUTHORIZATION: {'application_id': self.other.id},
            CODE: {'redirect_uri': 'https://evil.example'},
            TOKEN: {'scope': 'read rpc'},
            EVENT: {'detail': "Changed"},
            KEY: {'value': '00'},
            FAILURE: {'application': 2},
            SIGNING_KEY: {'kid': 'mine'},
            SUBJECT: {'subject': 'mine'},
            LOGOUT_CALL: {'sid': 'mine'},
            LOGOUT_SESSION: {'sid': 'mine'},
            GROUP_CLAIM: {'name': 'everybody'},
            CLAIM: {'path': 'user.login'},
            EXPORT: {'name': "Changed"},
        }[model]

    def try_operation(self, user, model, operation, records):
        match operation:
            case 'create':
                return self.call_xmlrpc(user, model, 'create', self.get_values(model, records))
            case 'read':
                return self.call_xmlrpc(user, model, 'read', records.ids)
            case 'write':
                return self.call_xmlrpc(user, model, 'write', records.ids, self.get_change(model))
            case 'unlink':
                return self.call_xmlrpc(user, model, 'unlink', records.ids)

    def get_snapshot(self):
        """Return all rows of all tables of this addon."""
        self.env.flush_all()
        snapshot = {}
        for model in ALLOWED:
            self.env.cr.execute(f'SELECT * FROM "{self.env[model]._table}" ORDER BY id')  # noqa: S608
            snapshot[model] = self.env.cr.fetchall()
        return snapshot

    def test_operations(self):
        for model in ALLOWED:
            for name, user in self.users.items():
                for operation in OPERATIONS:
                    with self.subTest(model=model, user=name, operation=operation):
                        records = self.get_records(model, user if name in ('user', 'system') else None)
                        if model == APPLICATION and operation == 'unlink':
                            records = self.other
                        if model == SCHEME and operation == 'unlink' and name == 'administrator':
                            # One that no application uses.
                            records = self.env[SCHEME].create({'name': "Calendar"})
                        if operation in self.get_allowed(model, name):
                            self.assertTrue(self.try_operation(user, model, operation, records))
                            continue
                        before = self.get_snapshot()
                        self.assertFault(4, self.try_operation, user, model, operation, records)
                        self.assertEqual(self.get_snapshot(), before)

    def test_search(self):
        """Searching, counting and grouping are reading."""
        for model in ALLOWED:
            for name, user in self.users.items():
                for method, args in (
                    ('search', [[]]),
                    ('search_count', [[]]),
                    ('search_read', [[]]),
                    ('name_search', ['']),
                    ('formatted_read_group', [[], [], ['__count']]),
                    ('web_search_read', [[], {'display_name': {}}]),
                ):
                    with self.subTest(model=model, user=name, method=method):
                        if 'read' in self.get_allowed(model, name):
                            self.assertTrue(self.call_xmlrpc(user, model, method, *args))
                        else:
                            self.assertFault(4, self.call_xmlrpc, user, model, method, *args)

    def test_actions(self):
        for (model, method), may in ACTIONS.items():
            if not self.env[AUTHORIZATION].search_count([('user_id', '=', self.user.id)]):
                # Restores records that the previous actions have ended.
                self.application.client_secret = CLIENT_SECRET
                self.sign_in()
            for name, user in self.users.items():
                # Records of another user, so that only the administrator may act.
                record = (
                    self.application
                    if model == APPLICATION
                    else self.get_records(model, self.user if name == 'administrator' else self.administrator)[:1]
                )
                with self.subTest(model=model, method=method, user=name):
                    if may and name == 'administrator':
                        self.assertTrue(self.call_xmlrpc(user, model, method, record.ids))
                        continue
                    before = self.get_snapshot()
                    self.assertFault(4, self.call_xmlrpc, user, model, method, record.ids)
                    self.assertEqual(self.get_snapshot(), before)

    def test_private_methods(self):
        """Methods that only this addon's code may call; all start with `_`."""
        for model in ALLOWED:
            for cls in self.get_classes(model):
                for name, value in vars(cls).items():
                    if name[0] == '_' and callable(value):
                        with self.subTest(model=model, name=name):
                            self.assertFault(4, self.call_xmlrpc, self.administrator, model, name, [])

    def get_classes(self, model):
        """Return the classes of this addon that a model consists of."""
        return [cls for cls in type(self.env[model]).mro() if cls.__module__.startswith('odoo.addons.orestapi.')]

    def test_public_methods(self):
        """This test knows every public method, because anyone who may read a model can call it (see `ACTIONS`)."""
        buttons = {
            APPLICATION: {
                'action_generate_client_id',
                'action_generate_client_secret',
                'action_generate_own_id',
                'action_generate_own_secret',
                'action_show_first_client_secret',
                'action_archive',
                'action_unarchive',
            },
            SCHEME: {
                'action_archive',
                'action_unarchive',
                'action_forget_missing_models',
                'action_open_applications',
            },
            CONFIGURATION: {
                'action_archive',
                'action_unarchive',
                'action_forget_missing_fields',
                'action_open_schemes',
            },
            'orestapi.settings': {'execute', 'cancel'},
        }
        overrides = {
            'create', 'write', 'unlink', 'copy_data', 'default_get', 'fields_get', 'get_values', 'init', 'run_check',
            'set_values',
        }  # fmt: skip
        # Includes abstract models, and models of Odoo that this addon extends.
        models = [name for name in self.env.registry if self.get_classes(name)]
        self.assertLess({*ALLOWED, 'orestapi.client.secret.show', 'orestapi.record', 'res.users'}, set(models))
        for model in models:
            known = {method for name, method in ACTIONS if name == model} | buttons.get(model, set()) | overrides
            for cls in self.get_classes(model):
                public = {
                    name
                    for name, value in vars(cls).items()
                    if name[0] != '_' and (callable(value) or isinstance(value, (classmethod, staticmethod)))
                }
                with self.subTest(model=model):
                    self.assertLessEqual(public, known)

    def test_buttons(self):
        for method in ('action_generate_client_id', 'action_generate_own_id', 'action_generate_own_secret'):
            with self.subTest(method=method):
                for user in self.get_others():
                    with self.subTest(user=user):
                        before = self.get_snapshot()
                        self.assertFault(4, self.call_xmlrpc, user, APPLICATION, method, self.application.ids)
                        self.assertEqual(self.get_snapshot(), before)
                # XML-RPC cannot transport None, which would look like a failure.
                self.assertTrue(self.call_xmlrpc(self.administrator, APPLICATION, method, self.application.ids))

    def test_archive(self):
        """Users who may write may also archive, over XML-RPC too."""
        for model in self.get_models():
            if 'active' not in self.env[model]._fields:
                continue
            records = self.env[model].search([], limit=1)
            for method, active in (('action_archive', False), ('action_unarchive', True)):
                with self.subTest(model=model, method=method):
                    for user in self.get_others():
                        with self.subTest(user=user.login):
                            self.assertFault(4, self.call_xmlrpc, user, model, method, records.ids)
                    self.assertTrue(self.call_xmlrpc(self.administrator, model, method, records.ids))
                    self.assertEqual(records.active, active)

    def get_models(self):
        """Return the names of all models of this addon with permanent records.

        The settings are not among them: see `test_a06_no_other_settings`.
        """
        models = {name: model for name, model in self.env.registry.items() if name.startswith('orestapi.')}
        kept = [name for name, model in models.items() if not model._abstract and not model._transient]
        # It is deleted automatically, and has its own rule.
        return [*kept, EXPORT]

    def test_every_model(self):
        """A new model needs an expectation here."""
        self.assertEqual(set(self.get_models()), set(ALLOWED))

    def test_buttons_of_schemes_and_configurations(self):
        # Methods that open a list reveal and change nothing: the list checks the rights.
        for model, method in (
            (SCHEME, 'action_forget_missing_models'),
            (CONFIGURATION, 'action_forget_missing_fields'),
        ):
            with self.subTest(model=model):
                ids = self.env[model].search([], limit=1).ids
                for user in self.get_others():
                    with self.subTest(method=method, user=user.login):
                        before = self.get_snapshot()
                        self.assertFault(4, self.call_xmlrpc, user, model, method, ids)
                        self.assertEqual(self.get_snapshot(), before)
                self.assertTrue(self.call_xmlrpc(self.administrator, model, method, ids))

    def test_nobody(self):
        """Without a password there is no access."""
        for user, password in (
            (self.public_user, 'public'),
            (self.public_user, 'x'),
            (self.user, 'wrong'),
            (self.env.ref('base.user_root'), PASSWORD),
        ):
            for model in ALLOWED:
                with self.subTest(user=user.login, model=model):
                    self.env.registry._login_failures = None
                    self.assertFault(3, self.call_xmlrpc, user, model, 'search', [], password=password)
        for model in ALLOWED:
            with self.subTest(model=model):
                response = self.url_open(f'/json/2/{model}/search_read', json={'domain': []})
                self.assertEqual(response.status_code, 401)
        # With an anonymous session at the routes of the web client.
        self.authenticate(None, None)
        response = self.url_open(
            '/web/dataset/call_kw',
            json={'params': {'model': APPLICATION, 'method': 'search_read', 'args': [[]], 'kwargs': {}}},
        )
        self.assertEqual(response.json()['error']['data']['name'], 'odoo.http.SessionExpiredException')
        # The logo is hidden too: Odoo answers 404 or shows a placeholder.
        self.application.logo = self.env.ref('base.main_partner').avatar_128
        address = f'orestapi.application/{self.application.id}/logo'
        self.assertEqual(self.url_open(f'/web/content/{address}').status_code, 404)
        self.assertIn('placeholder', self.url_open(f'/web/image/{address}').headers['Content-Disposition'])
        self.authenticate('mitchell', PASSWORD)
        for route in ('content', 'image'):
            with self.subTest(route=route):
                response = self.url_open(f'/web/{route}/{address}')
                self.assertEqual(response.status_code, 200)
                self.assertNotIn('placeholder', response.headers['Content-Disposition'])

    def test_public_user_in_the_server(self):
        """The same for code that runs as the public user, such as a page of a website."""
        for model in ALLOWED:
            for operation in OPERATIONS:
                with self.subTest(model=model, operation=operation):
                    self.assertFalse(self.env[model].with_user(self.public_user).has_access(operation))
                    self.assertFalse(self.env[model].with_user(self.portal_user).has_access(operation))

    # What employees see of applications

    def test_n223_fields_of_an_application(self):
        """Its name, logo and description; `active` decides what a search finds."""
        readable = {'id', 'display_name', 'name', 'active', 'logo', 'avatar', 'description', 'write_date'}
        model = self.env[APPLICATION]
        self.assertEqual(set(self.call_xmlrpc(self.user, APPLICATION, 'fields_get', [], ['type'])), readable)
        [values] = self.call_xmlrpc(self.user, APPLICATION, 'read', self.application.ids)
        self.assertEqual(set(values), readable)
        self.assertEqual((values['name'], values['description']), ("Wiki", "Pages"))
        self.assertIn('own_secret', model._fields)
        for name in set(model._fields) - readable:
            field = model._fields[name]
            calls = [
                ('read', [self.application.ids, [name]]),
                ('search_read', [[], [name]]),
                ('web_read', [self.application.ids, {name: {}}]),
            ]
            if field.store:
                # With the right value, which a guesser would hope for.
                value = field.convert_to_read(self.application.sudo()[name], self.application)
                if field.type == 'datetime':
                    value = fields.Datetime.to_string(value)
                calls += [
                    ('search', [[(name, '=', value)]]),
                    ('search', [['!', (name, '=', value)]]),
                    ('search', [[], 0, 1, name]),
                ]
                if field.type != 'one2many':
                    calls.append((
                        'formatted_read_group',
                        [[], [name + ':day' if field.type == 'datetime' else name], ['__count']],
                    ))
            for method, args in calls:
                with self.subTest(name=name, method=method):
                    sentence = self.assertFault(4, self.call_xmlrpc, self.user, APPLICATION, method, *args)
                    self.assertNotIn('our secret there', sentence)

    def test_n223_no_way_around(self):
        """Not through fields of records that the employee may read either."""
        for model in (AUTHORIZATION, TOKEN):
            for name, value in (
                ('application_id.own_secret', 'our%'),
                ('application_id.client_id', 'wiki%'),
                ('application_id.client_secret_hash', '%'),
                ('application_id.uri_ids.uri', '%'),
                ('application_id.authorization_ids.user_id.login', '%'),
            ):
                for method, args in (
                    ('search', [[(name, '=like', value)]]),
                    ('search', [['!', (name, '=like', value)]]),
                    ('search_count', [[(name.partition('.')[0], 'any', [(name.partition('.')[2], '=like', value)])]]),
                ):
                    with self.subTest(model=model, name=name, method=method):
                        self.assertFault(4, self.call_xmlrpc, self.user, model, method, *args)
            for method, args in (
                ('web_search_read', [[], {'application_id': {'fields': {'own_secret': {}}}}]),
                ('formatted_read_group', [[], ['application_id.client_id'], ['__count']]),
            ):
                with self.subTest(model=model, method=method):
                    self.assertFault(4, self.call_xmlrpc, self.user, model, method, *args)
        for method, args in (
            ('copy_data', [self.application.ids]),
            ('copy', [self.application.ids]),
            ('get_metadata', [self.application.ids]),
            ('onchange', [[], {}, [], {'own_secret': {}}]),
            ('onchange', [self.application.ids, {'name': "x"}, ['name'], {'own_secret': {}, 'client_id': {}}]),
            ('web_save', [self.application.ids, {'description': "x"}, {'own_secret': {}}]),
        ):
            with self.subTest(method=method):
                self.assertFault(4, self.call_xmlrpc, self.user, APPLICATION, method, *args)
        self.user.group_ids += self.env.ref('base.group_allow_export')
        for model, records, names in (
            (APPLICATION, self.application, ['name', 'own_secret']),
            (TOKEN, self.get_records(TOKEN, self.user), ['application_id/own_secret']),
        ):
            with self.subTest(model=model):
                self.assertFault(4, self.call_xmlrpc, self.user, model, 'export_data', records.ids, names)

    def test_n223_authorizations_of_others(self):
        """Employees see, count and end only their own."""
        for model in (AUTHORIZATION, TOKEN):
            with self.subTest(model=model):
                own, others = self.get_records(model, self.user), self.get_records(model, self.administrator)
                self.assertEqual(self.call_xmlrpc(self.user, model, 'search', []), own.ids)
                self.assertEqual(self.call_xmlrpc(self.user, model, 'search_count', []), len(own))
                self.assertFalse(self.call_xmlrpc(self.user, model, 'search', [('id', 'in', others.ids)]))
                for method in ('read', 'action_revoke', 'unlink', 'copy'):
                    with self.subTest(method=method):
                        self.assertFault(4, self.call_xmlrpc, self.user, model, method, others.ids)
                        # Not together with their own either.
                        self.assertFault(4, self.call_xmlrpc, self.user, model, method, (own + others).ids)
                self.assertEqual(self.get_records(model, self.user), own)
                self.assertEqual(self.get_records(model, self.administrator), others)
        self.assertFalse(self.env[TOKEN].search([('revoked_at', '!=', False)]))
        # Not through the other user either.
        [values] = self.call_xmlrpc(
            self.user, 'res.users', 'read', self.administrator.ids, ['orestapi_authorization_ids']
        )
        self.assertFalse(values['orestapi_authorization_ids'])
        for name in ('', '.id', '.application_id.name', '.token_ids.address', '.user_id.login'):
            with self.subTest(name):
                domain = [(f'orestapi_authorization_ids{name}', '!=', False), ('id', '=', self.administrator.id)]
                self.assertFault(4, self.call_xmlrpc, self.user, 'res.users', 'search', domain)

    def test_n223_authorizations_that_others_may_see(self):
        """An administrator's rule that lets employees see those of others does not let them end any."""
        for model in (AUTHORIZATION, TOKEN):
            with self.subTest(model=model):
                self.env['ir.rule'].create({
                    'name': "Everything",
                    'model_id': self.env['ir.model']._get_id(model),
                    'groups': self.env.ref('base.group_user').ids,
                    'domain_force': "[(1, '=', 1)]",
                })
                others = self.get_records(model, self.administrator)
                self.assertTrue(self.call_xmlrpc(self.user, model, 'read', others.ids, ['application_id']))
                self.assertIn(
                    "your own", self.assertFault(4, self.call_xmlrpc, self.user, model, 'action_revoke', others.ids)
                )
                self.assertEqual(self.get_records(model, self.administrator), others)
        self.assertFalse(self.env[TOKEN].search([('revoked_at', '!=', False)]))

    def test_n223_portal_user(self):
        """Portal users who may use an application have authorizations, but cannot read any model of this addon."""
        self.application.group_ids += self.env.ref('base.group_portal')
        self.sign_in(user=self.portal_user)
        for model in (AUTHORIZATION, TOKEN):
            own = self.get_records(model, self.portal_user)
            for method, args in (('read', [own.ids]), ('search', [[]]), ('action_revoke', [own.ids])):
                with self.subTest(model=model, method=method):
                    self.assertFault(4, self.call_xmlrpc, self.portal_user, model, method, *args)
        self.assertFault(
            4,
            self.call_xmlrpc,
            self.portal_user,
            'res.users',
            'web_read',
            self.portal_user.ids,
            {'orestapi_authorization_ids': {'fields': {'application_id': {'fields': {'own_secret': {}}}}}},
        )
        self.assertFault(
            4,
            self.call_xmlrpc,
            self.portal_user,
            'res.users',
            'search_count',
            [('orestapi_authorization_ids.application_id.own_secret', '=like', 'our%')],
        )

    def test_n224_own_authorization(self):
        """All tokens of the application for the user end with it, and no others."""
        tokens, second = self.sign_in(), self.sign_in()
        code = self.get_code()
        elsewhere, other_user = self.sign_in(self.other), self.sign_in(user=self.administrator)
        own = self.env[AUTHORIZATION].search([
            ('user_id', '=', self.user.id),
            ('application_id', '=', self.application.id),
        ])
        self.assertTrue(self.call_xmlrpc(self.user, AUTHORIZATION, 'action_revoke', own.ids))
        self.assertFalse(own.exists())
        for ended in (tokens, second):
            with self.subTest(ended=ended):
                self.assertInactive(ended['access_token'], ended['refresh_token'])
                self.assertOAuth2Error(self.refresh(ended['refresh_token']), 400, 'invalid_grant')
        self.assertOAuth2Error(self.redeem(code), 400, 'invalid_grant')
        self.assertActive(elsewhere['access_token'], application=self.other)
        self.assertActive(other_user['access_token'])
        event = self.env[EVENT].search([('kind', '=', 'authorization_revoked')])
        self.assertEqual(event.message, "Mitchell disconnected Wiki from Mitchell.")
        # The user is asked again.
        self.authenticate('mitchell', PASSWORD)
        self.assertEqual(self.authorize(self.get_request()).status_code, 200)

    def test_n224_own_sign_in(self):
        tokens, second = self.sign_in(), self.sign_in()
        sign_in = self.get_records(TOKEN, self.user)[0]
        self.assertTrue(self.call_xmlrpc(self.user, TOKEN, 'action_revoke', sign_in.ids))
        self.assertEqual(sign_in.revoked_reason, 'user')
        self.assertInactive(second['access_token'], second['refresh_token'])
        self.assertActive(tokens['access_token'])
        # Once revoked, it is gone.
        self.call_xmlrpc(self.user, TOKEN, 'action_revoke', sign_in.ids)
        self.assertEqual(len(self.env[EVENT].search([('kind', '=', 'sign_in_revoked')])), 1)

    def test_n224_administrator(self):
        tokens = self.sign_in()
        sign_in = self.get_records(TOKEN, self.user)[0]
        self.call_xmlrpc(self.administrator, TOKEN, 'action_revoke', sign_in.ids)
        self.assertEqual(sign_in.revoked_reason, 'administrator')
        self.assertInactive(tokens['access_token'], tokens['refresh_token'])
        event = self.env[EVENT].search([('kind', '=', 'sign_in_revoked')])
        self.assertEqual(event.message, "Ada ended a sign-in of Mitchell at Wiki.")

    def test_n221_administrator_over_rpc(self):
        hidden = {
            APPLICATION: ['client_secret_hash', 'previous_client_secret_hash'],
            CODE: ['digest', 'code_challenge'],
            TOKEN: ['access_digest', 'previous_access_digest', 'refresh_digest', 'refresh_salt'],
        }
        for model, names in hidden.items():
            for name in names:
                ids = self.get_records(model).ids
                for method, args in (
                    ('read', [ids, [name]]),
                    ('search', [[(name, '=like', '%')]]),
                    ('search', [[], 0, 1, name]),
                    ('web_search_read', [[], {name: {}}]),
                    ('formatted_read_group', [[], [name], ['__count']]),
                    ('write', [ids, {name: 'x'}]),
                    ('create', [{**self.get_values(model, None), name: 'x'}]),
                ):
                    with self.subTest(model=model, name=name, method=method):
                        self.assertFault(4, self.call_xmlrpc, self.administrator, model, method, *args)

    def test_n227_events(self):
        """Nobody changes or deletes events: neither administrators nor this addon's own code."""
        system = new_test_user(self.env, 'root3', 'base.group_system,orestapi.group_administrator', password=PASSWORD)
        events = self.get_records(EVENT)
        for user in (self.administrator, system, self.user, self.portal_user):
            with self.subTest(user=user):
                before = self.get_snapshot()[EVENT]
                for method, args in (
                    ('write', [events.ids, {'detail': "x"}]),
                    ('unlink', [events.ids]),
                    ('create', [{}]),
                    ('create', [self.get_values(EVENT, None)]),
                    ('web_save', [events.ids, {'detail': "x"}, {}]),
                ):
                    with self.subTest(user=user.login, method=method):
                        self.assertFault(4, self.call_xmlrpc, user, EVENT, method, *args)
                self.assertEqual(self.get_snapshot()[EVENT], before)
        for method, args in ((events.sudo().write, [{'detail': "x"}]), (events.sudo().unlink, [])):
            with self.subTest(method=method), self.assertRaises(AccessError):
                method(*args)

    def test_n227_events_outlive_what_they_tell_of(self):
        event = self.env[EVENT].search([('kind', '=', 'consent_given'), ('user_id', '=', self.user.id)], limit=1)
        self.application.unlink()
        self.user.unlink()
        self.assertEqual(event.message, "Mitchell allowed Wiki: read.")
        self.assertFalse(event.application_id or event.user_id)
