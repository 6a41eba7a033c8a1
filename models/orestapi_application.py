from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..oauth2 import origin, tokens
from ..oauth2.client import CONFIDENTIAL, PUBLIC

ADMINISTRATOR = 'orestapi.group_administrator'

MINUTE = 60
DAY = 24 * 60 * MINUTE
YEAR = 365 * DAY

#: Default of a public application. It cannot keep a secret, so a stolen refresh token must
#: expire eventually (RFC 9700 §4.14.2).
PUBLIC_REFRESH_TOKEN_EXPIRY = 30 * DAY

#: How far the time of last use of a sign-in or application may lag behind, so that not every
#: bearer call writes it.
LAST_USED_PRECISION = timedelta(minutes=10)

#: Field, lowest and highest value. The bounds catch typing errors; the highest value for the
#: code is recommended by RFC 6749 §4.1.2.
BOUNDS = (
    ('authorization_code_expiry', 1, 10 * MINUTE),
    ('authorization_code_retain', 0, 3650),
    ('access_token_expiry', 1, 30 * DAY),
    ('refresh_token_expiry', 0, 5 * YEAR),
    ('refresh_token_grace', 0, MINUTE),
    ('sign_in_expiry', 0, 5 * YEAR),
    ('id_token_expiry', MINUTE, DAY),
)


def ask(records, method, **question):
    """Return the action that asks a question and then calls a method of records.

    The method returns the next action. See `static/src/js/ask.js`.

    :param records: the records that the answer concerns
    :param str method: the method to call
    :param question: `title`, `body`, `confirm_label`, and `input` for a number, which the method
        finds in its context
    """
    question.setdefault('cancel_label', records.env._("Cancel"))
    return {
        'type': 'ir.actions.client',
        'tag': 'orestapi_ask',
        'params': {'model': records._name, 'method': method, 'ids': records.ids, **question},
    }


def show_message(records, message):
    """Return the action that shows a message and reloads the page."""
    return {
        'type': 'ir.actions.client',
        'tag': 'display_notification',
        'params': {
            'type': 'success',
            'message': message,
            'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'},
        },
    }


def to_record_value(record, field, value):
    """Return a value passed to `write` in the form in which the record returns it."""
    return field.convert_to_record(field.convert_to_cache(value, record, validate=False), record)


def is_unchanged(record, field, value):
    """Return whether a write leaves a field of the record unchanged.

    Commands of an x2many field count as a change, unless the list is empty or sets the same records.
    """
    if field.type not in ('one2many', 'many2many'):
        return to_record_value(record, field, value) == record[field.name]
    match value:
        case [[Command.SET, _, [*ids]]]:
            return {*ids} == {*record[field.name].ids}
    return not value


def _is_no_longer(old, new):
    """Return whether a lifetime in seconds is no longer than the previous one; 0 is no limit."""
    return bool(new) and (not old or new <= old)


#: Changes that take rights away or give none, each as a function of the old and the new
#: value. Every other change of an application that acts for people without asking them needs
#: the right to give any right (see `_check_guard`). That includes fields added later, until
#: they are listed here or in `UNGUARDED`.
HARMLESS = {
    'active': lambda old, new: not new,
    'trusted': lambda old, new: not new,
    'service_user_id': lambda old, new: not new,
    'require_pkce': lambda old, new: new,
    'legacy_connector': lambda old, new: not new,
    'resource_server': lambda old, new: not new,
    # Without a model scheme it can read no records.
    'model_scheme_id': lambda old, new: not new,
    'authorization_code_expiry': lambda old, new: new <= old,
    'access_token_expiry': lambda old, new: new <= old,
    'refresh_token_expiry': _is_no_longer,
    'sign_in_expiry': _is_no_longer,
    # 0 means no grace period.
    'refresh_token_grace': lambda old, new: new <= old,
    'id_token_expiry': lambda old, new: new <= old,
    'claims_in_id_token': lambda old, new: not new,
    'addresses_verified': lambda old, new: not new,
    'nonce_replaces_pkce': lambda old, new: not new,
    'post_logout_redirect_uris': lambda old, new: not new,
    'backchannel_logout_uri': lambda old, new: not new,
    'previous_client_secret_expires_at': lambda old, new: not new or (old and new <= old),
}

