import json
import xmlrpc.client

from odoo.tests import get_db_name, tagged
from odoo.tools import mute_logger

from .common import PASSWORD, OAuth2Case

REFUSED = 'refused'

#: Calls of an employee, allowed and forbidden ones. Each creates the records that it needs.
CALLS = (
    ('res.users', 'context_get', [], {}),
    ('res.partner', 'search_read', [[['is_company', '=', True]], ['name']], {'order': 'id', 'limit': 3}),
    ('res.partner', 'read', [[1], ['name', 'email']], {}),
    ('res.partner', 'search_count', [[]], {}),
    ('res.partner', 'fields_get', [['name'], ['type']], {}),
    ('res.partner', 'create', [[{'name': "By a token"}]], {}),
    ('res.country', 'unlink', [[1]], {}),
    ('res.users', 'write', [[2], {'login': 'mine'}], {}),
    ('ir.config_parameter', 'search_read', [[], ['value']], {}),
    ('ir.config_parameter', 'get_param', ['database.secret'], {}),
    ('orestapi.application', 'read', [[1], ['client_id']], {}),
    ('orestapi.token', 'search_read', [[], ['access_digest']], {}),
    ('orestapi.record', '_read', [False, 'res.partner', [1]], {}),
    ('no.such.model', 'read', [[1]], {}),
)


@tagged('post_install', '-at_install')
class TestProtocols(OAuth2Case):
    """Access tokens over each protocol of Odoo's own API (N193)."""

    def setUp(self):
        super().setUp()
        # An employee may neither change nor delete partners: somebody who may shows that writing works.
        self.user.group_ids += self.env.ref('base.group_partner_manager')

    def call_by_json2(self, user, secret, model, method, args, kwargs):
        """Odoo's API for tokens and API keys, with arguments by name."""
        names = {
            'search_read': ('domain', 'fields'),
            'read': ('ids', 'fields'),
            'search_count': ('domain',),
            'fields_get': ('allfields', 'attributes'),
            'create': ('vals_list',),
            'unlink': ('ids',),
            'write': ('ids', 'vals'),
            'get_param': ('key',),
            '_read': ('offer', 'name', 'ids'),
            'context_get': (),
        }[method]
        arguments = {**dict(zip(names, args, strict=False)), **kwargs}
        response = self.url_open(
            f'/json/2/{model}/{method}', json=arguments, method='POST', headers={'Authorization': f'Bearer {secret}'}
        )
        return response.json() if response.status_code == 200 else REFUSED

    def call_by_xmlrpc(self, user, secret, model, method, args, kwargs):
        try:
            return self.call_xmlrpc(user, model, method, *args, password=secret, **kwargs)
        except xmlrpc.client.Fault:
            return REFUSED

    def call_by_older_xmlrpc(self, user, secret, model, method, args, kwargs):
        proxy = xmlrpc.client.ServerProxy(
            f'{self.base_url()}/xmlrpc/object', transport=self.xmlrpc_object._ServerProxy__transport
        )
        try:
            return proxy.execute_kw(get_db_name(), user.id, secret, model, method, args, kwargs)
        except xmlrpc.client.Fault:
            return REFUSED

    def call_by_jsonrpc(self, user, secret, model, method, args, kwargs):
        response = self.url_open(
            '/jsonrpc',
            json={
                'params': {
                    'service': 'object',
                    'method': 'execute_kw',
                    'args': [get_db_name(), user.id, secret, model, method, args, kwargs],
                }
            },
        )
        return response.json().get('result', REFUSED)

    def get_results(self, call, secret):
        """Return the result of each call, without the parts that differ each time."""
        results = []
        for model, method, args, kwargs in CALLS:
            with mute_logger(
                'odoo.http',
                'odoo.addons.rpc.controllers.xmlrpc',
                'odoo.addons.rpc.controllers.jsonrpc',
                'odoo.addons.base.models.ir_model',
                'odoo.addons.base.models.ir_rule',
                'odoo.models',
            ):
                result = call(self.user, secret, model, method, json.loads(json.dumps(args)), kwargs)
            if method == 'create' and result != REFUSED:
                self.env['res.partner'].browse(result).exists().unlink()
                result = 'created'
            results.append((model, method, json.loads(json.dumps(result))))
        return results

    def assertProtocol(self, call, secret=PASSWORD):
        """Assert that `rpc` works like the user's own secret, and `read` does not work.

        :param call: a function that calls a method over the protocol
        :param str secret: the user's own secret for the protocol
        """
        own = self.get_results(call, secret)
        self.assertEqual([method for model, method, result in own if result == 'created'], ['create'])
        self.assertTrue(any(result == REFUSED for _model, _method, result in own))
        self.assertGreater(sum(result != REFUSED for _model, _method, result in own), 5)
        self.assertEqual(self.get_results(call, self.sign_in(scope='rpc')['access_token']), own)
        self.assertEqual(self.get_results(call, self.sign_in(scope='read rpc')['access_token']), own)
        partners = self.env['res.partner'].search_count([])
        refused = self.get_results(call, self.sign_in(scope='read')['access_token'])
        self.assertTrue(all(result == REFUSED for _model, _method, result in refused), refused)
        self.assertEqual(self.env['res.partner'].search_count([]), partners)

    def test_n193_json2(self):
        key = self.env['res.users.apikeys'].with_user(self.user).sudo()._generate(None, "A key", None)
        self.assertProtocol(self.call_by_json2, key)

    def test_n193_xmlrpc(self):
        self.assertProtocol(self.call_by_xmlrpc)

    def test_n193_older_xmlrpc(self):
        self.assertProtocol(self.call_by_older_xmlrpc)

    def test_n193_jsonrpc(self):
        self.assertProtocol(self.call_by_jsonrpc)

    def test_n193_no_other_service(self):
        """The services beside the models: `read` logs nobody in, and neither scope manages databases."""
        for scope, expected in (('rpc', self.user.id), ('read', False)):
            token = self.sign_in(scope=scope)['access_token']
            with mute_logger(
                'odoo.http',
                'odoo.addons.rpc.controllers.xmlrpc',
                'odoo.addons.rpc.controllers.jsonrpc',
                'odoo.addons.base.models.res_users',
                'odoo.sql_db',
            ):
                for method, arguments in (('login', []), ('authenticate', [{}])):
                    with self.subTest(scope=scope, method=method):
                        args = [get_db_name(), self.user.login, token, *arguments]
                        answer = self.url_open(
                            '/jsonrpc', json={'params': {'service': 'common', 'method': method, 'args': args}}
                        ).json()
                        self.assertEqual(answer.get('result') or False, expected, answer)
                        self.assertEqual(getattr(self.xmlrpc_common, method)(*args) or False, expected)
                for method in ('dump', 'drop', 'duplicate_database', 'change_admin_password'):
                    with self.subTest(scope=scope, method=method):
                        answer = self.url_open(
                            '/jsonrpc',
                            json={'params': {'service': 'db', 'method': method, 'args': [token, get_db_name(), 'x']}},
                        ).json()
                        self.assertIn('error', answer)
