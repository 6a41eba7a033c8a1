from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.http import STORED_SESSION_BYTES, root
from odoo.tools import SQL

from ..oauth2 import scopes
from ..openid import authentication
from .res_users_authentication import SESSION_KEY
from .vacuum import VACUUM_BATCH

#: A session whose file is looked for has begun this long ago: the file of a new one may not be written yet.
SETTLED = timedelta(hours=1)


class OrestapiLogoutSession(models.Model):
    """A session in Odoo whose end an application is to be told of (Back-Channel Logout §2).

    The row is added with the code, because only the browser's request knows the session. It
    counts once the application has received an ID token that names the session. Sign-ins
    cannot take its place: they may end, and be deleted, long before the session.
    """

    _name = 'orestapi.logout.session'
    _description = "Session of an Application"
    _log_access = False

    sid = fields.Char(required=True, groups=NO_ACCESS)
    # The part of Odoo's own session id that stays the same, as in `res.device.log`.
    session_identifier = fields.Char(required=True, index=True, groups=NO_ACCESS)
    user_id = fields.Many2one('res.users', required=True, index=True, ondelete='cascade', groups=NO_ACCESS)
    application_id = fields.Many2one(
        'orestapi.application', required=True, index=True, ondelete='cascade', groups=NO_ACCESS
    )
    received = fields.Boolean(groups=NO_ACCESS)
    create_date = fields.Datetime(required=True, groups=NO_ACCESS)

    _sid_unique = models.UniqueIndex('(sid, application_id)')

    @api.model
    def _begin(self, session, client, user_id):
        """Note that an application gets a code in a session of the browser.

        :param session: the session of the request
        :param Client client: the application
        :param int user_id: the user
        """
        remembered = session.get(SESSION_KEY)
        if not client.backchannel_logout_uri or not remembered:
            return
        identifier = session.sid[:STORED_SESSION_BYTES]
        session[SESSION_KEY] = authentication.publish(remembered, identifier)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO orestapi_logout_session (sid, session_identifier, user_id, application_id, create_date)
                VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
                """,
                remembered['sid'],
                identifier,
                user_id,
                client.id,
                fields.Datetime.now(),
            ),
            log_exceptions=False,
        )

    @api.model
    def _receive(self, client, sid):
        """Note that an application receives an ID token that names a session.

        :param Client client: the application
        :param sid: the session, or None
        """
        if not client.backchannel_logout_uri or not sid:
            return
        # Of two codes that are redeemed at once, the database makes one start over.
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_logout_session SET received = TRUE
                 WHERE sid = %s AND application_id = %s AND received IS NOT TRUE
                """,
                sid,
                client.id,
            ),
            log_exceptions=False,
        )

    @api.model
    def _move(self, session):
        """Follow a session whose id Odoo has replaced: the user has filled in the login page once more.

        :param session: the session of the request
        """
        remembered, identifier = session[SESSION_KEY], session.sid[:STORED_SESSION_BYTES]
        # In a transaction of its own, because this request may only read.
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    "UPDATE orestapi_logout_session SET session_identifier = %s WHERE sid = %s",
                    identifier,
                    remembered['sid'],
                ),
                log_exceptions=False,
            )
        session[SESSION_KEY] = authentication.publish(remembered, identifier)

    @api.model
    def _end_sid(self, sid):
        """Tell applications that a session has ended.

        :param str sid: as in the ID tokens
        """
        self._end(SQL("sid = %s", sid))

    @api.model
    def _end_identifiers(self, identifiers):
        """Tell applications that sessions have ended.

        :param identifiers: the parts of Odoo's own session ids that `res.device.log` knows
        """
        self._end(SQL("session_identifier = ANY(%s)", list(identifiers)))

    @api.model
    def _end_users(self, user_ids):
        """Tell applications that all sessions of users have ended.

        :param user_ids: the ids of the users
        """
        self._end(SQL("user_id = ANY(%s)", list(user_ids)))

    @api.model
    def _end(self, condition):
        # Of two logouts at once, the database makes the second start over, and it finds no row
        # then: each application is told once.
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM orestapi_logout_session WHERE %s
             RETURNING sid, user_id, application_id, received
                """,
                condition,
            ),
            log_exceptions=False,
        )
        for sid, user_id, application_id, received in self.env.cr.fetchall():
            self._end_sign_ins(sid, user_id, application_id)
            if received:
                client = self.env['orestapi.application']._get_client(application_id)
                self.env['orestapi.logout.call']._queue(client, user_id, sid)

    @api.model
    def _end_sign_ins(self, sid, user_id, application_id):
        """End what an application got in a session: codes, and sign-ins without `offline_access` (§2.7)."""
        values = {'sid': sid, 'user_id': user_id, 'application_id': application_id}
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_authorization_code AS code SET revoked = TRUE
                  FROM orestapi_authorization AS "authorization"
                 WHERE "authorization".id = code.authorization_id AND used_at IS NULL
                   AND user_id = %(user_id)s AND application_id = %(application_id)s AND sid = %(sid)s
                """,
                **values,
            ),
            log_exceptions=False,
        )
        self.env['orestapi.authorization.code'].invalidate_model(['revoked'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT token.id
                  FROM orestapi_token AS token
                  JOIN orestapi_authorization AS "authorization" ON "authorization".id = token.authorization_id
                 WHERE user_id = %(user_id)s AND application_id = %(application_id)s AND sid = %(sid)s
                   AND revoked_at IS NULL AND NOT %(offline)s = ANY(string_to_array(token.scope, ' '))
                """,
                offline=scopes.OFFLINE_ACCESS,
                **values,
            )
        )
        if rows and self.env['orestapi.token']._end([row[0] for row in rows], 'session_ended'):
            self.env['orestapi.event']._log(
                'sign_ins_ended', application_id=application_id, user_id=user_id, detail='session_ended'
            )

    @api.autovacuum
    def _gc_vanished(self):
        """Tell applications of sessions that Odoo has deleted because nobody used them for too long.

        :return: how many have ended, and that there are no more
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT session_identifier FROM orestapi_logout_session WHERE create_date < %s",
                fields.Datetime.now() - SETTLED,
            )
        )
        vanished = sorted(root.session_store.get_missing_session_identifiers({row[0] for row in rows}))
        if vanished:
            self._end_identifiers(vanished[:VACUUM_BATCH])
        return len(vanished[:VACUUM_BATCH]), len(vanished) > VACUUM_BATCH