#: Fields by which people recognise the application.
UNGUARDED = ('name', 'logo', 'description')


class OrestapiApplication(models.Model):
    """A remote application that may act for users: an OAuth 2.0 client (RFC 6749 §2)."""

    _name = 'orestapi.application'
    _inherit = 'orestapi.administered'
    _description = "Application"
    _order = 'name, id'

    name = fields.Char(required=True, help="The name by which users know the application. The consent page shows it.")
    # Searches filter by `active` implicitly, so every reader of the model needs it.
    active = fields.Boolean(
        default=True,
        help="An archived application and its tokens are rejected everywhere. Nothing is lost: they work again when it "
        "is activated.",
    )
    logo = fields.Image(
        max_width=512,
        max_height=512,
        help="The picture by which users know the application. The consent page shows it.",
    )
    description = fields.Text(help="What the application is for. Shown to users.")
    client_id = fields.Char(
        "Client ID",
        required=True,
        copy=False,
        groups=ADMINISTRATOR,
        default=lambda self: tokens.generate_client_id(),
        help="The name of the application in the protocol. Copy it into the settings of the application. "
        "It is not a secret.",
    )
    uri_ids = fields.One2many(
        'orestapi.application.uri',
        'application_id',
        "Callback URIs",
        copy=True,
        groups=ADMINISTRATOR,
        help="The URIs at which the application may receive its authorization codes. At least one is needed.",
    )
    authorization_ids = fields.One2many(
        'orestapi.authorization', 'application_id', "Authorizations", groups=ADMINISTRATOR
    )

    authorization_code_expiry = fields.Integer(
        required=True,
        default=10 * MINUTE,
        groups=ADMINISTRATOR,
        help="How many seconds the application has to exchange an authorization code for tokens. From 1 to 600.",
    )
    authorization_code_retain = fields.Integer(
        required=True,
        default=0,
        groups=ADMINISTRATOR,
        help="How many days the record of an authorization code is kept after it expired. "
        "0 means until the next daily clean-up.",
    )
    access_token_expiry = fields.Integer(
        required=True,
        default=60 * MINUTE,
        groups=ADMINISTRATOR,
        help="How many seconds an access token is valid before the application must refresh it; less if the sign-in "
        "ends earlier.",
    )
    refresh_token_expiry = fields.Integer(
        required=True,
        default=0,
        groups=ADMINISTRATOR,
        help="After how many seconds without a refresh the user must sign in again. 0 means never.",
    )
    refresh_token_grace = fields.Integer(
        required=True,
        default=0,
        groups=ADMINISTRATOR,
        help="For how many seconds the application may retry a refresh after it lost the response. It then gets the "
        "same response again. 0 means that any retry ends the sign-in. "
        "At most 60.",
    )
    sign_in_expiry = fields.Integer(
        required=True,
        default=0,
        groups=ADMINISTRATOR,
        help="After how many seconds the user must sign in again, however often the application refreshed. "
        "0 means never.",
    )
    client_type = fields.Selection(
        [(CONFIDENTIAL, "Confidential"), (PUBLIC, "Public")],
        required=True,
        default=CONFIDENTIAL,
        groups=ADMINISTRATOR,
        help="Confidential: it runs on a server and can keep a secret. Public: it runs on the device of the user "
        "(a page in the browser, a mobile or desktop program) and has no secret.",
    )
    require_pkce = fields.Boolean(
        "Require PKCE",
        default=True,
        groups=ADMINISTRATOR,
        help="PKCE ties each authorization code to the application instance that requested it. Turn this off only for "
        "an application that does not support it: a stolen code can then be used by anyone who has the client secret. "
        "Public applications always need it.",
    )
    native_application = fields.Boolean(
        groups=ADMINISTRATOR,
        help="The application has a secret, but runs on the device of the user, as a desktop program does. It may then "
        "receive its codes at http://localhost on any port, and users are asked each time. Public applications are "
        "always treated this way.",
    )
    legacy_connector = fields.Boolean(
        groups=ADMINISTRATOR,
        help="For a connector made for the older addon of Odoo 11 and 12. The older URLs under /orestapi/oauth2 then "
        "accept its secret in the URL and requests without PKCE, which is unsafe. Turn this off as soon as the "
        "connector is replaced. The other URLs are not affected.",
    )
    scope_ids = fields.Many2many(
        'orestapi.scope',
        string="Scopes",
        groups=ADMINISTRATOR,
        default=lambda self: self.env.ref('orestapi.scope_read', raise_if_not_found=False),
        help="What the application may request from users.",
    )
    trusted = fields.Boolean(
        copy=False,
        groups=ADMINISTRATOR,
        help="Skip the consent page. Only for an application of your own organization.",
    )
    group_ids = fields.Many2many(
        'res.groups',
        string="Who can use it",
        required=True,
        groups=ADMINISTRATOR,
        default=lambda self: self.env.ref('base.group_user'),
        help="Only members of one of these groups can use the application. Users who leave them lose access at once.",
    )
    service_user_id = fields.Many2one(
        'res.users',
        "Service User",
        ondelete='restrict',
        copy=False,
        groups=ADMINISTRATOR,
        domain=[('share', '=', False)],
        help="For an application that works on its own: it acts as this user, with this user's rights. Leave it empty "
        "if it does not need to. Create a separate user for it.",
    )
    resource_server = fields.Boolean(
        groups=ADMINISTRATOR,
        help="The application is an API that receives access tokens of other applications: it may check any token. "
        "Other applications may check only their own.",
    )
    allowed_origins = fields.Text(
        groups=ADMINISTRATOR,
        help="For browser apps: the origins they are served from, one per line, for example https://shop.example.com.",
    )

    create_uid = fields.Many2one('res.users', "Created by", readonly=True, groups=ADMINISTRATOR)
    create_date = fields.Datetime("Created on", readonly=True, groups=ADMINISTRATOR)
    write_uid = fields.Many2one('res.users', "Last Modified by", readonly=True, groups=ADMINISTRATOR)
    # Readable by all, because Odoo serves no picture of a record whose `write_date` the user may not read.
    write_date = fields.Datetime("Last Modified on", readonly=True)

    _client_id_unique = models.Constraint(
        'UNIQUE (client_id)',
        "Another application, perhaps an archived one, already has this client ID. Each needs its own.",
    )

    @api.constrains(*(name for name, _lowest, _highest in BOUNDS))
    def _check_bounds(self):
        for application in self:
            self._check_bounds_of({name: application[name] for name, _lowest, _highest in BOUNDS})

    @api.model
    def _check_bounds_of(self, vals):
        for name, lowest, highest in BOUNDS:
            # Checked before the ORM, which would cut 1.5 to 1 and fail with a traceback for
            # texts and huge numbers.
            if name in vals and (type(vals[name]) is not int or not lowest <= vals[name] <= highest):
                raise ValidationError(
                    self.env._(
                        "%(field)s: enter a whole number from %(lowest)s to %(highest)s.",
                        field=self._fields[name]._description_string(self.env),
                        lowest=lowest,
                        highest=highest,
                    )
                )

    @api.constrains('client_id')
    def _check_client_id(self):
        for application in self:
            # Not only digits: in introspection, `sub` is the client id of an application or
            # the number of a user (RFC 9700 §4.15).
            if not tokens.CLIENT_ID.fullmatch(application.client_id or '') or application.client_id.isdecimal():
                raise ValidationError(
                    self.env._("A client ID has 8 to 128 characters (letters, digits and - . _ ~) and is not a number.")
                )

    @api.constrains('allowed_origins')
    def _check_allowed_origins(self):
        for application in self:
            for text in origin.parse(application.allowed_origins):
                if not origin.is_origin(text):
                    raise ValidationError(
                        self.env._(
                            "Write each origin as https:// or http:// and the host, without a path, for example "
                            "https://shop.example.com. Write a host with letters other than a to z in Punycode: "
                            "bücher.example is xn--bcher-kva.example."
                        )
                    )

    @api.onchange('client_type')
    def _onchange_client_type(self):
        if self.client_type == PUBLIC:
            self.client_secret = False
            if not self.refresh_token_expiry and not self.sign_in_expiry:
                self.refresh_token_expiry = PUBLIC_REFRESH_TOKEN_EXPIRY

    @api.constrains('group_ids')
    def _check_group_ids(self):
        for application in self:
            if not application.group_ids:
                raise ValidationError(
                    self.env._("On the Settings tab, choose at least one group whose members may use the application.")
                )

    @api.onchange('allowed_origins')
    def _onchange_allowed_origins(self):
        self.allowed_origins = self._repair({'allowed_origins': self.allowed_origins})['allowed_origins']

    @api.model
    def _repair(self, vals):
        """Return values to write with the origins in the form that browsers send, one per line."""
        if not isinstance(vals.get('allowed_origins'), str):
            return vals
        origins = map(origin.repair, origin.parse(vals['allowed_origins']))
        return {**vals, 'allowed_origins': '\n'.join(origins)}

    @api.constrains('service_user_id', 'client_type')
    def _check_service_user(self):
        for application in self:
            # The token endpoint would refuse any other user anyway.
            if application.service_user_id and not application.service_user_id._is_service_user():
                raise ValidationError(
                    self.env._(
                        "%s cannot be a service user: choose an internal user.", application.service_user_id.name
                    )
                )
            # RFC 6749 §4.4: the client credentials grant is for confidential clients only.
            if application.service_user_id and application.client_type == PUBLIC:
                raise ValidationError(
                    self.env._(
                        "A public application has no secret, so anybody could act as its service user. "
                        "Remove the service user, or make the application confidential."
                    )
                )

    @api.constrains('legacy_connector', 'client_type')
    def _check_legacy_connector(self):
        for application in self:
            # RFC 9700 §2.1.1: without PKCE and a secret, nothing would protect its codes.
            if application.legacy_connector and application.client_type == PUBLIC:
                raise ValidationError(
                    self.env._(
                        "A legacy connector has a client secret: make the application confidential, "
                        "or turn off Legacy Connector."
                    )
                )

    def _may_give_any_right(self):
        # An administrator of access rights could take any right anyway.
        return self.env.su or self.env.user.has_group('base.group_erp_manager')

    def _check_service_user_rights(self):
        """Check that the current user may decide about the service users.

        Anyone who knows the client secret acts as the service user, so without this check
        an administrator of applications could act as any colleague. It is not an
        `@api.constrains`, because those run as superuser.

        :raise AccessError: for another user as the service user, set by
            someone who does not administer access rights
        """
        # sudo: orestapi.application - the service user decides, even if the caller may not read it
        if not self._may_give_any_right() and self.sudo().service_user_id - self.env.user:
            raise AccessError(
                self.env._(
                    "This application acts as another user, so only someone who can manage access rights may change "
                    "this."
                )
            )

    def _check_trusted_rights(self):
        """Check that the current user may decide about applications that skip the consent page.

        :raise AccessError: for a trusted application, changed by someone
            who does not administer access rights
        """
        # sudo: orestapi.application - whether it is trusted decides, even if the caller may not read it
        if not self._may_give_any_right() and any(self.sudo().mapped('trusted')):
            raise AccessError(
                self.env._(
                    "Users are not asked about a trusted application, so only someone who can manage access rights may "
                    "do this. Ask them, or turn off Trusted."
                )
            )

    def _check_guard(self):
        """Check that the current user may change applications that act for people without asking them.

        Called before and after a change: the right is needed if the application is guarded at either time.

        :raise AccessError: for an application that is trusted or has another user as its service
            user, changed by someone who does not administer access rights
        """
        self._check_service_user_rights()
        self._check_trusted_rights()

    def _is_harmless(self, vals):
        """Return whether a write takes rights away from the application, or gives it none (see `HARMLESS`)."""
        self.ensure_one()
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None or name in UNGUARDED or is_unchanged(self, field, value):
                continue
            if name == 'uri_ids':
                # Their own model guards them too, but sees the application only after this write.
                if not self.uri_ids._are_harmless(value):
                    return False
                continue
            harmless = HARMLESS.get(name)
            if not harmless or not harmless(self[name], to_record_value(self, field, value)):
                return False
        return True

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [{**self._repair(vals)} for vals in vals_list]
        for vals in vals_list:
            self._check_bounds_of(vals)
            client_type = vals.get('client_type') or self.env.context.get('default_client_type')
            if client_type == PUBLIC and not {'refresh_token_expiry', 'sign_in_expiry'} & vals.keys():
                vals.setdefault('refresh_token_expiry', PUBLIC_REFRESH_TOKEN_EXPIRY)
        applications = super().create(vals_list)
        applications._check_guard()
        for application in applications:
            self.env['orestapi.event']._log('application_created', application_id=application.id)
        return applications

    def write(self, vals):
        vals = self._repair(vals)
        self._check_bounds_of(vals)
        self.check_access('write')
        # sudo: orestapi.application - compares with the stored values, and keeps the service users
        before = self.sudo()
        service_users = {application.id: application.service_user_id for application in before}
        changed = self.browse()
        if not self._may_give_any_right():
            changed = before.filtered(lambda application: not application._is_harmless(vals)).sudo(False)
        changed._check_guard()
        becomes_public = self.browse()
        if vals.get('client_type') == PUBLIC:
            becomes_public = before.filtered(lambda application: application.client_type != PUBLIC).sudo(False)
        result = super().write(vals)
        if becomes_public:
            becomes_public._become_public(vals)
        self._invalidate_caches()
        changed._check_guard()
        if vals.get('service_user_id') and not vals.get('client_secret') and not self.env.su:
            # The user who generated the secret knows it, and could now act as the new service user.
            for application in self:
                if application.has_client_secret and application.service_user_id != service_users[application.id]:
                    application._set_client_secret(False)
        if 'active' in vals:
            kind = 'application_activated' if vals['active'] else 'application_deactivated'
            for application in self:
                self.env['orestapi.event']._log(kind, application_id=application.id)
        return result

    def _become_public(self, vals):
        """Set the values that fit the new type of the applications, unless the write sets them."""
        self._forget_client_secrets()
        if not {'refresh_token_expiry', 'sign_in_expiry'} & vals.keys():
            endless = self.filtered(lambda record: not record.refresh_token_expiry and not record.sign_in_expiry)
            endless.refresh_token_expiry = PUBLIC_REFRESH_TOKEN_EXPIRY

    def unlink(self):
        result = super().unlink()
        self._invalidate_caches()
        return result

    @api.model
    def _invalidate_caches(self):
        # Odoo has one default cache for all models, so this empties it for all of them.
        self.env.registry.clear_cache()
        # Again after the commit, because another thread may cache the old values until then.
        self.env.cr.postcommit.add(self.env.registry.clear_cache)

    @api.ondelete(at_uninstall=False)
    def _unlink_log(self):
        for application in self:
            self.env['orestapi.event']._log('application_deleted', application_id=application.id)

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if 'name' not in (default or {}):
            for application, vals in zip(self, vals_list, strict=True):
                vals['name'] = self.env._("%s (copy)", application.name)
        return vals_list

    def _read_group_groupby(self, alias, groupby_spec, query):
        # Odoo checks access to every field by which it groups, except a many2many.
        if field := self._fields.get(groupby_spec.partition(':')[0]):
            self._check_field_access(field, 'read')
        return super()._read_group_groupby(alias, groupby_spec, query)

    def get_loss(self):
        """Return the questions to ask before the applications are archived or deleted.

        :return: for `archive` and `delete`, a text that tells how many people lose access
        """
        self.check_access('write')
        # Ended and expired sign-ins are lost already.
        authorizations = self.env['orestapi.authorization'].search([
            ('application_id', 'in', self.ids),
            ('user_id.active', '=', True),
        ])
        counts = {
            'people': len(authorizations.user_id),
            'sign_ins': self.env['orestapi.token'].search_count([
                ('authorization_id', 'in', authorizations.ids),
                ('state', 'in', ['active', 'suspended']),
            ]),
            'applications': len(self),
        }
        return {
            'archive': self.env._(
                "People who lose access: %(people)s. Their sign-ins: %(sign_ins)s. Applications: %(applications)s.\n\n"
                "An archived application and its tokens are rejected everywhere. They work again when you "
                "unarchive it.",
                **counts,
            ),
            'delete': self.env._(
                "People who lose access: %(people)s. Their sign-ins: %(sign_ins)s. Applications: %(applications)s.\n\n"
                "The applications, with their settings, secrets and authorizations, are gone for good. To keep them, "
                "archive them instead.",
                **counts,
            ),
        }

    # XML-RPC cannot carry the None that core returns.
    def action_archive(self):
        super().action_archive()
        return True

    def action_unarchive(self):
        super().action_unarchive()
        return True
