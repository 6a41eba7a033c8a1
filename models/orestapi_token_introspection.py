import contextlib
from datetime import timedelta, timezone

import psycopg2.errors

from odoo import api, fields, models
from odoo.tools import SQL, frozendict, ormcache

from ..oauth2 import grant_type, scope, token
from ..oauth2 import sign_in as lifetime

#: How far the time of last use may lag behind. A bearer call then writes once in
#: this time and not each time.
LAST_USED_PRECISION = timedelta(minutes=10)

#: What is read of a sign-in; its user and its application come with it.
COLUMNS = (
    'id', 'grant_type', 'scope', 'access_digest', 'access_scope', 'access_expires_at', 'previous_access_digest',
    'previous_access_scope', 'previous_access_expires_at', 'refresh_digest', 'refresh_salt', 'generation',
    'refreshed_at', 'create_date', 'last_used_at', 'revoked_at', 'revocation_count',
)  # fmt: skip

#: With these, an application may learn the login name of the user anyway.
NAMING_SCOPES = frozenset({'rpc', 'profile'})

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
        active and (still) in a group that may use the application, and
        `expires_at`, when none of its tokens works any more (None for never).
        `_get_state_expression` is the same in SQL.
        """
        rows = self.env.execute_query(SQL("%s WHERE id = %s", SIGN_IN, token_id))
        if not rows:
            return None
        *values, (user_id, application_id) = rows[0]
        sign_in = dict(zip(COLUMNS, values, strict=True), user_id=user_id, application_id=application_id)
        sign_in.update(self._get_user(user_id))
        sign_in.update(self.env['orestapi.application']._get_settings(application_id))
        if sign_in['grant_type'] == grant_type.CLIENT_CREDENTIALS:
            admitted = user_id == sign_in['service_user_id'] and sign_in['user_is_internal']
        else:
            admitted = not sign_in['user_group_ids'].isdisjoint(sign_in['group_ids'])
        sign_in['user_may'] = sign_in['user_active'] and admitted
        if sign_in['revocation_count'] not in (None, sign_in['user_revocation_count']):
            # Opened while all sign-ins of the user were ended.
            sign_in['user_may'] = False
        sign_in['expires_at'] = self._get_expiry(sign_in)
        return sign_in

    @api.model
    def _get_expiry(self, sign_in):
        """Return when none of the tokens of a sign-in works any more, or None for never.

        :param sign_in: what `_fetch` reads of it
        """
        if sign_in['grant_type'] == grant_type.CLIENT_CREDENTIALS:
            # No user signed in, and there is no refresh token: none of the other limits applies.
            return lifetime.get_access_token_expiry(
                sign_in['create_date'],
                access_token_expiry=sign_in['access_token_expiry'],
                promised=sign_in['access_expires_at'],
            )
        return lifetime.get_expiry(
            sign_in['create_date'],
            sign_in['refreshed_at'] or sign_in['create_date'],
            refresh_token_expiry=sign_in['refresh_token_expiry'],
            sign_in_expiry=sign_in['sign_in_expiry'],
        )

    @api.model
    def _get_access_expiry(self, sign_in, prefix):
        """Return when an access token of a sign-in ends.

        :param sign_in: what `_fetch` returns
        :param str prefix: `access` for the current one, `previous_access` for the one before
        """
        return lifetime.get_access_token_expiry(
            # The one before was issued earlier than that. It has no date of its own.
            sign_in['refreshed_at'] or sign_in['create_date'],
            access_token_expiry=sign_in['access_token_expiry'],
            sign_in_expires_at=sign_in['expires_at'],
            promised=sign_in[f'{prefix}_expires_at'],
        )

    @api.model
    def _is_expired(self, sign_in):
        return sign_in['expires_at'] is not None and sign_in['expires_at'] <= fields.Datetime.now()

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
            user_is_internal=user._is_service_user(),
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
        expires_at = self._get_access_expiry(sign_in, prefix)
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
            self._touch(sign_in['id'])
        return sign_in

    @api.model
    def _touch(self, token_id):
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
                    token_id,
                ),
                log_exceptions=False,
            )

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
            if not sign_in or self._is_expired(sign_in) or not self._is_current_refresh_token(sign_in, parsed):
                return {'active': False}
            token_scope = scope.parse(sign_in['scope']) & frozenset(sign_in['application_scope'])
            expires_at = sign_in['expires_at']
        else:
            return {'active': False}
        # A refresh token is never shown to a resource server (RFC 6749 §1.5): one that came
        # to it must not open anything (RFC 7662 §4).
        may_ask_of_others = client.resource_server and parsed.kind == token.ACCESS_TOKEN
        if sign_in['application_id'] != client.id and not may_ask_of_others:
            return {'active': False}
        is_service = sign_in['grant_type'] == grant_type.CLIENT_CREDENTIALS
        response = {
            'active': True,
            'scope': scope.render(token_scope),
            'client_id': sign_in['client_id'],
            # RFC 9700 §4.15: a service must not be taken for a user.
            'sub': sign_in['client_id'] if is_service else str(sign_in['user_id']),
        }
        if client.resource_server or token_scope & NAMING_SCOPES:
            # RFC 7662 §5: who the user is, is told where it is needed or was allowed.
            response['username'] = sign_in['login']
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
