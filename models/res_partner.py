from odoo import models

from ..dispatchers.access_token import get_active_token, refuse_access_token


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def write(self, vals):
        if 'email' in vals and get_active_token(self.env.cr):
            self._refuse_other_email(vals['email'])
        return super().write(vals)

    def _refuse_other_email(self, email):
        """Refuse to change, with an access token, the e-mail address that a link for a new password is sent to."""
        # sudo: res.partner - whether it is the partner of a user, even one that the caller may not see
        for partner in self.sudo().with_context(active_test=False):
            if (partner.email or False) != (email or False) and partner.user_ids:
                refuse_access_token(self.env)
