import contextlib

import psycopg2.errors

from odoo import api, fields, models
from odoo.tools import SQL

from ..oauth2 import responses, scopes, tokens
from .orestapi_application import LAST_USED_PRECISION


class OrestapiToken(models.Model):
    """How a presented token is checked, in bearer calls and at introspection."""

    _inherit = 'orestapi.token'

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
