from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..jose.algorithms import RS256
from ..oauth2.client import PUBLIC
from ..oauth2.scopes import OPENID
from ..openid.discovery import SIGNING_ALGORITHMS
from .orestapi_application import ADMINISTRATOR, MINUTE


class OrestapiApplication(models.Model):
    """The settings of an application that signs people in with Odoo (OpenID Connect)."""

    _inherit = 'orestapi.application'

    signs_in = fields.Boolean(
        compute='_compute_signs_in',
        groups=ADMINISTRATOR,
        help="Whether the application may sign people in with their Odoo account: it has the scope openid.",
    )
    id_token_signed_response_alg = fields.Selection(
        [(algorithm, algorithm) for algorithm in SIGNING_ALGORITHMS],
        "ID Token Signature",
        required=True,
        default=RS256,
        groups=ADMINISTRATOR,
        help="How ID tokens for the application are signed. Every application understands RS256.",
    )
    id_token_expiry = fields.Integer(
        "ID Token Expiry",
        required=True,
        default=60 * MINUTE,
        groups=ADMINISTRATOR,
        help="For how many seconds an ID token is valid. From 60 to 86400. How long somebody stays signed in is up to "
        "the application.",
    )
    pairwise_subject = fields.Boolean(
        "Pairwise Identifiers",
        groups=ADMINISTRATOR,
        help="The application gets identifiers of users that no other application has, so that the two cannot find "
        "out that they have the same user. If you change it, the application takes everybody for somebody new.",
    )
    claims_in_id_token = fields.Boolean(
        "Claims in the ID Token",
        groups=ADMINISTRATOR,
        help="For an application that does not ask for name and address at UserInfo: the ID token has them too.",
    )
    addresses_verified = fields.Boolean(
        "Addresses Are Verified",
        groups=ADMINISTRATOR,
        help="Tell the application that the email address of an internal user is verified, if it is also the login, "
        "which users cannot change themselves. Tick it only if the logins of your users are addresses that belong to "
        "them.",
    )
    nonce_replaces_pkce = fields.Boolean(
        "Nonce Instead of PKCE",
        groups=ADMINISTRATOR,
        help="For a confidential application that cannot do PKCE: it may go without, if it sends a nonce and checks "
        "it. A stolen code is then found out only by the application.",
    )
    group_claim_ids = fields.Many2many(
        'orestapi.group.claim',
        string="Groups It Is Told Of",
        groups=ADMINISTRATOR,
        help="With the scope groups, the application is told to which of these groups the user belongs, by the names "
        "that are set here.",
    )

    @api.depends('scope_ids.name')
    def _compute_signs_in(self):
        for application in self:
            application.signs_in = OPENID in application.scope_ids.mapped('name')

    @api.constrains('nonce_replaces_pkce', 'client_type')
    def _check_nonce_replaces_pkce(self):
        for application in self:
            # RFC 9700 §2.1.1: a public client has nothing else to protect its codes.
            if application.nonce_replaces_pkce and application.client_type == PUBLIC:
                raise ValidationError(
                    self.env._(
                        "A public application always needs PKCE: make the application confidential, or switch off "
                        "Nonce Instead of PKCE."
                    )
                )
