from odoo.tests import new_test_user, tagged

from .common import PASSWORD, OAuth2Case


@tagged('post_install', '-at_install')
class TestCaches(OAuth2Case):
    """Caches about applications and users are emptied at once, and again at the commit.

    Until then, another thread sees the old state of the database and could cache it forever.
    """

    def assertForgotten(self, remembered, change):
        """Assert that a change empties a cache, and again when it is committed.

        :param remembered: a function that returns a cached value
        :param change: a function that changes the source of the value
        """
        before = remembered()
        self.assertIs(remembered(), before, "Nothing is remembered.")
        self.env.cr.postcommit.clear()
        change()
        during = remembered()
        self.assertIsNot(during, before)
        self.assertIs(remembered(), during)
        self.env.cr.postcommit.run()
        self.assertIsNot(remembered(), during)

    def test_applications(self):
        scope = self.env['orestapi.scope'].create({'name': 'write', 'description': "Write"})
        group = self.env['res.groups'].create({'name': "Wiki users"})
        for what, change in (
            ('setting', lambda: self.application.write({'access_token_expiry': 5})),
            ('new URI', lambda: self.application.uri_ids.copy({'uri': 'https://wiki.example.com/2'})),
            ('URI', lambda: self.application.uri_ids[:1].write({'uri': 'https://wiki.example.com/3'})),
            ('URI removed', self.application.uri_ids[:1].unlink),
            ('scope', lambda: scope.write({'name': 'change'})),
            ('scope removed', scope.unlink),
            ('group removed', group.unlink),
            ('model scheme', lambda: self.application.write({'model_scheme_id': False})),
        ):
            with self.subTest(what):
                self.assertForgotten(lambda: self.application._get_client(self.application.id), change)

    def test_users(self):
        user = new_test_user(self.env, 'grace', 'base.group_user', password=PASSWORD)
        for what, change in (
            ('password', lambda: user.write({'password': 'another password'})),
            ('devices', user._action_revoke_all_devices),
            ('archived', lambda: user.write({'active': False})),
        ):
            with self.subTest(what):
                self.assertForgotten(lambda: self.env['orestapi.token']._get_user(user.id), change)

    def test_model_schemes(self):
        scheme = self.application.model_scheme_id
        configuration = scheme.configuration_ids
        for what, change in (
            ('configuration', lambda: configuration.write({'field_names': 'name'})),
            ('limit of a configuration', lambda: configuration.write({'limit_fields': 'none'})),
            ('scheme', lambda: scheme.write({'limit_models': 'blacklist'})),
            ('configuration removed', configuration.unlink),
        ):
            with self.subTest(what):
                self.assertForgotten(lambda: scheme._get_offer(scheme.id), change)
