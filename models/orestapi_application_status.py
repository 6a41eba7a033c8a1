import json
import operator
from base64 import b64encode
from html import escape
from urllib.parse import urlencode, urlsplit

from odoo import api, fields, models
from odoo.addons.base.models.avatar_mixin import get_hsl_from_seed
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..oauth2 import authorization_request, metadata, origin, pkce, redirect_uris
from ..oauth2.client import CONFIDENTIAL, PUBLIC
from ..records.offer import UNLIMITED
from .orestapi_application import ADMINISTRATOR, BOUNDS, LAST_USED_PRECISION

#: The code verifier of RFC 7636 appendix B, for the URL that *Test* shows.
EXAMPLE_VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

#: The base path of the records API; its documentation is at /docs below it.
RECORDS_ENDPOINT = '/orestapi/1'

#: The values of the status in the order in which a list sorts them, the most urgent first.
STATUSES = ('incomplete', 'risky', 'ready')

#: The comparisons that a search for the number of sign-ins supports.
COMPARISONS = {
    '<': operator.lt,
    '<=': operator.le,
    '>': operator.gt,
    '>=': operator.ge,
    'in': lambda count, values: count in values,
}


class OrestapiApplication(models.Model):
    """The values that the form of an application shows beside its settings."""

    _inherit = 'orestapi.application'

    avatar = fields.Image(compute='_compute_avatar', help="The logo, or the first letter of the name if there is none.")
    uri_count = fields.Integer(
        "URIs", compute='_compute_uri_count', groups=ADMINISTRATOR, help="How many callback URIs the application has."
    )
    status = fields.Selection(
        [('ready', "Ready"), ('risky', "Ready, with warnings"), ('incomplete', "Incomplete")],
        compute='_compute_status',
        search='_search_status',
        groups=ADMINISTRATOR,
        help="Whether the application can be used, and whether its settings are as safe as possible.",
    )
    status_message = fields.Text(
        compute='_compute_status',
        groups=ADMINISTRATOR,
        help="What is missing before the application can be used, or what would make it safer, and where to change it.",
    )
    last_used_at = fields.Datetime(
        "Last Used",
        readonly=True,
        copy=False,
        groups=ADMINISTRATOR,
        help="When the application last got or used a token, to within ten minutes. Empty means never.",
    )
    goes_past_model_scheme = fields.Boolean(
        compute='_compute_goes_past_model_scheme',
        groups=ADMINISTRATOR,
        help="With the scope \"rpc\" the application uses Odoo's own API, which no model scheme limits.",
    )
    documentation_uri = fields.Char(
        "API Reference",
        compute='_compute_documentation_uri',
        groups=ADMINISTRATOR,
        help="The page that shows what the application can read, and how. Empty for an application without the scope "
        "\"read\".",
    )
    authorization_count = fields.Integer(
        compute='_compute_counts',
        groups=ADMINISTRATOR,
        help="How many users have allowed the application to act for them.",
    )
    sign_in_count = fields.Integer(
        "Active Sign-ins",
        compute='_compute_counts',
        search='_search_sign_in_count',
        groups=ADMINISTRATOR,
        help="On how many devices or browsers the application acts for users now.",
    )
    code_count = fields.Integer(
        "Codes",
        compute='_compute_counts',
        groups=ADMINISTRATOR,
        help="How many authorization codes of the application are stored.",
    )
    event_count = fields.Integer(
        compute='_compute_counts', groups=ADMINISTRATOR, help="How many events concern the application."
    )
    event_ids = fields.One2many(
        'orestapi.event',
        'application_id',
        "Latest Events",
        readonly=True,
        groups=ADMINISTRATOR,
        help="What happened to the application, latest first.",
    )
    issuer = fields.Char(
        compute='_compute_endpoints',
        groups=ADMINISTRATOR,
        help="How this server identifies itself to applications: its own URL.",
    )
    metadata_endpoint = fields.Char(
        "Metadata",
        compute='_compute_endpoints',
        groups=ADMINISTRATOR,
        help="Applications that can discover the endpoints need only this URL.",
    )
    authorization_endpoint = fields.Char(
        compute='_compute_endpoints', groups=ADMINISTRATOR, help="Where the application sends the browser of the user."
    )
    token_endpoint = fields.Char(
        compute='_compute_endpoints',
        groups=ADMINISTRATOR,
        help="Where the application exchanges codes and refresh tokens for access tokens.",
    )
    revocation_endpoint = fields.Char(
        compute='_compute_endpoints', groups=ADMINISTRATOR, help="Where the application signs out."
    )
    introspection_endpoint = fields.Char(
        compute='_compute_endpoints', groups=ADMINISTRATOR, help="Where the application asks whether a token is valid."
    )
    records_endpoint = fields.Char(
        "Records",
        compute='_compute_endpoints',
        groups=ADMINISTRATOR,
        help="The application reads records below this URL. What it can read is described at /docs there.",
    )
    test_uri = fields.Char(
        "Test",
        compute='_compute_test_uri',
        groups=ADMINISTRATOR,
        help="The URI that the application sends the browser to, for a test by hand.",
    )

    @api.depends('uri_ids')
    def _compute_uri_count(self):
        for application in self:
            application.uri_count = len(application.uri_ids)

    @api.depends('name', 'logo')
    def _compute_avatar(self):
        for application in self:
            application.avatar = application.logo or application._get_initial()

    def _get_initial(self):
        """Return a picture of the first letter of the name, like Odoo's for people without a photo."""
        color = get_hsl_from_seed(self.name or '')
        return b64encode(
            (
                "<?xml version='1.0' encoding='UTF-8' ?>"
                "<svg height='180' width='180' xmlns='http://www.w3.org/2000/svg'>"
                f"<rect fill='{color}' height='180' width='180'/>"
                "<text fill='#ffffff' font-size='96' text-anchor='middle' x='90' y='125' font-family='sans-serif'>"
                f"{escape((self.name or '?')[0].upper())}</text></svg>"
            ).encode()
        )

    @api.depends(
        'client_type',
        'client_secret_hash',
        'uri_ids.uri',
        'scope_ids',
        'group_ids',
        'trusted',
        'service_user_id.active',
        'service_user_id.group_ids',
        'resource_server',
        'allowed_origins',
        'require_pkce',
        'legacy_connector',
        *(name for name, _lowest, _highest in BOUNDS),
        'model_scheme_id.active',
        'model_scheme_id.limit_models',
    )
    def _compute_status(self):
        for application in self:
            missing = list(dict.fromkeys([*application._get_unsavable(), *application._get_missing()]))
            risks = application._get_risks()
            application.status = 'incomplete' if missing else 'risky' if risks else 'ready'
            application.status_message = '\n'.join([*missing, *risks])

    def _get_unsavable(self):
        """Return a sentence with the remedy for each unsaved value of the form that cannot be saved.

        Otherwise the form would be green while saving it fails.
        """
        if self.id:
            # A stored record has passed these checks.
            return []
        uris = self.uri_ids.filtered('uri')
        sentences = [
            self.env._(
                "The callback URI %(uri)s cannot be saved. %(remedy)s",
                uri=uri.uri,
                remedy=uri._get_defect_message(defect),
            )
            for uri in uris
            if (defect := uri._find_defect())
        ]
        if len(uris) > len({redirect_uris.repair(uri.uri) for uri in uris}):
            sentences.append(self.env._("A callback URI is listed twice. Remove one of them."))
        for check in self._constraint_methods:
            try:
                # sudo: orestapi.application - as the ORM calls the constraints
                check(self.sudo())
            except ValidationError as error:
                sentences.append(error.args[0])
        return sentences

    def _is_only_resource_server(self):
        """Return whether the application only receives tokens of others and never requests one."""
        return self.resource_server and not self.uri_ids.filtered('uri') and not self.service_user_id

    def _search_status(self, operator, value):
        if operator != 'in':
            return NotImplemented
        # Core checks this for columns only. Without it, anybody could find out the values by searching.
        self._check_field_access(self._fields['status'], 'read')
        return [('id', 'in', [ident for ident, status in self._get_statuses().items() if status in value])]

    def _search_sign_in_count(self, operator, value):
        if operator not in COMPARISONS:
            return NotImplemented
        compare = COMPARISONS[operator]
        self._check_field_access(self._fields['sign_in_count'], 'read')
        return [('id', 'in', [ident for ident, count in self._get_sign_in_counts().items() if compare(count, value)])]

    @api.model
    def _get_sign_in_counts(self):
        """Return how many active sign-ins each application has, archived ones included, by its id."""
        # sudo: orestapi.application - the caller's rights still limit the records that are returned
        applications = self.sudo().with_context(active_test=False).search([], order='id')
        return {**dict.fromkeys(applications.ids, 0), **self.env['orestapi.token'].sudo()._count_active(applications)}

    @api.model
    def _get_statuses(self):
        """Return the status of each application, archived ones included, by its id.

        The status depends on settings of the server too, so it is not a column: lists sort,
        filter and group by the value computed at that moment.
        """
        # sudo: orestapi.application - the caller's rights still limit the records that are returned
        applications = self.sudo().with_context(active_test=False).search([], order='id')
        return {application.id: application.status for application in applications}

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr not in ('status', 'sign_in_count'):
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], 'read')
        is_status = field_expr == 'status'
        type_ = SQL("text") if is_status else SQL("integer")
        if self.env.context.get('orestapi_describe_computed'):
            return SQL("NULL::%s", type_)
        values = self._get_statuses() if is_status else self._get_sign_in_counts()
        return SQL(
            "(%s::jsonb ->> %s::text)::%s",
            json.dumps({str(ident): value for ident, value in values.items()}),
            SQL.identifier(alias, 'id'),
            type_,
        )

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        # Core builds this SQL without running it to learn whether a list can sort by a computed value.
        # Computing it for all applications would slow down opening each form.
        describing = self.with_context(orestapi_describe_computed=True)
        return super(OrestapiApplication, describing).fields_get(allfields, attributes)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name not in ('status', 'sign_in_count'):
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        value = self._field_to_sql(alias, field_name, query)
        query._order_groupby.append(value)
        if field_name == 'status':
            value = SQL("array_position(%s::text[], %s)", list(STATUSES), value)
        return SQL("%s %s %s", value, direction, nulls)

    @api.model
    def _store_use(self, application_id):
        """Store that an application got or used a token, at most once in ten minutes.

        Sign-ins have the time too, but they are deleted after they have ended. A row that
        another request is writing is left to that request.
        """
        now = fields.Datetime.now()
        # In SQL, because no setting changes: the application must not count as modified by anybody.
        self.env.cr.execute(
            SQL(
                """
                UPDATE orestapi_application SET last_used_at = %(now)s
                 WHERE id IN (
                       SELECT id FROM orestapi_application
                        WHERE id = %(application_id)s AND (last_used_at IS NULL OR last_used_at < %(stale)s)
                          FOR NO KEY UPDATE SKIP LOCKED)
                """,
                now=now,
                stale=now - LAST_USED_PRECISION,
                application_id=application_id,
            ),
            log_exceptions=False,
        )
        self.browse(application_id).invalidate_recordset(['last_used_at'], flush=False)

    @api.depends('scope_ids.name')
    def _compute_goes_past_model_scheme(self):
        for application in self:
            application.goes_past_model_scheme = 'rpc' in application.scope_ids.mapped('name')

    @api.depends('scope_ids.name')
    def _compute_documentation_uri(self):
        for application in self:
            ident = application._origin.id
            documented = ident and application._may_read()
            application.documentation_uri = documented and f'{RECORDS_ENDPOINT}/docs?application={ident}'

    def _get_missing(self):
        """Return a sentence with the remedy for everything that keeps the application from working."""
        sentences = []
        only_resource_server = self._is_only_resource_server()
        if not self.uri_ids.filtered('uri') and not self.service_user_id and not only_resource_server:
            sentences.append(self.env._("No callback URI yet. Add the one the application gives you, on the URIs tab."))
        if self.client_type == CONFIDENTIAL and not self.has_client_secret:
            sentences.append(self.env._("No client secret yet. Generate one on the General tab."))
        if not self.scope_ids and not only_resource_server:
            sentences.append(self.env._("No scopes yet. Choose what the application may do, on the Settings tab."))
        if self._may_read():
            if not self.model_scheme_id:
                sentences.append(
                    self.env._(
                        "No model scheme yet. Choose which records the application may read, on the General tab."
                    )
                )
            elif not self.model_scheme_id.active:
                sentences.append(
                    self.env._(
                        "The model scheme is inactive, so no records can be read. Activate it, or choose another one "
                        "on the General tab."
                    )
                )
        # `_open_service` refuses such a user.
        if self.service_user_id and not self.service_user_id.active:
            sentences.append(self.env._("Unarchive the user, or choose another Service User on the Settings tab."))
        elif self.service_user_id and not self.service_user_id._is_service_user():
            sentences.append(self.env._("Choose an internal user as the service user, on the Settings tab."))
        if self.uri_ids and not self._has_users():
            sentences.append(
                self.env._("On the Settings tab, choose at least one group whose members may use the application.")
                if not self.group_ids
                else self.env._(
                    "The groups that may use the application have no members. Choose others on the Settings tab."
                )
            )
        return sentences

    def _has_users(self):
        """Return whether anybody may use the application."""
        # sudo: res.users - only asks whether there is one
        users = self.env['res.users'].sudo()
        return bool(users.search_count([('all_group_ids', 'in', self.group_ids.ids)], limit=1))

    def _may_read(self):
        return 'read' in self.scope_ids.mapped('name') and not self._is_only_resource_server()

    def _get_unassured_uris(self):
        """Return the callback URIs at which another program could receive the code."""
        uris = self.uri_ids.filtered(lambda record: record.uri and not record._find_defect())
        return uris.filtered(lambda record: not redirect_uris.is_identity_assured(record.uri))

    def _get_risks(self):
        """Return a sentence with the remedy for each setting that falls short of RFC 9700."""
        sentences = []
        if any(redirect_uris.is_plain_http(uri.uri) for uri in self.uri_ids if uri.uri and not uri._find_defect()):
            sentences.append(
                self.env._("A callback URI is not encrypted. Switch the application to https, and change its URI here.")
            )
        if self.client_type == PUBLIC and not self.refresh_token_expiry and not self.sign_in_expiry:
            sentences.append(
                self.env._(
                    "Refresh tokens of a public application never expire, although it cannot keep a secret: "
                    "enter a refresh token expiry on the Settings tab."
                )
            )
        # Public applications are made for such URIs.
        if (self.client_type == CONFIDENTIAL or self.trusted) and (uris := self._get_unassured_uris()):
            sentences.append(
                self.env._(
                    "Users are asked each time when the code goes to %s: any program on their device can receive it "
                    "there, and a secret inside a program proves nothing. Use https for an application on a server, "
                    "and the type Public for one on the device.",
                    ', '.join(uris.mapped('uri')),
                )
                if self.client_type == CONFIDENTIAL
                else self.env._(
                    "Users are asked each time when the code goes to %s, although the application is trusted: any "
                    "program on their device can receive it there.",
                    ', '.join(uris.mapped('uri')),
                )
            )
        if self.client_type == CONFIDENTIAL and not self.require_pkce and not self._is_only_resource_server():
            sentences.append(
                self.env._("PKCE is not required. Turn it on (Settings tab) as soon as the application supports it.")
            )
        if self.legacy_connector:
            sentences.append(
                self.env._(
                    "Legacy connector: the application may send its secret where others can read it. Replace the "
                    "connector, then turn off Legacy Connector on the Settings tab."
                )
            )
        if self._may_read() and self.model_scheme_id.active and self.model_scheme_id.limit_models == UNLIMITED:
            sentences.append(
                self.env._(
                    "The application may read all models that the user may. Choose a model scheme that lists only "
                    "what it needs, on the General tab."
                )
            )
        sentences += self._get_issuer_risks()
        return sentences

    @api.model
    def _get_issuer_risks(self):
        """Return a sentence that names the setting to change for everything wrong with the issuer."""
        # sudo: ir.config_parameter - the issuer is public
        parameters = self.env['ir.config_parameter'].sudo()
        parameter, used = (
            (parameters.get_param('orestapi.issuer') or '').strip(),
            self.env['orestapi.server']._get_issuer(),
        )
        is_set = bool(parameter) and origin.repair(parameter.rstrip('/')) == used
        sentences = []
        if parameter and not is_set:
            ignored = self.env._(
                "The issuer in the settings is ignored because it is not a valid address. Enter scheme and host in "
                "lower case, without a path."
            )
            remedy = self.env['res.config.settings']._get_host_remedy(parameter)
            sentences.append(f'{ignored} {remedy}' if remedy else ignored)
        issuer = urlsplit(used)
        if issuer.hostname in ('localhost', '127.0.0.1', '::1'):
            return sentences
        if issuer.scheme != 'https':
            sentences.append(
                self.env._(
                    "The issuer is reached without encryption. Enter this server's address with https as the issuer, "
                    "under Oregional / Configuration / Settings."
                )
            )
        elif not parameter and not parameters.get_param('web.base.url.freeze'):
            sentences.append(
                self.env._(
                    "No issuer is set, so it changes with the address that an administrator logs in from, and "
                    "applications stop working. Enter this server's public address under Oregional / Configuration / "
                    "Settings."
                )
            )
        return sentences

    def _compute_counts(self):
        def get_counts(model, domain, groupby):
            domain = [(groupby, 'in', self.ids), *domain]
            return {
                application.id: count
                for application, count in self.env[model]._read_group(domain, [groupby], ['__count'])
            }

        authorizations = get_counts('orestapi.authorization', [], 'application_id')
        events = get_counts('orestapi.event', [], 'application_id')
        sign_ins = self.env['orestapi.token']._count_active(self)
        for application in self:
            of_application = [('authorization_id.application_id', 'in', application.ids)]
            application.authorization_count = authorizations.get(application.id, 0)
            application.event_count = events.get(application.id, 0)
            application.sign_in_count = sign_ins.get(application.id, 0)
            application.code_count = self.env['orestapi.authorization.code'].search_count(of_application)

    def _compute_endpoints(self):
        issuer = self.env['orestapi.server']._get_issuer()
        for application in self:
            application.issuer = issuer
            application.metadata_endpoint = issuer + metadata.WELL_KNOWN
            application.authorization_endpoint = issuer + metadata.AUTHORIZATION_ENDPOINT
            application.token_endpoint = issuer + metadata.TOKEN_ENDPOINT
            application.revocation_endpoint = issuer + metadata.REVOCATION_ENDPOINT
            application.introspection_endpoint = issuer + metadata.INTROSPECTION_ENDPOINT
            application.records_endpoint = issuer + RECORDS_ENDPOINT

    @api.depends('client_id', 'uri_ids.uri', 'scope_ids.name')
    def _compute_test_uri(self):
        issuer = self.env['orestapi.server']._get_issuer()
        for application in self:
            uri = application.uri_ids[:1].uri
            if not uri or not application.client_id:
                application.test_uri = False
                continue
            query = urlencode({
                'response_type': authorization_request.CODE,
                'client_id': application.client_id,
                'redirect_uri': uri,
                'scope': ' '.join(application.scope_ids.mapped('name')),
                'state': 'test',
                'code_challenge': pkce.compute_challenge(EXAMPLE_VERIFIER),
                'code_challenge_method': pkce.METHOD,
            })
            application.test_uri = f'{issuer}{metadata.AUTHORIZATION_ENDPOINT}?{query}'
