from odoo import models
from odoo.exceptions import AccessDenied
from odoo.http import request

from ..dispatchers.context import get_context


class ResUsersIdentitycheck(models.TransientModel):
    _inherit = 'res.users.identitycheck'

    def run_check(self):
        # A person confirms who they are, at a keyboard. An application that acts for
        # them could only guess their password, and core does not count wrong ones here.
        if get_context(request).active_token:
            raise AccessDenied
        return super().run_check()
