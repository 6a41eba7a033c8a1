from odoo import models


class ResGroups(models.Model):
    _inherit = 'res.groups'

    def unlink(self):
        # It invalidates the cached groups of users too, which core leaves in the cache: a token would keep working.
        with self.env['orestapi.application']._watch_referrers('group_ids', self):
            return super().unlink()
