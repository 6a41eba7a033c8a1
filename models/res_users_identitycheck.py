from odoo import api, models

from ..dispatchers.access_token import refuse_access_token


class ResUsersIdentitycheck(models.TransientModel):
    _inherit = 'res.users.identitycheck'

    @api.model_create_multi
    def create(self, vals_list):
        # Only a person can confirm their identity. An application that acts for them could only
        # guess the password, and core does not count wrong ones here. Every method of core or
        # of an addon that asks for a confirmation runs through here.
        refuse_access_token(self.env)
        return super().create(vals_list)
