import hashlib
import hmac

from odoo import api, fields, models
from odoo.tools import SQL, ormcache

from ..jose import key_set
from ..jose.algorithms import RS256
from ..oauth2 import metadata, origin
from ..openid import discovery
from .orestapi_key import NEW_KEY

#: Keys that are stored, so that they stay the same in a restored backup: Odoo gives a
#: restored or duplicated database another `database.secret`, and refresh tokens must outlive
#: that. All other keys are derived from `database.secret`: their signatures live for minutes
#: and need not be valid in a copy.
STORED = ('refresh_token',)


class OrestapiServer(models.AbstractModel):
    """The authorization server itself: its issuer, its metadata and its keys."""

    _name = 'orestapi.server'
    _description = "Authorization Server"

    @api.model
    @ormcache(cache='stable')
    def _get_issuer(self):
        """Return the issuer identifier (RFC 8414 §2): the base URL of this server.

        It is never taken from the request: an attacker who chooses the header `Host` must
        not choose where applications send their codes and secrets (RFC 9700 §4.13).
        """
        # Cached where a change of a system parameter empties the cache.
        # sudo: ir.config_parameter - the issuer is public
        parameters = self.env['ir.config_parameter'].sudo()
        issuer = origin.repair((parameters.get_param('orestapi.issuer') or '').strip().rstrip('/'))
        # The parameter may have been written without the check of the settings page.
        if not origin.is_origin(issuer):
            issuer = origin.repair((parameters.get_param('web.base.url') or '').strip().rstrip('/'))
        return issuer

    @api.model
    def _derive_key(self, purpose):
        """Return a secret key of this database.

        :param str purpose: the purpose of the key; each has its own
        :return: 32 bytes
        """
        if purpose in STORED:
            return self._get_stored_key(purpose)
        # sudo: ir.config_parameter - keys are derived from the secret of the database
        secret = self.env['ir.config_parameter'].sudo().get_param('database.secret')
        return hmac.digest(secret.encode(), f'orestapi.{purpose}'.encode(), hashlib.sha256)

    @api.model
    @ormcache('purpose')
    def _get_stored_key(self, purpose):
        query = SQL("SELECT value FROM orestapi_key WHERE purpose = %s", purpose)
        rows = self.env.execute_query(query)
        if not rows:
            # Somebody has deleted the key. Created in a separate transaction, because this
            # request may fail or be read-only.
            with self.env.registry.cursor() as cr:
                if self._create_keys(cr):
                    self._end_unverifiable(cr)
                cr.execute(query)
                rows = cr.fetchall()
            # Other processes may have cached the previous key.
            self.env.registry.clear_cache()
        [[value]] = rows
        return bytes.fromhex(value)

    @api.model
    def _create_keys(self, cr):
        """Create the stored keys that are missing.

        :param cr: the cursor of a transaction that has read nothing
        :return: whether one was missing
        """
        # Locked, because two workers that create a key at once would sign with two keys. The
        # lock comes before any read, so that the second sees the key of the first.
        cr.execute(SQL("LOCK TABLE orestapi_key IN SHARE ROW EXCLUSIVE MODE"))
        cr.execute(
            SQL(
                """
                INSERT INTO orestapi_key (purpose, value)
                SELECT missing, %s FROM unnest(%s) AS missing
                 WHERE NOT EXISTS (SELECT FROM orestapi_key WHERE purpose = missing)
                """,
                NEW_KEY,
                list(STORED),
            )
        )
        return bool(cr.rowcount)

    @api.model
    def _end_unverifiable(self, cr):
        """End the sign-ins of users, because a new key does not verify their refresh tokens."""
        cr.execute(
            SQL(
                """
                UPDATE orestapi_token SET revoked_at = %s, revoked_reason = 'key_replaced'
                 WHERE revoked_at IS NULL AND refresh_digest IS NOT NULL
                """,
                fields.Datetime.now(),
            )
        )

    @api.model
    def _get_metadata(self):
        """Return the metadata document, for both addresses (RFC 8414 §2, OpenID Connect Discovery §3).

        Addons can add members.
        """
        return {**self._build_metadata()}

    @api.model
    @ormcache("self.env['orestapi.application']._get_signal()")
    def _build_metadata(self):
        # sudo: orestapi.scope - the names of the scopes are public, as all of this document
        scopes = self.env['orestapi.scope'].sudo().search([]).mapped('name')
        document = metadata.build(self._get_issuer(), scopes)
        languages = self.env['res.lang']
        locales = [languages._get_language_tag(code) for code, _name in languages.get_installed()]
        return discovery.extend(document, self._get_told_claims(), locales)

    @api.model
    def _get_told_claims(self):
        """Return the names of the claims that any active application is told, of those that administrators define."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT claim.name
                  FROM orestapi_claim AS claim
                  JOIN orestapi_application_orestapi_claim_rel AS rel ON rel.orestapi_claim_id = claim.id
                  JOIN orestapi_application AS application ON application.id = rel.orestapi_application_id
                 WHERE application.active
                """
            )
        )
        return [name for [name] in rows]

    @api.model
    def _get_key_set(self):
        """Return the published keys (RFC 7517 §5), with the one that signs for most applications.

        A library may read the set before the first token is signed, and keep it.
        """
        signing_keys = self.env['orestapi.signing.key']
        signing_keys._get_private_key(RS256)
        return key_set.render(signing_keys._get_jwks())
