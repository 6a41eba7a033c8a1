from odoo import models

from ..oauth2 import token


class ResUsersApikeys(models.Model):
    _inherit = 'res.users.apikeys'

    def _check_credentials(self, *, scope, key):
        # Wherever Odoo accepts an API key for its external API, it accepts an
        # access token with the scope `rpc`. Other scopes of API keys, such as
        # that of trusted devices, are none of our business.
        if not token.is_ours(key):
            return super()._check_credentials(scope=scope, key=key)
        active = scope == 'rpc' and self.env['orestapi.token']._authenticate_bearer(key)
        return active.sign_in.user_id if active and 'rpc' in active.scope else None
