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
        sign_in = scope == 'rpc' and self.env['orestapi.token']._authenticate_bearer(key)
        return sign_in['user_id'] if sign_in and 'rpc' in sign_in['token_scope'] else None
