import time

from odoo import http
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PASSWORD, OAuth2Case

MAKE_KEY = ('res.users.apikeys.description', 'make_key')


@tagged('post_install', '-at_install')
class TestSession(OAuth2Case):
    """Browser sessions sent along with an access token, and actions that only a person may confirm (N209)."""

    def confirm(self, user):
        """Log in, and confirm the password as Odoo requires before sensitive actions."""
        session = self.authenticate(user.login, PASSWORD)
        session['identity-check-last'] = time.time()
        http.root.session_store.save(session)
        return session

    def assertNoKey(self, access_token):
        """Request an API key of the token's user, which stops at the question for the password."""
        wizard = self.env['res.users.apikeys.description'].with_user(self.user).create({'name': "Key"})
        with mute_logger('odoo.http'):
            response = self.call_json2(access_token, *MAKE_KEY, ids=wizard.ids)
        self.assertEqual(response.status_code, 403, response.text)
        self.assertFalse(self.env['res.users.identitycheck'].search([]))
        self.assertFalse(self.env['res.users.apikeys'].search([('user_id', '=', self.user.id)]))

    def test_n209_confirmation_of_somebody_else(self):
        """Otherwise an application could get an API key, which outlives all tokens, with its own session."""
        access_token = self.sign_in(scope='rpc')['access_token']
        session = self.confirm(self.administrator)
        self.assertNoKey(access_token)
        # The session is unchanged.
        self.assertEqual(http.root.session_store.get(session.sid).uid, self.administrator.id)

    def test_n209_confirmation_of_the_user(self):
        """A confirmation in the browser does not count for the application."""
        access_token = self.sign_in(scope='rpc')['access_token']
        self.confirm(self.user)
        self.assertNoKey(access_token)

    def test_n209_records(self):
        """The records API ignores the session too."""
        access_token = self.sign_in()['access_token']
        session = self.confirm(self.administrator)
        response = self.url_open('/orestapi/1/models', headers={'Authorization': f'Bearer {access_token}'})
        self.assertEqual(response.status_code, 200, response.text)
        self.assertNotIn('Set-Cookie', response.headers)
        self.assertEqual(http.root.session_store.get(session.sid).uid, self.administrator.id)

    def test_no_guessing_of_passwords(self):
        """Not even the right password is confirmed, because core does not count wrong ones."""
        access_token = self.sign_in(scope='rpc')['access_token']
        check = self.env['res.users.identitycheck'].with_user(self.user).create({'auth_method': 'password'}).id
        for password in ('wrong', PASSWORD):
            with self.subTest(password=password):
                with mute_logger('odoo.http'):
                    response = self.call_json2(
                        access_token,
                        'res.users.identitycheck',
                        'run_check',
                        ids=[check],
                        context={'password': password},
                    )
                self.assertEqual(response.status_code, 403, response.text)
        self.assertFalse(self.env['res.users.apikeys'].search([('user_id', '=', self.user.id)]))
