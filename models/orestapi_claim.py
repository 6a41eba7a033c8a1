import json
import math
from datetime import date, datetime

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..openid import claims
from .orestapi_record_offer import COPIES, NEVER

#: Whose field a claim tells: the user, their contact, and the company that they belong to.
OWNERS = {'user': 'res.users', 'partner': 'res.partner', 'company': 'res.company'}

#: The fields of Odoo's own apps that a claim may tell. All others are out, those of apps that
#: are installed later too: a contact has notes, judgements, bank accounts and links with tokens
#: in them, a company has passwords of services. Addons add theirs in `_get_harmless_fields`.
HARMLESS_FIELDS = {
    'res.users': frozenset([
        'company_id', 'company_ids', 'create_date', 'job_title', 'lang', 'login', 'mobile_phone', 'share', 'tz',
        'work_email', 'work_location_id', 'work_location_name', 'work_location_type', 'work_phone',
    ]),
    'res.partner': frozenset([
        'category_id', 'city', 'commercial_company_name', 'commercial_partner_id', 'company_name', 'company_registry',
        'country_code', 'country_id', 'email', 'employee', 'function', 'industry_id', 'is_company', 'lang', 'mobile',
        'name', 'parent_id', 'parent_name', 'phone', 'ref', 'state_id', 'street', 'street2', 'tz', 'vat', 'website',
        'zip',
    ]),
    'res.company': frozenset([
        'city', 'company_registry', 'country_code', 'country_id', 'currency_id', 'email', 'name', 'parent_id', 'phone',
        'state_id', 'street', 'street2', 'vat', 'website', 'zip',
    ]),
}  # fmt: skip

#: The types of fields that a claim may tell. One2many fields lead to the internals of other apps.
TYPES = frozenset([
    'boolean', 'char', 'date', 'datetime', 'float', 'integer', 'many2many', 'many2one', 'monetary', 'selection',
])  # fmt: skip

#: Models whose records have harmless names. Names of others can be account numbers or subjects of messages.
NAMED_MODELS = frozenset([
    'crm.team', 'hr.department', 'hr.employee.category', 'hr.job', 'hr.work.location', 'res.company', 'res.country',
    'res.country.group', 'res.country.state', 'res.currency', 'res.lang', 'res.partner', 'res.partner.category',
    'res.partner.industry', 'resource.calendar',
])  # fmt: skip

#: Names of records are told in the language of the source, so that applications can compare them.
SOURCE_LANGUAGE = 'en_US'


