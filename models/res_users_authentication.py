import functools
import time

from odoo import models
from odoo.http import request

from ..dispatchers.hooks import attempt
from ..oauth2 import tokens
from ..openid import authentication

#: The session key. Odoo's own keys change for other reasons: `create_time` is renewed every
#: three hours, without a login.
SESSION_KEY = 'orestapi_authentication'

#: The names of RFC 8176 for the values of `auth_method` in core and its addons.
METHODS = {
    'password': authentication.PASSWORD,
    'ldap': authentication.PASSWORD,
    'totp': authentication.ONE_TIME_PASSWORD,
    'totp_mail': authentication.ONE_TIME_PASSWORD,
    'passkey': authentication.HARDWARE_KEY,
}


def _remember(method):
    @functools.wraps(method)
    def check_credentials(self, credential, env):
        info = method(self, credential, env)
        # A failure here must not keep anybody from logging in.
        attempt(self._remember_credential, info, env)
        return info

    check_credentials.orestapi_remembers = True
    return check_credentials


class ResUsers(models.Model):
    """When and how a user logged in, for the applications that ask (OpenID Connect Core §2)."""

    _inherit = 'res.users'

    def _register_hook(self):
        super()._register_hook()
        # Every credential passes this method: password, passkey, second factor, and the
        # confirmation that a dialog asks for. It is wrapped around all addons, because core's
        # addons do not call the method that they extend. The cookie of a trusted device does
        # not pass it, so it does not count as a second factor.
        model_class = self.env.registry['res.users']
        if not hasattr(model_class._check_credentials, 'orestapi_remembers'):
            model_class._check_credentials = _remember(model_class._check_credentials)

    def _remember_credential(self, info, env):
        """Note in the browser's session which credential a user has just given.

        :param dict info: what `_check_credentials` returned
        :param env: the environment that it was called with: API keys and RPC open no session
        """
        if not request or not (env or {}).get('interactive', True) or not request.session.can_save:
            return
        remembered = request.session.get(SESSION_KEY)
        # After the second factor, the returned `uid` is that of the public user. The portal's page
        # calls this without any user.
        uid = self.id or info['uid']
        if remembered and remembered['uid'] != uid:
            # Another user logs in before the first one has logged out.
            self.env['orestapi.logout.session']._end_sid(remembered['sid'])
        request.session[SESSION_KEY] = authentication.record(
            remembered,
            uid,
            METHODS.get(info['auth_method'], authentication.OTHER),
            time.time(),
            tokens.generate_secret(),
        )
