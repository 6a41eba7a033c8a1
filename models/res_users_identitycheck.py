from odoo import api, models

from ..dispatchers.access_token import refuse_access_token


class ResUsersIdentitycheck(models.TransientModel):
    _inherit = 'res.users.identitycheck'

    @api.model_create_multi
    def create(self, vals_list):
        # A person confirms who they are, at a keyboard. An application that acts for them
        # could only guess their password, and core does not count wrong ones here. Each
        # method of core, or of an addon, that asks for it comes by here.
        refuse_access_token(self.env)
        return super().create(vals_list)
