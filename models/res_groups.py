from odoo import models


class ResGroups(models.Model):
    _inherit = 'res.groups'

    def unlink(self):
        result = super().unlink()
        # And what core remembers of the groups of users: it leaves that, and a token
        # would go on working.
        self.env['orestapi.application']._forget_settings()
        return result
