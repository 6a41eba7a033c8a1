from odoo import models


class ResGroups(models.Model):
    _inherit = 'res.groups'

    def unlink(self):
        # sudo: orestapi.application - what changes along with the group, no matter which user deletes it
        applications = self.env['orestapi.application'].sudo().with_context(active_test=False)
        with applications.search([('group_ids', 'in', self.ids)])._watch_changes():
            result = super().unlink()
            applications.invalidate_model(['group_ids'])
        # And what core remembers of the groups of users: it leaves that, and a token
        # would go on working.
        self.env['orestapi.application']._invalidate_caches()
        return result
