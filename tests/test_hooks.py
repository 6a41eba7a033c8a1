from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import odoo.tools
from odoo.http import Request
from odoo.tests import get_db_name, tagged
from odoo.tools import mute_logger

from ..dispatchers import access_log, outage
from ..dispatchers import access_token as access_token_module
from ..models import ir_http
from ..models.ir_model_data import IrModelData
from ..models.orestapi_application_sentence import OrestapiApplication
from ..oauth2 import tokens
from .common import PASSWORD, OAuth2Case
from .oauth2_client import read_form

#: The hooks of this addon in other requests: the object and the name of the attribute.
HOOKS = (
    (ir_http, 'find_dispatcher'),
    (ir_http.IrHttp, '_get_error_dispatcher'),
    (ir_http.IrHttp, '_has_our_token'),
    (ir_http.IrHttp, '_refuse_slashes'),
    (ir_http.IrHttp, '_allow_origin'),
    (ir_http.IrHttp, '_answer_preflight'),
    (ir_http.IrHttp, '_note_session'),
    (ir_http.IrHttp, '_end_session'),
    (ir_http.IrHttp, '_is_page_of_ours'),
    (ir_http.IrHttp, '_leads_away'),
    (ir_http.IrHttp, '_leads_to_consent'),
    (OrestapiApplication, '_find_login_sentence'),
    (tokens, 'has_token_form'),
    (outage, 'is_outage'),
    (outage, '_get_response'),
    (access_log, 'hide_query_string'),
    (access_log, 'hide_tokens'),
    (access_log.RequestFilter, 'hide'),
    (access_log.LoginFilter, 'hide'),
    (access_log.CallFilter, 'hide'),
    (access_log.StatementFilter, 'hide'),
    (access_log.FailureFilter, 'hide'),
)

#: A false IP address of a client, which a proxy forwards.
ADDRESSES = (
    'fe80::1%eth0', '%s', '%(message)s', '%d %n %', '%', '203.0.113.8:50000', '[2001:db8::1]:443', 'unknown', '?x=y',
    'x' * 500, '{0}', '\\',
)  # fmt: skip


