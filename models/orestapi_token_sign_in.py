from odoo import api, models
from odoo.tools import SQL, frozendict, ormcache

from ..oauth2 import scopes
from ..oauth2.grants import client_credentials
from ..oauth2.sign_in import AccessToken, SignIn

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
    """How a stored sign-in is read: as the value with which redemption, bearer calls and introspection decide."""

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
