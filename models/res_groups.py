from odoo import models


class ResGroups(models.Model):
    _inherit = 'res.groups'

    def unlink(self):
        # sudo: orestapi.application - those that lose the group, whichever user deletes it
        applications = self.env['orestapi.application'].sudo().with_context(active_test=False)
        with applications.search([('group_ids', 'in', self.ids)])._watch_changes():
            result = super().unlink()
            applications.invalidate_model(['group_ids'])
        # Also the groups of users, which core leaves in the cache: a token would keep working.
        self.env['orestapi.application']._invalidate_caches()
        return result
