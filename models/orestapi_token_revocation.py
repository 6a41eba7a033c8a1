import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..oauth2 import tokens
from ..oauth2.grants import authorization_code, client_credentials
from .orestapi_application import ADMINISTRATOR, ask, show_message
from .vacuum import VACUUM_BATCH, VACUUM_REST

#: For how long the clean-up looks for sign-ins that were opened while all sign-ins of their
#: user were ended. A code lives for ten minutes; the rest allows for missed clean-ups.
RACED_PERIOD = timedelta(days=30)


class OrestapiToken(models.Model):
    """How sign-ins end, and when their rows are deleted."""

    _inherit = 'orestapi.token'

    def action_revoke(self):
        """End the sign-ins: none of their tokens works any more.

        Allowed to the user themselves and to administrators of applications.

        :raise AccessError: for the sign-in of somebody else
        """
        self.check_access('read')
        is_administrator = self.env.user.has_group(ADMINISTRATOR)
        if not is_administrator and self.user_id - self.env.user:
            raise AccessError(self.env._("You can only end your own sign-ins."))
        for sign_in in self.filtered(lambda sign_in: not sign_in.revoked_at):
            is_own = sign_in.user_id == self.env.user
            self._end([sign_in.id], 'user' if is_own else 'administrator')
            self.env['orestapi.event']._log(
                'sign_in_revoked', application_id=sign_in.application_id.id, user_id=sign_in.user_id.id
            )
        return True

    def action_ask_revoke(self):
        """Ask before sign-ins are ended, and tell how many people that concerns."""
        self.check_access('read')
        active = self.filtered(lambda sign_in: not sign_in.revoked_at)
        if not active:
            return show_message(self, self.env._("None of these sign-ins is active."))
        return ask(
            active,
            'action_confirm_revoke',
            title=self.env._("Revoke Tokens"),
            body=self.env._(
                "Sign-ins that end: %(sign_ins)s. People: %(people)s. Applications: %(applications)s.\n\n"
                "These devices will be signed out immediately. The people can sign in again.",
                **active._get_revocation_counts(),
            ),
            confirm_label=self.env._("Revoke"),
        )

    def action_confirm_revoke(self):
        """End the sign-ins, and show a message."""
        counts = self.filtered(lambda sign_in: not sign_in.revoked_at)._get_revocation_counts()
        self.action_revoke()
        return show_message(
            self,
            self.env._(
                "Sign-ins that were ended: %(sign_ins)s. People: %(people)s. Applications: %(applications)s.", **counts
            ),
        )

    def _get_revocation_counts(self):
        return {
            'sign_ins': len(self),
            'people': len(self.user_id),
            'applications': len(self.application_id),
        }

    def action_sign_out(self):
        """End the sign-ins, and stay in the preferences that have the button."""
        self.action_revoke()
        return {'type': 'ir.actions.client', 'tag': 'orestapi_reload_record'}

    @api.model
    def _end(self, token_ids, reason):
        """End sign-ins, unless they have already ended.

        :param list token_ids: the rows of the sign-ins
        :param str reason: a value of `revoked_reason`
        :return: whether at least one was ended
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_token
                   SET revoked_at = %s, revoked_reason = %s
                 WHERE id = ANY(%s) AND revoked_at IS NULL
                """,
                fields.Datetime.now(),
                reason,
                list(token_ids),
            ),
            log_exceptions=False,
        )
        self.invalidate_model(['revoked_at', 'revoked_reason'])
        return bool(self.env.cr.rowcount)

    @api.model
    def _revoke(self, client, string, address):
        """Revoke a token at the request of its application (RFC 7009).

        Any genuine token of a sign-in ends the sign-in: an application that signs a user out
        expects all tokens to stop working, whichever it sends.

        :param Client client: the authenticated application
        :param str string: the token. Nothing happens for one that is unknown or
            belongs to another application.
        :param str address: the IP address of the application
        """
        parsed = tokens.parse(string)
        if not parsed or parsed.kind == tokens.AUTHORIZATION_CODE:
            return
        sign_in = self._fetch(parsed.row_id)
        if not sign_in or sign_in.client.id != client.id:
            return
        if parsed.kind == tokens.REFRESH_TOKEN:
            # The secret of the current token is enough to end the sign-in, even if the token was
            # signed with another key.
            genuine = tokens.has_digest(parsed.secret, sign_in.refresh_digest) or tokens.is_genuine(
                self._get_mac_key(), parsed
            )
        else:
            genuine = any(
                tokens.has_digest(parsed.secret, access.digest) for access in (sign_in.access, sign_in.previous_access)
            )
        if genuine and self._end([sign_in.id], 'application'):
            self.env['orestapi.event']._log(
                'token_revoked', application_id=client.id, user_id=sign_in.user_id, address=address
            )

    @api.model
    def _end_sign_ins(self, user_ids, reason):
        """End all sign-ins of users, and make their unused codes worthless.

        :param user_ids: the ids of the users
        :param str reason: a value of `revoked_reason`
        """
        # Covers sign-ins that concurrent transactions are opening, which this one does not see.
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_users
                   SET orestapi_revocation_count = COALESCE(orestapi_revocation_count, 0) + 1,
                       orestapi_revoked_at = %s
                 WHERE id = ANY(%s)
                """,
                fields.Datetime.now(),
                list(user_ids),
            ),
            log_exceptions=False,
        )
        self.env['res.users'].invalidate_model(['orestapi_revocation_count', 'orestapi_revoked_at'])
        # The counter is also in the cache of `_get_user`.
        self.env['orestapi.application']._invalidate_caches()
        self.env['orestapi.authorization.code']._invalidate_unused(user_ids)
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_token AS token
                   SET revoked_at = %s, revoked_reason = %s
                  FROM orestapi_authorization AS "authorization"
                 WHERE "authorization".id = token.authorization_id
                   AND "authorization".user_id = ANY(%s) AND revoked_at IS NULL
             RETURNING "authorization".user_id, "authorization".application_id
                """,
                fields.Datetime.now(),
                reason,
                list(user_ids),
            ),
            log_exceptions=False,
        )
        ended = self.env.cr.fetchall()
        self.invalidate_model(['revoked_at', 'revoked_reason'])
        for user_id, application_id in set(ended):
            self.env['orestapi.event']._log(
                'sign_ins_ended', application_id=application_id, user_id=user_id, detail=reason
            )
        self.env['orestapi.logout.session']._end_users(user_ids)

    @api.autovacuum
    def _gc_ended(self):
        """Delete sign-ins that have been ended.

        :return: how many were deleted, and whether there may be more
        """
        return self._delete_batch('ended', SQL("FROM orestapi_token AS token WHERE revoked_at IS NOT NULL"))

    @api.autovacuum
    def _gc_services(self):
        """Delete the sign-ins of services whose access token no longer works.

        :return: how many were deleted, and whether there may be more
        """
        return self._delete_batch(
            'services',
            SQL(
                """
                  FROM orestapi_token AS token
                  JOIN orestapi_authorization AS "authorization" ON "authorization".id = token.authorization_id
                  JOIN orestapi_application AS application ON application.id = "authorization".application_id
                  JOIN res_users AS users ON users.id = "authorization".user_id
                 WHERE grant_type = %(service)s AND (
                          access_expires_at <= %(now)s
                       OR token.create_date + access_token_expiry * interval '1 second' <= %(now)s
                       OR users.active IS NOT TRUE
                       OR application.service_user_id IS DISTINCT FROM users.id)
                """,
                service=client_credentials.NAME,
                now=fields.Datetime.now(),
            ),
        )

    @api.autovacuum
    def _gc_expired(self):
        """Delete the sign-ins of users that have expired by the settings of their application.

        :return: how many were deleted, and whether there may be more
        """
        # No index covers the deciding columns, because a refresh writes them (see the class),
        # so all sign-ins of an application are read. In most applications they never expire.
        settings = self.env.execute_query(
            SQL(
                """
                SELECT id, refresh_token_expiry, sign_in_expiry
                  FROM orestapi_application
                 WHERE refresh_token_expiry > 0 OR sign_in_expiry > 0
                """
            )
        )
        if not settings:
            return 0, False
        application_ids, refresh_token_expiries, sign_in_expiries = zip(*settings, strict=True)
        return self._delete_batch(
            'expired',
            SQL(
                """
                  FROM orestapi_token AS token
                  JOIN orestapi_authorization AS "authorization" ON "authorization".id = token.authorization_id
                  JOIN unnest(
                           %(application_ids)s::int[],
                           %(refresh_token_expiries)s::int[],
                           %(sign_in_expiries)s::int[]
                       ) AS application (id, refresh_token_expiry, sign_in_expiry)
                       ON application.id = "authorization".application_id
                 WHERE grant_type = %(user)s AND (
                          refresh_token_expiry > 0
                          AND refreshed_at + refresh_token_expiry * interval '1 second' <= %(now)s
                       OR sign_in_expiry > 0
                          AND token.create_date + sign_in_expiry * interval '1 second' <= %(now)s)
                """,
                # Passed as values: from the table, PostgreSQL would expect few rows and look up
                # the sign-ins of each application one by one.
                application_ids=list(application_ids),
                refresh_token_expiries=list(refresh_token_expiries),
                sign_in_expiries=list(sign_in_expiries),
                user=authorization_code.NAME,
                now=fields.Datetime.now(),
            ),
        )

    @api.autovacuum
    def _gc_not_allowed(self):
        """Delete the sign-ins of users who may no longer use the application.

        The users are archived or not in any of its groups. A sign-in that was opened while
        all sign-ins of its user were ended is treated in the same way.

        :return: how many were deleted, and whether there may be more
        """
        # Selected by authorization, of which there are fewer than sign-ins.
        authorizations = self.env.execute_query(
            SQL(
                """
                SELECT "authorization".id
                  FROM orestapi_authorization AS "authorization"
                  JOIN res_users AS users ON users.id = "authorization".user_id
                 WHERE users.active IS NOT TRUE OR NOT %s
                """,
                self._get_admitted_expression(),
            )
        )
        raced = self.env.execute_query(
            SQL(
                """
                SELECT token.id
                  FROM res_users AS users
                  JOIN orestapi_authorization AS "authorization" ON "authorization".user_id = users.id
                  JOIN orestapi_token AS token ON token.authorization_id = "authorization".id
                 WHERE users.orestapi_revoked_at > %s
                   AND token.revocation_count <> users.orestapi_revocation_count
                """,
                fields.Datetime.now() - RACED_PERIOD,
            )
        )
        if not authorizations and not raced:
            return 0, False
        return self._delete_batch(
            'not_allowed',
            SQL(
                """
                FROM orestapi_token AS token
               WHERE (grant_type = %s AND authorization_id = ANY(%s) OR id = ANY(%s))
                """,
                authorization_code.NAME,
                [row[0] for row in authorizations],
                [row[0] for row in raced],
            ),
        )

    @api.model
    def _delete_batch(self, kind, selection):
        """Delete some of the sign-ins that can never work again.

        :param str kind: a keyword for the reason
        :param SQL selection: the query for them from `FROM` on
        :return: how many were deleted, and whether there may be more
        """
        time.sleep(VACUUM_REST)
        # Odoo calls this again while there may be more. Each call continues after the last row
        # of the call before; otherwise it would scan all rows that are deleted but not yet
        # vacuumed.
        position = f'orestapi_token_{kind}'
        # Deletes by the position of the locked rows (ctid), in the order of an index: otherwise
        # PostgreSQL would read the whole table twice for each batch, to find the rows and to
        # delete them.
        rows = self.env.execute_query(
            SQL(
                """
                DELETE FROM orestapi_token
                 WHERE ctid = ANY(ARRAY(
                       SELECT token.ctid %s AND token.id > %s
                        ORDER BY token.id LIMIT %s FOR UPDATE OF token SKIP LOCKED))
                RETURNING id
                """,
                selection,
                self.env.cr.cache.pop(position, 0),
                VACUUM_BATCH,
            )
        )
        more = len(rows) == VACUUM_BATCH
        if more:
            self.env.cr.cache[position] = max(row[0] for row in rows)
        return len(rows), more
