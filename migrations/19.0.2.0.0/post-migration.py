"""From the first release, which derived the key of refresh tokens from `database.secret`."""

import hashlib
import hmac
import logging

from odoo import fields
from odoo.tools import mute_logger

_logger = logging.getLogger(__name__)


def migrate(cr, version):
    """Store what the first release derived, and fill what it did not keep."""
    _fill(cr)
    _store_key(cr)


def _fill(cr):
    # Whom a trusted application was allowed for may never have been asked.
    cr.execute("""
        UPDATE orestapi_authorization AS authorization_
           SET by_setting = TRUE
          FROM orestapi_application AS application
         WHERE application.id = authorization_.application_id AND application.trusted
    """)
    # A public application has no secret: one of the time before must not come back with its type.
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
    # Odoo logs statements with their values when it is told to.
    with mute_logger('odoo.sql_db'):
        cr.execute("UPDATE orestapi_key SET value = %s WHERE purpose = 'refresh_token'", [key.hex()])
    # Odoo changes `database.secret` in a copy, together with this date. The first release
    # has refused the refresh tokens of before since, and shown their sign-ins as active.
    cr.execute("SELECT value FROM ir_config_parameter WHERE key = 'database.create_date'")
    [text] = cr.fetchone() or ['']
    try:
        copied_at = fields.Datetime.to_datetime(text)
    except ValueError:
        return  # Somebody has written something else there.
    cr.execute(
        """
        UPDATE orestapi_token SET revoked_at = %s, revoked_reason = 'key_replaced'
         WHERE revoked_at IS NULL AND refresh_digest IS NOT NULL AND COALESCE(refreshed_at, create_date) < %s
        """,
        [fields.Datetime.now(), copied_at],
    )
    if cr.rowcount:
        _logger.info("Ended %d sign-ins from before the database was copied.", cr.rowcount)
