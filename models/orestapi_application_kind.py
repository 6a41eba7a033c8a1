import dataclasses

from odoo import api, fields, models

from ..oauth2.client import CONFIDENTIAL
from .orestapi_application import ADMINISTRATOR


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """What applications of one kind have in common.

    :ivar tuple scopes: the names of the scopes that it sets
    :ivar tuple further_scopes: the names of those that an application of the kind may have as well
    :ivar dict marks: settings that tell the kind from others; they are set too
    :ivar dict settings: the other settings that it sets; each may be changed by hand afterwards
    """

    scopes: tuple
    further_scopes: tuple = ()
    marks: dict = dataclasses.field(default_factory=dict)
    settings: dict = dataclasses.field(default_factory=dict)


SIGN_IN = 'sign_in'

#: The kinds by their key in the selection `kind`. No application may be of two kinds.
KINDS = {
    # A web application that only asks who the user is. It reads no records and so gets no model scheme: an
    # administrator who adds the scope `read` later has to choose one.
    SIGN_IN: Kind(
        scopes=('openid', 'profile', 'email'),
        further_scopes=('phone', 'groups', 'offline_access'),
        marks={'client_type': CONFIDENTIAL},
        settings={
            'require_pkce': True,
            'native_application': False,
            'legacy_connector': False,
            'model_scheme_id': False,
        },
    ),
}


class OrestapiApplication(models.Model):
    """The kind of an application, by which its settings are filled in at once.

    The kind is not stored but found by the settings, so that it is true after each change by hand.
    """

    _inherit = 'orestapi.application'

    kind = fields.Selection(
        [(SIGN_IN, "Sign in with Odoo")],
        compute='_compute_kind',
        inverse='_inverse_kind',
        # An import would set back what was changed by hand.
        exportable=False,
        readonly=False,
        groups=ADMINISTRATOR,
        help="Fills in the settings that this kind of application needs. You can change each of them afterwards. Sign "
        "in with Odoo: a web application that signs people in with their Odoo account, and reads no records.",
    )

    @api.depends('scope_ids.name', *{name for kind in KINDS.values() for name in kind.marks})
    def _compute_kind(self):
        for application in self:
            application.kind = application._find_kind()

    def _find_kind(self):
        """Return the kind that the settings are of, or False."""
        names = set(self.scope_ids.mapped('name'))
        for key, kind in KINDS.items():
            required = kind.scopes[:1]
            if names.issuperset(required) and names.issubset(kind.scopes + kind.further_scopes):
                if all(self[name] == value for name, value in kind.marks.items()):
                    return key
        return False

    def _inverse_kind(self):
        for application in self:
            # One that is of the kind already may have been changed by hand.
            if application.kind and application.kind != application._find_kind():
                application.write(self._get_kind_values(application.kind))

    @api.onchange('kind')
    def _onchange_kind(self):
        if self.kind and self.kind != self._find_kind():
            self.update(self._get_kind_values(self.kind))

    @api.model
    def _get_kind_values(self, key):
        """Return the settings of a kind, as values to write.

        :param key: of `KINDS`, or a false value
        """
        if key not in KINDS:
            return {}
        kind = KINDS[key]
        scopes = self.env['orestapi.scope'].search([('name', 'in', kind.scopes)])
        return {**kind.marks, **kind.settings, 'scope_ids': [fields.Command.set(scopes.ids)]}

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([{**self._get_kind_values(vals.get('kind')), **vals} for vals in vals_list])
