import functools
import time

from odoo import models
from odoo.http import request

from ..dispatchers.hooks import attempt
from ..oauth2 import tokens
from ..openid import authentication

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


def _remember(method):
    @functools.wraps(method)
    def check_credentials(self, credential, env):
        info = method(self, credential, env)
        # Whatever it is, it must not keep anybody from logging in.
        attempt(self._remember_credential, info, env)
        return info

    check_credentials.orestapi_remembers = True
    return check_credentials


class ResUsers(models.Model):
    """When and how a user logged in, for the applications that ask (OpenID Connect Core §2)."""

    _inherit = 'res.users'

    def _register_hook(self):
        super()._register_hook()
        # Each way to prove who one is comes by this method: password, passkey, second factor,
        # and the confirmation that a dialog asks for. Put around all addons, because those of
        # core do not call what they extend. The cookie of a trusted device does not come by
        # here, so that it is not taken for a second factor.
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
        # After the second factor, the `uid` of the answer is that of the public user. The page of
        # the portal asks with no user at all.
        uid = self.id or info['uid']
        if remembered and remembered['uid'] != uid:
            # Somebody else logs in without that the first one has logged out.
            self.env['orestapi.logout.session']._end_sid(remembered['sid'])
        request.session[SESSION_KEY] = authentication.record(
            remembered,
            uid,
            METHODS.get(info['auth_method'], authentication.OTHER),
            time.time(),
            tokens.generate_secret(),
        )
