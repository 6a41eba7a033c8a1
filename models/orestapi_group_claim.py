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
        with self.env['orestapi.application']._watch_referrers('group_claim_ids', self, is_guarded=True):
            return super().write(vals)

    def unlink(self):
        with self.env['orestapi.application']._watch_referrers('group_claim_ids', self):
            return super().unlink()
