from odoo import api, models

from ..dispatchers import access_token
from ..dispatchers.access_token import refuse_access_token
from ..dispatchers.hooks import attempt
from ..oauth2 import tokens


class ResUsersApikeys(models.Model):
    _inherit = 'res.users.apikeys'

    def _check_credentials(self, *, scope, key):
        # Wherever Odoo accepts an API key for its external API, it accepts an access token with
        # the scope `rpc`. Other scopes of API keys, such as that of trusted devices, are left
        # to core.
        if not attempt(tokens.has_token_form, key):
            return super()._check_credentials(scope=scope, key=key)
        active = scope == 'rpc' and self.env['orestapi.token']._authenticate_bearer(key)
        if not active or 'rpc' not in active.scope:
            return None
        # All protocols run through here: everything from here on is done with the token.
        access_token.serve(self.env.cr, active)
        return active.sign_in.user_id

    def unlink(self):
        refuse_access_token(self.env)
        return super().unlink()


class ResUsersApikeysDescription(models.TransientModel):
    _inherit = 'res.users.apikeys.description'

    @api.model_create_multi
    def create(self, vals_list):
        refuse_access_token(self.env)
        return super().create(vals_list)
