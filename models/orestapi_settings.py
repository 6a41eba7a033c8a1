from odoo import api, fields, models
from odoo.exceptions import AccessError

from .orestapi_application import ADMINISTRATOR

#: Each field, and the corresponding field of Odoo's own settings.
SETTINGS = {
    'issuer': 'orestapi_issuer',
    'event_retention': 'orestapi_event_retention',
    'mail_administrators': 'orestapi_mail_administrators',
    'logout_hosts': 'orestapi_logout_hosts',
}


class OrestapiSettings(models.TransientModel):
    """The settings of this addon, for administrators of applications who do not administer Odoo.

    Odoo's own settings page is for system administrators: anyone who may write there can
    change the settings of every addon. This page reads and writes only the fields of this
    addon, and checks them in the same way.
    """

    _name = 'orestapi.settings'
    _description = "Settings of Applications"

    issuer = fields.Char(
        default=lambda self: self._get_value('issuer'),
        help="The public address of this Odoo, by which applications know it. Changing it breaks connected "
        "applications. Empty means the address an administrator last logged in from.",
    )
    event_retention = fields.Integer(
        "Retention of Events",
        default=lambda self: self._get_value('event_retention'),
        help="How many days events are kept before they are deleted.",
    )
    mail_administrators = fields.Boolean(
        "E-mail alert on token reuse",
        default=lambda self: self._get_value('mail_administrators'),
        help="Send an e-mail to the Oregional Odoo App administrators when a code or a refresh token was used twice, "
        "which may mean that somebody stole it.",
    )
    logout_hosts = fields.Char(
        "Internal Hosts",
        default=lambda self: self._get_value('logout_hosts'),
        help="Hosts in your own network where applications may be told of logouts, separated by spaces. Hosts on the "
        "internet need not be listed.",
    )
    unread_parameters = fields.Text(
        "What to Change",
        compute='_compute_unread_parameters',
        help="The system parameters of this addon whose value is not valid.",
    )
    deviating_application_ids = fields.Many2many(
        'orestapi.application',
        compute='_compute_deviating_application_ids',
        help="The applications whose settings fall short of the recommendations of RFC 9700.",
    )

    @api.depends_context('lang')
    def _compute_unread_parameters(self):
        # sudo: res.config.settings - reads the parameters of this addon
        self.unread_parameters = self.env['res.config.settings'].sudo().new({}).orestapi_unread_parameters

    def _compute_deviating_application_ids(self):
        deviating = self.env['res.config.settings']._get_deviating_applications()
        for settings in self:
            settings.deviating_application_ids = deviating

    @api.model
    def _get_value(self, name):
        field = SETTINGS[name]
        # sudo: res.config.settings - reads one parameter of this addon
        return self.env['res.config.settings'].sudo().default_get([field]).get(field)

    @api.depends_context('lang')
    def _compute_display_name(self):
        for settings in self:
            settings.display_name = self.env._("Settings")

    def execute(self):
        """Save the settings; called by the button of the page.

        :raise AccessError: for anyone but an Oregional Odoo App administrator
        :raise ValidationError: for a value that Odoo's own settings page refuses
        """
        self.ensure_one()
        if not self.env.su and not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(self.env._("Only Oregional Odoo App administrators can change these settings."))
        settings = self.env['res.config.settings']
        _issuer, (_days, retention_unread), (_is_on, mail_unread) = settings._get_orestapi_parameters()
        # A value that is not valid is replaced by the effective one, which the page showed, as on Odoo's own page.
        unread = {'event_retention': retention_unread, 'mail_administrators': mail_unread}
        settings._save_orestapi({
            field: self[name]
            for name, field in SETTINGS.items()
            if self[name] != self._get_value(name) or unread.get(name)
        })
        return {'type': 'ir.actions.client', 'tag': 'reload'}

    def cancel(self):
        """Discard the changes and show the page again; called by the button of the page."""
        return self.env['ir.actions.act_window']._for_xml_id('orestapi.orestapi_settings_action')
