from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..oauth2 import origin, redirect_uris
from ..openid import back_channel
from .orestapi_event import EVENT_RETENTION, MAIL_ADMINISTRATORS, MAX_RETENTION
from .orestapi_logout_call import LOGOUT_HOSTS

ISSUER = 'orestapi.issuer'
#: The system parameter that each field is stored in.
_PARAMETERS = {
    'orestapi_issuer': ISSUER,
    'orestapi_event_retention': EVENT_RETENTION,
    'orestapi_mail_administrators': MAIL_ADMINISTRATORS,
    'orestapi_logout_hosts': LOGOUT_HOSTS,
}


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    # Without `config_parameter`, because core would log a warning for an unreadable value and
    # replace it by one that the constraints refuse, together with all other changes.
    orestapi_issuer = fields.Char(
        "Issuer",
        help="The public address of this Odoo, by which applications know it. Changing it breaks connected "
        "applications. Empty means the address an administrator last logged in from.",
    )
    orestapi_event_retention = fields.Integer(
        "Retention of Events",
        help="How many days events are kept before they are deleted.",
    )
    orestapi_mail_administrators = fields.Boolean(
        "E-mail alert on token reuse",
        help="Send an e-mail to the Oregional Odoo App administrators when a code or a refresh token was used twice, "
        "which may mean that somebody stole it.",
    )
    orestapi_logout_hosts = fields.Char(
        "Internal Hosts",
        help="Hosts in your own network where applications may be told of logouts, separated by spaces. Hosts on the "
        "internet need not be listed.",
    )
    orestapi_unread_parameters = fields.Text(
        compute='_compute_orestapi_unread_parameters',
        help="The system parameters of this addon whose value is not valid.",
    )
    orestapi_deviating_application_ids = fields.Many2many(
        'orestapi.application',
        compute='_compute_orestapi_deviating_application_ids',
        help="The applications whose settings fall short of the recommendations of RFC 9700.",
    )

    def _compute_orestapi_deviating_application_ids(self):
        self.orestapi_deviating_application_ids = self._get_deviating_applications()

    @api.model
    def _get_deviating_applications(self):
        # sudo: orestapi.application - the view shows them only to the group that may read them
        applications = self.env['orestapi.application'].sudo().search([])
        return applications.filtered(lambda application: application._get_risks()).sudo(False)

    @api.model
    def _save_orestapi(self, values):
        """Save settings of this addon for its administrators, who may not write here (see `orestapi.settings`).

        :param dict values: the values by field name
        :raise ValidationError: as when the settings page is saved
        """
        # sudo: res.config.settings - checks the fields of this addon in a record that is never stored
        self.sudo().new(values)._validate_fields(list(values))
        for name, value in values.items():
            # Stripped, as core does it.
            value = value.strip() if isinstance(value, str) else value
            # sudo: ir.config_parameter - a parameter of this addon
            self.env['ir.config_parameter'].sudo().set_param(_PARAMETERS[name], value or False)

    @api.depends_context('lang')
    def _compute_orestapi_unread_parameters(self):
        parameters = self.env['ir.config_parameter']
        sentences = []
        issuer, retention, mail = self._get_orestapi_parameters()
        # sudo: ir.config_parameter - the settings of this addon
        texts = {key: parameters.sudo().get_param(key) for key in (ISSUER, EVENT_RETENTION, MAIL_ADMINISTRATORS)}
        if issuer and not self._is_issuer(issuer):
            sentences.append(
                self.env._(
                    "The system parameter %(key)s is \"%(text)s\", which is not the address of a server. "
                    "%(value)s is used instead.",
                    key=ISSUER,
                    text=issuer,
                    value=self.env['orestapi.server']._get_issuer(),
                )
            )
        if retention[1]:
            sentences.append(
                self.env._(
                    "The system parameter %(key)s is \"%(text)s\", which is not a whole number from 1 to %(highest)s. "
                    "%(value)s is used instead.",
                    key=EVENT_RETENTION,
                    text=texts[EVENT_RETENTION],
                    highest=MAX_RETENTION,
                    value=retention[0],
                )
            )
        if mail[1]:
            sentences.append(
                self.env._(
                    "The system parameter %(key)s is \"%(text)s\", which is neither True nor False. No e-mails are "
                    "sent.",
                    key=MAIL_ADMINISTRATORS,
                    text=texts[MAIL_ADMINISTRATORS],
                )
            )
        self.orestapi_unread_parameters = '\n'.join(sentences)

    @api.model
    def _get_orestapi_parameters(self):
        """Return the values of the system parameters of this addon.

        :return: the issuer as it is written; the retention of events and whether e-mails are
            sent, each with whether the parameter has a value that is not valid
        """
        # sudo: ir.config_parameter - the settings of this addon
        issuer = self.env['ir.config_parameter'].sudo().get_param(ISSUER)
        return (
            issuer,
            self.env['orestapi.event']._get_retention(),
            self.env['ir.config_parameter']._get_choice(MAIL_ADMINISTRATORS),
        )

    @api.model
    def get_values(self):
        issuer, (retention, _unread), (mail, _mail_unread) = self._get_orestapi_parameters()
        return {
            **super().get_values(),
            'orestapi_issuer': issuer,
            'orestapi_event_retention': retention,
            'orestapi_mail_administrators': mail,
            'orestapi_logout_hosts': self.env['orestapi.logout.call']._get_hosts_text(),
        }

    def set_values(self):
        super().set_values()
        # sudo: ir.config_parameter - the settings of this addon
        parameters = self.env['ir.config_parameter'].sudo()
        issuer, (retention, retention_unread), (mail, mail_unread) = self._get_orestapi_parameters()
        if (self.orestapi_issuer or '').strip() != (issuer or '').strip():
            parameters.set_param(ISSUER, (self.orestapi_issuer or '').strip())
        # A value that is not valid is replaced by the effective one, which the form showed.
        if retention_unread or self.orestapi_event_retention != retention:
            parameters.set_param(EVENT_RETENTION, self.orestapi_event_retention)
        if mail_unread or self.orestapi_mail_administrators != mail:
            parameters.set_param(MAIL_ADMINISTRATORS, self.orestapi_mail_administrators)
        if (self.orestapi_logout_hosts or '').strip() != self.env['orestapi.logout.call']._get_hosts_text():
            parameters.set_param(LOGOUT_HOSTS, (self.orestapi_logout_hosts or '').strip())

    @api.model
    def _is_issuer(self, text):
        return origin.is_origin(origin.repair(text.strip().rstrip('/')))

    @api.model
    def _get_host_remedy(self, text):
        """Return how to write the host of an issuer with characters that a host cannot have, or None."""
        defect = redirect_uris.find_defect(redirect_uris.repair(text))
        if defect is redirect_uris.Defect.HOST_CHARACTERS:
            return self.env['orestapi.application.uri']._get_defect_message(defect)
        return None

    # Checks changed values only, so that an invalid setting does not prevent saving another.

    @api.constrains('orestapi_issuer')
    def _check_orestapi_issuer(self):
        current = self._get_orestapi_parameters()[0] or ''
        for settings in self:
            issuer = settings.orestapi_issuer or ''
            if issuer.strip() not in ('', current.strip()) and not self._is_issuer(issuer):
                if remedy := self._get_host_remedy(issuer):
                    raise ValidationError(remedy)
                raise ValidationError(
                    self.env._(
                        "Write the issuer as scheme and host in lower case, without a path, "
                        "for example https://odoo.example.com."
                    )
                )

    @api.constrains('orestapi_event_retention')
    def _check_orestapi_event_retention(self):
        for settings in self:
            # The effective value is always within the limits.
            if not 1 <= settings.orestapi_event_retention <= MAX_RETENTION:
                raise ValidationError(self.env._("Events can be kept for 1 to 3650 days."))

    @api.constrains('orestapi_logout_hosts')
    def _check_orestapi_logout_hosts(self):
        current = self.env['orestapi.logout.call']._get_hosts_text()
        for settings in self:
            text = (settings.orestapi_logout_hosts or '').strip()
            if text != current and not all(map(back_channel.is_host, back_channel.parse_hosts(text))):
                raise ValidationError(
                    self.env._(
                        "Enter each internal host as in the URI, without https:// and without a port, for example "
                        "wiki.intranet or 192.0.2.10."
                    )
                )
