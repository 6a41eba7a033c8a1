from odoo import models


class ResDevice(models.Model):
    """A browser in which a user is logged in: *My Preferences* ends its session."""

    _inherit = 'res.device'

    def _revoke(self):
        # Before core, which logs out of the current one itself.
        self.env['orestapi.logout.session']._end_identifiers(self.mapped('session_identifier'))
        return super()._revoke()
