from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import PASSWORD
from .test_claims import ClaimCase

SCOPE = 'openid profile email'


@tagged('post_install', '-at_install')
class TestOpenIDUsers(ClaimCase):
    """What becomes of a user whom applications know: deleted, merged, archived, of several companies, of the portal."""

    def get_subject(self, tokens):
        return self.get_claims(tokens)['sub']

    def assertEnded(self, tokens):
        self.assertEqual(self.get_userinfo(tokens['access_token']).status_code, 401)
        self.assertOAuth2Error(self.refresh(tokens['refresh_token']), 400, 'invalid_grant')

    def test_deleted(self):
        """Everything ends, and nobody gets the identifier again."""
        tokens = self.get_tokens(scope=SCOPE)
        subject, picture = self.get_subject(tokens), self.get_told(tokens, 'picture')[0]
        self.user.unlink()
        self.assertEnded(tokens)
        self.assertFalse(self.env['orestapi.subject'].search([('subject', '=', subject)]))
        self.assertErrorAtCallback(self.ask(prompt='none'), 'login_required')
        if picture:
            self.assertEqual(self.url_open(picture.removeprefix('https://odoo.example.com')).status_code, 404)
        again = new_test_user(self.env, 'mitchell', 'base.group_user', password=PASSWORD, name="Mitchell")
        self.log_in(again)
        self.assertNotEqual(self.get_subject(self.get_tokens(login=False)), subject)

    def test_archived(self):
        """Everything ends; activated again, the user is the same one, and signs in anew."""
        tokens = self.get_tokens(scope=SCOPE)
        self.user.active = False
        self.assertEnded(tokens)
        self.assertErrorAtCallback(self.ask(prompt='none'), 'login_required')
        self.user.active = True
        self.assertEnded(tokens)
        self.assertEqual(self.get_subject(self.get_tokens(scope=SCOPE)), self.get_subject(tokens))

    def test_contacts_merged(self):
        """The account stays, and with it the identifier and the sign-ins; name and address are those of the contact that is kept."""  # noqa: E501
        self.user.email = 'mitchell@example.com'
        self.user.login = 'mitchell@example.com'
        self.application.addresses_verified = True
        tokens = self.get_tokens(scope=SCOPE)
        subject = self.get_subject(tokens)
        kept = self.env['res.partner'].create({'name': "Kept", 'email': 'kept@example.com', 'function': "Kept"})
        wizard = self.env['base.partner.merge.automatic.wizard'].create({})
        wizard._merge((self.user.partner_id + kept).ids, kept, extra_checks=False)
        self.assertEqual(self.user.partner_id, kept)
        self.assertEqual(
            self.get_told(tokens, 'sub', 'name', 'email', 'email_verified', 'job'),
            [subject, "Kept", 'kept@example.com', False, "Kept"],
        )
        self.assertEqual(self.get_subject(self.refresh(tokens['refresh_token']).json()), subject)

    def test_users_merged(self):
        """As tools for duplicates do it: the user who is kept keeps their identifier, or takes over the other one."""
        second = new_test_user(self.env, 'second', 'base.group_user', password=PASSWORD)
        third = new_test_user(self.env, 'third', 'base.group_user', password=PASSWORD)
        tokens = self.get_tokens(scope=SCOPE)
        self.log_in(second)
        kept = self.get_subject(self.get_tokens(login=False, scope=SCOPE))
        wizard = self.env['base.partner.merge.automatic.wizard']
        self.env.flush_all()
        wizard._update_foreign_keys_generic('res.users', self.user, second)
        self.env.invalidate_all()
        self.user.unlink()
        self.assertEnded(tokens)
        self.log_in(second)
        self.assertEqual(self.get_subject(self.get_tokens(login=False, scope=SCOPE)), kept)
        # Somebody who has never signed in.
        self.env.flush_all()
        wizard._update_foreign_keys_generic('res.users', second, third)
        self.env.invalidate_all()
        # With Website, Odoo refuses the session of somebody who is gone.
        self.log_out()
        second.unlink()
        self.log_in(third)
        self.assertEqual(self.get_subject(self.get_tokens(login=False, scope=SCOPE)), kept)

    def test_several_companies(self):
        """The default company of the user speaks, whatever the company switcher of the browser shows."""
        main, branch = self.env.ref('base.main_company'), self.env['res.company'].create({'name': "Branch"})
        branch.vat = 'HU98765432'
        self.user.company_ids = [Command.set((main + branch).ids)]
        self.application.claim_ids += self.tax
        self.application.claim_ids += self.env['orestapi.claim'].create({'name': 'firms', 'path': 'user.company_ids'})
        tokens = self.get_tokens(scope=SCOPE)
        self.opener.cookies['cids'] = f'{branch.id}-{main.id}'
        firms = sorted([main.name, "Branch"])
        self.assertEqual(self.get_told(tokens, 'tax', 'firms'), ['HU12345676', firms])
        subject = self.get_subject(tokens)
        self.user.company_id = branch
        self.assertEqual(self.get_told(tokens, 'sub', 'tax', 'firms'), [subject, 'HU98765432', firms])
        # A user of one company only: applications have none, and sign in the users of all.
        self.user.company_ids = [Command.set(branch.ids)]
        self.assertEqual(self.get_told(tokens, 'tax', 'firms'), ['HU98765432', ["Branch"]])
        self.assertEqual(self.get_subject(self.get_tokens(scope=SCOPE)), subject)

    def test_n322_portal_user(self):
        """Admitted, they are told of as far as they may see it themselves."""
        self.log_in(self.portal_user)
        self.assertEqual(self.ask(scope=SCOPE).status_code, 403)
        self.application.group_ids += self.env.ref('base.group_portal')
        self.application.claim_ids += self.tax
        firm = self.env['res.partner'].create({'name': "Customer", 'is_company': True})
        claims = self.env['orestapi.claim'].create([
            {'name': 'customer', 'path': 'partner.commercial_partner_id'},
            {'name': 'tags', 'path': 'partner.category_id'},
            {'name': 'upn', 'path': 'user.login'},
        ])
        self.application.claim_ids += claims
        self.portal_user.partner_id.write({
            'parent_id': firm.id,
            'function': "Buyer",
            'email': 'joel@example.com',
            'category_id': [Command.create({'name': "Pays late"})],
        })
        tokens = self.get_tokens(login=False, scope=SCOPE)
        self.assertEqual(
            self.get_told(tokens, 'name', 'email_verified', 'job', 'tax', 'customer', 'tags', 'upn'),
            ["Joel", False, "Buyer", 'HU12345676', "Customer", None, 'joel'],
        )
        # No longer admitted.
        self.application.group_ids -= self.env.ref('base.group_portal')
        self.assertEqual(self.get_userinfo(tokens['access_token']).status_code, 401)
