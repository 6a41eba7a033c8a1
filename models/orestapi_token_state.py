from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..oauth2 import sign_in as sign_ins
from ..oauth2.grants import client_credentials


class OrestapiToken(models.Model):
    """The state of a sign-in, as people see, count and search it.

    Bearer calls, refreshes and introspection decide with `_fetch`, which uses the caches of
    the process. `_get_state_expression` decides the same in SQL for many sign-ins at once;
    a test compares the two.
    """

    _inherit = 'orestapi.token'

    expires_at = fields.Datetime(
        "Expires",
        compute='_compute_expires_at',
        help="The latest time at which the user must sign in again. Empty means never.",
    )
    access_ends_at = fields.Datetime(
        "Access Token Ends",
        compute='_compute_expires_at',
        help="When the current access token stops working, by all limits in the application's settings.",
    )
    state = fields.Selection(
        [('active', "Active"), ('suspended', "Suspended"), ('expired', "Expired"), ('ended', "Ended")],
        compute='_compute_state',
        search='_search_state',
        help="Whether the application still acts for the user on this device. Suspended means that the application is "
        "archived: the sign-in works again when the application is activated.",
    )

    @api.depends('refreshed_at', 'create_date', 'access_expires_at')
    def _compute_expires_at(self):
        for sign_in in self:
            # sudo: orestapi.application - its settings decide how long the user's own sign-in works
            application = sign_in.application_id.sudo()
            is_service = sign_in.grant_type == client_credentials.NAME
            times = sign_in.create_date, sign_in.refreshed_at, sign_in.access_expires_at
            end = sign_ins.get_end(is_service, *times, application)
            sign_in.expires_at = end or False
            sign_in.access_ends_at = sign_in.access_expires_at and sign_ins.get_access_end(*times, application, end)

    @api.depends('revoked_at', 'expires_at')
    def _compute_state(self):
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM orestapi_token WHERE id = ANY(%s)",
                self._field_to_sql('orestapi_token', 'state'),
                list(self._origin._ids),
            )
        )
        states = dict(rows)
        for sign_in in self:
            sign_in.state = states.get(sign_in._origin.id, 'active')

    def _search_state(self, operator, value):
        if operator != 'in':
            return NotImplemented
        states = [state for state in value if state]
        self.env.flush_all()
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL("%s = ANY(%s)", model._field_to_sql(alias, 'state'), states)
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        # For showing, searching and grouping. A subquery for each row instead of a join: lists
        # ask for one page, or for the sign-ins of a few authorizations, and PostgreSQL cannot
        # estimate how many rows have a state.
        if field_expr != 'state':
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields['state'], 'read')
        return SQL(
            """
            (SELECT %s
               FROM orestapi_authorization AS "authorization"
               JOIN orestapi_application AS application ON application.id = "authorization".application_id
               JOIN res_users AS users ON users.id = "authorization".user_id
              WHERE "authorization".id = %s)
            """,
            self._get_state_expression(SQL.identifier(alias)),
            SQL.identifier(alias, 'authorization_id'),
        )

    @api.model
    def _get_state_expression(self, token, admitted=None):
        """Return the state of a sign-in in SQL.

        :param SQL token: the row of the sign-in; `"authorization"`, `application` and
            `users` are the rows that it belongs to
        :param SQL admitted: a column with the value of `_get_admitted_expression`, if there is one
        """
        return SQL(
            """
            CASE
            WHEN %(token)s.revoked_at IS NOT NULL
              OR users.active IS NOT TRUE
              OR %(token)s.revocation_count <> COALESCE(users.orestapi_revocation_count, 0)
              OR NOT CASE WHEN %(token)s.grant_type = %(service)s
                          THEN application.service_user_id IS NOT DISTINCT FROM users.id
                               -- As `res.users._is_service_user`.
                               AND users.share IS NOT TRUE AND users.id <> %(superuser)s
                          ELSE %(admitted)s END
            THEN 'ended'
            WHEN CASE WHEN %(token)s.grant_type = %(service)s
                      THEN LEAST(%(token)s.access_expires_at,
                                 %(token)s.create_date + application.access_token_expiry * interval '1 second')
                      ELSE LEAST(COALESCE(%(token)s.refreshed_at, %(token)s.create_date)
                                 + NULLIF(application.refresh_token_expiry, 0) * interval '1 second',
                                 %(token)s.create_date
                                 + NULLIF(application.sign_in_expiry, 0) * interval '1 second') END <= %(now)s
            THEN 'expired'
            WHEN application.active IS NOT TRUE THEN 'suspended'
            ELSE 'active' END
            """,
            token=token,
            service=client_credentials.NAME,
            superuser=SUPERUSER_ID,
            admitted=admitted or self._get_admitted_expression(),
            now=fields.Datetime.now(),
        )

    @api.model
    def _get_admitted_expression(self):
        """Return the SQL condition that the user of `"authorization"` is in a group that may use its application."""
        # sudo: orestapi.application - the groups that may use each one
        applications = self.env['orestapi.application'].sudo().with_context(active_test=False).search([])
        # A member of a group is also a member of the groups that it implies.
        pairs = [
            (application.id, group_id)
            for application in applications
            for group_id in application.group_ids.all_implied_by_ids.ids
        ]
        return SQL(
            """
            EXISTS (SELECT FROM res_groups_users_rel AS membership
                     WHERE membership.uid = "authorization".user_id
                       AND ("authorization".application_id, membership.gid) IN (
                           SELECT * FROM unnest(%s::int[], %s::int[])))
            """,
            [application_id for application_id, _group_id in pairs],
            [group_id for _application_id, group_id in pairs],
        )

    @api.model
    def _count_active(self, applications):
        """Return how many active sign-ins applications have, by id.

        :param applications: the `orestapi.application` records
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                -- Computed once for each authorization instead of each of its sign-ins.
                WITH "authorization" AS MATERIALIZED (
                    SELECT id, user_id, application_id, %(admitted)s AS admitted
                      FROM orestapi_authorization AS "authorization"
                     WHERE application_id = ANY(%(application_ids)s)
                )
                SELECT "authorization".application_id, count(*)
                  FROM "authorization"
                  JOIN orestapi_token AS token ON token.authorization_id = "authorization".id
                  JOIN orestapi_application AS application ON application.id = "authorization".application_id
                  JOIN res_users AS users ON users.id = "authorization".user_id
                 WHERE %(state)s = 'active'
                 GROUP BY "authorization".application_id
                """,
                admitted=self._get_admitted_expression(),
                application_ids=applications.ids,
                state=self._get_state_expression(SQL("token"), SQL('"authorization".admitted')),
            )
        )
        return dict(rows)
