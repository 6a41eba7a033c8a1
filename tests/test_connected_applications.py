from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PASSWORD, OAuth2Case
from .oauth2_client import read_form

PATH = '/oauth2/applications'


@tagged('post_install', '-at_install')
class TestConnectedApplications(OAuth2Case):
    """The page on which users without preferences see and end their connections."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.application + cls.other).group_ids += cls.env.ref('base.group_portal')

    def open_page(self, user=None):
        self.authenticate((user or self.portal_user).login, PASSWORD)
        page = self.url_open(PATH)
        self.assertEqual(page.status_code, 200, page.text)
        self.assertEqual(page.headers['X-Frame-Options'], 'DENY')
        self.assertIn("frame-ancestors 'none'", page.headers['Content-Security-Policy'])
        self.assertEqual(page.headers['Cache-Control'], 'no-store')
        self.assertNotIn('<script src', page.text)
        return page

    def disconnect(self, authorization_id):
        """Submit the user's own question with any id."""
        own = self.env['orestapi.authorization'].search([('user_id', '=', self.portal_user.id)], limit=1)
        page = self.url_open(f'{PATH}?authorization={own.id}')
        _action, fields = read_form(page.text)
        return self.url_open(PATH, data={**fields, 'authorization': authorization_id}, allow_redirects=False)

    def get_authorization(self, user, application=None):
        return self.env['orestapi.authorization'].search([
            ('user_id', '=', user.id),
            ('application_id', '=', (application or self.application).id),
        ])

    def test_n224_portal_user(self):
        tokens = self.sign_in(user=self.portal_user)
        kept = self.sign_in(self.other, user=self.portal_user)
        page = self.open_page()
        self.assertIn("Disconnect <bdi>Wiki</bdi>", page.text)
        self.assertIn("Disconnect <bdi>Shop</bdi>", page.text)
        response = self.disconnect(self.get_authorization(self.portal_user).id)
        self.assertEqual((response.status_code, response.headers['Location']), (303, f'{PATH}?done=authorization'))
        self.assertNotIn("Wiki", self.open_page().text)
        self.assertInactive(*[tokens[name] for name in ('access_token', 'refresh_token')])
        self.assertActive(kept['access_token'], application=self.other)

    def test_n223_of_somebody_else(self):
        tokens = self.sign_in()
        self.sign_in(user=self.portal_user)
        self.open_page()
        for text in (self.get_authorization(self.user).id, '0', '', 'x', '1; DROP'):
            with self.subTest(text=text):
                response = self.disconnect(text)
                self.assertEqual((response.status_code, response.headers['Location']), (303, PATH))
        self.assertActive(tokens['access_token'])
        self.assertTrue(self.get_authorization(self.portal_user))

    def test_n068_csrf(self):
        self.sign_in(user=self.portal_user)
        self.open_page()
        authorization = self.get_authorization(self.portal_user)
        with mute_logger('odoo.http'):
            response = self.url_open(PATH, data={'authorization': authorization.id}, allow_redirects=False)
        self.assertEqual(response.status_code, 400)
        self.assertTrue(authorization.exists())

    def test_nobody_is_logged_in(self):
        response = self.url_open(PATH, allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn('/web/login?redirect=%2Foauth2%2Fapplications', response.headers['Location'])

    def test_nothing_is_connected(self):
        self.assertIn("No connected applications.", self.open_page(self.user).text)

    def test_consent_page_names_it(self):
        """The login page leads users without preferences there."""
        for user, text in ((self.portal_user, PATH), (self.user, "My Preferences")):
            with self.subTest(user=user):
                self.authenticate(user.login, PASSWORD)
                page = self.authorize(self.get_request())
                self.assertEqual([word in page.text for word in (PATH, "My Preferences")].count(True), 1)
                self.assertIn(text, page.text)
