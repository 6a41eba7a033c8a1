from odoo import api, fields, models


class OrestapiGroupClaim(models.Model):
    """A group of users under the name that applications know it by (the claim `groups`)."""

    _name = 'orestapi.group.claim'
    _inherit = 'orestapi.administered'
    _description = "Group for Applications"
    _order = 'name, id'

    name = fields.Char(
        required=True,
        help="What the application is told when the user is a member of the group. It may compare this name with its "
        "own settings.",
    )
    group_id = fields.Many2one(
        'res.groups',
        "Group",
        required=True,
        ondelete='cascade',
        index=True,
        help="The group of Odoo whose members the application is told of.",
    )

    _name_group_unique = models.Constraint('UNIQUE (name, group_id)', "This group already has this name.")

    @api.depends('name', 'group_id')
    def _compute_display_name(self):
        for claim in self:
            claim.display_name = f'{claim.name} ({claim.group_id.full_name})' if claim.group_id else claim.name

    def write(self, vals):
        applications = self._get_applications()
        applications.sudo(False)._check_guard()
        with applications._watch_changes():
            result = super().write(vals)
        applications._invalidate_caches()
        return result

    def unlink(self):
        with self._get_applications()._watch_changes():
            result = super().unlink()
            self.env['orestapi.application'].invalidate_model(['group_claim_ids'])
        self.env['orestapi.application']._invalidate_caches()
        return result

    def _get_applications(self):
        """Return the applications that are told of one of the groups, the archived ones too."""
        # sudo: orestapi.application - what changes along with the name, no matter which user changes it
        applications = self.env['orestapi.application'].sudo().with_context(active_test=False)
        return applications.search([('group_claim_ids', 'in', self.ids)])