@tagged('post_install', '-at_install')
class TestHooks(OAuth2Case):
    """A hook of this addon that fails lets the request through."""

    def setUp(self):
        super().setUp()
        self.key = self.env['res.users.apikeys'].with_user(self.user).sudo()._generate(None, "A key", None)

    @contextmanager
    def broken(self, *hooks):
        """Make hooks fail, as another addon or a fault might."""

        def fail(*args, **kwargs):
            raise ZeroDivisionError("A hook is broken.")

        with ExitStack() as stack:
            stack.enter_context(mute_logger('odoo.addons.orestapi.dispatchers.hooks'))
            for place, name in hooks:
                # A class method set on the registry class would get that class.
                stack.enter_context(patch.object(place, name, fail))
            yield

    def assertOdooAnswers(self):
        """Assert that the pages of Odoo and both APIs answer, with the user's own password and an API key."""
        self.authenticate(None, None)
        self.assertEqual(self.url_open('/web/health').json(), {'status': 'pass'})
        self.assertEqual(self.url_open('/web/login?debug=0').status_code, 200)
        page = self.url_open('/web/login?redirect=/odoo')
        self.assertEqual(page.status_code, 200)
        self.assertIn('name="password"', page.text)
        self.assertEqual(self.url_open('/no/such/page').status_code, 404)
        response = self.call_json2(self.key)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(response.json()['uid'], self.user.id)
        self.assertEqual(self.call_xmlrpc(self.user, 'res.users', 'context_get')['uid'], self.user.id)
        with mute_logger('odoo.addons.rpc.controllers.xmlrpc'):
            self.assertEqual(self.xmlrpc_common.authenticate(get_db_name(), 'mitchell', PASSWORD, {}), self.user.id)
        self.log_in_at_the_page()

    def log_in_at_the_page(self):
        self.authenticate(None, None)
        page = self.url_open('/web/login')
        _action, fields = read_form(page.text)
        response = self.url_open(
            '/web/login', data={**fields, 'login': 'mitchell', 'password': PASSWORD}, allow_redirects=False
        )
        self.assertEqual(response.status_code, 303, response.text)
        self.assertEqual(self.url_open('/odoo', allow_redirects=False).status_code, 200)
        self.assertEqual(self.url_open('/web/session/logout', allow_redirects=False).status_code, 303)
        self.assertEqual(self.url_open('/odoo', allow_redirects=False).status_code, 303)

    def test_o01_each_hook_fails(self):
        for hook in HOOKS:
            with self.subTest(hook=hook), self.broken(hook):
                self.assertOdooAnswers()

    def test_o01_all_hooks_fail(self):
        with self.broken(*HOOKS):
            self.assertOdooAnswers()

    def test_o01_all_hooks_are_here(self):
        """Everything that replaces or extends Odoo's request handling must be in the list."""
        known = {name for place, name in HOOKS if place is ir_http.IrHttp}
        own = {
            name for name, value in vars(ir_http.IrHttp).items() if isinstance(value, classmethod) and name not in known
        }
        self.assertEqual(
            own,
            {
                # Their code outside the listed hooks is for requests that carry an access token
                # or are for a path of this addon.
                '_match', '_auth_method_bearer', '_pre_dispatch', '_dispatch', '_post_dispatch', '_handle_error',
                '_authenticate', '_get_bearer_error', '_post_logout',
            },
        )  # fmt: skip
        replaced = {
            name
            for name, value in vars(Request).items()
            if getattr(value, '__globals__', {}).get('__name__', '').startswith('odoo.addons.orestapi')
        }
        self.assertEqual(replaced, {'_get_session_and_dbname', '_serve_db'})

    def test_o01_a_token_stays_out(self):
        """If the check for a token fails, the string is not accepted as a token: it gives no access."""
        access_token = self.sign_in(scope='rpc')['access_token']
        self.assertEqual(self.call_json2(access_token).status_code, 200)
        with self.broken((tokens, 'has_token_form')):
            self.assertFault(3, self.call_xmlrpc, self.user, 'res.users', 'context_get', password=access_token)
        with self.broken((ir_http.IrHttp, '_has_our_token'), (tokens, 'has_token_form')):
            self.assertEqual(self.call_json2(access_token).status_code, 401)
        # Core treats it as an API key, and the request still counts as one with a token.
        with self.broken((ir_http.IrHttp, '_has_our_token')), mute_logger('odoo.http'):
            response = self.call_json2(
                access_token, 'res.users', 'write', ids=self.user.ids, vals={'email': 'x@example.com'}
            )
            self.assertEqual(response.status_code, 403, response.text)

    def test_o01_a_refusal_that_fails_refuses(self):
        """An access token is refused even if the error message cannot be built."""
        access_token = self.sign_in(scope='rpc')['access_token']
        with patch.object(access_token_module, 'AccessError', None), mute_logger('odoo.http'):
            response = self.call_json2(
                access_token, 'res.users', 'write', ids=self.user.ids, vals={'email': 'x@example.com'}
            )
            self.assertEqual(response.status_code, 500)
            self.assertOdooAnswers()
        self.user.invalidate_recordset()
        self.assertNotEqual(self.user.email, 'x@example.com')

    def test_o01_a_login_that_leads_away(self):
        """If the check of the login's redirect fails, the login leads only into Odoo."""
        with self.broken((ir_http.IrHttp, '_leads_away')):
            page = self.url_open('/web/login?redirect=/%09/evil.example')
        self.assertEqual(page.status_code, 200)
        self.assertNotRegex(page.text, r'name="redirect"[^>]*evil')

    def test_o01_installation_of_other_addons(self):
        """Their installation runs this addon's code for the portal entry."""
        with self.broken((IrModelData, '_extend_portal')):
            self.env['ir.model.data']._process_end([])

    def test_o01_addresses(self):
        """The client's IP address from a proxy is logged, where it may look like a format string."""
        with patch.dict(odoo.tools.config.options, proxy_mode=True):
            for address in ADDRESSES:
                with self.subTest(address=address):
                    headers = {'X-Forwarded-For': address, 'X-Forwarded-Host': 'odoo.example.com'}
                    for path in (
                        '/web/health',
                        '/web/login',
                        '/oauth2/token?client_secret=s3cret',
                        '/oauth2/authorize',
                    ):
                        with self.subTest(path=path):
                            response = self.url_open(path, headers=headers)
                            self.assertIn(response.status_code, (200, 400, 405))
                    headers['Authorization'] = f'Bearer {self.key}'
                    response = self.url_open('/json/2/res.users/context_get', json={}, method='POST', headers=headers)
                    self.assertEqual(response.status_code, 200, response.text)

    def test_o02_one_address_with_many_ports(self):
        """The limit also applies behind a proxy that forwards the client's port."""
        for claimed in (
            lambda number: f'203.0.113.8:{50000 + number}',
            lambda number: f'[2001:db8:1:2::{number}]:{50000 + number}',
            lambda number: f'::ffff:203.0.113.9%eth{number}',
            lambda number: f'nobody knows {number}',
        ):
            with self.subTest(claimed(0)), patch.dict(odoo.tools.config.options, proxy_mode=True):
                found = [
                    self.post(
                        '/oauth2/token',
                        {'grant_type': 'client_credentials'},
                        ('wiki-client', 'wrong'),
                        headers={'X-Forwarded-For': claimed(number), 'X-Forwarded-Host': 'odoo.example.com'},
                    ).status_code
                    for number in range(11)
                ]
                self.assertEqual(found, [401] * 10 + [429])