class OrestapiClaim(models.Model):
    """A claim that the administrator defines: what applications are told of a user, their contact or their company.

    The field is stored by name instead of reference: when its app is uninstalled, the claim says nothing, and
    nobody has to define it again when the app comes back.
    """

    _name = 'orestapi.claim'
    _inherit = 'orestapi.administered'
    _description = "Claim"
    _order = 'name, id'

    name = fields.Char(
        "Claim",
        required=True,
        help="How the application knows the value, for example department. It is one word, and none that OpenID "
        "Connect uses already.",
    )
    path = fields.Selection(
        '_get_paths',
        "Value",
        required=True,
        help="What the application is told. Only fields that any user may know of themselves are listed, and custom "
        "fields.",
    )
    scope_id = fields.Many2one(
        'orestapi.scope',
        "Scope",
        required=True,
        ondelete='cascade',
        default=lambda self: self.env.ref('orestapi.scope_profile', raise_if_not_found=False),
        domain=[('name', 'not in', ['read', 'rpc', 'offline_access'])],
        help="The application is told the value when it asks for this scope.",
    )
    application_ids = fields.Many2many(
        'orestapi.application',
        string="Applications",
        compute='_compute_application_ids',
        help="The applications that are told the value. Choose them on the form of the application.",
    )
    # Only for the form, see `write`.
    example_user_id = fields.Many2one(
        'res.users',
        "Example",
        compute='_compute_example_user_id',
        readonly=False,
        help="Choose a user to see what applications would be told about them.",
    )
    example = fields.Char(
        "They Are Told",
        compute='_compute_example',
        help="What applications would be told about the user of the example, as JSON.",
    )

    # Not `application_ids`: a change from that side would not be a change of the applications.
    @api.depends('name')
    def _compute_application_ids(self):
        applications = self.env['orestapi.application'].with_context(active_test=False)
        for claim in self:
            claim.application_ids = applications.search([('claim_ids', 'in', claim._origin.ids)])

    @api.depends_context('uid')
    def _compute_example_user_id(self):
        self.example_user_id = self.env.user

    @api.depends('path', 'example_user_id')
    @api.depends_context('uid')
    def _compute_example(self):
        for claim in self:
            value = claim._preview_value(claim.example_user_id.id, claim.path)
            claim.example = value is not None and json.dumps(value, ensure_ascii=False)

    @api.depends('name', 'path', 'scope_id')
    def _compute_display_name(self):
        # Events show it, so that it has all that can change.
        for claim in self:
            claim.display_name = f'{claim.name} ({claim.path}, {claim.scope_id.name})' if claim.path else claim.name

    @api.constrains('name')
    def _check_name(self):
        for claim in self:
            if not claims.may_define(claim.name):
                raise ValidationError(
                    self.env._(
                        "%s cannot be the name of a claim. Choose one word of at most 200 ASCII characters, and not "
                        "one that OpenID Connect uses itself, such as sub or email.",
                        claim.name,
                    )
                )
        self.env['orestapi.application']._find_referrers('claim_ids', self)._check_claim_ids()

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_path(vals)
        return super().create(vals_list)

    def write(self, vals):
        # The form sends it, and it changes nothing: not even the date of the last change.
        vals = {name: value for name, value in vals.items() if name != 'example_user_id'}
        if not vals:
            return True
        self._check_path(vals)
        before = {claim: (claim.name, claim.path, claim.scope_id) for claim in self}
        with self.env['orestapi.application']._watch_referrers('claim_ids', self, is_guarded=True):
            result = super().write(vals)
        self.filtered(lambda claim: before[claim] != (claim.name, claim.path, claim.scope_id))._ask_users_again()
        return result

    def unlink(self):
        with self.env['orestapi.application']._watch_referrers('claim_ids', self):
            return super().unlink()

    def _ask_users_again(self):
        """Make the consent page ask again, because users have allowed something else."""
        self.env.cr.execute(
            SQL("DELETE FROM orestapi_authorization_orestapi_claim_rel WHERE orestapi_claim_id = ANY(%s)", self.ids)
        )
        self.env['orestapi.authorization'].invalidate_model(['claim_ids'])

    # Which fields

    @api.model
    def _check_path(self, vals):
        # Before the ORM, which would fail with a traceback.
        if vals.get('path') and not self._find_field(vals['path']):
            raise ValidationError(
                self.env._("%s is not a value that applications may be told about a user.", vals['path'])
            )

    @api.model
    def _get_paths(self):
        """Return the values that a claim may have, and how people call them."""
        labels = {
            'user': self.env._("User: %s"),
            'partner': self.env._("Contact: %s"),
            'company': self.env._("Company: %s"),
        }
        paths = {
            f'{owner}.{field.name}': labels[owner] % field._description_string(self.env)
            for owner, model in OWNERS.items()
            for field in self.env[model]._fields.values()
            if self._is_harmless(field)
        }
        # The web client cannot show a value that is not listed.
        for [path] in self.env.execute_query(SQL("SELECT DISTINCT path FROM orestapi_claim")):
            paths.setdefault(path, self.env._("%s (not available now)", path))
        return sorted(paths.items(), key=lambda item: item[1])

    @api.model
    def _get_harmless_fields(self):
        """Return the names of the fields that a claim may tell, for each model; addons add theirs."""
        return HARMLESS_FIELDS

    @api.model
    def _find_field(self, path):
        """Return the field that a path leads to, or None if a claim may not tell it."""
        owner, _dot, name = path.partition('.') if isinstance(path, str) else ('', '', '')
        field = self.env[OWNERS[owner]]._fields.get(name) if owner in OWNERS else None
        return field if field is not None and self._is_harmless(field) else None

    @api.model
    def _is_harmless(self, field):
        """Return whether a claim may tell a field of a user, a contact or a company.

        It is in the list, or somebody has added it to this database, and nothing speaks against it.
        """
        is_listed = field.name in self._get_harmless_fields().get(field.model_name, ())
        if not is_listed and not field.manual:
            return False
        if field.relational and not (field.comodel_name in NAMED_MODELS or self.env[field.comodel_name]._custom):
            return False
        return self._is_step_harmless(field) and (is_listed or self._is_source_harmless(field))

    @api.model
    def _is_source_harmless(self, field):
        """Return whether a custom field shows nothing that a claim may not tell: it may repeat any other field."""
        if not field.related:
            # A value that is computed may be made of anything.
            return field.store
        model = self.env[field.model_name]
        for name in field.related.split('.'):
            step = model._fields[name]
            # The field of a record that this one consists of (`_inherits`) is restricted itself, not the way there.
            source = step.related_field if step.inherited else step
            if not (self._is_step_harmless(step) and self._is_step_harmless(source)):
                return False
            if source.related and not self._is_source_harmless(source):
                return False
            model = self.env[step.comodel_name] if step.relational else model
        return bool(step.store or step.related)

    @api.model
    def _is_step_harmless(self, field):
        model = self.env[field.model_name]
        return (
            field.type in TYPES
            # Only for some people: not even the user might read it.
            and not field.groups
            and field.name not in NEVER
            and (field.model_name, field.name) not in COPIES
            and not self.env['orestapi.record']._is_credential(model, field)
        )

    # What it says

    def _get_label(self):
        """Return how users call the value, for the consent page."""
        self.ensure_one()
        field = self._find_field(self.path)
        if field is None:
            return None
        label = field._description_string(self.env)
        return self.env._("%s (company)", label) if field.model_name == 'res.company' else label

    @api.model
    def _get_values(self, user_id, defined):
        """Return what claims say of a user.

        :param int user_id: the user
        :param defined: the `DefinedClaim`s to tell
        :return: for each name a value of JSON, or None where there is nothing to tell
        """
        return {claim.name: self._get_value(user_id, claim.path) for claim in defined}

    @api.model
    def _get_value(self, user_id, path, reader_id=None):
        """Return what a path says of a user, as a value of JSON.

        It is read with the rights of the user: an application is told nothing about people that they could not see
        themselves.

        :param int user_id: the user
        :param str path: see `OWNERS`
        :param reader_id: reads it with the rights of this user instead
        :return: None where there is no value, and where the reader may not see it
        """
        field = self._find_field(path)
        if field is None:
            return None
        # A token is redeemed without a user, and the ORM needs an environment for what is not written yet.
        if self.env.transaction.default_env is None:
            self.env.transaction.default_env = self.env
        # sudo: res.users - which contact and which company are read, with the rights of the reader
        user, reader = self.env['res.users'].sudo().browse([user_id, reader_id or user_id])
        record = {'res.users': user, 'res.partner': user.partner_id, 'res.company': user.company_id}[field.model_name]
        # The default company comes first: values that differ from company to company are read there.
        companies = reader.company_id + reader.company_ids
        if user.company_id in companies:
            companies = user.company_id + companies
        context = {'lang': SOURCE_LANGUAGE, 'allowed_company_ids': list(dict.fromkeys(companies.ids))}
        record = record.with_env(self.env(user=reader.id, su=False, context=context))
        try:
            record.check_access('read')
            return self._render_value(record, field)
        except AccessError:
            return None

    @api.model
    def _preview_value(self, user_id, path):
        """Return what a path says of a user, unless the current user may not see it: then None."""
        if not user_id or not path:
            return None
        value = self._get_value(user_id, path)
        return value if value == self._get_value(user_id, path, self.env.uid) else None

    @api.model
    def _render_value(self, record, field):
        """Return the value of a field as JSON has it."""
        value = record[field.name]
        if field.type == 'boolean':
            return bool(value)
        if field.type in ('integer', 'float', 'monetary'):
            # JSON has no NaN.
            return value if math.isfinite(value) else None
        if field.type == 'many2one':
            # sudo: names of records are shown to all who may read the field, as in a form
            value = value.sudo().display_name
        elif field.type == 'many2many':
            names = value._filtered_access('read').mapped('display_name')
            return [name for name in sorted(filter(None, names)) if len(name) <= claims.MAX_TEXT] or None
        elif isinstance(value, datetime):
            return value.isoformat(timespec='seconds') + 'Z'
        elif isinstance(value, date):
            return value.isoformat()
        return value if value and len(value) <= claims.MAX_TEXT else None


class OrestapiAuthorization(models.Model):
    """Remembers which claims a user has been asked about."""

    _inherit = 'orestapi.authorization'

    claim_ids = fields.Many2many(
        'orestapi.claim',
        string="Claims",
        readonly=True,
        groups=NO_ACCESS,
        help="The claims that the user has allowed the application to be told.",
    )
