import dataclasses
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import NO_ACCESS, Domain
from odoo.tools import SQL

from ..oauth2 import scopes, tokens
from ..oauth2.errors import LOGGED, InvalidGrant
from ..oauth2.grants import authorization_code
from ..oauth2.sign_in import Code
from .vacuum import VACUUM_BATCH, delete_batch


class OrestapiAuthorizationCode(models.Model):
    """An authorization code between consent and tokens (RFC 6749 §4.1.2)."""

    _name = 'orestapi.authorization.code'
    _description = "Authorization Code"
    _order = 'id desc'
    # The columns below tell who and when; Odoo's own would only duplicate them.
    _log_access = False

    authorization_id = fields.Many2one(
        'orestapi.authorization', required=True, readonly=True, index=True, ondelete='cascade'
    )
    application_id = fields.Many2one(
        related='authorization_id.application_id', help="The application that acts for the user."
    )
    user_id = fields.Many2one(related='authorization_id.user_id', help="The user for whom the application acts.")
    digest = fields.Char(required=True, groups=NO_ACCESS)
    redirect_uri = fields.Char("Callback URI", required=True, readonly=True, help="The URI that the code was sent to.")
    redirect_uri_sent = fields.Boolean(readonly=True)
    code_challenge = fields.Char(groups=NO_ACCESS)
    scope = fields.Char(required=True, readonly=True, help="What the application requested, in terms of the protocol.")
    create_date = fields.Datetime("Issued", required=True, readonly=True)
    expires_at = fields.Datetime(
        "Expires", required=True, readonly=True, index=True, help="Until when the code can be exchanged for tokens."
    )
    used_at = fields.Datetime("Used", readonly=True, help="When the code was exchanged for tokens. It works only once.")
    verifier_failures = fields.Integer(
        "Wrong Verifiers",
        default=0,
        readonly=True,
        help="How often the code was presented without the right proof (PKCE).",
    )
    at_legacy_address = fields.Boolean(
        readonly=True, help="The code was requested at the URLs of the older connector, and works only there."
    )
    # Of an authentication request (OpenID Connect), for the ID token; see `openid.login`.
    nonce = fields.Char(groups=NO_ACCESS)
    auth_time = fields.Datetime("Logged in", readonly=True, help="When the user last proved who they are.")
    amr = fields.Char("Login Methods", readonly=True, help="How the user logged in, in the words of the protocol.")
    acr = fields.Char("Login Strength", readonly=True, help="How strong the login was, in the words of the protocol.")
    sid = fields.Char(groups=NO_ACCESS)
    id_token_claims = fields.Char(groups=NO_ACCESS)
    revoked = fields.Boolean(readonly=True)
    revocation_count = fields.Integer(groups=NO_ACCESS)
    address = fields.Char(
        "IP Address", readonly=True, help="The IP address of the browser that the code was sent through."
    )
    user_agent = fields.Char("Browser", readonly=True, help="How the browser described itself.")
    # A number instead of a relation, because PostgreSQL would search for codes at each sign-in
    # that the clean-up deletes. Ids are never reused.
    opened_token_id = fields.Integer(groups=NO_ACCESS)
    token_id = fields.Many2one(
        'orestapi.token', "Sign-in", compute='_compute_token_id', help="The sign-in that the code opened."
    )
    state = fields.Selection(
        [('valid', "Valid"), ('used', "Used"), ('expired', "Expired"), ('revoked', "Revoked")],
        compute='_compute_state',
        search='_search_state',
        help="Whether the code can still be used.",
    )

    @api.depends_context('lang')
    def _compute_display_name(self):
        for code in self:
            code.display_name = self.env._("Code %s", code.id)

    @api.depends('used_at')
    def _compute_token_id(self):
        # sudo: orestapi.authorization.code - nobody may read the number
        numbers = self.sudo().mapped('opened_token_id')
        existing = set(self.env['orestapi.token'].browse(filter(None, numbers)).exists().ids)
        for code, number in zip(self, numbers, strict=True):
            code.token_id = number in existing and number

    @api.depends('used_at', 'expires_at', 'revoked', 'application_id.authorization_code_expiry')
    def _compute_state(self):
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM orestapi_authorization_code AS code WHERE id = ANY(%s)",
                self._get_state_expression(SQL.identifier('code')),
                list(self._origin._ids),
            )
        )
        states = dict(rows)
        for code in self:
            code.state = states.get(code._origin.id, 'valid')

    def _search_state(self, operator, value):
        if operator != 'in':
            return NotImplemented
        states = [state for state in value if state]
        self.env.flush_all()
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s = ANY(%s)", model._get_state_expression(SQL.identifier(alias)), states
            )
        )

    @api.model
    def _get_state_expression(self, code):
        """Return the state of a code in SQL, for showing and searching.

        :param SQL code: the row of the code
        """
        return SQL(
            """
            (SELECT CASE
                    WHEN %(code)s.used_at IS NOT NULL THEN 'used'
                    WHEN %(code)s.revoked
                      OR %(code)s.revocation_count <> COALESCE(users.orestapi_revocation_count, 0) THEN 'revoked'
                    -- As `oauth2.sign_in.get_code_expiry`.
                    WHEN LEAST(%(code)s.expires_at,
                               %(code)s.create_date
                               + application.authorization_code_expiry * interval '1 second') > %(now)s THEN 'valid'
                    ELSE 'expired' END
               FROM orestapi_authorization AS "authorization"
               JOIN orestapi_application AS application ON application.id = "authorization".application_id
               JOIN res_users AS users ON users.id = "authorization".user_id
              WHERE "authorization".id = %(code)s.authorization_id)
            """,
            code=code,
            now=fields.Datetime.now(),
        )

    @api.model
    def _issue(self, user, client, authorization_request, address, user_agent, by_setting=None, login=None):
        """Record the user's consent and issue an authorization code for it.

        :param user: the `res.users` record of the resource owner
        :param Client client: the application
        :param AuthorizationRequest authorization_request: the validated request
        :param str address: the IP address of the user's browser
        :param str user_agent: how the user's browser describes itself
        :param by_setting: see `_grant`
        :param Login login: how the user logged in, of an authentication request, or None
        :return: the code
        """
        authorization_id = self.env['orestapi.authorization']._grant(
            user, client, authorization_request.scope, by_setting
        )
        secret = tokens.generate_secret()
        now = fields.Datetime.now()
        # sudo: orestapi.authorization.code - nobody may create codes by hand
        code = self.sudo().create({
            'authorization_id': authorization_id,
            'digest': tokens.compute_digest(secret),
            'redirect_uri': authorization_request.redirect_uri,
            'redirect_uri_sent': authorization_request.redirect_uri_sent,
            'code_challenge': authorization_request.code_challenge,
            'scope': scopes.render(authorization_request.scope),
            'at_legacy_address': client.at_legacy_address,
            # sudo: res.users - the counter that makes the code worthless when all sign-ins are ended
            'revocation_count': user.sudo().orestapi_revocation_count,
            'create_date': now,
            'expires_at': now + timedelta(seconds=client.authorization_code_expiry),
            'address': address,
            'user_agent': user_agent,
            'nonce': authorization_request.nonce,
            **(dataclasses.asdict(login) if login else {}),
        })
        return tokens.render(tokens.AUTHORIZATION_CODE, code.id, secret)

    @api.model
    def _redeem(self, client, token_request, address):
        """Exchange an authorization code for tokens (RFC 6749 §4.1.3).

        See `oauth2.grants.authorization_code.decide` for the order of the checks.

        The current settings of the application apply: when an administrator has removed a
        redirect URI or a scope, or made the application public, that takes effect at once.

        :param Client client: the authenticated application
        :param Request token_request: the validated request
        :param str address: the IP address that the request came from
        :return: the parameters of the response
        :raise InvalidRequest: see `pkce.check_verifier`
        :raise InvalidGrant: for any code that is refused
        """
        parsed = tokens.parse(token_request.code)
        code = parsed and self._fetch(parsed.row_id, client)
        try:
            decision = authorization_code.decide(parsed, code, token_request, client, fields.Datetime.now())
        except authorization_code.WrongVerifier:
            self._count_verifier_failure(code)
            raise
        match decision:
            case authorization_code.Redeem():
                return self.env['orestapi.token']._open(client, code, scopes.render(decision.scope), address)
            case authorization_code.Replay():
                reason = LOGGED if self._end_replayed(code, client, address) else 'code_used'
                raise InvalidGrant("The authorization code was already used.", reason=reason, user_id=code.user_id)

    @api.model
    def _fetch(self, code_id, client):
        """Return the `Code` of a row, or None.

        :param int code_id: the row
        :param Client client: the application that presents it
        """
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT code.id, digest, redirect_uri, redirect_uri_sent, code_challenge, scope, code.create_date,
                       expires_at, used_at, at_legacy_address, verifier_failures, opened_token_id, application_id,
                       user_id, nonce,
                       revoked OR revocation_count <> COALESCE(orestapi_revocation_count, 0) AS revoked
                  FROM orestapi_authorization_code AS code
                  JOIN orestapi_authorization AS "authorization" ON "authorization".id = authorization_id
                  JOIN res_users AS users ON users.id = user_id
                 WHERE code.id = %s
                """,
                code_id,
            )
        )
        if not rows:
            return None
        [row] = rows
        # sudo: res.users - whether the user may still use the application
        user = self.env['res.users'].sudo().browse(row['user_id'])
        row['created_at'] = row.pop('create_date')
        return Code(**row, user_active=user.active, user_allowed=user._can_authorize(client))

    @api.model
    def _count_verifier_failure(self, code):
        self.env.cr.execute(
            SQL(
                "UPDATE orestapi_authorization_code SET verifier_failures = verifier_failures + 1 WHERE id = %s",
                code.id,
            ),
            log_exceptions=False,
        )

    @api.model
    def _end_replayed(self, code, client, address):
        ended = self.env['orestapi.token']._end([code.opened_token_id], 'code_replayed')
        if ended:
            self.env['orestapi.event']._log(
                'code_replayed', application_id=client.id, user_id=code.user_id, address=address
            )
        return ended

    @api.model
    def _invalidate_unused(self, user_ids):
        """Make the unused codes of users worthless."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_authorization_code AS code
                   SET revoked = TRUE
                  FROM orestapi_authorization AS "authorization"
                 WHERE "authorization".id = authorization_id AND user_id = ANY(%s) AND used_at IS NULL
                """,
                list(user_ids),
            ),
            log_exceptions=False,
        )
        self.invalidate_model()

    @api.autovacuum
    def _gc_expired(self):
        """Delete the rows of codes whose retention period is over.

        :return: how many were deleted, and whether there may be more
        """
        return delete_batch(
            self.env.cr,
            SQL(
                """
                DELETE FROM orestapi_authorization_code
                 WHERE ctid = ANY(ARRAY(
                       SELECT code.ctid
                         FROM orestapi_authorization_code AS code
                         JOIN orestapi_authorization AS "authorization" ON "authorization".id = code.authorization_id
                         JOIN orestapi_application AS application ON application.id = "authorization".application_id
                        WHERE code.expires_at <= %(now)s
                          AND code.expires_at + authorization_code_retain * interval '1 day' <= %(now)s
                        ORDER BY code.expires_at
                        LIMIT %(batch)s
                          FOR UPDATE OF code SKIP LOCKED))
                """,
                now=fields.Datetime.now(),
                batch=VACUUM_BATCH,
            ),
        )
