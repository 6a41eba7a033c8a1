import dataclasses

from odoo import api, fields, models
from odoo.tools import SQL, config, ormcache

from ..dispatchers import autocommit
from ..oauth2 import client_authentication, client_secret, origin, quotation, tokens
from ..oauth2.client import Client
from ..oauth2.errors import LOGGED, InvalidClient
from ..oauth2.grants import authorization_code, client_credentials, refresh_token
from ..oauth2.quotation import MAX_CLIENT_ID_LENGTH
from ..oauth2.scopes import OPENID
from ..openid.claims import DefinedClaim
from .orestapi_authentication_failure import LIMIT

#: The settings of an application that the protocol needs.
CLIENT_FIELDS = tuple(field.name for field in dataclasses.fields(Client))


class UnknownClient(Exception):
    """No active application has the client id."""


class OrestapiApplication(models.Model):
    """The methods of an application that the protocol calls.

    Every token request runs through them, so they query the database as little as possible.
    """

    _inherit = 'orestapi.application'

    @api.model
    def _find_client(self, client_id):
        """Return the `Client` of an active application, or None.

        :param str client_id: the client id in the request
        """
        client, _secrets = self._find_client_and_secrets(client_id)
        return client

    @api.model
    def _authenticate_client(self, credentials, address, foreign_origin=None):
        """Authenticate a client (RFC 6749 §2.3, §3.2.1).

        Failures are counted for clients that have a secret to guess. Failures caused by
        pages of other sites are counted separately: otherwise a page could lock out an
        application behind the same IP address as one of the page's visitors. They are
        counted all the same, because a program that pretends to be such a page could
        otherwise guess without limit; this way it has twice as many guesses.

        :param Credentials credentials: the credentials in the request
        :param str address: the IP address that the request came from
        :param foreign_origin: see `origin.find_foreign`
        :return: its `Client`
        :raise InvalidClient: for an unknown or inactive application, a wrong
            secret, or an application that claims to be of the other type; always the
            same, so that nobody learns which it was
        :raise TooManyRequests: see `orestapi.authentication.failure`
        """
        client, secrets = self._find_client_and_secrets(credentials.client_id)
        now = fields.Datetime.now()
        application_id, reason = (client.id, None) if client else self._find_meant(credentials)
        cross_site = foreign_origin is not None and not (client and foreign_origin in client.allowed_origins)
        has_secret = not client or not client.is_public
        failure = self.env['orestapi.authentication.failure']
        failures = failure._check_limit(application_id, address, cross_site) if has_secret else 0
        if credentials.method == client_authentication.NONE:
            authenticated = bool(client) and client.is_public
        else:
            hashes = [hash_ for hash_, expires_at in secrets if not expires_at or expires_at > now]
            if not client or client.is_public:
                hashes = [None]
            authenticated = any(client_secret.verify(credentials.client_secret, stored) for stored in hashes)
        if not authenticated:
            self._log_failure(client, secrets, credentials, application_id, address, reason, cross_site, failures)
            raise InvalidClient(reason=LOGGED)
        return client

    @api.model
    def _log_failure(self, client, secrets, credentials, application_id, address, reason, cross_site, failures):
        """Count a failed authentication, and log an event of it.

        :param reason: see `_find_meant`
        :param bool cross_site: whether a page of another site caused it
        :param int failures: how many have been counted already
        """
        failure = self.env['orestapi.authentication.failure']
        if client and client.is_public:
            # A public application is never locked out, so its failures may go on forever. One
            # event per window is enough to tell what is wrong.
            cross_site = False
            if failure._get_dates(application_id, address, cross_site):
                return
        # An addon may put a savepoint around each of the two.
        autocommit.leave(self.env.cr)
        failure._count(application_id, address, cross_site)
        event = self.env['orestapi.event']
        event._log(
            'client_authentication_failed',
            application_id=application_id,
            address=address,
            reason=reason or self._get_failure_reason(client, secrets, credentials, cross_site),
            sent=None if application_id else quotation.quote(credentials.client_id, MAX_CLIENT_ID_LENGTH),
        )
        if failures == LIMIT - 1:
            event._log('request_refused', application_id=application_id, address=address, reason='too_many_failures')

    @api.model
    def _get_failure_reason(self, client, secrets, credentials, cross_site):
        """Return the reason of a failure as a keyword for the administrator; the application never learns it."""
        if client.is_public:
            return 'secret_unexpected'
        if cross_site:
            return 'cross_site'
        if credentials.method == client_authentication.NONE or not credentials.client_secret:
            return 'secret_missing'
        if not any(hash_ for hash_, _expires_at in secrets):
            return 'secret_none'
        return 'secret_wrong'

    @api.model
    def _find_archived(self, client_id):
        """Return the id of the archived application of a client id, or None."""
        rows = self.env.execute_query(
            SQL("SELECT id FROM orestapi_application WHERE client_id = %s AND active IS NOT TRUE", client_id)
        )
        return rows[0][0] if rows else None

    @api.model
    def _find_meant(self, credentials):
        """Return the application that unknown credentials seem to belong to, and what is wrong with them.

        :return: the id of the application or None, and the reason
        """
        if archived_id := self._find_archived(credentials.client_id):
            return archived_id, 'application_archived'
        if credentials.client_secret:
            rows = self.env.execute_query(
                SQL(
                    # Compares a digest, because Odoo can log statements and this is usually a secret.
                    "SELECT id FROM orestapi_application WHERE active AND encode(sha256(client_id::bytea), 'hex') = %s",
                    tokens.compute_digest(credentials.client_secret),
                )
            )
            if rows:
                return rows[0][0], 'credentials_swapped'
        return None, 'client_id'

    @api.model
    def _find_client_and_secrets(self, client_id):
        try:
            return self._get_client_and_secrets(client_id)
        except UnknownClient:
            return None, ()

    @api.model
    @ormcache('client_id', 'self._get_signal()')
    def _get_client_and_secrets(self, client_id):
        """Return the `Client` of an active application, and the hashes of its secrets.

        Cached like `_get_client`.

        :return: the client, and for each secret its hash and until when it works
        :raise UnknownClient: when there is none. A result would be cached, and strangers
            could fill the cache with made-up client ids.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, client_secret_hash, previous_client_secret_hash, previous_client_secret_expires_at
                  FROM orestapi_application
                 WHERE client_id = %s AND active
                """,
                client_id,
            )
        )
        if not rows:
            raise UnknownClient
        [(application_id, secret, previous_secret, previous_expires_at)] = rows
        secrets = [(secret, None)]
        if previous_secret and previous_expires_at:
            secrets.append((previous_secret, previous_expires_at))
        return self._get_client(application_id), tuple(secrets)

    @api.model
    @ormcache('application_id', 'self._get_signal()')
    def _get_client(self, application_id):
        """Return the `Client` of an application that exists, active or not.

        Cached like Odoo's access rights, because planning the joins takes PostgreSQL longer
        than the rest of a request. A change empties the cache of every process before its
        next request.

        :param int application_id: the row of the application
        """
        # Otherwise the cache would miss values that are not written yet.
        self.env.flush_all()
        # Every field of `Client` that is a column. A new setting is added to the model and to
        # `Client` only.
        columns = [
            field for name in CLIENT_FIELDS if (field := self._fields.get(name)) and field.store and field.column_type
        ]
        [row] = self.env.execute_query_dict(
            SQL(
                """
                SELECT %s,
                       ARRAY(SELECT uri FROM orestapi_application_uri WHERE application_id = application.id ORDER BY id)
                           AS redirect_uris,
                       ARRAY(SELECT res_groups_id
                               FROM orestapi_application_res_groups_rel
                              WHERE orestapi_application_id = application.id)
                           AS group_ids,
                       ARRAY(SELECT scope.name
                               FROM orestapi_application_orestapi_scope_rel AS rel
                               JOIN orestapi_scope AS scope ON scope.id = rel.orestapi_scope_id
                              WHERE rel.orestapi_application_id = application.id)
                           AS scope
                  FROM orestapi_application AS application
                 WHERE id = %s
                """,
                SQL(", ").join(SQL.identifier('application', field.name) for field in columns),
                application_id,
            )
        )
        # A boolean column is NULL in rows that are older than the column.
        row.update({field.name: bool(row[field.name]) for field in columns if field.type == 'boolean'})
        scope = frozenset(row['scope'])
        grant_types = {authorization_code.NAME, refresh_token.NAME}
        if row['service_user_id']:
            grant_types.add(client_credentials.NAME)
        return Client(**{
            **row,
            'group_claims': self._find_group_claims(application_id) if OPENID in scope else (),
            'defined_claims': self._find_defined_claims(application_id) if OPENID in scope else (),
            'redirect_uris': tuple(row['redirect_uris']),
            'group_ids': frozenset(row['group_ids']),
            'allowed_origins': origin.parse(row['allowed_origins']),
            'post_logout_redirect_uris': tuple((row['post_logout_redirect_uris'] or '').split()),
            'scope': scope,
            # An application that requests no scope gets `read`.
            'default_scope': scope & {'read'} or scope,
            'grant_types': frozenset(grant_types),
        })

    @api.model
    def _find_group_claims(self, application_id):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT claim.group_id, claim.name
                  FROM orestapi_application_orestapi_group_claim_rel AS rel
                  JOIN orestapi_group_claim AS claim ON claim.id = rel.orestapi_group_claim_id
                 WHERE rel.orestapi_application_id = %s
                 ORDER BY claim.name, claim.group_id
                """,
                application_id,
            )
        )
        return tuple(rows)

    @api.model
    def _find_defined_claims(self, application_id):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT claim.id, claim.name, claim.path, scope.name
                  FROM orestapi_application_orestapi_claim_rel AS rel
                  JOIN orestapi_claim AS claim ON claim.id = rel.orestapi_claim_id
                  JOIN orestapi_scope AS scope ON scope.id = claim.scope_id
                 WHERE rel.orestapi_application_id = %s
                 ORDER BY claim.name, claim.id
                """,
                application_id,
            )
        )
        return tuple(DefinedClaim(*row) for row in rows)

    @api.model
    def _get_signal(self):
        """Return a number that grows when a process tells the others to empty their caches, or None.

        With a replica, it is part of the cache key: Odoo looks for such messages at the
        replica, and while that lags behind, a process would still accept an application that
        another process has just archived.
        """
        if not config['db_replica_host']:
            return None
        [[signal]] = self.env.execute_query(SQL("SELECT max(id) FROM orm_signaling_default"))
        return signal

    @api.model
    def _is_allowed_origin(self, text):
        """Return whether any active application lists an origin (CORS)."""
        # A preflight request names no application. The text is checked first, because
        # PostgreSQL refuses NUL characters.
        return origin.is_origin(text) and bool(
            self.env.execute_query(
                SQL(
                    """
                    SELECT FROM orestapi_application
                     WHERE active AND %s = ANY(string_to_array(translate(allowed_origins, E'\\r\\n\\t', '   '), ' '))
                     LIMIT 1
                    """,
                    text,
                )
            )
        )
