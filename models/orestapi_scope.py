from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..oauth2 import scopes


class OrestapiScope(models.Model):
    """A permission that users can give to an application (RFC 6749 §3.3).

    The protocol uses the name, the consent page shows the description. Addons add scopes
    as data.
    """

    _name = 'orestapi.scope'
    _inherit = 'orestapi.administered'
    _description = "Scope"
    # Wherever people see a scope, they read its description.
    _rec_name = 'description'
    _rec_names_search = ['name', 'description']
    _order = 'sequence, id'

    name = fields.Char(
        "Scope",
        required=True,
        help="The name of this permission in the protocol. Applications request it by this name.",
    )
    description = fields.Char(
        required=True,
        translate=True,
        help="What the application may do, in words that users understand. The consent page shows it.",
    )
    sequence = fields.Integer(default=10, help="The order in which users see the scopes that an application requests.")

    _name_unique = models.Constraint('UNIQUE (name)', "A scope with this name already exists.")

    @api.constrains('name')
    def _check_name(self):
        for scope in self:
            if not scopes.is_token(scope.name):
                raise ValidationError(
                    self.env._(
                        "The name of a scope is one word of ASCII characters, without spaces, quotes and backslashes."
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        scopes = super().create(vals_list)
        # The metadata names it.
        self.env['orestapi.application']._invalidate_caches()
        return scopes

    def write(self, vals):
        # With another name, the scope gives its applications another permission.
        is_guarded = bool(vals.keys() - {'description', 'sequence'})
        with self.env['orestapi.application']._watch_referrers('scope_ids', self, is_guarded):
            return super().write(vals)

    def unlink(self):
        with self.env['orestapi.application']._watch_referrers('scope_ids', self):
            return super().unlink()
