from base64 import b64encode
from datetime import timedelta
from html import escape
from urllib.parse import urlencode, urlsplit

from odoo import api, fields, models
from odoo.addons.base.models.avatar_mixin import get_hsl_from_seed
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import ValidationError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..oauth2 import (
    authorization_request,
    client_authentication,
    client_secret,
    grant_type,
    metadata,
    origin,
    pkce,
    redirect_uri,
    token,
)
from ..oauth2.client import CONFIDENTIAL, PUBLIC, Client
from ..oauth2.errors import InvalidClient, TooManyRequests

ADMINISTRATOR = 'orestapi.group_administrator'

MINUTE = 60
DAY = 24 * 60 * MINUTE
YEAR = 365 * DAY

#: Field, lowest and highest value. The bounds catch a typing error; that of the
#: code is the recommendation of RFC 6749 §4.1.2.
BOUNDS = (
    ('authorization_code_expiry', 1, 10 * MINUTE),
    ('authorization_code_retain', 0, 3650),
    ('access_token_expiry', 1, 30 * DAY),
    ('refresh_token_expiry', 0, 5 * YEAR),
    ('refresh_token_grace', 0, MINUTE),
    ('sign_in_expiry', 0, 5 * YEAR),
)

#: Failed client authentications from one address for one application within the
#: window, before the server answers 429 (RFC 6749 §2.3.1, RFC 6819 §5.1.4.2.3).
FAILURE_LIMIT = 10
FAILURE_WINDOW = timedelta(seconds=60)

#: The code verifier of RFC 7636 appendix B, for the address that *Test* shows.
EXAMPLE_VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'


