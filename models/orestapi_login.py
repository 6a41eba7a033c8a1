import re
import time

from odoo import api, models
from odoo.exceptions import AccessDenied, UserError
from odoo.http import request

from ..oauth2 import tokens
from ..openid import authentication, login, required_login
from ..openid.authentication_request import LOGIN
from ..openid.errors import UnmetAuthenticationRequirements
from .res_users_authentication import SESSION_KEY

#: Where the session keeps which requests need a new login, see `openid.required_login`.
REQUIRED_KEY = 'orestapi_required_login'


class OrestapiLogin(models.AbstractModel):
    """How the user of the browser's session logged in, and whether that is enough for a request."""

    _name = 'orestapi.login'
    _description = "Login for an Application"

    @api.model
    def _require(self, key):
        """Note that a request needs a login from now on, unless that is noted already.

        :param str key: see `required_login.compute_key`
        """
        request.session[REQUIRED_KEY] = required_login.add(request.session.get(REQUIRED_KEY), key, time.time())

    @api.model
    def _is_required(self, key):
        """Return whether a request has asked for a login and has not been answered since."""
        return required_login.find(request.session.get(REQUIRED_KEY), key, time.time()) is not None

    @api.model
    def _finish(self, key):
        """Forget an answered request, so that the next one of the same application asks again."""
        if request.session.get(REQUIRED_KEY):
            request.session[REQUIRED_KEY] = required_login.remove(request.session[REQUIRED_KEY], key)

    @api.model
    def _log_out(self):
        """End the session, and keep which requests need a login."""
        required = request.session.get(REQUIRED_KEY)
        request.session.logout(keep_db=True)
        if required:
            request.session[REQUIRED_KEY] = required

    @api.model
    def _is_current(self, sid, subject, client):
        """Return whether an ID token is of this very session, and for the user who is logged in.

        :param sid: from the ID token, or None
        :param subject: from the ID token, or None
        :param Client client: the application that has it
        """
        remembered, uid = request.session.get(SESSION_KEY), request.session.uid
        return bool(
            sid
            and remembered
            and (remembered['uid'], remembered['sid']) == (uid, sid)
            and self.env['orestapi.subject']._get_subject(uid, client) == subject
        )

    @api.model
    def _find_missing(self, asked, key):
        """Return the credential that the user must give before a request is answered, or None.

        :param AuthenticationRequest asked: the request
        :param str key: see `required_login.compute_key`
        :return: of `authentication.find_missing`
        :raise UnmetAuthenticationRequirements: when the user has no login that is strong enough
        """
        now, user = time.time(), self.env.user
        remembered = request.session.get(SESSION_KEY)
        since = required_login.find(request.session.get(REQUIRED_KEY), key, now)
        has_second_factor = bool(user._mfa_type())
        if since is None and (LOGIN in asked.prompt or self._is_too_old(asked, now)):
            return authentication.PASSWORD
        if since is not None:
            missing = authentication.find_missing(remembered, user.id, since, has_second_factor)
            if missing:
                return missing
        _auth_time, _amr, acr, _sid = authentication.describe(remembered, user.id, self._get_since(asked, key, now))
        if authentication.is_met(acr or authentication.ONE_FACTOR, asked.claims.acr):
            return None
        # sudo: res.users - whether the user could log in more strongly
        passkeys = 'auth_passkey_key_ids' in user._fields and user.sudo().auth_passkey_key_ids
        if authentication.TWO_FACTORS in asked.claims.acr and (has_second_factor or passkeys):
            return authentication.PASSWORD
        raise UnmetAuthenticationRequirements("The user cannot log in as the request demands.", reason='acr')

    @api.model
    def _is_too_old(self, asked, now):
        if asked.max_age is None:
            return False
        remembered = request.session.get(SESSION_KEY)
        # Older credentials do not count, even if a newer one was given as well.
        auth_time, *_others = authentication.describe(remembered, self.env.uid, now - asked.max_age)
        return asked.needs_login(auth_time, now)

    @api.model
    def _get_since(self, asked, key, now):
        """Return since when credentials count for a request, in seconds since 1970; None if all of them count."""
        since = required_login.find(request.session.get(REQUIRED_KEY), key, now)
        if since is None and asked.max_age is not None:
            since = now - asked.max_age
        return since

    @api.model
    def _describe(self, asked, key, client):
        """Return the `Login` for the ID tokens of a request.

        :param AuthenticationRequest asked: the request, from which nothing is missing
        :param str key: see `required_login.compute_key`
        :param Client client: the application
        """
        session, uid = request.session, self.env.uid
        # A session from before the installation of this addon has no id yet.
        remembered = authentication.begin(session.get(SESSION_KEY), uid, tokens.generate_secret())
        session[SESSION_KEY] = remembered
        auth_time, amr, acr, sid = authentication.describe(remembered, uid, self._get_since(asked, key, time.time()))
        return login.describe(auth_time, amr, acr, sid, asked.claims.id_token, client.defined_claims)

    @api.model
    def _check(self, form):
        """Check the credential that a user has entered on the login page of this addon.

        `_remember_credential` notes a right one in the session.

        :param form: `password`, or `totp_token`
        :return: None, or a sentence that says what is wrong
        """
        user = self.env.user
        credential = {'type': 'password', 'login': user.login, 'password': form.get('password', '')}
        if 'totp_token' in form:
            digits = re.sub(r'\s', '', form['totp_token'])
            if not re.fullmatch('[0-9]{6}', digits, re.ASCII):
                return self.env._("Enter the code as six digits.")
            credential = {'type': user._mfa_type(), 'token': int(digits)}
        try:
            # Counts failures, as Odoo's login page does.
            with user._assert_can_auth(user=user.login):
                user._check_credentials(credential, {'interactive': True})
        except AccessDenied as error:
            return self.env._("Wrong password.") if error.args == AccessDenied().args else str(error)
        return None

    @api.model
    def _send_code(self):
        """Send the user the code that the page asks for, if codes come by mail.

        :return: None, or a sentence that says what went wrong
        """
        user = self.env.user
        if user._mfa_type() != 'totp_mail':
            return None
        try:
            user._send_totp_mail_code()
        except (AccessDenied, UserError) as error:
            return str(error)
        return None
