from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL
from odoo.tools.lru import LRU

from ..oauth2.errors import TooManyRequests
from ..oauth2.ip_network import get_network
from .vacuum import VACUUM_BATCH, delete_batch

#: Failed client authentications from one network for one application within the
#: window, before the server answers 429 (RFC 6749 §2.3.1, RFC 6819 §5.1.4.2.3).
LIMIT = 10
WINDOW = timedelta(seconds=60)

#: A process that found no failures skips the check for this long unless it counts one itself,
#: so that an application that asks all the time does not pay for the check each time. In the
#: worst case, each process accepts one guess more than the limit.
RECHECK_AFTER = timedelta(seconds=5)
_recheck_at = LRU(1024)

COUNTED = """
    SELECT create_date
      FROM orestapi_authentication_failure
     WHERE network = %s AND application = %s AND cross_site = %s AND create_date > %s
"""


class OrestapiAuthenticationFailure(models.Model):
    """A recent failed client authentication, stored to limit guessing.

    It is separate from `orestapi.event`, as Odoo's `auth.totp.rate.limit.log` is: the log for
    administrators is kept for a year, may be changed by addons, and decides nothing. Nobody
    has access to these rows, which are deleted within a day after their window.
    """

    _name = 'orestapi.authentication.failure'
    _description = "Failed Client Authentication"
    _log_access = False

    create_date = fields.Datetime(required=True, groups=NO_ACCESS)
    network = fields.Char(required=True, groups=NO_ACCESS)
    # The row of the application, or 0 if no application has the client ID.
    application = fields.Integer(required=True, groups=NO_ACCESS)
    cross_site = fields.Boolean(required=True, groups=NO_ACCESS)

    _count_idx = models.Index('(network, application, create_date)')

    @api.model
    def _check_limit(self, application_id, address, cross_site):
        """Refuse a client that failed too often within the window.

        :param application_id: the id of the application that it claims to be, or None
        :param str address: the IP address that it asks from
        :param bool cross_site: whether to count failures caused by pages of other sites, or all others
        :return: the number of failures in the window, or 0 if the check was skipped
        :raise TooManyRequests: after `LIMIT` failures
        """
        now = fields.Datetime.now()
        key = self._get_cache_key(application_id, address, cross_site)
        if _recheck_at.get(key, now) > now:
            return 0
        failures = self._get_dates(application_id, address, cross_site)
        if len(failures) >= LIMIT:
            retry_after = min(failures) + WINDOW - now
            raise TooManyRequests(max(1, int(retry_after.total_seconds())))
        if not failures:
            _recheck_at[key] = now + RECHECK_AFTER
        return len(failures)

    @api.model
    def _count(self, application_id, address, cross_site):
        """Count a failure; the parameters are those of `_check_limit`."""
        _recheck_at.pop(self._get_cache_key(application_id, address, cross_site), None)
        # sudo: orestapi.authentication.failure - nobody may add failures by hand
        self.sudo().create({
            'create_date': fields.Datetime.now(),
            'network': get_network(address),
            'application': application_id or 0,
            'cross_site': cross_site,
        })

    @api.model
    def _get_dates(self, application_id, address, cross_site):
        """Return the times of the failures in the window; the parameters are those of `_check_limit`."""
        since = fields.Datetime.now() - WINDOW
        rows = self.env.execute_query(SQL(COUNTED, get_network(address), application_id or 0, cross_site, since))
        return [create_date for [create_date] in rows]

    @api.model
    def _get_cache_key(self, application_id, address, cross_site):
        return self.env.cr.dbname, application_id, get_network(address), cross_site

    @api.autovacuum
    def _gc_uncounted(self):
        """Delete failures that no longer count.

        :return: how many were deleted, and whether there may be more
        """
        return delete_batch(
            self.env.cr,
            SQL(
                """
                DELETE FROM orestapi_authentication_failure
                 WHERE ctid = ANY(ARRAY(
                       SELECT ctid FROM orestapi_authentication_failure WHERE create_date < %s
                        LIMIT %s FOR UPDATE SKIP LOCKED))
                """,
                fields.Datetime.now() - WINDOW,
                VACUUM_BATCH,
            ),
        )
