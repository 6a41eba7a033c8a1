import logging
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.base.models.ir_mail_server import MailDeliveryException
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..dispatchers.remote_address import get_remote_address
from ..oauth2 import quotation
from ..oauth2.ip_network import get_network
from .orestapi_event_sentences import REFUSALS, SENTENCES
from .vacuum import VACUUM_BATCH, delete_batch

_logger = logging.getLogger(__name__)

#: Days for which events are kept by default.
RETENTION = 365
#: The highest retention that can be set.
MAX_RETENTION = 3650

#: System parameters.
EVENT_RETENTION = 'orestapi.event_retention'
MAIL_ADMINISTRATORS = 'orestapi.mail_administrators'

#: Events stored per window: of refused requests for one application from one network, and of
#: decisions of one user.
REFUSED_LIMIT = 30
REFUSED_WINDOW = timedelta(seconds=60)
#: Events stored per window of refused requests for one application from all networks.
REFUSED_APPLICATION_LIMIT = 4 * REFUSED_LIMIT
#: The window in which `REFUSED_LIMIT` sign-ins of a service are stored.
SERVICE_WINDOW = timedelta(hours=1)

#: Kinds of refused requests, whose reason is a key of `REFUSALS`.
REFUSED_KINDS = ('client_authentication_failed', 'authorization_request_refused', 'request_refused')

#: Kinds that point to a theft, and that administrators get an e-mail about.
MAILED_KINDS = ('code_replayed', 'refresh_token_reused')


