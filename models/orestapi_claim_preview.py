import json

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..openid import claims

#: What the dialog shows instead of a value that it must not show, or that is made for one application.
HIDDEN = '…'


class OrestapiClaimPreview(models.TransientModel):
    """The dialog that shows what an application would be told about a user.

    It shows nothing that the administrator may not see of the user anyway.
    """

    _name = 'orestapi.claim.preview'
    _description = "What an Application Is Told"

    application_id = fields.Many2one(
        'orestapi.application', "Application", required=True, ondelete='cascade', help="The application that asks."
    )
    user_id = fields.Many2one(
        'res.users',
        "User",
        required=True,
        ondelete='cascade',
        default=lambda self: self.env.user,
        help="The user who signs in.",
    )
    text = fields.Text(
        "It Is Told",
        compute='_compute_text',
        help="What the application gets if it asks for all of its scopes and the user allows them.",
    )

    @api.depends('application_id', 'user_id')
    def _compute_text(self):
        for preview in self:
            is_complete = preview.application_id and preview.user_id
            preview.text = is_complete and json.dumps(preview._get_claims(), indent=4, ensure_ascii=False)

    def _get_claims(self):
        """Return the claims, with a mark in place of values that the current user may not see."""
        # The record of a dialog that is open is not stored, and neither are those that it refers to.
        application, user = self.application_id._origin, self.user_id._origin
        application.check_access('write')
        client = self.env['orestapi.application']._get_client(application.id)
        if not (user.has_access('read') and user.partner_id.has_access('read')):
            raise AccessError(self.env._("You may not see this user."))
        names = claims.get_names(client.scope, client.defined_claims) - {'sub'}
        told = self.env['orestapi.openid']._get_claims(user.id, client, names, HIDDEN)
        for claim in client.defined_claims:
            if claim.name in told and self.env['orestapi.claim']._preview_value(user.id, claim.path) is None:
                told[claim.name] = HIDDEN
        if 'picture' in told:
            # Anyone who has the address sees the picture.
            told['picture'] = HIDDEN
        return {'sub': HIDDEN, **told}
