from odoo import api, models

from ..dispatchers.access_token import refuse_access_token


class OrestapiAdministered(models.AbstractModel):
    """Records that only people may administer, not access tokens: applications, and everything that decides what
    they may do.

    The check is at the lowest level that every change passes, whether it comes over RPC, by an
    import, a copy or the form of another model, with or without the rights of the user.
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
