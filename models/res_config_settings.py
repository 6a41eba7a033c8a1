from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..oauth2 import origin
from .orestapi_event import RETENTION


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    orestapi_issuer = fields.Char(
        "Issuer",
        config_parameter='orestapi.issuer',
        help="The public address of this Odoo, by which applications know it. Applications stop working when it "
        "changes. Empty means the address that somebody last logged in at as an administrator.",
    )
    orestapi_event_retention = fields.Integer(
        "Retention of Events",
        config_parameter='orestapi.event_retention',
        default=RETENTION,
        help="For how many days events are kept.",
    )
    orestapi_mail_administrators = fields.Boolean(
        "Mail on Reuse",
        config_parameter='orestapi.mail_administrators',
        help="Send a mail to the Oregional Odoo App administrators when a code or a refresh token was used twice, "
        "which may mean that somebody stole it.",
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
            self.env['ir.config_parameter'].sudo().set_param(self._fields[name].config_parameter, value or False)

    @api.constrains('orestapi_issuer')
    def _check_orestapi_issuer(self):
        for settings in self:
            if settings.orestapi_issuer and not origin.is_origin(settings.orestapi_issuer.rstrip('/')):
                raise ValidationError(
                    self.env._(
                        "Write the issuer as scheme and host in lower case, without a path, "
                        "for example https://odoo.example.com."
                    )
                )

    @api.constrains('orestapi_event_retention')
    def _check_orestapi_event_retention(self):
        for settings in self:
            if not 1 <= settings.orestapi_event_retention <= 3650:
                raise ValidationError(self.env._("Events can be kept for 1 to 3650 days."))
