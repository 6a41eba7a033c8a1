from odoo import models
from odoo.exceptions import AccessDenied
from odoo.http import request


class ResUsersIdentitycheck(models.TransientModel):
    _inherit = 'res.users.identitycheck'

    def run_check(self):
        # A person confirms who they are, at a keyboard. An application that acts for
        # them could only guess their password, and core does not count wrong ones here.
        if getattr(request, 'oauth2_sign_in', None):
            raise AccessDenied
        return super().run_check()
