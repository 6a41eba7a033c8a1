import dataclasses

from odoo import api, fields, models
from odoo.tools import SQL, config, ormcache

from ..dispatchers import autocommit
from ..oauth2 import client_authentication, client_secret, origin, quotation, redirect_uris, tokens
from ..oauth2.client import Client
from ..oauth2.errors import LOGGED, InvalidClient
from ..oauth2.grants import authorization_code, client_credentials, refresh_token
from ..oauth2.quotation import MAX_CLIENT_ID_LENGTH
from .orestapi_authentication_failure import LIMIT

#: What the protocol wants to know of an application.
CLIENT_FIELDS = tuple(field.name for field in dataclasses.fields(Client))


class UnknownClient(Exception):
    """No active application has the client id."""


class OrestapiApplication(models.Model):
    """What the protocol asks of an application.

    On the way of every token request, so that little of it asks the database.
    """

    _inherit = 'orestapi.application'

    @api.model
    def _find_client(self, client_id):
        """Return the `Client` of an active application, or None.

        :param str client_id: as the request sent it
        """
        client, _secrets = self._find_client_and_secrets(client_id)
        return client

    @api.model
    def _authenticate_client(self, credentials, address, foreign_origin=None):
        """Authenticate a client (RFC 6749 §2.3, §3.2.1).

        Failures are counted where a secret can be guessed. Those of pages of other sites
        have a count of their own: a page could keep the application out that works
        behind the same address as one of its visitors. With one count less, or none for
        them, a program that pretends to be such a page could guess without a limit; as
        it is, it has twice as many guesses as without.

        :param Credentials credentials: what it sent
        :param str address: where the request came from
        :param foreign_origin: see `origin.find_foreign`
        :return: its `Client`
        :raise InvalidClient: for an unknown or inactive application, a wrong
            secret, or an application that claims to be of the other type; all
            alike, so that nobody learns which it was
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
        """Count a failed authentication, and leave an event of it.

        :param reason: see `_find_meant`
        :param bool cross_site: whether a page of another site caused it
        :param int failures: how many are counted already
        """
        failure = self.env['orestapi.authentication.failure']
        if client and client.is_public:
            # A public application is never locked out, so that its failures have no end: one
            # event tells what is wrong, as long as the window lasts.
            cross_site = False
            if failure._get_dates(application_id, address, cross_site):
                return
        # An addon may put a savepoint around either.
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
        """Return in a word what an administrator can mend; the application is told of none of it."""
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
        """Return which application unknown credentials seem to be of, and what is wrong with them.

        :return: the id of the application or None, and the reason
        """
        if archived_id := self._find_archived(credentials.client_id):
            return archived_id, 'application_archived'
        if credentials.client_secret:
            rows = self.env.execute_query(
                SQL(
                    # By its digest: Odoo can log statements, and this is usually a secret.
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

        Cached as `_get_client`.

        :return: the client, and for each secret its hash and until when it works
        :raise UnknownClient: when there is none. Not a result, because it would be
            remembered: strangers could fill the cache with client ids of their own.
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

        Cached like Odoo's access rights, because to plan the joins takes PostgreSQL
        longer than all else of a request: a change empties the cache, also that of
        other processes before their next request.

        :param int application_id: the row of the application
        """
        # What is not written yet would be missing from the cache for good.
        self.env.flush_all()
        # Each setting that the protocol knows and that is a column: to add one is to add
        # it to the model and to `Client`.
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
        # A column that was added to a table with rows may be empty.
        row.update({field.name: bool(row[field.name]) for field in columns if field.type == 'boolean'})
        scope = frozenset(row['scope'])
        grant_types = {authorization_code.NAME, refresh_token.NAME}
        if row['service_user_id']:
            grant_types.add(client_credentials.NAME)
        return Client(**{
            **row,
            'redirect_uris': tuple(row['redirect_uris']),
            'group_ids': frozenset(row['group_ids']),
            'allowed_origins': origin.parse(row['allowed_origins']),
            'scope': scope,
            # Reading is what an application gets that does not say what it wants.
            'default_scope': scope & {'read'} or scope,
            'grant_types': frozenset(grant_types),
        })

    @api.model
    def _get_signal(self):
        """Return a number that grows when a process tells the others to empty their caches, or None.

        Part of the key of what is cached where a replica is configured: Odoo looks for
        the news there, and if it is behind, a process would honour an application that
        another one has just archived.
        """
        if not config['db_replica_host']:
            return None
        [[signal]] = self.env.execute_query(SQL("SELECT max(id) FROM orm_signaling_default"))
        return signal

    @api.model
    def _is_allowed_origin(self, text):
        """Return whether any active application lists an origin (CORS)."""
        # A preflight request names no application. What cannot be an origin is not
        # looked for: PostgreSQL refuses a NUL character.
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

    def _is_identity_assured(self, uri):
        """Return whether a code sent to `uri` can only reach this application.

        Any program on the device can claim a loopback port or a private-use
        scheme, so that an application that receives its code there is asked for
        anew each time (RFC 8252 §8.6). A confidential one too: a secret that is
        part of a program is known to anyone who has the program (§8.5).
        """
        self.ensure_one()
        return not (redirect_uris.is_loopback(uri) or redirect_uris.is_private_use(uri))