class OrestapiApplication(models.Model):
    """A remote application that may act for users: an OAuth 2.0 client (RFC 6749 §2)."""
    _name = 'orestapi.application'
    _description = "Application"
    _order = 'name, id'

    name = fields.Char(
        required=True,
        help="The name by which users know the application. The consent page shows it.")
    # `active` decides what a search without further words finds, so that every
    # reader of the model needs it.
    active = fields.Boolean(
        default=True,
        help="An inactive application is refused everywhere, and so are its tokens. Nothing is lost: "
             "they work again when it is activated.")
    logo = fields.Image(
        max_width=512, max_height=512,
        help="The picture by which users know the application. The consent page shows it.")
    avatar = fields.Image(
        compute='_compute_avatar', help="The logo, or the first letter of the name where there is none.")
    description = fields.Text(help="What the application is for. Users can read it.")
    client_id = fields.Char(
        "Client ID", required=True, copy=False, groups=ADMINISTRATOR,
        default=lambda self: token.generate_client_id(),
        help="The name of the application in the protocol. Copy it into the settings of the application. "
             "It is no secret.")
    client_secret = fields.Char(
        compute='_compute_client_secret', inverse='_inverse_client_secret', copy=False, groups=ADMINISTRATOR,
        default=lambda self: self._default_client_secret(),
        help="The password of the application. Copy it into the settings of the application now: "
             "only a hash is kept here, so that nobody can read it again.")
    client_secret_hash = fields.Char(copy=False, groups=NO_ACCESS)
    client_secret_date = fields.Datetime(
        "Client Secret Since", copy=False, readonly=True, groups=ADMINISTRATOR,
        help="When the current client secret was set.")
    previous_client_secret_hash = fields.Char(copy=False, groups=NO_ACCESS)
    previous_client_secret_expires_at = fields.Datetime(
        "Previous Client Secret Works Until", copy=False, groups=ADMINISTRATOR,
        help="Until then the client secret before the current one is accepted too, so that the application can "
             "be changed over without a break. Empty the field to end the previous secret at once.")
    has_client_secret = fields.Boolean(
        compute='_compute_has_client_secret', groups=ADMINISTRATOR,
        help="Whether the application has a client secret.")
    own_id = fields.Char(
        "Own ID", copy=False, groups=ADMINISTRATOR,
        help="How this Odoo identifies itself at the remote side, where the application asks for it.")
    own_secret = fields.Char(
        copy=False, groups=ADMINISTRATOR,
        help="The secret that goes with the own ID. Only Oregional Odoo App administrators can read it.")
    uri_ids = fields.One2many(
        'orestapi.application.uri', 'application_id', "Callback URIs", copy=True, groups=ADMINISTRATOR,
        help="The addresses that the application may receive its authorization codes at. At least one is needed.")
    uri_count = fields.Integer("URIs", compute='_compute_uri_count', groups=ADMINISTRATOR)
    authorization_ids = fields.One2many(
        'orestapi.authorization', 'application_id', "Authorizations", groups=ADMINISTRATOR)

    authorization_code_expiry = fields.Integer(
        required=True, default=10 * MINUTE, groups=ADMINISTRATOR,
        help="How many seconds the application has to exchange an authorization code for tokens. "
             "From 1 to 600.")
    authorization_code_retain = fields.Integer(
        required=True, default=0, groups=ADMINISTRATOR,
        help="For how many days the record of an authorization code is kept after it expired. "
             "0 means until the next daily clean-up.")
    access_token_expiry = fields.Integer(
        required=True, default=60 * MINUTE, groups=ADMINISTRATOR,
        help="For how many seconds an access token works before the application must refresh it.")
    refresh_token_expiry = fields.Integer(
        required=True, default=0, groups=ADMINISTRATOR,
        help="After how many seconds without a refresh the user must sign in again. 0 means never.")
    refresh_token_grace = fields.Integer(
        required=True, default=0, groups=ADMINISTRATOR,
        help="For how many seconds a refresh token may be presented once more, when the application lost the "
             "answer. It then gets the same answer again. 0 means that every repetition ends the sign-in. "
             "At most 60.")
    sign_in_expiry = fields.Integer(
        required=True, default=0, groups=ADMINISTRATOR,
        help="After how many seconds the user must sign in again, however often the application refreshed. "
             "0 means never.")
    client_type = fields.Selection(
        [(CONFIDENTIAL, "Confidential"), (PUBLIC, "Public")],
        required=True, default=CONFIDENTIAL, groups=ADMINISTRATOR,
        help="Confidential: it runs on a server and can keep a secret. Public: it runs on the device of the user "
             "(a page in the browser, a mobile or desktop program) and has no secret.")
    require_pkce = fields.Boolean(
        "Require PKCE", default=True, groups=ADMINISTRATOR,
        help="PKCE binds each authorization code to the browser that asked for it. Switch it off only for an "
             "application that cannot do it: a stolen code can then be used by whoever has the client secret. "
             "Public applications always need it.")
    scope_ids = fields.Many2many(
        'orestapi.scope', string="Scopes", groups=ADMINISTRATOR,
        default=lambda self: self.env.ref('orestapi.scope_read', raise_if_not_found=False),
        help="What the application may ask users for.")
    trusted = fields.Boolean(
        groups=ADMINISTRATOR,
        help="Users are not asked whether they allow it. Only for an application of your own organization.")
    group_ids = fields.Many2many(
        'res.groups', string="Who May Authorize It", required=True, groups=ADMINISTRATOR,
        default=lambda self: self.env.ref('base.group_user'),
        help="Only members of one of these groups can use the application. Whoever leaves them loses access at once.")
    service_user_id = fields.Many2one(
        'res.users', "Service User", ondelete='restrict', groups=ADMINISTRATOR,
        domain=[('share', '=', False)],
        help="For an application that works on its own, without a user: it acts as this user, with this user's "
             "rights. Leave it empty to refuse that. Use a user of its own for it.")
    resource_server = fields.Boolean(
        groups=ADMINISTRATOR,
        help="The application is an API that receives access tokens of other applications: it may ask whether "
             "any token is valid. Others may ask only about their own.")
    allowed_origins = fields.Text(
        groups=ADMINISTRATOR,
        help="For an application that is a page in the browser: the web addresses that it is loaded from, one a "
             "line, for example https://shop.example.com.")

    create_uid = fields.Many2one('res.users', "Created by", readonly=True, groups=ADMINISTRATOR)
    create_date = fields.Datetime("Created on", readonly=True, groups=ADMINISTRATOR)
    write_uid = fields.Many2one('res.users', "Last Modified by", readonly=True, groups=ADMINISTRATOR)
    write_date = fields.Datetime("Last Modified on", readonly=True, groups=ADMINISTRATOR)

    # What the form shows beside the settings.
    status = fields.Selection(
        [('ready', "Ready"), ('risky', "Ready, with Risks"), ('incomplete', "Incomplete")],
        compute='_compute_status', groups=ADMINISTRATOR,
        help="Whether the application can be used, and whether its settings are as safe as they can be.")
    status_message = fields.Text(compute='_compute_status', groups=ADMINISTRATOR)
    authorization_count = fields.Integer(compute='_compute_counts', groups=ADMINISTRATOR)
    sign_in_count = fields.Integer("Active Sign-ins", compute='_compute_counts', groups=ADMINISTRATOR)
    code_count = fields.Integer("Codes", compute='_compute_counts', groups=ADMINISTRATOR)
    event_count = fields.Integer(compute='_compute_counts', groups=ADMINISTRATOR)
    event_ids = fields.One2many(
        'orestapi.event', 'application_id', "Latest Events", readonly=True, groups=ADMINISTRATOR)
    issuer = fields.Char(
        compute='_compute_endpoints', groups=ADMINISTRATOR,
        help="How this server names itself to applications: its own address.")
    metadata_endpoint = fields.Char(
        "Metadata", compute='_compute_endpoints', groups=ADMINISTRATOR,
        help="Applications that can discover the endpoints need no other address than this.")
    authorization_endpoint = fields.Char(compute='_compute_endpoints', groups=ADMINISTRATOR)
    token_endpoint = fields.Char(compute='_compute_endpoints', groups=ADMINISTRATOR)
    revocation_endpoint = fields.Char(compute='_compute_endpoints', groups=ADMINISTRATOR)
    introspection_endpoint = fields.Char(compute='_compute_endpoints', groups=ADMINISTRATOR)
    test_uri = fields.Char("Test", compute='_compute_test_uri', groups=ADMINISTRATOR)

    _client_id_unique = models.Constraint(
        'UNIQUE (client_id)',
        "Another application, perhaps an inactive one, has this client ID. Each needs one of its own.",
    )

    def _default_client_secret(self):
        # Only the form shows what it proposes. A secret that nobody has seen
        # would be of no use to a caller of `create` over RPC.
        return self.env.context.get('propose_client_secret') and token.generate_client_secret()

    def _compute_client_secret(self):
        self.client_secret = False

    def _inverse_client_secret(self):
        for application in self:
            if secret := application.client_secret:
                application._check_client_secret_text(secret)
            elif not application.has_client_secret:
                # A new application without a secret: nothing changes.
                continue
            application._set_client_secret(secret)
        self.invalidate_recordset(['client_secret'])

    @api.depends('client_secret_hash')
    def _compute_has_client_secret(self):
        for application in self:
            # sudo: orestapi.application - only tells that there is a hash
            application.has_client_secret = bool(application.sudo().client_secret_hash)

    @api.depends('uri_ids')
    def _compute_uri_count(self):
        for application in self:
            application.uri_count = len(application.uri_ids)

    @api.depends('name', 'logo')
    def _compute_avatar(self):
        for application in self:
            application.avatar = application.logo or application._get_initial()

    def _get_initial(self):
        """Return a picture of the first letter of the name, as Odoo shows people without a photo."""
        color = get_hsl_from_seed(self.name or '')
        return b64encode((
            "<?xml version='1.0' encoding='UTF-8' ?>"
            "<svg height='180' width='180' xmlns='http://www.w3.org/2000/svg'>"
            f"<rect fill='{color}' height='180' width='180'/>"
            "<text fill='#ffffff' font-size='96' text-anchor='middle' x='90' y='125' font-family='sans-serif'>"
            f"{escape((self.name or '?')[0].upper())}</text></svg>"
        ).encode())

    @api.depends(
        'client_type', 'client_secret_hash', 'uri_ids.uri', 'scope_ids', 'service_user_id', 'require_pkce',
        'refresh_token_expiry', 'sign_in_expiry')
    def _compute_status(self):
        for application in self:
            missing, risks = application._get_missing(), application._get_risks()
            application.status = 'incomplete' if missing else 'risky' if risks else 'ready'
            application.status_message = '\n'.join([*missing, *risks])

    def _get_missing(self):
        """Return what keeps the application from working, each as a sentence with the remedy."""
        sentences = []
        if not self.uri_ids and not self.service_user_id:
            sentences.append(self.env._(
                "No callback URI yet: add the one that the application names, on the tab URIs."))
        if self.client_type == CONFIDENTIAL and not self.has_client_secret:
            sentences.append(self.env._("No client secret yet: generate one on the tab General."))
        if not self.scope_ids:
            sentences.append(self.env._("No scope yet: say on the tab Settings what the application may do."))
        return sentences

    def _get_risks(self):
        """Return how the settings fall short of RFC 9700, each as a sentence with the remedy."""
        sentences = []
        if any(self.uri_ids.mapped('warning')):
            sentences.append(self.env._(
                "A callback URI is not encrypted: let the application use https, and write its URI so."))
        if self.client_type == PUBLIC and not self.refresh_token_expiry and not self.sign_in_expiry:
            sentences.append(self.env._(
                "Refresh tokens of a public application never expire, although it cannot keep a secret: "
                "enter a refresh token expiry on the tab Settings."))
        if self.client_type == CONFIDENTIAL and not self.require_pkce:
            sentences.append(self.env._(
                "PKCE is not required: switch it on as soon as the application can do it, on the tab Settings."))
        issuer = urlsplit(self._get_issuer())
        if issuer.scheme != 'https' and issuer.hostname not in ('localhost', '127.0.0.1', '::1'):
            sentences.append(self.env._(
                "This server is reached without encryption: set the system parameter web.base.url to an "
                "address with https."))
        return sentences

    def _compute_counts(self):
        def get_counts(model, domain, groupby):
            domain = [(groupby, 'in', self.ids), *domain]
            return {application.id: count for application, count in self.env[model]._read_group(
                domain, [groupby], ['__count'])}

        authorizations = get_counts('orestapi.authorization', [], 'application_id')
        events = get_counts('orestapi.event', [], 'application_id')
        for application in self:
            of_application = [('authorization_id.application_id', 'in', application.ids)]
            application.authorization_count = authorizations.get(application.id, 0)
            application.event_count = events.get(application.id, 0)
            application.sign_in_count = self.env['orestapi.token'].search_count(
                [*of_application, ('revoked_at', '=', False)])
            application.code_count = self.env['orestapi.authorization.code'].search_count(of_application)

    def _compute_endpoints(self):
        issuer = self._get_issuer()
        for application in self:
            application.issuer = issuer
            application.metadata_endpoint = issuer + metadata.WELL_KNOWN
            application.authorization_endpoint = issuer + metadata.AUTHORIZATION_ENDPOINT
            application.token_endpoint = issuer + metadata.TOKEN_ENDPOINT
            application.revocation_endpoint = issuer + metadata.REVOCATION_ENDPOINT
            application.introspection_endpoint = issuer + metadata.INTROSPECTION_ENDPOINT

    @api.depends('client_id', 'uri_ids.uri', 'scope_ids.name')
    def _compute_test_uri(self):
        for application in self:
            uri = application.uri_ids[:1].uri
            application.test_uri = uri and application.client_id and '{}?{}'.format(
                self._get_issuer() + metadata.AUTHORIZATION_ENDPOINT,
                urlencode({
                    'response_type': authorization_request.CODE,
                    'client_id': application.client_id,
                    'redirect_uri': uri,
                    'scope': ' '.join(application.scope_ids.mapped('name')),
                    'state': 'test',
                    'code_challenge': pkce.compute_challenge(EXAMPLE_VERIFIER),
                    'code_challenge_method': pkce.METHOD,
                }))

    @api.constrains(*(name for name, _lowest, _highest in BOUNDS))
    def _check_bounds(self):
        for application in self:
            self._check_bounds_of({name: application[name] for name, _lowest, _highest in BOUNDS})

    @api.model
    def _check_bounds_of(self, vals):
        for name, lowest, highest in BOUNDS:
            # Before the ORM sees them, which would cut 1.5 to 1 and answer text
            # and huge numbers with a traceback.
            if name in vals and (type(vals[name]) is not int or not lowest <= vals[name] <= highest):
                raise ValidationError(self.env._(
                    "%(field)s: enter a whole number from %(lowest)s to %(highest)s.",
                    field=self._fields[name]._description_string(self.env), lowest=lowest, highest=highest))

    @api.constrains('client_id')
    def _check_client_id(self):
        for application in self:
            # Not only digits: introspection names an application by its client
            # id where it names a user by a number (RFC 9700 §4.15).
            if not token.CLIENT_ID.fullmatch(application.client_id or '') or application.client_id.isdecimal():
                raise ValidationError(self.env._(
                    "A client ID has from 8 to 128 letters, digits and the signs - . _ ~, and is not a number."))

    @api.constrains('allowed_origins')
    def _check_allowed_origins(self):
        for application in self:
            for text in origin.parse(application.allowed_origins):
                if not origin.is_origin(text):
                    raise ValidationError(self.env._(
                        "Write each origin as scheme and host in lower case, without a path, "
                        "for example https://shop.example.com."))

    @api.constrains('service_user_id', 'client_type')
    def _check_service_user(self):
        for application in self:
            # RFC 6749 §4.4: the client credentials grant is for confidential clients only.
            if application.service_user_id and application.client_type == PUBLIC:
                raise ValidationError(self.env._(
                    "A public application has no secret, so that anybody could act as its service user. "
                    "Remove the service user, or make the application confidential."))

    def _check_service_user_rights(self):
        """Check that the service users may do no more than the current user.

        Who knows the client secret acts as the service user. Without this,
        administering applications would be a way to every right in Odoo. No
        `@api.constrains`, because those run as superuser.

        :raise ValidationError: when a service user may do more
        """
        user = self.env.user
        # The latter could give themselves any right anyway.
        if self.env.su or user.has_group('base.group_erp_manager'):
            return
        allowed = set(user._get_group_ids())
        # sudo: orestapi.application - asks for the groups of the service users
        for service_user in self.sudo().service_user_id:
            if not allowed.issuperset(service_user._get_group_ids()):
                raise ValidationError(self.env._(
                    "The service user may do more than you: ask somebody who administers access rights to do this."))

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_bounds_of(vals)
        applications = super().create(vals_list)
        applications._check_service_user_rights()
        for application in applications:
            self.env['orestapi.event']._log('application_created', application_id=application.id)
        return applications

    def write(self, vals):
        self._check_bounds_of(vals)
        result = super().write(vals)
        if 'service_user_id' in vals:
            self._check_service_user_rights()
        if 'active' in vals:
            kind = 'application_activated' if vals['active'] else 'application_deactivated'
            for application in self:
                self.env['orestapi.event']._log(kind, application_id=application.id)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_log(self):
        for application in self:
            self.env['orestapi.event']._log('application_deleted', application_id=application.id)

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        return vals_list if 'name' in (default or {}) else [
            dict(vals, name=self.env._("%s (copy)", application.name))
            for application, vals in zip(self, vals_list, strict=True)
        ]

    def _read_group_groupby(self, alias, groupby_spec, query):
        # Odoo checks the access to the other fields by which it groups, and
        # forgets it for a many2many.
        if field := self._fields.get(groupby_spec.partition(':')[0]):
            self._check_field_access(field, 'read')
        return super()._read_group_groupby(alias, groupby_spec, query)

    def generate_client_id(self):
        """Give the application a new client id. The old one stops working.

        :return: the new client id
        """
        self.ensure_one()
        self.client_id = token.generate_client_id()
        return self.client_id

    def generate_client_secret(self, keep_previous=0):
        """Give the application a new client secret.

        :param int keep_previous: for how many days the secret before it works on
        :return: the new secret; it cannot be read again
        :raise AccessError: for anyone but an Oregional Odoo App administrator
        """
        self.ensure_one()
        self.check_access('write')
        if not isinstance(keep_previous, int) or not 0 <= keep_previous <= 90:
            raise ValidationError(self.env._("The previous secret can be kept for 0 to 90 days."))
        secret = token.generate_client_secret()
        self._set_client_secret(secret, keep_previous)
        return secret

    def generate_own_id(self):
        """Generate how this Odoo identifies itself at the remote side.

        :return: the new id
        """
        self.ensure_one()
        self.own_id = token.generate_client_id()
        return self.own_id

    def generate_own_secret(self):
        """Generate the secret that goes with the own id.

        :return: the new secret
        """
        self.ensure_one()
        self.own_secret = token.generate_secret()
        return self.own_secret

    def action_generate_client_id(self):
        self.generate_client_id()

    def action_generate_own_id(self):
        self.generate_own_id()

    def action_generate_own_secret(self):
        self.generate_own_secret()

    @check_identity
    def action_generate_client_secret(self):
        """Open the dialog with a new client secret, after a check of the administrator's identity."""
        secret = self.generate_client_secret(self.env.context.get('keep_previous', 0))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("New Client Secret"),
            'res_model': 'orestapi.client.secret.show',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_client_id': self.client_id, 'default_client_secret': secret},
        }

    def _check_client_secret_text(self, secret):
        shortest, longest = client_secret.MIN_LENGTH, client_secret.MAX_LENGTH
        if not shortest <= len(secret) <= longest or not secret.isascii() or not secret.isprintable():
            raise ValidationError(self.env._(
                "A client secret has from %(shortest)s to %(longest)s plain characters.",
                shortest=shortest, longest=longest))

    def _set_client_secret(self, secret, keep_previous=0):
        """Store the hash of a secret.

        :param secret: the new secret, or a false value for none
        :param int keep_previous: for how many days the secret before it works on
        """
        self.check_access('write')
        self._check_service_user_rights()
        # sudo: orestapi.application - the hashes are readable and writable for nobody
        application = self.sudo()
        now = fields.Datetime.now()
        keep = bool(keep_previous and application.client_secret_hash)
        application.write({
            'client_secret_hash': secret and client_secret.compute_hash(secret),
            'client_secret_date': secret and now,
            'previous_client_secret_hash': keep and application.client_secret_hash,
            'previous_client_secret_expires_at': keep and now + timedelta(days=keep_previous),
        })
        self.env['orestapi.event']._log('client_secret_changed', application_id=self.id)

    # What the protocol asks of an application. One query each: these are on the
    # way of every token request.

    @api.model
    def _find_client(self, client_id):
        """Return the `Client` of an active application, or None.

        :param str client_id: as sent by whoever asks
        """
        row = self._fetch_client(client_id, address=None)
        return row and row['client']

    @api.model
    def _authenticate_client(self, credentials, address):
        """Authenticate a client (RFC 6749 §2.3, §3.2.1).

        :param Credentials credentials: what it sent
        :param str address: where the request came from
        :return: its `Client`
        :raise InvalidClient: for an unknown or inactive application, a wrong
            secret, or an application that claims to be of the other type; all
            alike, so that nobody learns which it was
        :raise TooManyRequests: after `FAILURE_LIMIT` failures from this address
        """
        row = self._fetch_client(credentials.client_id, address)
        failures, oldest = (row['failures'], row['oldest_failure']) if row else self._count_failures(None, address)
        if failures >= FAILURE_LIMIT:
            retry_after = oldest + FAILURE_WINDOW - fields.Datetime.now()
            raise TooManyRequests(max(1, int(retry_after.total_seconds())))
        client = row and row['client']
        if credentials.method == client_authentication.NONE:
            authenticated = bool(client) and client.is_public
        else:
            hashes = row['hashes'] if row and not client.is_public else [None]
            authenticated = any(client_secret.verify(credentials.client_secret, stored) for stored in hashes)
        if not authenticated:
            self.env['orestapi.event']._log(
                'client_authentication_failed', application_id=client.id if client else None, address=address)
            raise InvalidClient(challenge=credentials.challenge)
        return client

    @api.model
    def _fetch_client(self, client_id, address):
        now = fields.Datetime.now()
        rows = self.env.execute_query_dict(SQL(
            """
            SELECT application.id, client_id, client_type, require_pkce, resource_server, allowed_origins,
                   authorization_code_expiry, access_token_expiry, refresh_token_expiry, refresh_token_grace,
                   sign_in_expiry, service_user_id, client_secret_hash,
                   CASE WHEN previous_client_secret_expires_at > %(now)s THEN previous_client_secret_hash END
                       AS previous_client_secret_hash,
                   ARRAY(SELECT uri FROM orestapi_application_uri WHERE application_id = application.id ORDER BY id)
                       AS redirect_uris,
                   ARRAY(SELECT scope.name
                           FROM orestapi_application_orestapi_scope_rel AS rel
                           JOIN orestapi_scope AS scope ON scope.id = rel.orestapi_scope_id
                          WHERE rel.orestapi_application_id = application.id)
                       AS scope,
                   failure.count AS failures, failure.oldest AS oldest_failure
              FROM orestapi_application AS application
              CROSS JOIN LATERAL (%(failures)s) AS failure
             WHERE client_id = %(client_id)s AND active
            """,
            now=now,
            client_id=client_id,
            failures=self._get_failures_query(SQL.identifier('application', 'id'), address),
        ))
        if not rows:
            return None
        row = rows[0]
        scope = frozenset(row['scope'])
        grant_types = {grant_type.AUTHORIZATION_CODE, grant_type.REFRESH_TOKEN}
        if row['service_user_id']:
            grant_types.add(grant_type.CLIENT_CREDENTIALS)
        row['client'] = Client(
            id=row['id'],
            client_id=row['client_id'],
            client_type=row['client_type'],
            redirect_uris=tuple(row['redirect_uris']),
            scope=scope,
            # Reading is what an application gets that does not say what it wants.
            default_scope=scope & {'read'} or scope,
            grant_types=frozenset(grant_types),
            require_pkce=row['require_pkce'],
            resource_server=row['resource_server'],
            allowed_origins=origin.parse(row['allowed_origins']),
            authorization_code_expiry=row['authorization_code_expiry'],
            access_token_expiry=row['access_token_expiry'],
            refresh_token_expiry=row['refresh_token_expiry'],
            refresh_token_grace=row['refresh_token_grace'],
            sign_in_expiry=row['sign_in_expiry'],
        )
        row['hashes'] = [row['client_secret_hash']]
        if row['previous_client_secret_hash']:
            row['hashes'].append(row['previous_client_secret_hash'])
        return row

    @api.model
    def _get_failures_query(self, application_id, address):
        since = fields.Datetime.now() - FAILURE_WINDOW
        return SQL(
            """
            SELECT count(*) AS count, min(create_date) AS oldest
              FROM orestapi_event
             WHERE kind = 'client_authentication_failed'
               AND COALESCE(application_id, 0) = %s AND address = %s AND create_date > %s
            """,
            application_id, address, since,
        )

    @api.model
    def _count_failures(self, application_id, address):
        return self.env.execute_query(self._get_failures_query(application_id or 0, address))[0]

    @api.model
    def _get_issuer(self):
        """Return the issuer identifier (RFC 8414 §2): the address of this server.

        Never taken from the request: who can choose the header `Host` must not
        choose where applications send their codes and secrets (RFC 9700 §4.13).
        """
        # sudo: ir.config_parameter - the issuer is public
        parameters = self.env['ir.config_parameter'].sudo()
        return (parameters.get_param('orestapi.issuer') or parameters.get_param('web.base.url') or '').rstrip('/')

    @api.model
    def _is_allowed_origin(self, text):
        """Return whether any active application lists an origin (CORS)."""
        # A preflight request names no application. What cannot be an origin is not
        # looked for: PostgreSQL refuses a NUL character.
        return origin.is_origin(text) and bool(self.env.execute_query(SQL(
            """
            SELECT FROM orestapi_application
             WHERE active AND %s = ANY(string_to_array(translate(allowed_origins, E'\\r\\n\\t', '   '), ' '))
             LIMIT 1
            """,
            text,
        )))

    def _is_identity_assured(self, uri):
        """Return whether a code sent to `uri` can only reach this application.

        Any program on the device can claim a loopback port or a private-use
        scheme, so that a public application that receives its code there is
        asked for anew each time (RFC 8252 §8.6).
        """
        self.ensure_one()
        return self.client_type == CONFIDENTIAL or not (
            redirect_uri.is_loopback(uri) or redirect_uri.is_private_use(uri))
