from odoo import models


class ResGroups(models.Model):
    _inherit = 'res.groups'

    def unlink(self):
        result = super().unlink()
        # Of `_get_settings`, which names the groups, and of `_get_group_ids` of the
        # users: core leaves both, and a token would go on working.
        self.env.registry.clear_cache()
        return result
