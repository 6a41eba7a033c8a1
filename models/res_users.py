from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessDenied, AccessError
from odoo.fields import NO_ACCESS
from odoo.http import root
from odoo.tools import consteq

from ..dispatchers.access_token import get_active_token, refuse_access_token
from ..dispatchers.hooks import attempt
from ..oauth2 import tokens
from ..oauth2.grants import client_credentials

#: Fields that decide who can log in as a user, besides those that core's session token covers
#: (`_get_session_token_fields`). The e-mail belongs to the partner, see `res.partner`.
LOGIN_FIELDS = frozenset({'api_key_ids', 'new_password', 'oauth_provider_id', 'oauth_uid', 'partner_id'})

#: Fields that the session token covers but that are handled elsewhere: the password in
#: `_set_password`, `active` in `write`. The token of another provider (auth_oauth) changes at
#: each login, which does not change who may log in.
OTHERWISE_WATCHED = frozenset({'id', 'active', 'password', 'oauth_access_token'})

#: How many of the last sign-ins of a user the preferences show.
MAX_DEVICES = 500


class ResUsers(models.Model):
    _inherit = 'res.users'

    # Computed, because a search by a stored relation would find users by records that the
    # reader may not see.
    orestapi_authorization_ids = fields.One2many(
        'orestapi.authorization',
        string="Connected Applications",
        compute='_compute_orestapi_authorization_ids',
        search='_search_orestapi_authorization_ids',
        help="The applications that may act for the user.",
    )
    orestapi_token_ids = fields.One2many(
        'orestapi.token',
        string="Devices of Applications",
        compute='_compute_orestapi_token_ids',
        help="The devices and browsers on which applications act for the user.",
    )

    # How often all sign-ins of the user were ended. Codes and sign-ins store the number at
    # their creation and are worthless when it has changed: a transaction that ends all
    # sign-ins cannot see those that concurrent transactions are opening.
    orestapi_revocation_count = fields.Integer(groups=NO_ACCESS, copy=False, prefetch=False, readonly=True)
    orestapi_revoked_at = fields.Datetime(groups=NO_ACCESS, copy=False, prefetch=False, readonly=True)

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, 'orestapi_authorization_ids', 'orestapi_token_ids']

    @api.depends_context('uid')
    def _compute_orestapi_authorization_ids(self):
        authorizations = self.env['orestapi.authorization'].search([('user_id', 'in', self.ids)]).grouped('user_id')
        for user in self:
            user.orestapi_authorization_ids = authorizations.get(user, False)

    def _search_orestapi_authorization_ids(self, operator, value):
        raise AccessError(self.env._("The users of applications cannot be searched here: see the authorizations."))

    @api.depends_context('uid')
    def _compute_orestapi_token_ids(self):
        tokens = self.env['orestapi.token']
        for user in self:
            domain = [('authorization_id.user_id', '=', user.id), ('state', '=', 'active')]
            devices = tokens.search([*domain, ('grant_type', '!=', client_credentials.NAME)], limit=MAX_DEVICES)
            # Only the last token of each service: it may have thousands, all for the same device.
            services = tokens._read_group(
                [*domain, ('grant_type', '=', client_credentials.NAME)], ['authorization_id'], ['id:max']
            )
            ids = {*devices.ids, *(token_id for _authorization, token_id in services)}
            user.orestapi_token_ids = tokens.browse(sorted(ids, reverse=True))

    @api.model_create_multi
    def create(self, vals_list):
        # A user created by an application would remain when it is disconnected.
        refuse_access_token(self.env)
        return super().create(vals_list)

    @api.ondelete(at_uninstall=True)
    def _unlink_end_sessions(self):
        # While it is known by which identifiers applications know the users.
        self.env['orestapi.logout.session']._end_users(self.ids)

    def write(self, vals):
        if get_active_token(self.env.cr) and not self._get_login_fields().isdisjoint(vals):
            refuse_access_token(self.env)
        watched = (self._get_session_token_fields() - OTHERWISE_WATCHED).intersection(vals)
        before = self._get_values_of(watched)
        result = super().write(vals)
        if 'active' in vals and not vals['active']:
            # Sign-ins end with the account, and do not come back when somebody activates it
            # again.
            self.env['orestapi.token']._end_sign_ins(self.ids, 'user_archived')
        after = self._get_values_of(watched)
        self.filtered(lambda user: before.get(user.id) != after.get(user.id))._end_sign_ins_of_login()
        return result

    @api.model
    def _get_login_fields(self):
        """Return the names of the fields that an access token may not write, for any user."""
        return LOGIN_FIELDS | (self._get_session_token_fields() - {'id', 'active'})

    def _get_values_of(self, names):
        # sudo: res.users - compares fields that nobody may read
        return {user.id: [user[name] for name in sorted(names)] for user in self.sudo()} if names else {}

    def _end_sign_ins_of_login(self):
        """End the sign-ins of users whose login has changed, as core ends their sessions.

        The fields are those of core's session token (`_get_session_token_fields`), to which
        addons add: login, second factor, passkeys.
        """
        if self:
            self.env['orestapi.token']._end_sign_ins(self.ids, 'login_changed')

    def _set_password(self):
        # The inverse of the field: every change of a password runs through it, but not the
        # renewal of the hash at a login.
        refuse_access_token(self.env)
        super()._set_password()
        self.env['orestapi.token']._end_sign_ins(self.ids, 'password_changed')

    def _action_revoke_all_devices(self):
        self.env['orestapi.token']._end_sign_ins(self.ids, 'logged_out')
        return super()._action_revoke_all_devices()

    def _is_session_valid(self, session):
        """Return whether a session still exists and was opened with the current password.

        Core has read the session before the transaction began, and caches that it is valid
        until it hears from the other processes.

        :param session: the session of a request of this user
        """
        stored = root.session_store.get(session.sid)
        expected = self._session_token_hash_compute(session.sid, self._session_token_get_values())
        return bool(expected) and consteq(expected, stored.get('session_token') or '')

    def _login(self, credential, user_agent_env):
        password = credential.get('password')
        if credential.get('type') == 'password' and password and attempt(tokens.has_token_form, password):
            return self._login_with_access_token(credential['login'], password, user_agent_env)
        return super()._login(credential, user_agent_env)

    def _login_with_access_token(self, login, access_token, user_agent_env):
        """Log in over XML-RPC or JSON-RPC with an access token in place of the password.

        It is separate from `_login` because a wrong access token is not an attempt at the
        user's password: it must not count for the cool-down that keeps people of the same
        office from logging in. Guessing one is hopeless anyway.

        :raise AccessDenied: for a token that is not valid, without the scope
            `rpc` or of another user, and at the login page
        """
        user_agent_env = user_agent_env or {}
        # When an administrator logs in, core takes this URL as its own base URL from then on.
        user_agent_env.pop('base_location', None)
        uid = not user_agent_env.get('interactive', True) and self.env['res.users.apikeys']._check_credentials(
            scope='rpc', key=access_token
        )
        # sudo: res.users - finds the user by login, as core's login does
        user = self.sudo().search(self._get_login_domain(login), order=self._get_login_order(), limit=1)
        if not uid or user.id != uid:
            raise AccessDenied
        return {'uid': uid, 'auth_method': 'apikey', 'mfa': 'default'}

    @api.model
    def _check_uid_passwd(self, uid, passwd):
        # Core caches each correct password until something about the user changes. A token
        # expires and is revoked without such a change.
        if passwd and attempt(tokens.has_token_form, passwd):
            if self.env['res.users.apikeys']._check_credentials(scope='rpc', key=passwd) != uid:
                raise AccessDenied
            return
        super()._check_uid_passwd(uid, passwd)

    def _get_all_group_ids(self):
        """Return the ids of the groups that the user is a member of, as a frozenset."""
        # A request is authenticated before it has an environment, and the ORM cannot compute
        # the groups without one.
        if self.env.transaction.default_env is None:
            self.env.transaction.default_env = self.env
        return frozenset(self._get_group_ids())

    def _is_service_user(self):
        """Return whether an application may act as this user on its own.

        Only internal users may: portal users and website visitors have not agreed that programs
        act for them, and access rules do not apply to the superuser.
        """
        self.ensure_one()
        return self._is_internal() and self.id != SUPERUSER_ID

    def _can_authorize(self, client):
        """Return whether the user may let an application act for them.

        :param Client client: the application
        """
        return self.active and not self._get_all_group_ids().isdisjoint(client.group_ids)
