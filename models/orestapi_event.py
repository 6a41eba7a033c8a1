import logging
import secrets
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.base.models.ir_mail_server import MailDeliveryException
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.http import request
from odoo.tools import SQL

from ..oauth2.address import get_network
from .orestapi_authorization_code import VACUUM_BATCH, VACUUM_REST

_logger = logging.getLogger(__name__)

#: Days that events are kept, unless the setting says otherwise.
RETENTION = 365
#: The longest time that can be set, which the database can still count back.
MAX_RETENTION = 3650

#: System parameters.
EVENT_RETENTION = 'orestapi.event_retention'
MAIL_ADMINISTRATORS = 'orestapi.mail_administrators'

#: Refused authorization requests from one address, and decisions of one user, that are
#: kept within the window.
REFUSED_LIMIT = 30
REFUSED_WINDOW = timedelta(seconds=60)

#: The kinds that tell of a theft, and that administrators get a mail about.
MAILED_KINDS = ('code_replayed', 'refresh_token_reused')


class OrestapiEvent(models.Model):
    """What happened to applications, authorizations and sign-ins, for good.

    Events are only ever added. They name people, applications and addresses,
    and never hold a secret, a code, a token or a verifier.
    """

    _name = 'orestapi.event'
    _description = "Event"
    _rec_name = 'message'
    _order = 'id desc'
    _log_access = False

    reference = fields.Char(readonly=True, help="The reference that an error page showed to the user.")
    create_date = fields.Datetime("When", required=True, readonly=True, index=True)
    kind = fields.Selection(
        [
            ('application_created', "Application created"),
            ('application_activated', "Application activated"),
            ('application_deactivated', "Application deactivated"),
            ('application_deleted', "Application deleted"),
            ('client_secret_changed', "Client secret changed"),
            ('offer_changed', "Readable records changed"),
            ('offer_widened', "Readable records widened"),
            ('client_authentication_failed', "Client authentication failed"),
            ('authorization_request_refused', "Authorization request refused"),
            ('consent_given', "Consent given"),
            ('consent_by_setting', "Allowed by setting"),
            ('consent_refused', "Consent refused"),
            ('authorization_revoked', "Authorization revoked"),
            ('service_user_removed', "Service user removed"),
            ('sign_in_revoked', "Sign-in ended"),
            ('sign_ins_ended', "Sign-ins of a user ended"),
            ('token_revoked', "Token revoked by the application"),
            ('code_replayed', "Authorization code used twice"),
            ('refresh_token_reused', "Refresh token used twice"),
        ],
        required=True,
        readonly=True,
        help="What kind of event it is.",
    )
    application_id = fields.Many2one(
        'orestapi.application',
        "Application",
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        help="The application that the event tells of.",
    )
    application_name = fields.Char(readonly=True, help="The name of the application at that time.")
    user_id = fields.Many2one(
        'res.users', "User", readonly=True, ondelete='set null', help="The user whom the event concerns."
    )
    user_name = fields.Char(readonly=True, help="The name of the user at that time.")
    actor_id = fields.Many2one(
        'res.users', "Done by", readonly=True, ondelete='set null', help="Who did it, where it was a person in Odoo."
    )
    actor_name = fields.Char(readonly=True, help="The name of who did it at that time.")
    address = fields.Char("IP Address", readonly=True, help="The IP address that the request came from.")
    network = fields.Char(
        readonly=True,
        help="By what failures are counted: the IP address, or the network of one in IPv6, where everybody has many.",
    )
    detail = fields.Char(readonly=True, help="What made it happen, as the protocol or the sign-in calls it.")
    message = fields.Char("Event", compute='_compute_message', help="What happened, in a sentence.")
    mail_pending = fields.Boolean(groups=NO_ACCESS)

    # Counts failed client authentications, see `_authenticate_client`.
    _failures_idx = models.Index(
        "(network, COALESCE(application_id, 0), create_date) WHERE kind = 'client_authentication_failed'"
    )
    # Counts refused authorization requests, see `_log_refused_request`.
    _refused_idx = models.Index("(network, create_date) WHERE kind = 'authorization_request_refused'")
    _mail_pending_idx = models.Index("(id) WHERE mail_pending")
    _reference_idx = models.Index("(reference) WHERE reference IS NOT NULL")

    @api.depends('kind', 'application_name', 'user_name', 'actor_name', 'address', 'detail')
    @api.depends_context('lang')
    def _compute_message(self):
        for event in self:
            event.message = event._get_message()

    def _get_message(self):
        """Return the event as a sentence in the language of the reader."""
        self.ensure_one()
        values = {
            'application': self.application_name or self.env._("an unknown application"),
            'user': self.user_name or self.env._("an unknown user"),
            'actor': self.actor_name or self.env._("the system"),
            'address': self.address or self.env._("an unknown address"),
            'detail': self.detail or self.env._("no detail"),
        }
        match self.kind:
            case 'application_created':
                return self.env._("%(actor)s created %(application)s.", **values)
            case 'application_activated':
                return self.env._("%(actor)s activated %(application)s.", **values)
            case 'application_deactivated':
                return self.env._("%(actor)s deactivated %(application)s.", **values)
            case 'application_deleted':
                return self.env._("%(actor)s deleted %(application)s.", **values)
            case 'client_secret_changed':
                return self.env._("%(actor)s changed the client secret of %(application)s.", **values)
            case 'offer_changed':
                return self.env._(
                    "%(actor)s changed what %(application)s may read (model scheme: %(detail)s).", **values
                )
            case 'offer_widened':
                return self.env._(
                    "%(actor)s let %(application)s read more (model scheme: %(detail)s); its users are asked again.",
                    **values,
                )
            case 'client_authentication_failed' if self.detail == 'secret_unexpected':
                return self.env._(
                    "%(application)s sent a client secret from %(address)s, but it is a public application and has "
                    "none.",
                    **values,
                )
            case 'client_authentication_failed' if self.detail == 'secret_missing':
                return self.env._("%(application)s sent no client secret from %(address)s.", **values)
            case 'client_authentication_failed' if not self.application_name:
                return self.env._("A client ID that no active application has was given from %(address)s.", **values)
            case 'client_authentication_failed':
                return self.env._("%(application)s gave a wrong client ID or secret from %(address)s.", **values)
            case 'authorization_request_refused':
                return self.env._(
                    "A request from %(address)s to authorize %(application)s was refused: %(detail)s", **values
                )
            case 'consent_given':
                return self.env._("%(user)s allowed %(application)s: %(detail)s.", **values)
            case 'consent_by_setting':
                return self.env._(
                    "%(application)s was allowed without asking %(user)s, because it is trusted: %(detail)s.", **values
                )
            case 'consent_refused':
                return self.env._("%(user)s refused %(application)s.", **values)
            case 'authorization_revoked':
                return self.env._("%(actor)s disconnected %(application)s from %(user)s.", **values)
            case 'service_user_removed':
                return self.env._(
                    "%(actor)s disconnected %(application)s, which acts on its own as %(user)s no longer.", **values
                )
            case 'sign_in_revoked':
                return self.env._("%(actor)s ended a sign-in of %(user)s at %(application)s.", **values)
            case 'sign_ins_ended':
                return self.env._(
                    "The sign-ins of %(user)s at %(application)s were ended: %(reason)s.",
                    **values,
                    reason=self._get_reason(),
                )
            case 'token_revoked':
                return self.env._("%(application)s signed %(user)s out from %(address)s.", **values)
            case 'code_replayed':
                return self.env._(
                    "An authorization code of %(application)s for %(user)s was used twice, the second time from "
                    "%(address)s; the sign-in was ended.",
                    **values,
                )
            case 'refresh_token_reused':
                return self.env._(
                    "A refresh token of %(application)s for %(user)s was reused from %(address)s; the sign-in was "
                    "ended.",
                    **values,
                )
        return self.kind

    def _get_reason(self):
        reasons = dict(self.env['orestapi.token']._fields['revoked_reason']._description_selection(self.env))
        return reasons.get(self.detail, self.detail)

    def write(self, vals):
        raise AccessError(self.env._("Events cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise AccessError(self.env._("Events cannot be deleted. They are removed when their retention is over."))

    @api.model
    def _log(self, kind, application_id=None, user_id=None, address=None, detail=None, reference=None):
        """Add an event.

        :param str kind: a value of the field `kind`
        :param application_id: the id of the application, if it is known
        :param user_id: the id of the user it is about, if there is one
        :param address: where the request came from; that of the current request by default
        :param detail: a word or sentence of ours, never a value from the request
        :param reference: what an error page showed
        """
        # sudo: orestapi.event - nobody may add events by hand
        event = self.sudo()
        # sudo: orestapi.application - its name, which whoever caused the event may not be able to read
        application = self.env['orestapi.application'].sudo().browse(application_id)
        # sudo: res.users - their names, likewise
        users = self.env['res.users'].sudo()
        user, actor = users.browse(user_id), users.browse(self.env.uid)
        address = address or (request.httprequest.remote_addr if request else None)
        event.create({
            'create_date': fields.Datetime.now(),
            'kind': kind,
            'application_id': application.id,
            'application_name': application.name,
            'user_id': user.id,
            'user_name': user.name,
            'actor_id': actor.id,
            'actor_name': actor.name,
            'address': address,
            'network': get_network(address),
            'detail': detail,
            'reference': reference,
            'mail_pending': kind in MAILED_KINDS,
        })
        if kind in MAILED_KINDS:
            # Not sent from here: the request must not wait for a mail server.
            cron = self.env.ref('orestapi.ir_cron_mail_administrators', raise_if_not_found=False)
            if cron:
                # sudo: ir.cron - wakes the job that sends it
                cron.sudo()._trigger()

    @api.model
    def _mail_administrators(self):
        """Tell the administrators by mail of codes and refresh tokens that were used twice.

        With Odoo's mail server and nothing else, so that the addon does not need
        the app Discuss. What cannot be sent is sent with the next ones, at the
        latest a day later.
        """
        events = self.search([('mail_pending', '=', True)], order='id')
        administrators = self.env.ref('orestapi.group_administrator').all_user_ids.filtered('email')
        enabled, _unread = self.env['ir.config_parameter']._get_choice(MAIL_ADMINISTRATORS)
        sender = self.env.company.email or self.env['ir.mail_server']._get_default_from_address()
        if events and administrators and enabled and sender:
            sent = [self._mail_to(administrator, sender, events) for administrator in administrators]
            if not any(sent):
                return
        self.env.cr.execute(SQL("UPDATE orestapi_event SET mail_pending = FALSE WHERE id = ANY(%s)", events.ids))

    def _mail_to(self, administrator, sender, events):
        events = events.with_context(lang=administrator.lang)
        mail_server = self.env['ir.mail_server']
        message = mail_server._build_email__(
            email_from=sender,
            email_to=[administrator.email],
            subject=events.env._("Odoo ended a sign-in of a remote application"),
            body='\n\n'.join([
                *events.mapped('message'),
                events.env._(
                    "Somebody may have stolen a code or a token. More often, the application sends one twice by "
                    "mistake. The events in Odoo, menu Oregional, tell when and from where."
                ),
            ]),
        )
        try:
            mail_server.send_email(message)
        except (MailDeliveryException, UserError, OSError) as error:
            _logger.info("%s events cannot be mailed to %s: %s", len(events), administrator.login, error)
            return False
        return True

    @api.model
    def _log_refused_request(self, application_id, address, description, user_id=None):
        """Add the event of an authorization request that ends on a page of ours.

        Anybody can send such requests without an end, so that only the first
        ones of an address within a minute are kept.

        :param application_id: the id of the application, if it is known
        :param str address: where the request came from
        :param str description: the description of the error
        :param user_id: the id of the user who may not use the application
        :return: a short reference that a user can read to an administrator, or
            None when the event was not kept
        """
        if self._are_too_many(SQL("kind = 'authorization_request_refused' AND network = %s", get_network(address))):
            return None
        reference = secrets.token_hex(4)
        self._log(
            'authorization_request_refused',
            application_id=application_id,
            user_id=user_id,
            address=address,
            detail=description,
            reference=reference,
        )
        return reference

    @api.model
    def _log_decision(self, kind, application_id, detail=None):
        """Add the event of what the current user decides at the consent page.

        The page can be sent again and again by a script, so that only the first
        decisions of a user within a minute are kept.

        :param str kind: `consent_given` or `consent_refused`
        :param int application_id: the application that asked
        :param detail: see `_log`
        """
        if not self._are_too_many(SQL("kind = %s AND user_id = %s", kind, self.env.uid)):
            self._log(kind, application_id=application_id, user_id=self.env.uid, detail=detail)

    @api.model
    def _are_too_many(self, condition):
        [[count]] = self.env.execute_query(
            SQL(
                "SELECT count(*) FROM orestapi_event WHERE %s AND create_date > %s",
                condition,
                fields.Datetime.now() - REFUSED_WINDOW,
            )
        )
        return count >= REFUSED_LIMIT

    @api.model
    def _get_retention(self):
        """Return for how many days events are kept, and whether the setting says something else."""
        return self.env['ir.config_parameter']._get_whole_number(EVENT_RETENTION, RETENTION, 1, MAX_RETENTION)

    @api.autovacuum
    def _gc_retention(self):
        """Delete events that are older than the setting *Retention of events*.

        :return: how many were deleted, and whether there may be more
        """
        time.sleep(VACUUM_REST)
        days, _unread = self._get_retention()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM orestapi_event WHERE id IN (
                    SELECT id FROM orestapi_event WHERE create_date < %s - %s * interval '1 day'
                     ORDER BY create_date LIMIT %s FOR UPDATE SKIP LOCKED)
                """,
                fields.Datetime.now(),
                days,
                VACUUM_BATCH,
            )
        )
        deleted = self.env.cr.rowcount
        return deleted, deleted == VACUUM_BATCH
