from odoo.tests import tagged

from .common import CLIENT_SECRET, PASSWORD, OAuth2Case


@tagged('post_install', '-at_install')
class TestFlow(OAuth2Case):
    """The whole flow of a remote application, with both authentication methods."""

    def test_basic(self):
        tokens = self.sign_in(scope='read rpc')
        self.assertEqual(set(tokens), {'access_token', 'token_type', 'expires_in', 'scope', 'refresh_token'})
        self.assertEqual(tokens['token_type'], 'Bearer')
        self.assertEqual(tokens['expires_in'], 3600)
        self.assertEqual(tokens['scope'], 'read rpc')
        response = self.call_json2(tokens['access_token'])
        self.assertEqual(response.json()['uid'], self.user.id)
        refreshed = self.refresh(tokens['refresh_token']).json()
        self.assertEqual(self.call_json2(refreshed['access_token']).json()['uid'], self.user.id)

    def test_body(self):
        code = self.get_code()
        response = self.redeem(code, auth=None, client_id=self.application.client_id, client_secret=CLIENT_SECRET)
        self.assertEqual(response.status_code, 200, response.text)
        self.assertNoStore(response)
        response = self.refresh(
            response.json()['refresh_token'],
            auth=None,
            client_id=self.application.client_id,
            client_secret=CLIENT_SECRET,
        )
        self.assertEqual(response.status_code, 200, response.text)

    def test_public(self):
        tokens = self.sign_in(self.public, redirect_uri=None)
        self.assertEqual(self.refresh(tokens['refresh_token'], self.public).status_code, 200)

    def test_consent_is_remembered(self):
        """Users who have given their consent are not asked again unless the application requests more."""
        self.get_code()
        self.authenticate('mitchell', PASSWORD)
        self.assertEqual(self.authorize(self.get_request()).status_code, 303)
        self.assertEqual(self.authorize(self.get_request(scope='read rpc')).status_code, 200)
