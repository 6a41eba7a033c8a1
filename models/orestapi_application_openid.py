from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..jose.algorithms import RS256
from ..oauth2 import redirect_uris
from ..oauth2.client import PUBLIC
from ..oauth2.scopes import OPENID
from ..openid import back_channel, discovery
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

    claim_ids = fields.Many2many(
        'orestapi.claim',
        string="Claims",
        groups=ADMINISTRATOR,
        help="What else the application is told about users who sign in, for example their job position. Users who "
        "have not been asked about a claim are asked at their next sign-in.",
    )

    post_logout_redirect_uris = fields.Text(
        "Post-Logout URIs",
        groups=ADMINISTRATOR,
        help="Where the browser may go after the application has asked Odoo to log the user out, one URI per line. It "
        "must match exactly what the application sends.",
    )
    backchannel_logout_uri = fields.Char(
        "Back-Channel Logout URI",
        groups=ADMINISTRATOR,
        help="Where Odoo tells the application that a user has logged out of Odoo, so that it signs the user out too. "
        "Its sign-ins then end with the login in Odoo, except those with the scope offline_access.",
    )

    openid_configuration_uri = fields.Char(
        "Discovery",
        compute='_compute_openid_endpoints',
        groups=ADMINISTRATOR,
        help="Applications that sign people in need only this URL, or the issuer, besides client ID and client secret.",
    )
    userinfo_endpoint = fields.Char(
        "UserInfo Endpoint",
        compute='_compute_openid_endpoints',
        groups=ADMINISTRATOR,
        help="Where the application asks who the user is.",
    )
    jwks_uri = fields.Char(
        "Signing Keys",
        compute='_compute_openid_endpoints',
        groups=ADMINISTRATOR,
        help="The public keys with which the application checks ID tokens (JWKS).",
    )
    end_session_endpoint = fields.Char(
        "Logout Endpoint",
        compute='_compute_openid_endpoints',
        groups=ADMINISTRATOR,
        help="Where the application sends the browser to log the user out of Odoo.",
    )

    def _compute_openid_endpoints(self):
        issuer = self.env['orestapi.server']._get_issuer()
        for application in self:
            application.openid_configuration_uri = issuer + discovery.WELL_KNOWN
            application.userinfo_endpoint = issuer + discovery.USERINFO_ENDPOINT
            application.jwks_uri = issuer + discovery.JWKS_ENDPOINT
            application.end_session_endpoint = issuer + discovery.LOGOUT_ENDPOINT

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

    @api.constrains('claim_ids')
    def _check_claim_ids(self):
        for application in self:
            names = [name.lower() for name in application.claim_ids.mapped('name')]
            if len(names) > len(set(names)):
                raise ValidationError(
                    self.env._(
                        "%s would be told two claims with the same name. Remove one of them, or rename it.",
                        application.name,
                    )
                )

    def action_preview_claims(self):
        """Open the dialog that shows what the application is told about a user."""
        self.ensure_one()
        self.check_access('write')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("What %s is told about a user", self.name),
            'res_model': 'orestapi.claim.preview',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_application_id': self.id},
        }

    @api.model
    def _repair(self, vals):
        vals = {**super()._repair(vals)}
        if isinstance(vals.get('post_logout_redirect_uris'), str):
            uris = vals['post_logout_redirect_uris'].split()
            vals['post_logout_redirect_uris'] = '\n'.join(map(redirect_uris.repair, uris))
        if isinstance(vals.get('backchannel_logout_uri'), str):
            vals['backchannel_logout_uri'] = redirect_uris.repair(vals['backchannel_logout_uri'])
        return vals

    @api.onchange('post_logout_redirect_uris', 'backchannel_logout_uri')
    def _onchange_logout_uris(self):
        self.update(
            self._repair({
                'post_logout_redirect_uris': self.post_logout_redirect_uris,
                'backchannel_logout_uri': self.backchannel_logout_uri,
            })
        )

    @api.constrains('post_logout_redirect_uris')
    def _check_post_logout_redirect_uris(self):
        for application in self:
            for uri in (application.post_logout_redirect_uris or '').split():
                application._check_logout_uri(uri)

    @api.constrains('backchannel_logout_uri')
    def _check_backchannel_logout_uri(self):
        for application in self:
            uri = application.backchannel_logout_uri
            if not uri:
                continue
            application._check_logout_uri(uri)
            if not back_channel.is_acceptable(uri):
                raise ValidationError(
                    self.env._(
                        "Start the back-channel logout URI with https://. Only a program on the server of Odoo itself "
                        "may be called with http://, for example at http://127.0.0.1:8080/logout."
                    )
                )

    def _check_logout_uri(self, uri):
        """Test a URI as a callback URI is tested.

        :raise ValidationError: with how to write it instead
        """
        if defect := redirect_uris.find_defect(uri):
            lines = [uri, self.env['orestapi.application.uri']._get_defect_message(defect)]
            raise ValidationError('\n'.join(lines))
