import contextlib
from datetime import timezone

import psycopg2.errors

from odoo import api, fields, models
from odoo.tools import SQL, frozendict, ormcache

from ..oauth2 import grant_type, scope, token
from .orestapi_application import LAST_USED_PRECISION

#: What is read of a sign-in; its user and its application come with it.
COLUMNS = (
    'id', 'grant_type', 'scope', 'access_digest', 'access_scope', 'access_expires_at', 'previous_access_digest',
    'previous_access_scope', 'previous_access_expires_at', 'refresh_digest', 'refresh_salt', 'generation',
    'refreshed_at', 'create_date', 'last_used_at', 'revoked_at', 'revocation_count',
)  # fmt: skip

# A subquery and no join: this is on the way of each request, and PostgreSQL takes
# several times as long to plan a join as to execute it. Plans are not kept, because
# Odoo resets each connection after its use.
SIGN_IN = SQL(
    """
    SELECT %s, (SELECT ARRAY[user_id, application_id] FROM orestapi_authorization WHERE id = authorization_id)
      FROM orestapi_token
    """,
    SQL(", ").join(map(SQL.identifier, COLUMNS)),
)


class OrestapiToken(models.Model):
    """What a presented token stands for: at a bearer call and at introspection."""

    _inherit = 'orestapi.token'

    @api.model
    def _fetch(self, token_id):
        """Return all that decides about the tokens of a sign-in, or None.

        Besides the columns of the sign-in: `user_may`, whether the user is
        active and (still) in a group that may use the application.
        """
        rows = self.env.execute_query(SQL("%s WHERE id = %s", SIGN_IN, token_id))
        if not rows:
            return None
        *values, (user_id, application_id) = rows[0]
        sign_in = dict(zip(COLUMNS, values, strict=True), user_id=user_id, application_id=application_id)
        sign_in.update(self._get_user(user_id))
        sign_in.update(self.env['orestapi.application']._get_settings(application_id))
        if sign_in['grant_type'] == grant_type.CLIENT_CREDENTIALS:
            admitted = user_id == sign_in['service_user_id']
        else:
            admitted = not sign_in['user_group_ids'].isdisjoint(sign_in['group_ids'])
        sign_in['user_may'] = sign_in['user_active'] and admitted
        if sign_in['revocation_count'] not in (None, sign_in['user_revocation_count']):
            # Opened while all sign-ins of the user were ended.
            sign_in['user_may'] = False
        return sign_in

    @api.model
    @ormcache('user_id', "self.env['orestapi.application']._get_signal()")
    def _get_user(self, user_id):
        # Emptied by core whenever login, activity or groups change, and by `_end_all`.
        self.env.flush_all()
        [(login, active, revocation_count)] = self.env.execute_query(
            SQL("SELECT login, active, orestapi_revocation_count FROM res_users WHERE id = %s", user_id)
        )
        # sudo: res.users - only asks for the groups of the user
        user = self.env['res.users'].sudo().browse(user_id)
        return frozendict(
            login=login,
            user_active=active,
            user_revocation_count=revocation_count or 0,
            user_group_ids=user._get_all_group_ids(),
        )

    @api.model
    def _find_access_token(self, string):
        """Return the sign-in of a valid access token, or None.

        :param str string: what was presented
        :return: the row of `_fetch`, with `token_scope` (a set of scope tokens)
            and `token_expires_at` of the presented token added
        """
        parsed = token.parse(string)
        if not parsed or parsed.kind != token.ACCESS_TOKEN:
            return None
        sign_in = self._fetch(parsed.row_id)
        if not sign_in or sign_in['revoked_at'] or not sign_in['application_active'] or not sign_in['user_may']:
            return None
        for prefix in ('access', 'previous_access'):
            if token.has_digest(parsed.secret, sign_in[f'{prefix}_digest']):
                break
        else:
            return None
        expires_at = sign_in[f'{prefix}_expires_at']
        if expires_at <= fields.Datetime.now():
            return None
        sign_in['token_expires_at'] = expires_at
        sign_in['token_scope'] = scope.parse(sign_in[f'{prefix}_scope']) & frozenset(sign_in['application_scope'])
        return sign_in

    @api.model
    def _authenticate_bearer(self, string):
        """Return the sign-in of an access token that is presented to use it.

        :param str string: the access token
        :return: see `_find_access_token`
        """
        if self.env.cr.readonly:
            # Perhaps of a replica, which is behind: it would honour a token that was
            # just revoked, and refuse one that was just issued.
            with self.env.registry.cursor() as cr:
                sign_in = self.with_env(self.env(cr=cr))._find_access_token(string)
        else:
            sign_in = self._find_access_token(string)
        if sign_in and sign_in['last_used_at'] + LAST_USED_PRECISION < fields.Datetime.now():
            self._touch(sign_in)
        return sign_in

    @api.model
    def _touch(self, sign_in):
        # In a transaction of its own: the call that uses the token may be
        # read-only, may fail, and may not wait for a refresh that runs.
        with self.env.registry.cursor() as cr, contextlib.suppress(psycopg2.errors.SerializationFailure):
            cr.execute(
                SQL(
                    """
                    UPDATE orestapi_token SET last_used_at = %s
                     WHERE id IN (SELECT id FROM orestapi_token WHERE id = %s FOR UPDATE SKIP LOCKED)
                    """,
                    fields.Datetime.now(),
                    sign_in['id'],
                ),
                log_exceptions=False,
            )
            self.env(cr=cr)['orestapi.application']._remember_use(sign_in['application_id'])

    @api.model
    def _introspect(self, client, string):
        """Describe a token to an application (RFC 7662 §2.2).

        :param Client client: the authenticated application
        :param str string: the token
        :return: the response; `{'active': False}` and no more for any token that
            is not valid or not the application's business
        """
        parsed = token.parse(string)
        if not parsed:
            return {'active': False}
        if parsed.kind == token.ACCESS_TOKEN:
            sign_in = self._find_access_token(string)
            if not sign_in:
                return {'active': False}
            token_scope, expires_at = sign_in['token_scope'], sign_in['token_expires_at']
        elif parsed.kind == token.REFRESH_TOKEN:
            sign_in = self._fetch(parsed.row_id)
            if not sign_in or not self._is_current_refresh_token(sign_in, parsed):
                return {'active': False}
            token_scope = scope.parse(sign_in['scope']) & frozenset(sign_in['application_scope'])
            expires_at = self._get_refresh_expiry(
                sign_in['create_date'],
                sign_in['refreshed_at'],
                sign_in['refresh_token_expiry'],
                sign_in['sign_in_expiry'],
            )
            if expires_at and expires_at <= fields.Datetime.now():
                return {'active': False}
        else:
            return {'active': False}
        if sign_in['application_id'] != client.id and not client.resource_server:
            return {'active': False}
        is_service = sign_in['grant_type'] == grant_type.CLIENT_CREDENTIALS
        response = {
            'active': True,
            'scope': scope.render(token_scope),
            'client_id': sign_in['client_id'],
            'username': sign_in['login'],
            # RFC 9700 §4.15: a service must not be taken for a user.
            'sub': sign_in['client_id'] if is_service else str(sign_in['user_id']),
        }
        if parsed.kind == token.ACCESS_TOKEN:
            response['token_type'] = 'Bearer'
        if expires_at:
            response['exp'] = int(expires_at.replace(tzinfo=timezone.utc).timestamp())
        return response

    @api.model
    def _is_current_refresh_token(self, sign_in, parsed):
        return (
            not sign_in['revoked_at']
            and sign_in['application_active']
            and sign_in['user_may']
            and parsed.generation == sign_in['generation']
            and token.has_digest(parsed.secret, sign_in['refresh_digest'])
            and token.is_genuine(self._get_mac_key(), parsed)
        )
