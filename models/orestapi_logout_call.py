import concurrent.futures
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..jose import jws
from ..oauth2 import tokens
from ..openid import back_channel, logout
from ..openid.back_channel import Outcome

#: System parameter: the hosts that may be called although they are not on the internet.
LOGOUT_HOSTS = 'orestapi.logout_hosts'

#: Calls at once, so that an application that does not answer keeps few others waiting.
AT_ONCE = 16

#: How long a call is kept that the job could not make: then the application has ended the session itself.
KEPT = timedelta(days=1)


class OrestapiLogoutCall(models.Model):
    """The queue of applications that are to be told that a session has ended (Back-Channel Logout §2.5).

    The row is written in the transaction of the logout. A job sends the logout token after
    that transaction, so that nobody waits for an application, and deletes the row.
    """

    _name = 'orestapi.logout.call'
    _description = "Logout Call"
    _log_access = False

    application_id = fields.Many2one(
        'orestapi.application', required=True, index=True, ondelete='cascade', groups=NO_ACCESS
    )
    user_id = fields.Many2one('res.users', index='btree_not_null', ondelete='set null', groups=NO_ACCESS)
    # Kept here, because the user may be deleted before the call.
    subject = fields.Char(required=True, groups=NO_ACCESS)
    sid = fields.Char(required=True, groups=NO_ACCESS)
    tries = fields.Integer(required=True, groups=NO_ACCESS)
    next_try_at = fields.Datetime(required=True, index=True, groups=NO_ACCESS)
    create_date = fields.Datetime(required=True, groups=NO_ACCESS)

    @api.model
    def _queue(self, client, user_id, sid):
        """Let an application be told that a session has ended.

        :param Client client: the application
        :param int user_id: the user
        :param str sid: the session, as in the ID tokens
        """
        if not client.active or not client.backchannel_logout_uri:
            return
        now = fields.Datetime.now()
        # sudo: orestapi.logout.call - nobody has access to the queue
        self.sudo().create({
            'application_id': client.id,
            'user_id': user_id,
            'subject': self.env['orestapi.subject']._get_subject(user_id, client),
            'sid': sid,
            'tries': 0,
            'next_try_at': now,
            'create_date': now,
        })
        self._trigger(None)

    @api.model
    def _trigger(self, at):
        cron = self.env.ref('orestapi.ir_cron_logout_calls', raise_if_not_found=False)
        if cron:
            # sudo: ir.cron - triggers the job that sends it
            cron.sudo()._trigger(at)

    @api.model
    def _send_due(self):
        """Make the calls that are due; called by the job."""
        while calls := self._claim():
            prepared = [call._prepare() for call in calls]
            # The threads only send: they have no environment.
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                outcomes = list(pool.map(lambda arguments: arguments and back_channel.send(*arguments), prepared))
            for call, outcome in zip(calls, outcomes, strict=True):
                call._finish(outcome)
            self.env['ir.cron']._commit_progress(len(calls), remaining=len(self._find_due()))

    @api.model
    def _find_due(self):
        return self.search(
            [('next_try_at', '<=', fields.Datetime.now()), ('tries', '<', len(logout.TRIES))],
            order='next_try_at, id',
            limit=AT_ONCE,
        )

    @api.model
    def _claim(self):
        """Return calls that are due, as tried once more: a server that stops meanwhile makes them at the next try."""
        calls = self._find_due()
        for call in calls:
            delay = logout.get_delay(call.tries + 1)
            call.write({
                'tries': call.tries + 1,
                'next_try_at': fields.Datetime.now() + (timedelta(seconds=delay) if delay else KEPT),
            })
        self.env['ir.cron']._commit_progress(remaining=len(calls))
        return calls

    def _prepare(self):
        """Return the arguments of `back_channel.send`, or None for an application that is not to be told any more."""
        client = self.env['orestapi.application']._get_client(self.application_id.id)
        if not client.active or not client.backchannel_logout_uri:
            return None
        token = logout.build_token(
            self.env['orestapi.server']._get_issuer(),
            client.client_id,
            self.subject,
            self.sid,
            tokens.generate_secret(),
            int(time.time()),
        )
        private_key = self.env['orestapi.signing.key']._get_private_key(client.id_token_signed_response_alg)
        return client.backchannel_logout_uri, jws.sign(token, private_key, logout.TYPE), self._get_hosts()

    def _finish(self, outcome):
        """Delete a call that was made, or cannot be made; leave others for the next try.

        :param outcome: an `Outcome`, or None for a call that was not made
        """
        if outcome and outcome.is_temporary and self.tries < len(logout.TRIES):
            self._trigger(self.next_try_at)
            return
        if outcome:
            done = outcome is Outcome.DONE
            self.env['orestapi.event']._log(
                'logout_told' if done else 'logout_not_told',
                application_id=self.application_id.id,
                user_id=self.user_id.id,
                reason=None if done else outcome.value,
            )
        self.unlink()

    @api.model
    def _get_hosts(self):
        """Return the hosts that may be called although they are not on the internet, in lower case."""
        return back_channel.parse_hosts(self._get_hosts_text())

    @api.model
    def _get_hosts_text(self):
        """Return the setting *Internal Hosts* as it was entered, or an empty text."""
        # sudo: ir.config_parameter - a setting of this addon
        return self.env['ir.config_parameter'].sudo().get_param(LOGOUT_HOSTS) or ''

    @api.autovacuum
    def _gc_old(self):
        """Delete calls that the job could not make in time.

        :return: how many were deleted, and that there are no more
        """
        self.env.cr.execute(
            SQL("DELETE FROM orestapi_logout_call WHERE create_date < %s", fields.Datetime.now() - KEPT)
        )
        return self.env.cr.rowcount, False