class OrestapiEvent(models.Model):
    """A permanent log of what happened to applications, authorizations and sign-ins.

    Events are only added, never changed. They name people, applications and IP addresses, and
    never contain a secret, a code, a token or a verifier.
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
            ('application_changed', "Application changed"),
            ('client_secret_changed', "Client secret changed"),
            ('offer_changed', "Readable records changed"),
            ('offer_widened', "Access to records extended"),
            ('client_authentication_failed', "Client authentication failed"),
            ('authorization_request_refused', "Authorization request refused"),
            ('request_refused', "Request of an application refused"),
            ('signed_in', "Signed in"),
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
            ('signing_key_withdrawn', "Signing key withdrawn"),
            ('logout_told', "Application told of a logout"),
            ('logout_not_told', "Application could not be told of a logout"),
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
        help="The application that the event concerns.",
    )
    application_name = fields.Char(readonly=True, help="The name of the application at that time.")
    user_id = fields.Many2one(
        'res.users', "User", readonly=True, ondelete='set null', help="The user whom the event concerns."
    )
    user_name = fields.Char(readonly=True, help="The name of the user at that time.")
    actor_id = fields.Many2one(
        'res.users', "Done by", readonly=True, ondelete='set null', help="Who did it, if it was a person in Odoo."
    )
    actor_name = fields.Char(readonly=True, help="The name of that person at that time.")
    address = fields.Char("IP Address", readonly=True, help="The IP address that the request came from.")
    network = fields.Char(
        readonly=True,
        help="The sender for whom failures are counted: an IPv4 address, or an IPv6 network, because a sender has many "
        "IPv6 addresses.",
    )
    detail = fields.Char(readonly=True, help="The cause, in terms of the protocol or the sign-in.")
    reason = fields.Char(readonly=True, help="The reason, as a keyword for programs.")
    sent = fields.Char("Received", readonly=True, help="What the application sent, shortened and without secrets.")
    expected = fields.Char("Expected", readonly=True, help="What would have been right.")
    field_name = fields.Char("Setting", readonly=True, help="The setting of the application that changed.")
    old_value = fields.Char(readonly=True, help="The setting before the change.")
    new_value = fields.Char(readonly=True, help="The setting after the change.")
    message = fields.Text("Event", compute='_compute_message', help="What happened, in a sentence.")
    remedy = fields.Text("What to Do", compute='_compute_remedy', help="What to do about it, in a sentence.")
    mail_pending = fields.Boolean(groups=NO_ACCESS)

    # Counts refused requests, see `_log_refusal`.
    _refused_idx = models.Index(
        "(COALESCE(application_id, 0), create_date) WHERE kind IN ('authorization_request_refused', 'request_refused')"
    )
    _mail_pending_idx = models.Index("(id) WHERE mail_pending")
    _reference_idx = models.Index("(reference) WHERE reference IS NOT NULL")

    # An event never changes: this tells the records API which texts the sentence repeats.
    @api.depends(
        'kind', 'reason', 'detail', 'application_name', 'user_name', 'actor_name', 'address', 'sent', 'expected',
        'field_name', 'old_value', 'new_value',
    )  # fmt: skip
    @api.depends_context('lang')
    def _compute_message(self):
        for event in self:
            event.message = event._get_message()

    @api.depends('kind', 'reason')
    @api.depends_context('lang')
    def _compute_remedy(self):
        for event in self:
            refusal = event._get_refusal()
            event.remedy = refusal[1]._translate(self.env.lang or 'en_US') if refusal else False

    def _get_message(self):
        """Return the event as a sentence in the language of the reader."""
        self.ensure_one()
        sentence, _remedy = self._get_refusal() or (SENTENCES.get((self.kind, self.reason)), None)
        return (sentence or SENTENCES[self.kind])._translate(self.env.lang or 'en_US') % self._get_values()

    def _get_refusal(self):
        """Return the sentence and the remedy of a refused request, or None."""
        # The previous release stored the reason of a failed authentication as its detail.
        return REFUSALS.get(self.reason or self.detail) if self.kind in REFUSED_KINDS else None

    def _get_values(self):
        """Return the values of the placeholders of the sentences."""
        return {
            'application': self.application_name or self.env._("an unknown application"),
            'user': self.user_name or self.env._("an unknown user"),
            'actor': self.actor_name or self.env._("the system"),
            'address': self.address or self.env._("an unknown address"),
            'detail': self.detail or self.env._("no detail"),
            'ended': self._get_ended_reason(),
            'sent': self.sent or self.env._("nothing"),
            'expected': self.expected or self.env._("nothing"),
            'field': self._get_field_label(),
            'old': self._get_value_label(self.old_value),
            'new': self._get_value_label(self.new_value),
        }

    def _get_ended_reason(self):
        reasons = dict(self.env['orestapi.token']._fields['revoked_reason']._description_selection(self.env))
        return reasons.get(self.detail, self.detail)

    def _get_field_label(self):
        # The addon that added the field may be gone.
        field = self.env['orestapi.application']._fields.get(self.field_name)
        return field._description_string(self.env) if field else self.field_name

    def _get_value_label(self, value):
        """Return a stored value of a setting in the language of the reader.

        :param value: a text from `orestapi.application._get_logged_values`, or a false value
        """
        field = self.env['orestapi.application']._fields.get(self.field_name)
        if field and field.type == 'boolean':
            return self.env._("Yes") if value == 'true' else self.env._("No")
        if field and field.type == 'selection':
            return dict(field._description_selection(self.env)).get(value, value)
        return value or self.env._("nothing")

    def write(self, vals):
        raise AccessError(self.env._("Events cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise AccessError(self.env._("Events cannot be deleted. They are removed when their retention period is over."))

    @api.model
    def _log(self, kind, application_id=None, user_id=None, address=None, **facts):
        """Add an event.

        :param str kind: a value of the field `kind`
        :param application_id: the id of the application, if it is known
        :param user_id: the id of the user whom it concerns, if there is one
        :param address: the IP address that the request came from, by default that of the current request
        :param facts: `detail`, `reason` and `reference`, which are texts of this addon and never values from
            the request; `sent`, `expected`, `old_value` and `new_value`, which `oauth2.quotation` has shortened
        """
        # sudo: orestapi.event - nobody may add events by hand
        event = self.sudo()
        # sudo: orestapi.application - its name, which the user who caused the event may lack the right to read
        application = self.env['orestapi.application'].sudo().browse(application_id)
        # sudo: res.users - the names of the people, for the same reason
        users = self.env['res.users'].sudo()
        user, actor = users.browse(user_id), users.browse(self.env.uid)
        address = address or get_remote_address()
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
            'mail_pending': kind in MAILED_KINDS,
            **facts,
        })
        if kind in MAILED_KINDS:
            # A job sends the e-mail: the request must not wait for a mail server.
            cron = self.env.ref('orestapi.ir_cron_mail_administrators', raise_if_not_found=False)
            if cron:
                # sudo: ir.cron - triggers the job that sends it
                cron.sudo()._trigger()

    @api.model
    def _mail_administrators(self):
        """Send administrators an e-mail about codes and refresh tokens that were used twice.

        This uses only Odoo's mail server, so that the addon does not need the app Discuss.
        Events that cannot be sent are sent with the next ones, at the latest a day later.
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
                    "mistake. See the events in Odoo, menu Oregional, for when and from where."
                ),
            ]),
        )
        try:
            mail_server.send_email(message)
        except (MailDeliveryException, UserError, OSError) as error:
            _logger.info("Could not mail %s events to %s: %s", len(events), administrator.login, error)
            return False
        return True

    @api.model
    def _log_refusal(self, kind, error, application_id, address):
        """Add the event of a refused request.

        Anybody can send such requests endlessly, so within a minute only the first ones of a
        network for an application are stored, and not many more of all networks together.
        Requests of a known user are counted separately: a stranger cannot use up their number.

        :param str kind: one of `REFUSED_KINDS`
        :param OAuth2Error error: the error, with its reason
        :param application_id: the id of the application, if it is known
        :param str address: the IP address that the request came from
        :return: a short reference that a user can read out to an administrator, or
            None when the event was not stored
        """
        [[of_network, of_all]] = self.env.execute_query(
            SQL(
                """
                SELECT count(*) FILTER (WHERE network IS NOT DISTINCT FROM %s), count(*)
                  FROM orestapi_event
                 WHERE kind = %s AND kind IN ('authorization_request_refused', 'request_refused')
                   AND COALESCE(application_id, 0) = %s AND create_date > %s AND (user_id IS NULL) = %s
                """,
                get_network(address),
                kind,
                application_id or 0,
                fields.Datetime.now() - REFUSED_WINDOW,
                not error.user_id,
            )
        )
        if of_network >= REFUSED_LIMIT or of_all >= REFUSED_APPLICATION_LIMIT:
            return None
        reference = secrets.token_hex(4) if kind == 'authorization_request_refused' else None
        quote = self._get_quotation(error.reason)
        self._log(
            kind,
            application_id=application_id,
            user_id=error.user_id,
            address=address,
            detail=error.description,
            reason=error.reason,
            sent=quote(error.sent),
            expected=quote(error.expected),
            reference=reference,
        )
        return reference

    @api.model
    def _get_quotation(self, reason):
        """Return the function that prepares a received value for storing."""
        if reason == 'client_id':
            return lambda text: quotation.quote(text, quotation.MAX_CLIENT_ID_LENGTH)
        return quotation.quote_uri if (reason or '').startswith('redirect_uri') else quotation.quote

    @api.model
    def _log_sign_in(self, client_id, user_id, address, scope, service=False):
        """Add the event of an application that got its first tokens for a user.

        Only the first sign-ins within a minute are stored; for a service, which may request
        a token before each call, the first ones within an hour.

        :param int client_id: the id of the application
        :param int user_id: the id of the user it acts for
        :param str address: the IP address of the application
        :param str scope: the scope of the tokens
        :param bool service: whether it acts on its own, as its service user
        """
        condition = SQL("kind = 'signed_in' AND application_id = %s AND user_id = %s", client_id, user_id)
        if not self._are_too_many(condition, SERVICE_WINDOW if service else REFUSED_WINDOW):
            self._log(
                'signed_in',
                application_id=client_id,
                user_id=user_id,
                address=address,
                detail=', '.join(scope.split(' ')),
                reason='service' if service else None,
            )

    @api.model
    def _log_decision(self, kind, application_id, detail=None):
        """Add the event of the current user's decision on the consent page.

        A script could submit the page again and again, so only the first decisions of a
        user within a minute are stored.

        :param str kind: `consent_given` or `consent_refused`
        :param int application_id: the application that asked
        :param detail: see `_log`
        """
        if not self._are_too_many(SQL("kind = %s AND user_id = %s", kind, self.env.uid)):
            self._log(kind, application_id=application_id, user_id=self.env.uid, detail=detail)

    @api.model
    def _are_too_many(self, condition, window=REFUSED_WINDOW):
        [[count]] = self.env.execute_query(
            SQL(
                "SELECT count(*) FROM orestapi_event WHERE %s AND create_date > %s",
                condition,
                fields.Datetime.now() - window,
            )
        )
        return count >= REFUSED_LIMIT

    @api.model
    def _get_retention(self):
        """Return for how many days events are kept, and whether the setting has another value."""
        return self.env['ir.config_parameter']._get_whole_number(EVENT_RETENTION, RETENTION, 1, MAX_RETENTION)

    @api.autovacuum
    def _gc_retention(self):
        """Delete events that are older than the setting *Retention of events*.

        :return: how many were deleted, and whether there may be more
        """
        days, _unread = self._get_retention()
        return delete_batch(
            self.env.cr,
            SQL(
                """
                DELETE FROM orestapi_event
                 WHERE ctid = ANY(ARRAY(
                       SELECT ctid FROM orestapi_event WHERE create_date < %s - %s * interval '1 day'
                        ORDER BY create_date LIMIT %s FOR UPDATE SKIP LOCKED))
                """,
                fields.Datetime.now(),
                days,
                VACUUM_BATCH,
            ),
        )
