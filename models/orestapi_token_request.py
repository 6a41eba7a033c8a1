import functools

from odoo import api, models

from ..dispatchers.access_token import refuse_access_token

#: Methods that no access token may call: they test or change how somebody logs in, create
#: credentials, or change applications and what they may do. They belong to core, to addons
#: that may be installed, and to this addon. The check runs before any code of these methods.
#: `res.users` and `res.partner` also check the values that are written, see there.
REFUSED = {
    'res.users': ('_check_credentials', '_login', 'authenticate', 'change_password'),
    'res.users.apikeys': ('_generate', '_remove'),
    'res.users.identitycheck': ('run_check',),
}

#: The name of the method that ends the sign-ins when records of a model are deleted. With any
#: other name, core's lint looks for the method that it overrides.
END_SIGN_INS = '__orestapi_end_sign_ins'


def _refuse_first(method):
    @functools.wraps(method)
    def refuse(self, *args, **kwargs):
        refuse_access_token(self.env)
        return method(self, *args, **kwargs)

    refuse.orestapi_refuses = True
    return refuse


class OrestapiToken(models.Model):
    """Refuses actions that a request with an access token must not do."""

    _inherit = 'orestapi.token'

    def _register_hook(self):
        super()._register_hook()
        # Wraps the methods of all other addons, which may act before they call `super`: test a
        # password at another server, or remove the trusted devices.
        for model, names in REFUSED.items():
            for name in names:
                self._put_around(model, name, _refuse_first)
        self._put_around('res.partner', '_generate_signup_token', self._get_signup_token_guard)
        self._watch_session_token_records()

    def _put_around(self, model, name, decorate):
        model_class = self.env.registry.get(model)
        method = getattr(model_class, name, None)
        if method and not hasattr(method, 'orestapi_refuses'):
            setattr(model_class, name, decorate(method))

    def _get_signup_token_guard(self, method):
        # For the link of the app Authentication Signup with which somebody chooses a new
        # password: the preview of an e-mail shows it to the person who composes it.
        @functools.wraps(method)
        def refuse(self, *args, **kwargs):
            if self.with_context(active_test=False).user_ids:
                refuse_access_token(self.env)
            return method(self, *args, **kwargs)

        refuse.orestapi_refuses = True
        return refuse

    def _watch_session_token_records(self):
        """End the sign-ins of a user with each change of the records that core's session token covers.

        These are passkeys, which are created and deleted without a write to `res.users`.
        """
        users = self.env['res.users']
        for name in users._get_session_token_fields():
            field = users._fields[name]
            if field.type == 'one2many':
                self._watch(self.env.registry[field.comodel_name], field.inverse_name)

    def _watch(self, model_class, user_field):
        if hasattr(model_class, END_SIGN_INS):
            return
        create = model_class._create

        # Does not wrap `create` and `unlink` of the model, because the app Automation Rules
        # removes all wrappers from them.
        @functools.wraps(create)
        def _create(self, *args, **kwargs):
            refuse_access_token(self.env)
            records = create(self, *args, **kwargs)
            records[user_field]._end_sign_ins_of_login()
            return records

        @api.ondelete(at_uninstall=False)
        def end_sign_ins(self):
            refuse_access_token(self.env)
            self[user_field]._end_sign_ins_of_login()

        model_class._create = _create
        setattr(model_class, END_SIGN_INS, end_sign_ins)
        # Core may have collected them already.
        if '_ondelete_methods' in vars(model_class):
            del model_class._ondelete_methods
