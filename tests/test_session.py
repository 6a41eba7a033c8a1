import time

from odoo import http
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PASSWORD, OAuth2Case

MAKE_KEY = ('res.users.apikeys.description', 'make_key')


@tagged('post_install', '-at_install')
class TestSession(OAuth2Case):
    """A browser session that is sent along with an access token, and what only a person may confirm (N209)."""

    def confirm(self, user):
        """Log in, and confirm the password as Odoo asks for it before what is delicate."""
        session = self.authenticate(user.login, PASSWORD)
        session['identity-check-last'] = time.time()
        http.root.session_store.save(session)
        return session

    def assertNoKey(self, access_token):
        """Ask for an API key of the user of the token, which ends at the question for the password."""
        wizard = self.env['res.users.apikeys.description'].with_user(self.user).create({'name': "Key"})
        with mute_logger('odoo.http'):
            response = self.call_json2(access_token, *MAKE_KEY, ids=wizard.ids)
        self.assertEqual(response.status_code, 403, response.text)
        self.assertFalse(self.env['res.users.identitycheck'].search([]))
        self.assertFalse(self.env['res.users.apikeys'].search([('user_id', '=', self.user.id)]))

    def test_n209_confirmation_of_somebody_else(self):
        """Else an application would get an API key, which outlives each token, with any session of its own."""
        access_token = self.sign_in(scope='rpc')['access_token']
        session = self.confirm(self.administrator)
        self.assertNoKey(access_token)
        # And the session is as it was.
        self.assertEqual(http.root.session_store.get(session.sid).uid, self.administrator.id)

    def test_n209_confirmation_of_the_user(self):
        """What a person confirms in the browser is not for the application."""
        access_token = self.sign_in(scope='rpc')['access_token']
        self.confirm(self.user)
        self.assertNoKey(access_token)

    def test_n209_records(self):
        """The records API sets the session aside as well."""
        access_token = self.sign_in()['access_token']
        session = self.confirm(self.administrator)
        response = self.url_open('/orestapi/1/models', headers={'Authorization': f'Bearer {access_token}'})
        self.assertEqual(response.status_code, 200, response.text)
        self.assertNotIn('Set-Cookie', response.headers)
        self.assertEqual(http.root.session_store.get(session.sid).uid, self.administrator.id)

    def test_no_guessing_of_passwords(self):
        """Not even the right one is confirmed: core counts no wrong ones."""
        access_token = self.sign_in(scope='rpc')['access_token']
        check = self.env['res.users.identitycheck'].with_user(self.user).create({'auth_method': 'password'}).id
        for password in ('wrong', PASSWORD):
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
