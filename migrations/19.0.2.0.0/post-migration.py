"""From the first release, which derived the key of refresh tokens from `database.secret`."""

import hashlib
import hmac
import logging

from odoo import fields
from odoo.tools import mute_logger

_logger = logging.getLogger(__name__)


def migrate(cr, version):
    """Store the key that the first release derived, and fill in values that it did not keep."""
    _fill(cr)
    _store_key(cr)


def _fill(cr):
    # The users of a trusted application may never have been asked.
    cr.execute("""
        UPDATE orestapi_authorization AS authorization_
           SET by_setting = TRUE
          FROM orestapi_application AS application
         WHERE application.id = authorization_.application_id AND application.trusted
    """)
    # A public application has no secret: an old one must not come back with a change of type.
    cr.execute("""
        UPDATE orestapi_application
           SET client_secret_hash = NULL, client_secret_date = NULL,
               previous_client_secret_hash = NULL, previous_client_secret_expires_at = NULL
         WHERE client_type = 'public'
    """)


def _store_key(cr):
    """Make the key of the first release the stored one, so that its refresh tokens go on working."""
    cr.execute("SELECT value FROM ir_config_parameter WHERE key = 'database.secret'")
    [secret] = cr.fetchone()
    key = hmac.digest(secret.encode(), b'orestapi.refresh_token', hashlib.sha256)
    # At level debug, Odoo logs statements with their values.
    with mute_logger('odoo.sql_db'):
        cr.execute("UPDATE orestapi_key SET value = %s WHERE purpose = 'refresh_token'", [key.hex()])
    # Odoo changes `database.secret` in a copy, together with this date. Since then, the first
    # release has refused the older refresh tokens but shown their sign-ins as active.
    cr.execute("SELECT value FROM ir_config_parameter WHERE key = 'database.create_date'")
    [text] = cr.fetchone() or ['']
    try:
        copied_at = fields.Datetime.to_datetime(text)
    except ValueError:
        return  # Not a date: somebody has changed the parameter.
    cr.execute(
        """
        UPDATE orestapi_token SET revoked_at = %s, revoked_reason = 'key_replaced'
         WHERE revoked_at IS NULL AND refresh_digest IS NOT NULL AND COALESCE(refreshed_at, create_date) < %s
        """,
        [fields.Datetime.now(), copied_at],
    )
    if cr.rowcount:
        _logger.info("Ended %d sign-ins from before the database was copied.", cr.rowcount)
