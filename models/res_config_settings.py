from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..oauth2 import origin, redirect_uri
from .orestapi_event import EVENT_RETENTION, MAIL_ADMINISTRATORS, MAX_RETENTION

ISSUER = 'orestapi.issuer'
#: The system parameter that each field is stored in.
_PARAMETERS = {
    'orestapi_issuer': ISSUER,
    'orestapi_event_retention': EVENT_RETENTION,
    'orestapi_mail_administrators': MAIL_ADMINISTRATORS,
}


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    # None of them says `config_parameter`: core would warn of what it cannot read, and put
    # a value in its place that the constraints refuse, with whatever else is to be saved.
    orestapi_issuer = fields.Char(
        "Issuer",
        help="The public address of this Odoo, by which applications know it. Applications stop working when it "
        "changes. Empty means the address that somebody last logged in at as an administrator.",
    )
    orestapi_event_retention = fields.Integer(
        "Retention of Events",
        help="For how many days events are kept.",
    )
    orestapi_mail_administrators = fields.Boolean(
        "E-mail alert on token reuse",
        help="Send a mail to the Oregional Odoo App administrators when a code or a refresh token was used twice, "
        "which may mean that somebody stole it.",
    )
    orestapi_unread_parameters = fields.Text(
        compute='_compute_orestapi_unread_parameters',
        help="The system parameters of this addon that say something that cannot be read.",
    )
    orestapi_deviating_application_ids = fields.Many2many(
        'orestapi.application',
        compute='_compute_orestapi_deviating_application_ids',
        help="The applications whose settings fall short of what RFC 9700 recommends.",
    )

    def _compute_orestapi_deviating_application_ids(self):
        self.orestapi_deviating_application_ids = self._get_deviating_applications()

    @api.model
    def _get_deviating_applications(self):
        # sudo: orestapi.application - the view shows them to the group that may read them
        applications = self.env['orestapi.application'].sudo().search([])
        return applications.filtered(lambda application: application._get_risks()).sudo(False)

    @api.model
    def _save_orestapi(self, values):
        """Save settings of this addon for its administrators, who may not write here (see `orestapi.settings`).

        :param dict values: by the names of the fields here
        :raise ValidationError: as when the settings page is saved
        """
        # sudo: res.config.settings - checks the fields of this addon in a record that is never stored
        self.sudo().new(values)._validate_fields(list(values))
        for name, value in values.items():
            # As core stores it.
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
                    "The system parameter %(key)s says \"%(text)s\", which is no address of a server: %(value)s counts "
                    "in its place.",
                    key=ISSUER,
                    text=issuer,
                    value=self.env['orestapi.server']._get_issuer(),
                )
            )
        if retention[1]:
            sentences.append(
                self.env._(
                    "The system parameter %(key)s says \"%(text)s\", which is no whole number from 1 to %(highest)s: "
                    "%(value)s counts in its place.",
                    key=EVENT_RETENTION,
                    text=texts[EVENT_RETENTION],
                    highest=MAX_RETENTION,
                    value=retention[0],
                )
            )
        if mail[1]:
            sentences.append(
                self.env._(
                    "The system parameter %(key)s says \"%(text)s\", which is neither True nor False: no mail is sent.",
                    key=MAIL_ADMINISTRATORS,
                    text=texts[MAIL_ADMINISTRATORS],
                )
            )
        self.orestapi_unread_parameters = '\n'.join(sentences)

    @api.model
    def _get_orestapi_parameters(self):
        """Return what the system parameters of this addon say.

        :return: the issuer as it is written; and how long events are kept and whether mails are
            sent, each with whether the parameter says something that cannot be read
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
        }

    def set_values(self):
        super().set_values()
        # sudo: ir.config_parameter - the settings of this addon
        parameters = self.env['ir.config_parameter'].sudo()
        issuer, (retention, retention_unread), (mail, mail_unread) = self._get_orestapi_parameters()
        if (self.orestapi_issuer or '').strip() != (issuer or '').strip():
            parameters.set_param(ISSUER, (self.orestapi_issuer or '').strip())
        # What could not be read is put right: the form showed what counts in its place.
        if retention_unread or self.orestapi_event_retention != retention:
            parameters.set_param(EVENT_RETENTION, self.orestapi_event_retention)
        if mail_unread or self.orestapi_mail_administrators != mail:
            parameters.set_param(MAIL_ADMINISTRATORS, self.orestapi_mail_administrators)

    @api.model
    def _is_issuer(self, text):
        return origin.is_origin(origin.repair(text.strip().rstrip('/')))

    @api.model
    def _get_host_remedy(self, text):
        """Return how to write the host of an issuer that has letters no address can have, or None."""
        problem = redirect_uri.find_problem(redirect_uri.repair(text))
        if problem is redirect_uri.Problem.HOST_CHARACTERS:
            return self.env['orestapi.application.uri']._get_problem_message(problem)
        return None

    # Only of what changed: nobody must mend a setting of this addon to save another one.

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
            # What counts now is within the limits in any case.
            if not 1 <= settings.orestapi_event_retention <= MAX_RETENTION:
                raise ValidationError(self.env._("Events can be kept for 1 to 3650 days."))
