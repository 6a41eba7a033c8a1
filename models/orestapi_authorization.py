from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..oauth2.grants import authorization_code
from .orestapi_application import ADMINISTRATOR, ask, show_message

#: The comparisons that a search for the time of last use supports.
OPERATORS = {'<': SQL("<"), '<=': SQL("<="), '>': SQL(">"), '>=': SQL(">=")}

#: How many of the last sign-ins of an authorization are read to find its devices.
MAX_SIGN_INS = 500


class OrestapiAuthorization(models.Model):
    """This user lets this application act for them, within these scopes."""

    _name = 'orestapi.authorization'
    _description = "Authorization"
    _rec_names_search = ['user_id', 'application_id']
    _order = 'id desc'

    user_id = fields.Many2one(
        'res.users',
        "User",
        required=True,
        readonly=True,
        index=True,
        ondelete='cascade',
        help="The user for whom the application acts.",
    )
    application_id = fields.Many2one(
        'orestapi.application',
        "Application",
        required=True,
        readonly=True,
        index=True,
        ondelete='cascade',
        help="The application that acts for the user.",
    )
    scope_ids = fields.Many2many('orestapi.scope', string="Scopes", readonly=True, help="What the user has allowed.")
    scope_description = fields.Text(
        "What It May Do", compute='_compute_scope_description', help="What the application may do, in words."
    )
    offer_widened = fields.Boolean(
        "Consent required again",
        readonly=True,
        help="The application may read more than when the user allowed it, so the user is asked again at the "
        "next sign-in.",
    )
    by_setting = fields.Boolean(
        "Allowed by Setting",
        readonly=True,
        help="The user was not asked because the application was trusted. If it no longer is, the user will be asked.",
    )
    token_ids = fields.One2many(
        'orestapi.token',
        'authorization_id',
        "Sign-ins",
        readonly=True,
        help="The devices and browsers on which the application acts for the user.",
    )
    sign_in_count = fields.Integer(
        "Active Sign-ins", compute='_compute_sign_ins', help="On how many devices or browsers the application is used."
    )
    last_used_at = fields.Datetime(
        "Last Used",
        compute='_compute_sign_ins',
        search='_search_last_used_at',
        help="When the application last acted for the user, to within ten minutes.",
    )
    devices = fields.Char(compute='_compute_devices', help="The devices and browsers on which the application is used.")
    create_date = fields.Datetime("Since", readonly=True)

    _user_application_unique = models.Constraint(
        'UNIQUE (user_id, application_id)', "The user has already authorized this application."
    )

    @api.depends('token_ids.revoked_at', 'token_ids.last_used_at')
    def _compute_sign_ins(self):
        domain = [('authorization_id', 'in', self.ids), ('revoked_at', '=', False)]
        tokens = self.env['orestapi.token']
        counts = dict(tokens._read_group([*domain, ('state', '=', 'active')], ['authorization_id'], ['__count']))
        # Archived applications and expired sign-ins count too: they have been used.
        last_used = dict(tokens._read_group(domain, ['authorization_id'], ['last_used_at:max']))
        for authorization in self:
            authorization.sign_in_count = counts.get(authorization, 0)
            authorization.last_used_at = last_used.get(authorization, False)

    def _search_last_used_at(self, operator, value):
        used = SQL("SELECT authorization_id FROM orestapi_token WHERE revoked_at IS NULL")
        if operator == 'in' and set(value) == {False}:
            return [('id', 'not in', SQL("(%s)", used))]
        if operator not in OPERATORS:
            return NotImplemented
        query = SQL("(%s GROUP BY authorization_id HAVING max(last_used_at) %s %s)", used, OPERATORS[operator], value)
        return [('id', 'in', query)]

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        # Sorted in the database, because the list reads one page only.
        if field_name != 'last_used_at':
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        return SQL(
            "(SELECT max(last_used_at) FROM orestapi_token WHERE revoked_at IS NULL AND authorization_id = %s) %s %s",
            SQL.identifier(alias, 'id'),
            direction,
            nulls,
        )

    @api.depends('scope_ids.description', 'application_id.service_user_id')
    @api.depends_context('lang')
    def _compute_scope_description(self):
        for authorization in self:
            sentences = authorization.scope_ids.mapped('description')
            # sudo: orestapi.application - whether the user of the authorization is its service user
            if authorization.user_id == authorization.application_id.sudo().service_user_id:
                sentences.append(self.env._("Act on its own as this user, when nobody signs in"))
            authorization.scope_description = '\n'.join(sentences) or self.env._("Nothing any more")

    @api.depends('token_ids.state', 'token_ids.device')
    @api.depends_context('lang')
    def _compute_devices(self):
        for authorization in self:
            # A service may have thousands: the last ones are enough.
            sign_ins = authorization.token_ids.search(
                [('authorization_id', '=', authorization.id), ('revoked_at', '=', False)], limit=MAX_SIGN_INS
            ).filtered(lambda sign_in: sign_in.state == 'active')
            authorization.devices = ', '.join(dict.fromkeys(sign_ins.mapped('device')))

    @api.depends('user_id', 'application_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for authorization in self:
            authorization.display_name = self.env._(
                "%(user)s, %(application)s",
                user=authorization.user_id.display_name,
                application=authorization.application_id.display_name,
            )

    def action_revoke(self):
        """Revoke the authorizations, and end all their sign-ins and codes at once.

        Allowed to the user themselves and to administrators of applications.

        :raise AccessError: for the authorization of somebody else
        """
        if not self.env.user.has_group(ADMINISTRATOR) and self.user_id - self.env.user:
            raise AccessError(self.env._("You can only disconnect your own applications."))
        for authorization in self:
            self.env['orestapi.event']._log(
                'authorization_revoked',
                application_id=authorization.application_id.id,
                user_id=authorization.user_id.id,
            )
            authorization._remove_service_user()
        # sudo: orestapi.authorization - its owner was checked above, and nobody may delete one by hand
        self.sudo().unlink()
        return True

    def action_ask_revoke(self):
        """Ask before authorizations are revoked, and tell how many people that concerns."""
        self.check_access('read')
        return ask(
            self,
            'action_confirm_revoke',
            title=self.env._("Revoke Tokens"),
            body=self.env._(
                "People: %(people)s. Applications: %(applications)s. Sign-ins that end: %(sign_ins)s.\n\n"
                "The applications will no longer be able to act for these people on any device. They can ask "
                "them again.",
                **self._get_revocation_counts(),
            ),
            confirm_label=self.env._("Revoke"),
        )

    def action_confirm_revoke(self):
        """Revoke the authorizations, and show a message."""
        self.check_access('read')
        counts = self._get_revocation_counts()
        self.action_revoke()
        return show_message(
            self,
            self.env._(
                "The applications can no longer act for these people. People: %(people)s. Applications: "
                "%(applications)s. Sign-ins that were ended: %(sign_ins)s.",
                **counts,
            ),
        )

    def _get_revocation_counts(self):
        return {
            'people': len(self.user_id),
            'applications': len(self.application_id),
            'sign_ins': len(self.token_ids.filtered(lambda sign_in: not sign_in.revoked_at)),
        }

    def _remove_service_user(self):
        """Stop the application from acting as its service user, which needs no consent."""
        # sudo: orestapi.application - revoking the authorization also removes the service user
        application = self.application_id.sudo()
        if application.service_user_id == self.user_id:
            application.service_user_id = False
            self.env['orestapi.event']._log(
                'service_user_removed', application_id=application.id, user_id=self.user_id.id
            )

    def action_disconnect(self):
        """Revoke the authorizations, and stay in the preferences that have the button."""
        self.action_revoke()
        return {'type': 'ir.actions.client', 'tag': 'orestapi_reload_record'}

    @api.model
    def _get_own(self):
        """Return the authorizations of the current user, who may lack access to the model."""
        # sudo: orestapi.authorization - those of the current user only
        return self.sudo().search([('user_id', '=', self.env.uid)])

    def _get_active_devices(self):
        """Return up to a hundred active sign-ins on devices of the user, latest first."""
        sign_ins = self.env['orestapi.token'].search(
            [
                ('authorization_id', 'in', self.ids),
                ('revoked_at', '=', False),
                ('grant_type', '=', authorization_code.NAME),
            ],
            limit=100,
        )
        return sign_ins.filtered(lambda sign_in: sign_in.state == 'active')

    @api.model
    def _find_granted_scope(self, user, client):
        """Return the set of scope tokens that the user has already allowed the application."""
        # sudo: orestapi.authorization - that of the user who is asked for consent
        authorization = self.sudo().search([('user_id', '=', user.id), ('application_id', '=', client.id)])
        # Consent given by a setting ends with the setting: the user was never asked.
        if authorization.by_setting and not authorization.application_id.trusted:
            return frozenset()
        granted = frozenset(authorization.scope_ids.mapped('name'))
        # The readable records have grown since: reading needs a new consent.
        widened = {'read'} if authorization.offer_widened else set()
        # So do claims that the user has not been asked about.
        if client.defined_claims:
            told = set(authorization.claim_ids.ids)
            widened.update(claim.scope for claim in client.defined_claims if claim.id not in told)
        return granted - widened

    @api.model
    def _grant(self, user, client, scope, by_setting=None):
        """Record that the user lets the application act for them.

        The scope allowed before is kept, unless it was allowed by a setting and the user is asked now.

        :param user: the `res.users` record
        :param Client client: the application
        :param scope: the scope tokens; empty for an application that acts on its own
        :param by_setting: True when nobody was asked because the application is trusted, False when
            the user was asked, None when the user had allowed it before
        :return: the id of the authorization
        """
        # Read first, because many requests that all write the same row would wait for each
        # other. Locked against deletion, because a code will refer to it: if the application
        # is disconnected meanwhile, PostgreSQL makes this request start over.
        self.flush_model(['user_id', 'application_id', 'offer_widened', 'by_setting'])
        self.env.cr.execute(
            SQL(
                """
                SELECT id, offer_widened, by_setting
                  FROM orestapi_authorization
                 WHERE user_id = %s AND application_id = %s
                   FOR KEY SHARE
                """,
                user.id,
                client.id,
            ),
            log_exceptions=False,
        )
        authorization_id, offer_widened, was_by_setting = self.env.cr.fetchone() or (None, False, False)
        if not authorization_id:
            # In SQL, because two windows may give the same consent at once, and the second
            # must find the row of the first instead of failing: PostgreSQL makes it start
            # over. That is not an error and must not be logged as one.
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO orestapi_authorization (
                           user_id, application_id, create_uid, create_date, write_uid, write_date)
                    VALUES (%(user_id)s, %(application_id)s, %(user_id)s, %(now)s, %(user_id)s, %(now)s)
                    ON CONFLICT (user_id, application_id) DO NOTHING
                    RETURNING id
                    """,
                    user_id=user.id,
                    application_id=client.id,
                    now=fields.Datetime.now(),
                ),
                log_exceptions=False,
            )
            [authorization_id] = self.env.cr.fetchone()
        if by_setting is not None and by_setting != bool(was_by_setting):
            self.env.cr.execute(
                SQL(
                    "UPDATE orestapi_authorization SET by_setting = %s WHERE id = %s",
                    by_setting,
                    authorization_id,
                ),
                log_exceptions=False,
            )
            if not by_setting:
                # The consent page has shown only the scope of this request.
                for relation in ('scope', 'claim'):
                    self.env.cr.execute(
                        SQL(
                            "DELETE FROM %s WHERE orestapi_authorization_id = %s",
                            SQL.identifier(f'orestapi_authorization_orestapi_{relation}_rel'),
                            authorization_id,
                        ),
                        log_exceptions=False,
                    )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO orestapi_authorization_orestapi_scope_rel (orestapi_authorization_id, orestapi_scope_id)
                SELECT %s, id FROM orestapi_scope WHERE name = ANY(%s)
                ON CONFLICT DO NOTHING
                """,
                authorization_id,
                list(scope),
            ),
            log_exceptions=False,
        )
        if asked := [claim.id for claim in client.defined_claims if claim.scope in scope]:
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO orestapi_authorization_orestapi_claim_rel (orestapi_authorization_id, orestapi_claim_id)
                    SELECT %s, id FROM orestapi_claim WHERE id = ANY(%s)
                    ON CONFLICT DO NOTHING
                    """,
                    authorization_id,
                    asked,
                ),
                log_exceptions=False,
            )
        if offer_widened and 'read' in scope:
            self.env.cr.execute(
                SQL(
                    "UPDATE orestapi_authorization SET offer_widened = FALSE WHERE id = %s",
                    authorization_id,
                ),
                log_exceptions=False,
            )
        self.invalidate_model()
        return authorization_id
