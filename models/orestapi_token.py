import hashlib
import hmac
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL
from odoo.tools._vendor.useragents import UserAgent

from ..oauth2 import grant_type, scope, token
from ..oauth2.errors import InvalidGrant, InvalidScope
from .orestapi_application import LAST_USED_PRECISION

#: Platforms that are not written with one capital in front.
PLATFORMS = {'chromeos': "ChromeOS", 'ipad': "iPad", 'iphone': "iPhone", 'macos': "macOS"}


class OrestapiToken(models.Model):
    """The tokens of one sign-in: of one device or browser that went through the flow.

    One row, whatever the number of refreshes: a refresh updates it. No index
    covers a column that a refresh writes, so that the update stays within its
    page (HOT) and neither table nor indexes grow.
    """

    _name = 'orestapi.token'
    _description = "Sign-in"
    _order = 'id desc'
    # A refresh is no edit by a user, and the common columns would be written each time.
    _log_access = False

    authorization_id = fields.Many2one(
        'orestapi.authorization',
        "Authorization",
        required=True,
        readonly=True,
        index=True,
        ondelete='cascade',
        help="The consent of the user that the sign-in rests on.",
    )
    application_id = fields.Many2one(
        related='authorization_id.application_id', help="The application that acts for the user."
    )
    user_id = fields.Many2one(related='authorization_id.user_id', help="The user for whom the application acts.")
    grant_type = fields.Selection(
        [(grant_type.AUTHORIZATION_CODE, "User"), (grant_type.CLIENT_CREDENTIALS, "Service User")],
        required=True,
        readonly=True,
        help="Whether a user allowed it, or the application acts on its own as its service user.",
    )
    scope = fields.Char(required=True, readonly=True, help="What the application may do with this sign-in.")

    access_digest = fields.Char(groups=NO_ACCESS)
    access_scope = fields.Char(readonly=True)
    access_expires_at = fields.Datetime(
        "Access Token Expires", readonly=True, help="Until when the current access token works."
    )
    previous_access_digest = fields.Char(groups=NO_ACCESS)
    previous_access_scope = fields.Char(readonly=True)
    previous_access_expires_at = fields.Datetime(readonly=True)

    refresh_digest = fields.Char(groups=NO_ACCESS)
    refresh_salt = fields.Char(groups=NO_ACCESS)
    generation = fields.Integer("Refreshes", default=0, readonly=True, help="How many times the tokens were refreshed.")
    refreshed_at = fields.Datetime("Last Refresh", readonly=True, help="When the tokens were last refreshed.")

    create_date = fields.Datetime("Signed in", required=True, readonly=True)
    last_used_at = fields.Datetime("Last Used", readonly=True, help="To within ten minutes.")
    expires_at = fields.Datetime(
        "Expires",
        compute='_compute_expires_at',
        help="When the user must sign in again at the latest. Empty means never.",
    )
    address = fields.Char("IP Address", readonly=True, help="Where the user's browser was when the user signed in.")
    user_agent = fields.Char("Browser", readonly=True, help="What the user's browser said it was.")
    device = fields.Char(compute='_compute_device', help="The device or browser, as far as it said what it is.")
    last_address = fields.Char("Application's Address", readonly=True, help="Where the application last asked from.")
    revocation_count = fields.Integer(groups=NO_ACCESS)
    revoked_at = fields.Datetime("Ended", readonly=True, help="When the sign-in was ended.")
    revoked_reason = fields.Selection(
        [
            ('user', "Ended by the user"),
            ('administrator', "Ended by an administrator"),
            ('application', "Ended by the application"),
            ('code_replayed', "The authorization code was used twice"),
            ('refresh_token_reused', "A refresh token was used twice"),
            ('password_changed', "The user's password changed"),
            ('logged_out', "The user logged out from all devices"),
            ('user_archived', "The user was archived"),
            ('user_not_allowed', "The user may no longer use the application"),
        ],
        "Why It Ended",
        readonly=True,
        help="Why the sign-in was ended.",
    )
    state = fields.Selection(
        [('active', "Active"), ('expired', "Expired"), ('ended', "Ended")],
        compute='_compute_state',
        help="Whether the application still acts for the user on this device.",
    )

    # For the clean-up. A refresh does not write the columns (see above).
    _revoked_idx = models.Index("(id) WHERE revoked_at IS NOT NULL")
    _services_idx = models.Index("(id) WHERE grant_type = 'client_credentials'")

    def init(self):
        # Room on each page for the updates of its rows (HOT), see the class.
        self.env.cr.execute(SQL("ALTER TABLE %s SET (fillfactor = 70)", SQL.identifier(self._table)))

    @api.depends('refreshed_at', 'create_date', 'access_expires_at')
    def _compute_expires_at(self):
        for sign_in in self:
            # sudo: orestapi.application - its settings decide until when the user's own sign-in works
            application = sign_in.application_id.sudo()
            if sign_in.grant_type == grant_type.CLIENT_CREDENTIALS:
                sign_in.expires_at = sign_in.access_expires_at
            else:
                expires_at = self._get_refresh_expiry(
                    sign_in.create_date,
                    sign_in.refreshed_at,
                    application.refresh_token_expiry,
                    application.sign_in_expiry,
                )
                sign_in.expires_at = expires_at or False

    @api.depends('user_agent', 'grant_type')
    @api.depends_context('lang')
    def _compute_device(self):
        for sign_in in self:
            if sign_in.grant_type == grant_type.CLIENT_CREDENTIALS:
                sign_in.device = self.env._("The application itself")
                continue
            agent = UserAgent(sign_in.user_agent or '')
            browser = (agent.browser or '').capitalize()
            platform = PLATFORMS.get(agent.platform, (agent.platform or '').capitalize())
            if browser and platform:
                sign_in.device = self.env._("%(browser)s on %(platform)s", browser=browser, platform=platform)
            else:
                sign_in.device = browser or platform or self.env._("Unknown browser")

    @api.depends('revoked_at', 'expires_at')
    def _compute_state(self):
        now = fields.Datetime.now()
        for sign_in in self:
            if sign_in.revoked_at:
                sign_in.state = 'ended'
            else:
                sign_in.state = 'expired' if sign_in.expires_at and sign_in.expires_at <= now else 'active'

    @api.depends('device')
    def _compute_display_name(self):
        for sign_in in self:
            sign_in.display_name = sign_in.device

    @api.model
    def _get_refresh_expiry(self, signed_in_at, refreshed_at, refresh_token_expiry, sign_in_expiry):
        """Return when a refresh token stops working, or None for never.

        The settings of the moment count, also for tokens that were issued under
        other ones (so an administrator can shorten them).
        """
        limits = []
        if refresh_token_expiry:
            limits.append(refreshed_at + timedelta(seconds=refresh_token_expiry))
        if sign_in_expiry:
            limits.append(signed_in_at + timedelta(seconds=sign_in_expiry))
        return min(limits, default=None)

    @api.model
    def _get_mac_key(self):
        # sudo: ir.config_parameter - the key of the MAC is derived from the database secret
        secret = self.env['ir.config_parameter'].sudo().get_param('database.secret')
        return hmac.digest(secret.encode(), b'orestapi.refresh_token', hashlib.sha256)

    @api.model
    def _open(self, client, code, address):
        """Open the sign-in of a redeemed authorization code.

        :param Client client: the application
        :param dict code: the row of the code, all of it checked
        :param str address: where the application is
        :return: the parameters of the token response (RFC 6749 §5.1)
        :raise InvalidGrant: when the code was redeemed or revoked meanwhile
        """
        access_secret, refresh_secret = token.generate_secret(), token.generate_secret()
        now = fields.Datetime.now()
        # One statement uses up the code and opens the sign-in, or does neither.
        # When two requests redeem one code, the database lets one of them update
        # the row and tells the other to start over; it then finds the code used.
        # A collision is no error, so that it is not logged as one, here and below.
        self.env.cr.execute(
            SQL(
                """
                WITH code AS (
                    UPDATE orestapi_authorization_code
                       SET used_at = %(now)s, opened_token_id = nextval('orestapi_token_id_seq')
                     WHERE id = %(code_id)s AND used_at IS NULL AND revoked IS NOT TRUE
                 RETURNING authorization_id, opened_token_id, address, user_agent, scope, revocation_count
                )
                INSERT INTO orestapi_token (
                       id, authorization_id, grant_type, scope, access_digest, access_scope, access_expires_at,
                       refresh_digest, generation, refreshed_at, create_date, last_used_at,
                       address, user_agent, last_address, revocation_count)
                SELECT opened_token_id, authorization_id, %(grant_type)s, scope, %(access_digest)s, scope,
                       %(access_expires_at)s, %(refresh_digest)s, 0, %(now)s, %(now)s, %(now)s,
                       address, user_agent, %(last_address)s, revocation_count
                  FROM code
                RETURNING id
                """,
                now=now,
                code_id=code['id'],
                grant_type=grant_type.AUTHORIZATION_CODE,
                access_digest=token.compute_digest(access_secret),
                access_expires_at=now + timedelta(seconds=client.access_token_expiry),
                refresh_digest=token.compute_digest(refresh_secret),
                last_address=address,
            ),
            log_exceptions=False,
        )
        if not self.env.cr.rowcount:
            raise InvalidGrant("The authorization code is not valid.")
        [token_id] = self.env.cr.fetchone()
        self.env['orestapi.application']._remember_use(client.id)
        return self._get_response(
            token_id,
            access_secret,
            client.access_token_expiry,
            code['scope'],
            token.render_refresh_token(self._get_mac_key(), token_id, 0, refresh_secret),
        )

    @api.model
    def _open_service(self, client, request, address):
        """Issue an access token for the application's service user (RFC 6749 §4.4).

        There is no refresh token (RFC 6749 §4.4.3): the application asks again.

        :raise InvalidScope: for more than the application may do
        :raise InvalidGrant: when the service user is archived
        """
        # sudo: orestapi.application - names the user that the authenticated application acts as
        user = self.env['orestapi.application'].sudo().browse(client.id).service_user_id
        if not user.active:
            raise InvalidGrant("The service user of the application is archived.")
        requested = scope.parse(request.scope) or client.default_scope
        if not requested or not requested <= client.scope:
            raise InvalidScope("The application may not ask for this scope.")
        text = scope.render(requested)
        access_secret = token.generate_secret()
        now = fields.Datetime.now()
        # With no scope, because nobody was asked: should the service user be a person
        # who signs in one day, this must not pass for their consent.
        authorization_id = self.env['orestapi.authorization']._grant(user, client, ())
        # sudo: orestapi.token - sign-ins are opened here and in `_open` and nowhere else
        sign_in = self.sudo().create({
            'authorization_id': authorization_id,
            'grant_type': grant_type.CLIENT_CREDENTIALS,
            'scope': text,
            'access_digest': token.compute_digest(access_secret),
            'access_scope': text,
            'access_expires_at': now + timedelta(seconds=client.access_token_expiry),
            'create_date': now,
            'last_used_at': now,
            'last_address': address,
            'revocation_count': user.orestapi_revocation_count,
        })
        self.env['orestapi.application']._remember_use(client.id)
        return self._get_response(sign_in.id, access_secret, client.access_token_expiry, text)

    @api.model
    def _refresh(self, client, request, address):
        """Exchange a refresh token for new tokens (RFC 6749 §6, RFC 9700 §4.14.2).

        :param Client client: the authenticated application
        :param TokenRequest request: the validated request
        :param str address: where the application is
        :return: the parameters of the token response
        :raise InvalidScope: for more than the user allowed; the token stays valid
        :raise InvalidGrant: for any token that gives no new ones
        """
        parsed = token.parse(request.refresh_token)
        sign_in = parsed and parsed.kind == token.REFRESH_TOKEN and self._fetch(parsed.row_id)
        if (
            not sign_in
            or sign_in['application_id'] != client.id
            # A service has none. Only who knows the key can make one up for it.
            or not sign_in['refresh_digest']
            or not token.is_genuine(self._get_mac_key(), parsed)
        ):
            raise InvalidGrant("The refresh token is not valid.")
        if sign_in['revoked_at'] or self._is_expired(sign_in, client):
            raise InvalidGrant("The refresh token has expired or was revoked.")
        if not sign_in['user_may']:
            self._end([sign_in['id']], 'user_not_allowed')
            raise InvalidGrant("The user may no longer use the application.")
        if parsed.generation != sign_in['generation']:
            return self._repeat(sign_in, parsed, client, address)
        if not token.has_digest(parsed.secret, sign_in['refresh_digest']):
            raise InvalidGrant("The refresh token is not valid.")
        allowed = scope.parse(sign_in['scope']) & client.scope
        access_scope = scope.render(scope.narrow(request.scope, allowed))
        if not access_scope:
            raise InvalidScope("The application may no longer do what the user allowed.")
        return self._rotate(sign_in, parsed, client, access_scope, address)

    @api.model
    def _rotate(self, sign_in, parsed, client, access_scope, address):
        generation = parsed.generation + 1
        salt = None
        if client.refresh_token_grace:
            salt = secrets.token_hex(32)
            access_secret, refresh_secret = self._derive_secrets(parsed, salt)
        else:
            access_secret, refresh_secret = token.generate_secret(), token.generate_secret()
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_token
                   SET previous_access_digest = access_digest,
                       previous_access_scope = access_scope,
                       previous_access_expires_at = access_expires_at,
                       access_digest = %(access_digest)s,
                       access_scope = %(access_scope)s,
                       access_expires_at = %(access_expires_at)s,
                       refresh_digest = %(refresh_digest)s,
                       refresh_salt = %(salt)s,
                       generation = %(generation)s,
                       refreshed_at = %(now)s,
                       last_used_at = %(now)s,
                       last_address = %(address)s
                 WHERE id = %(id)s AND generation = %(presented)s AND revoked_at IS NULL
                """,
                access_digest=token.compute_digest(access_secret),
                access_scope=access_scope,
                access_expires_at=now + timedelta(seconds=client.access_token_expiry),
                refresh_digest=token.compute_digest(refresh_secret),
                salt=salt,
                generation=generation,
                now=now,
                address=address,
                id=sign_in['id'],
                presented=parsed.generation,
            ),
            log_exceptions=False,
        )
        if not self.env.cr.rowcount:
            raise InvalidGrant("The refresh token is not valid.")
        if sign_in['last_used_at'] + LAST_USED_PRECISION < now:
            self.env['orestapi.application']._remember_use(client.id)
        return self._get_response(
            sign_in['id'],
            access_secret,
            client.access_token_expiry,
            access_scope,
            token.render_refresh_token(self._get_mac_key(), sign_in['id'], generation, refresh_secret),
        )

    @api.model
    def _derive_secrets(self, parsed, salt):
        return (
            token.derive_secret(parsed.secret, salt, token.ACCESS_TOKEN),
            token.derive_secret(parsed.secret, salt, token.REFRESH_TOKEN),
        )

    @api.model
    def _repeat(self, sign_in, parsed, client, address):
        """Answer a refresh token of an earlier generation.

        Within the grace period its successor is given out once more. In all
        other cases two parties hold tokens of one sign-in, one of them a thief,
        and nobody can tell which: the sign-in ends (RFC 9700 §4.14.2).
        """
        now = fields.Datetime.now()
        if (
            parsed.generation == sign_in['generation'] - 1
            and sign_in['refresh_salt']
            and now <= sign_in['refreshed_at'] + timedelta(seconds=client.refresh_token_grace)
        ):
            access_secret, refresh_secret = self._derive_secrets(parsed, sign_in['refresh_salt'])
            if token.has_digest(refresh_secret, sign_in['refresh_digest']):
                expires_in = max(0, int((sign_in['access_expires_at'] - now).total_seconds()))
                return self._get_response(
                    sign_in['id'],
                    access_secret,
                    expires_in,
                    sign_in['access_scope'],
                    token.render_refresh_token(
                        self._get_mac_key(), sign_in['id'], sign_in['generation'], refresh_secret
                    ),
                )
        if parsed.generation < sign_in['generation'] and self._end([sign_in['id']], 'refresh_token_reused'):
            self.env['orestapi.event']._log(
                'refresh_token_reused', application_id=client.id, user_id=sign_in['user_id'], address=address
            )
        raise InvalidGrant("The refresh token was already used.")

    @api.model
    def _get_response(self, token_id, access_secret, expires_in, scope_text, refresh_token=None):
        """Return the parameters of a token response (RFC 6749 §5.1)."""
        response = {
            'access_token': token.render(token.ACCESS_TOKEN, token_id, access_secret),
            'token_type': 'Bearer',
            'expires_in': expires_in,
            'scope': scope_text,
        }
        if refresh_token:
            response['refresh_token'] = refresh_token
        return response

    @api.model
    def _is_expired(self, sign_in, settings):
        expires_at = self._get_refresh_expiry(
            sign_in['create_date'], sign_in['refreshed_at'], settings.refresh_token_expiry, settings.sign_in_expiry
        )
        return expires_at is not None and expires_at <= fields.Datetime.now()
