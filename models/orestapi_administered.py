from odoo import api, models

from ..dispatchers.access_token import refuse_access_token


class OrestapiAdministered(models.AbstractModel):
    """What people administer, and no access token: applications, and all that decides what they may do.

    At the lowest level that a record comes by, be it over RPC, by an import, a copy or the
    form of another model, with or without the rights of the user.
    """

    _name = 'orestapi.administered'
    _description = "Administered by People"

    @api.model_create_multi
    def create(self, vals_list):
        refuse_access_token(self.env)
        return super().create(vals_list)

    def write(self, vals):
        refuse_access_token(self.env)
        return super().write(vals)

    def unlink(self):
        refuse_access_token(self.env)
        return super().unlink()
