import logging
import time

from odoo import models
from odoo.http import request

from ..oauth2 import token
from ..openid import authentication

_logger = logging.getLogger(__name__)

#: Where the session keeps it. Odoo's own keys change for other reasons: `create_time` is
#: renewed every three hours, without anybody who logs in.
SESSION_KEY = 'orestapi_authentication'

#: The words of RFC 8176 for what core and its addons call `auth_method`.
METHODS = {
    'password': authentication.PASSWORD,
    'ldap': authentication.PASSWORD,
    'totp': authentication.ONE_TIME_PASSWORD,
    'totp_mail': authentication.ONE_TIME_PASSWORD,
    'passkey': authentication.HARDWARE_KEY,
}


class ResUsers(models.Model):
    """When and how a user logged in, for the applications that ask (OpenID Connect Core §2)."""

    _inherit = 'res.users'

    def _check_credentials(self, credential, env):
        # Each way to prove who one is comes by here: password, passkey, second factor, and
        # the confirmation that a dialog asks for. The cookie of a trusted device does not,
        # so that it is not taken for a second factor.
        info = super()._check_credentials(credential, env)
        try:
            self._remember_credential(info, env)
        except Exception:
            _logger.warning("The time of a login could not be kept", exc_info=True)
        return info

    def _remember_credential(self, info, env):
        if not request or not (env or {}).get('interactive', True) or not getattr(request.session, 'can_save', True):
            return
        request.session[SESSION_KEY] = authentication.record(
            request.session.get(SESSION_KEY),
            info['uid'],
            METHODS.get(info['auth_method'], authentication.OTHER),
            int(time.time()),
            token.generate_secret(),
        )
