import contextlib

import psycopg2.errors

from odoo import api, fields, models
from odoo.tools import SQL, frozendict, ormcache

from ..oauth2 import responses, scopes, tokens
from ..oauth2.grants import client_credentials
from ..oauth2.sign_in import AccessToken, SignIn
from .orestapi_application import LAST_USED_PRECISION

#: The columns of a sign-in that `_fetch` reads, besides the ids of its user and application.
COLUMNS = (
    'id', 'grant_type', 'scope', 'access_digest', 'access_scope', 'access_expires_at', 'previous_access_digest',
    'previous_access_scope', 'previous_access_expires_at', 'refresh_digest', 'refresh_salt', 'generation',
    'refreshed_at', 'create_date', 'last_used_at', 'revoked_at', 'revocation_count',
)  # fmt: skip

# A subquery instead of a join: every request runs this, and PostgreSQL takes several times
# as long to plan a join as to execute it. Plans are not cached, because Odoo resets each
# connection after use.
SIGN_IN = SQL(
    """
    SELECT %s, (SELECT ARRAY[user_id, application_id] FROM orestapi_authorization WHERE id = authorization_id)
      FROM orestapi_token
    """,
    SQL(", ").join(map(SQL.identifier, COLUMNS)),
)


class OrestapiToken(models.Model):
    """How a presented token is checked, in bearer calls and at introspection."""

    _inherit = 'orestapi.token'

    @api.model
    def _fetch(self, token_id):
        """Return the `SignIn` of a row, with the current settings of its application, or None.

        `_get_state_expression` decides the same in SQL.

        :param int token_id: the row
        """
        rows = self.env.execute_query(SQL("%s WHERE id = %s", SIGN_IN, token_id))
        if not rows:
            return None
        *values, (user_id, application_id) = rows[0]
        row = dict(zip(COLUMNS, values, strict=True))
        client = self.env['orestapi.application']._get_client(application_id)
        user = self._get_user(user_id)
        is_service = row['grant_type'] == client_credentials.NAME
        if is_service:
            admitted = user_id == client.service_user_id and user['user_is_internal']
        else:
            admitted = not user['user_group_ids'].isdisjoint(client.group_ids)
        return SignIn(
            id=row['id'],
            client=client,
            user_id=user_id,
            username=user['login'],
            is_service=is_service,
            scope=scopes.parse(row['scope']),
            access=AccessToken(row['access_digest'], row['access_scope'], row['access_expires_at']),
            previous_access=AccessToken(
                row['previous_access_digest'], row['previous_access_scope'], row['previous_access_expires_at']
            ),
            refresh_digest=row['refresh_digest'],
            refresh_salt=row['refresh_salt'],
            generation=row['generation'],
            signed_in_at=row['create_date'],
            refreshed_at=row['refreshed_at'],
            last_used_at=row['last_used_at'],
            revoked_at=row['revoked_at'],
            user_active=user['user_active'],
            # The counts differ if the sign-in was opened while all sign-ins of the user were ended.
            user_allowed=user['user_active']
            and admitted
            and row['revocation_count'] in (None, user['user_revocation_count']),
        )

    @api.model
    @ormcache('user_id', "self.env['orestapi.application']._get_signal()")
    def _get_user(self, user_id):
        # The cache is emptied by core when login, activity or groups change, and by `_end_sign_ins`.
        self.env.flush_all()
        [(login, active, revocation_count)] = self.env.execute_query(
            SQL("SELECT login, active, orestapi_revocation_count FROM res_users WHERE id = %s", user_id)
        )
        # sudo: res.users - the groups of the user
        user = self.env['res.users'].sudo().browse(user_id)
        return frozendict(
            login=login,
            user_active=active,
            user_revocation_count=revocation_count or 0,
            user_group_ids=user._get_all_group_ids(),
            user_is_internal=user._is_service_user(),
        )

    @api.model
    def _find_access_token(self, string):
        """Return the `ActiveToken` of an access token that works now, or None.

        :param str string: the presented token
        """
        parsed = tokens.parse(string)
        if not parsed or parsed.kind != tokens.ACCESS_TOKEN:
            return None
        sign_in = self._fetch(parsed.row_id)
        return sign_in and sign_in.find_access(parsed.secret, fields.Datetime.now())

    @api.model
    def _authenticate_bearer(self, string):
        """Return the `ActiveToken` of an access token that is used for a call, or None.

        :param str string: the presented token
        """
        if self.env.cr.readonly:
            # This cursor may read a lagging replica, which would accept a token that was just
            # revoked and refuse one that was just issued.
            with self.env.registry.cursor() as cr:
                active = self.with_env(self.env(cr=cr))._find_access_token(string)
        else:
            active = self._find_access_token(string)
        if active and active.sign_in.last_used_at + LAST_USED_PRECISION < fields.Datetime.now():
            self._touch(active.sign_in)
        return active

    @api.model
    def _touch(self, sign_in):
        # In a separate transaction: the call that uses the token may be read-only, may fail,
        # and must not wait for a refresh that is running.
        with self.env.registry.cursor() as cr, contextlib.suppress(psycopg2.errors.SerializationFailure):
            cr.execute(
                SQL(
                    """
                    UPDATE orestapi_token SET last_used_at = %s
                     WHERE id IN (SELECT id FROM orestapi_token WHERE id = %s FOR UPDATE SKIP LOCKED)
                    """,
                    fields.Datetime.now(),
                    sign_in.id,
                ),
                log_exceptions=False,
            )
            self.env(cr=cr)['orestapi.application']._store_use(sign_in.client.id)

    @api.model
    def _introspect(self, client, string):
        """Describe a token to an application (RFC 7662 §2.2).

        :param Client client: the authenticated application
        :param str string: the token
        :return: the response; `{'active': False}` for any token that is not valid or that the
            application may not know about
        """
        parsed = tokens.parse(string)
        if not parsed or parsed.kind == tokens.AUTHORIZATION_CODE or not (sign_in := self._fetch(parsed.row_id)):
            return responses.INACTIVE
        now = fields.Datetime.now()
        if parsed.kind == tokens.ACCESS_TOKEN:
            active = sign_in.find_access(parsed.secret, now)
        else:
            active = sign_in.find_refresh(parsed, tokens.is_genuine(self._get_mac_key(), parsed), now)
        issuer = self.env['orestapi.server']._get_issuer()
        subject = None
        if active and scopes.OPENID in active.scope and not sign_in.is_service:
            subject = self.env['orestapi.subject']._get_subject(sign_in.user_id, sign_in.client)
        return responses.build_introspection_response(parsed.kind, active, client, issuer, subject)
