from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..oauth2 import scopes


class OrestapiScope(models.Model):
    """What an application can be allowed to do (RFC 6749 §3.3).

    The protocol carries the name, the consent page shows the description.
    Addons add scopes as data.
    """

    _name = 'orestapi.scope'
    _inherit = 'orestapi.administered'
    _description = "Scope"
    # Wherever a scope stands in for what it allows, people read the words.
    _rec_name = 'description'
    _rec_names_search = ['name', 'description']
    _order = 'sequence, id'

    name = fields.Char(
        "Scope",
        required=True,
        help="The word that stands for this permission in the protocol. Applications ask for it by this word.",
    )
    description = fields.Char(
        required=True,
        translate=True,
        help="What the application may do, in words that a user understands. The consent page shows it.",
    )
    sequence = fields.Integer(default=10, help="In which order users see what an application asks for.")

    _name_unique = models.Constraint('UNIQUE (name)', "There is already a scope of this name.")

    @api.constrains('name')
    def _check_name(self):
        for scope in self:
            if not scopes.is_token(scope.name):
                raise ValidationError(
                    self.env._(
                        "The name of a scope is one word of plain letters, digits and signs, without blanks and quotes."
                    )
                )

    def write(self, vals):
        applications = self._get_applications()
        if vals.keys() - {'description', 'sequence'}:
            # Under another name, it gives its applications another permission.
            applications.sudo(False)._check_guard()
        with applications._watch_changes():
            result = super().write(vals)
        applications._invalidate_caches()
        return result

    def unlink(self):
        with self._get_applications()._watch_changes():
            result = super().unlink()
            self.env['orestapi.application'].invalidate_model(['scope_ids'])
        self.env['orestapi.application']._invalidate_caches()
        return result

    def _get_applications(self):
        """Return the applications that may ask for one of the scopes, the archived ones too."""
        # sudo: orestapi.application - what changes along with the scope, no matter which user changes it
        applications = self.env['orestapi.application'].sudo().with_context(active_test=False)
        return applications.search([('scope_ids', 'in', self.ids)])
