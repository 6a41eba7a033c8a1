import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL
from odoo.tools._vendor.useragents import UserAgent

from ..oauth2 import lifetime, responses, scopes, tokens
from ..oauth2 import sign_in as sign_ins
from ..oauth2.errors import LOGGED, InvalidGrant
from ..oauth2.grants import authorization_code, client_credentials, refresh_token
from ..openid.login import COLUMNS, Login
from .orestapi_application import LAST_USED_PRECISION

#: Platforms whose names are not simply capitalised.
PLATFORMS = {'chromeos': "ChromeOS", 'ipad': "iPad", 'iphone': "iPhone", 'macos': "macOS"}


class OrestapiToken(models.Model):
    """A sign-in: the tokens of one device or browser that went through the flow.

    A sign-in is one row, which each refresh updates. No index covers a column that a refresh
    writes, so the update stays within its page (HOT) and neither table nor indexes grow.
    """

    _name = 'orestapi.token'
    _description = "Sign-in"
    _order = 'id desc'
    # A refresh is not an edit by a user, and would write Odoo's own columns each time.
    _log_access = False

    authorization_id = fields.Many2one(
        'orestapi.authorization',
        "Authorization",
        required=True,
        readonly=True,
        index=True,
        ondelete='cascade',
        help="The consent of the user that the sign-in is based on.",
    )
    application_id = fields.Many2one(
        related='authorization_id.application_id', help="The application that acts for the user."
    )
    user_id = fields.Many2one(related='authorization_id.user_id', help="The user for whom the application acts.")
    grant_type = fields.Selection(
        [(authorization_code.NAME, "User"), (client_credentials.NAME, "Service User")],
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

    # How the user logged in (OpenID Connect), for the ID tokens; see `openid.login`.
    auth_time = fields.Datetime("Logged in", readonly=True, help="When the user last proved who they are.")
    amr = fields.Char("Login Methods", readonly=True, help="How the user logged in, in the words of the protocol.")
    acr = fields.Char("Login Strength", readonly=True, help="How strong the login was, in the words of the protocol.")
    sid = fields.Char(groups=NO_ACCESS)
    id_token_claims = fields.Char(groups=NO_ACCESS)

    create_date = fields.Datetime("Signed in", required=True, readonly=True)
    last_used_at = fields.Datetime("Last Used", readonly=True, help="To within ten minutes.")
    address = fields.Char(
        "IP Address", readonly=True, help="The IP address of the user's browser when the user signed in."
    )
    user_agent = fields.Char("Browser", readonly=True, help="How the user's browser described itself.")
    device = fields.Char(compute='_compute_device', help="The device or browser, as it described itself.")
    last_address = fields.Char(
        "Application's Address", readonly=True, help="The IP address of the application's last request."
    )
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
            ('login_changed', "The user's login, second factor or passkeys changed"),
            ('logged_out', "The user logged out from all devices"),
            ('session_ended', "The user logged out of Odoo"),
            ('user_archived', "The user was archived"),
            ('user_not_allowed', "The user may no longer use the application"),
            ('key_replaced', "The database came from a backup without its key"),
        ],
        "Why It Ended",
        readonly=True,
        help="Why the sign-in was ended.",
    )

    # For the clean-up. A refresh does not write these columns (see the class).
    _revoked_idx = models.Index("(id) WHERE revoked_at IS NOT NULL")
    _services_idx = models.Index("(id) WHERE grant_type = 'client_credentials'")

    def init(self):
        # Room on each page for the updates of its rows (HOT), see the class.
        self.env.cr.execute(SQL("ALTER TABLE %s SET (fillfactor = 70)", SQL.identifier(self._table)))

    @api.depends('user_agent', 'grant_type')
    @api.depends_context('lang')
    def _compute_device(self):
        for sign_in in self:
            if sign_in.grant_type == client_credentials.NAME:
                sign_in.device = self.env._("The application itself")
                continue
            agent = UserAgent(sign_in.user_agent or '')
            browser = (agent.browser or '').capitalize()
            platform = PLATFORMS.get(agent.platform, (agent.platform or '').capitalize())
            if browser and platform:
                sign_in.device = self.env._("%(browser)s on %(platform)s", browser=browser, platform=platform)
            else:
                sign_in.device = browser or platform or self.env._("Unknown browser")

    @api.depends('device')
    def _compute_display_name(self):
        for sign_in in self:
            sign_in.display_name = sign_in.device

    @api.model
    def _get_mac_key(self):
        return self.env['orestapi.server']._derive_key('refresh_token')

    @api.model
    def _open(self, client, code, access_scope, address):
        """Open the sign-in of a redeemed authorization code.

        :param Client client: the application
        :param Code code: the code, completely checked
        :param str access_scope: the scope of the access token: the part of the code's scope that
            the application still has
        :param str address: the IP address of the application
        :return: the parameters of the token response (RFC 6749 §5.1)
        :raise InvalidGrant: when the code was redeemed or revoked meanwhile
        """
        access_secret, refresh_secret = tokens.generate_secret(), tokens.generate_secret()
        now = fields.Datetime.now()
        expires_at = sign_ins.get_new_access_end(now, client, now)
        # One statement uses up the code and opens the sign-in, or does neither. When two
        # requests redeem one code, PostgreSQL lets one of them update the row and makes the
        # other start over, which then finds the code used. A collision is not an error and
        # must not be logged as one, here and below.
        self.env.cr.execute(
            SQL(
                """
                WITH code AS (
                    UPDATE orestapi_authorization_code
                       SET used_at = %(now)s, opened_token_id = nextval('orestapi_token_id_seq')
                     WHERE id = %(code_id)s AND used_at IS NULL AND revoked IS NOT TRUE
                 RETURNING authorization_id, opened_token_id, address, user_agent, scope, revocation_count,
                           auth_time, amr, acr, sid, id_token_claims
                )
                INSERT INTO orestapi_token (
                       id, authorization_id, grant_type, scope, access_digest, access_scope, access_expires_at,
                       refresh_digest, generation, refreshed_at, create_date, last_used_at,
                       address, user_agent, last_address, revocation_count,
                       auth_time, amr, acr, sid, id_token_claims)
                SELECT opened_token_id, authorization_id, %(grant_type)s, scope, %(access_digest)s, %(access_scope)s,
                       %(access_expires_at)s, %(refresh_digest)s, 0, %(now)s, %(now)s, %(now)s,
                       address, user_agent, %(last_address)s, revocation_count,
                       auth_time, amr, acr, sid, id_token_claims
                  FROM code
                RETURNING id, auth_time, amr, acr, sid, id_token_claims
                """,
                now=now,
                code_id=code.id,
                grant_type=authorization_code.NAME,
                access_digest=tokens.compute_digest(access_secret),
                access_scope=access_scope,
                access_expires_at=expires_at,
                refresh_digest=tokens.compute_digest(refresh_secret),
                last_address=address,
            ),
            log_exceptions=False,
        )
        if not self.env.cr.rowcount:
            raise InvalidGrant("The authorization code is not valid.", reason='code_used', user_id=code.user_id)
        token_id, *login = self.env.cr.fetchone()
        self.env['orestapi.event']._log_sign_in(client.id, code.user_id, address, access_scope)
        self.env['orestapi.application']._store_use(client.id)
        response = self._get_response(
            token_id,
            access_secret,
            lifetime.get_seconds(now, expires_at),
            access_scope,
            tokens.render_refresh_token(self._get_mac_key(), token_id, 0, refresh_secret),
        )
        granted = scopes.parse(access_scope)
        if scopes.OPENID not in granted:
            return response
        login = Login(**dict(zip(COLUMNS, login, strict=True)))
        self.env['orestapi.logout.session']._receive(client, login.sid)
        return self.env['orestapi.openid']._add_id_token(response, client, code.user_id, granted, login, code.nonce)

    @api.model
    def _open_service(self, client, token_request, address):
        """Issue an access token for the application's service user (RFC 6749 §4.4).

        There is no refresh token (RFC 6749 §4.4.3): the application requests a new token.

        :raise InvalidScope: when the request exceeds the scope of the application
        :raise InvalidGrant: when the service user is archived
        """
        # sudo: orestapi.application - names the user that the authenticated application acts as
        user = self.env['orestapi.application'].sudo().browse(client.id).service_user_id
        if not user.active:
            raise InvalidGrant(
                "The service user of the application is archived.", reason='service_user_archived', user_id=user.id
            )
        if not user._is_service_user():
            # The user may have been made a portal user since.
            raise InvalidGrant(
                "The service user of the application is not an internal user.",
                reason='service_user_external',
                user_id=user.id,
            )
        text = scopes.render(client_credentials.decide(token_request, client))
        access_secret = tokens.generate_secret()
        now = fields.Datetime.now()
        # Without a scope, because nobody was asked: if the service user is a person who signs
        # in one day, this must not count as their consent.
        authorization_id = self.env['orestapi.authorization']._grant(user, client, ())
        # sudo: orestapi.token - nobody may create sign-ins by hand
        sign_in = self.sudo().create({
            'authorization_id': authorization_id,
            'grant_type': client_credentials.NAME,
            'scope': text,
            'access_digest': tokens.compute_digest(access_secret),
            'access_scope': text,
            'access_expires_at': now + timedelta(seconds=client.access_token_expiry),
            'create_date': now,
            'last_used_at': now,
            'last_address': address,
            'revocation_count': user.orestapi_revocation_count,
        })
        self.env['orestapi.event']._log_sign_in(client.id, user.id, address, text, service=True)
        self.env['orestapi.application']._store_use(client.id)
        return self._get_response(sign_in.id, access_secret, client.access_token_expiry, text)

    @api.model
    def _refresh(self, client, token_request, address):
        """Exchange a refresh token for new tokens (RFC 6749 §6, RFC 9700 §4.14.2).

        :param Client client: the authenticated application
        :param Request token_request: the validated request
        :param str address: the IP address of the application
        :return: the parameters of the token response
        :raise InvalidScope: when the request exceeds the allowed scope; the token stays valid
        :raise InvalidGrant: for any token that is refused
        """
        parsed = tokens.parse(token_request.refresh_token)
        sign_in = parsed and self._fetch(parsed.row_id)
        is_genuine = bool(parsed) and parsed.kind == tokens.REFRESH_TOKEN
        is_genuine = is_genuine and tokens.is_genuine(self._get_mac_key(), parsed)
        decision = refresh_token.decide(parsed, is_genuine, sign_in, token_request.scope, client, fields.Datetime.now())
        match decision:
            case refresh_token.Rotate():
                return self._rotate(sign_in, parsed, client, scopes.render(decision.scope), address)
            case refresh_token.Repeat():
                return self._repeat(sign_in, decision)
            case refresh_token.End():
                reason = decision.refusal
                if self._end([sign_in.id], decision.reason) and decision.reason == 'refresh_token_reused':
                    self.env['orestapi.event']._log(
                        'refresh_token_reused', application_id=client.id, user_id=sign_in.user_id, address=address
                    )
                    reason = LOGGED
                raise InvalidGrant(decision.description, reason=reason, user_id=sign_in.user_id)

    @api.model
    def _rotate(self, sign_in, parsed, client, access_scope, address):
        """Replace the tokens of a sign-in by their successors.

        :param SignIn sign_in: the sign-in
        :param Token parsed: the presented refresh token
        :param Client client: the application
        :param str access_scope: the scope of the new access token
        :param str address: the IP address of the application
        :return: the parameters of the token response
        :raise InvalidGrant: when a concurrent request has used the token or ended the sign-in
        """
        generation = parsed.generation + 1
        salt = None
        if client.refresh_token_grace:
            salt = secrets.token_hex(32)
            access_secret, refresh_secret = refresh_token.derive_secrets(parsed, salt)
        else:
            access_secret, refresh_secret = tokens.generate_secret(), tokens.generate_secret()
        now = fields.Datetime.now()
        expires_at = sign_ins.get_new_access_end(sign_in.signed_in_at, client, now)
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_token
                   SET previous_access_digest = access_digest,
                       previous_access_scope = access_scope,
                       previous_access_expires_at = %(previous_access_expires_at)s,
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
                access_digest=tokens.compute_digest(access_secret),
                access_scope=access_scope,
                access_expires_at=expires_at,
                # With all limits applied, because they count from this refresh from now on.
                previous_access_expires_at=sign_in.get_access_end(sign_in.access),
                refresh_digest=tokens.compute_digest(refresh_secret),
                salt=salt,
                generation=generation,
                now=now,
                address=address,
                id=sign_in.id,
                presented=parsed.generation,
            ),
            log_exceptions=False,
        )
        if not self.env.cr.rowcount:
            raise InvalidGrant("The refresh token is not valid.", reason='refresh_token_used', user_id=sign_in.user_id)
        if sign_in.last_used_at + LAST_USED_PRECISION < now:
            self.env['orestapi.application']._store_use(client.id)
        response = self._get_response(
            sign_in.id,
            access_secret,
            lifetime.get_seconds(now, expires_at),
            access_scope,
            tokens.render_refresh_token(self._get_mac_key(), sign_in.id, generation, refresh_secret),
        )
        return self._add_refreshed_id_token(response, sign_in, access_scope)

    @api.model
    def _repeat(self, sign_in, decision):
        """Return the response to the last refresh again."""
        response = self._get_response(
            sign_in.id,
            decision.access_secret,
            lifetime.get_seconds(fields.Datetime.now(), sign_in.get_access_end(sign_in.access)),
            sign_in.access.scope,
            tokens.render_refresh_token(self._get_mac_key(), sign_in.id, sign_in.generation, decision.refresh_secret),
        )
        return self._add_refreshed_id_token(response, sign_in, sign_in.access.scope)

    @api.model
    def _add_refreshed_id_token(self, response, sign_in, access_scope):
        """Return the answer to a refresh with an ID token of the same login, where the scope has `openid`."""
        granted = scopes.parse(access_scope)
        if scopes.OPENID not in granted:
            return response
        provider = self.env['orestapi.openid']
        login = provider._fetch_login(sign_in.id)
        return provider._add_id_token(response, sign_in.client, sign_in.user_id, granted, login)

    @api.model
    def _get_response(self, token_id, access_secret, expires_in, scope_text, refresh_token=None):
        """Return the parameters of a token response (RFC 6749 §5.1)."""
        access_token = tokens.render(tokens.ACCESS_TOKEN, token_id, access_secret)
        return responses.build_token_response(access_token, expires_in, scope_text, refresh_token)
