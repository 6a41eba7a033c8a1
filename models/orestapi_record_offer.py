import re

from odoo import api, models, tools

from ..records.problem import InvalidParameter, NotOffered

#: Names of fields that may contain a credential.
CREDENTIAL = re.compile(
    r'pass(word|wd|phrase)?(_|$)|(^|_)pwd|(^|_)pass|secret|token|api_?key|(^|_)key(s|_|$)|credential|totp|(^|_)otp'
    r'|signature|digest|(^|_)hash|(^|_)pin(_|$)|(^|_)cvv|iban|certificate|(^|_)salt|(^|_)seed'
    # Anyone who knows such a URL or number gets in: to a chat, or to call a webhook.
    r'|(^|_)uuid|webhook|invitation',
    re.IGNORECASE,
)
#: Names of texts that may contain one. Fields of other types often have such names: the session of a point of sale.
CREDENTIAL_TEXT = re.compile(
    r'(^|_)sha(_|$)|csid|(^|_)csr(_|$)|session_?(id|identifier|iv|code|link)(_|$)|cookie|bearer|nonce|(^|_)jwt|saml'
    r'|(access|activation|auth|authorization|backup|confirmation|invite|login|pairing|recovery|reservation|reset|security'
    r'|sms|unlock|verification)_?code|passcode|one_?time|(^|_)([2m]fa|pem)(_|$)'
    # Links that give access to anyone who opens them, and connection strings with a password.
    r'|(login|magic|reset|signup|sign_in)_?(link|ur[il])|connection_?string|(^|_)dsn(_|$)'
    # The URLs at which a mail server's consent is requested contain the value that protects the response.
    r'|(gmail|outlook)_ur[il]',
    re.IGNORECASE,
)
#: Groups that configure the database: a text that only they may read usually gives access to a service.
CREDENTIAL_GROUPS = frozenset(['base.group_system', 'base.group_erp_manager'])
#: Fields of core that contain a credential under a harmless name, or the text of a binary.
CREDENTIAL_FIELDS = frozenset([
    ('ir.config_parameter', 'value'),
    ('hr.employee', 'barcode'),
    ('ir.attachment', 'index_content'),
    # URLs with a token in them that their dependencies do not name.
    ('pos.config', 'self_ordering_url'),
    ('product.feed', 'url'),
    # Anyone who knows such a code is served, let in, or can spend its balance.
    ('loyalty.card', 'code'),
    ('mail.push.device', 'endpoint'),
    ('restaurant.table', 'identifier'),
    # Identifies a bank card at its provider.
    ('payment.token', 'authorize_profile'),
    ('payment.token', 'provider_ref'),
    ('payment.token', 'stripe_mandate'),
    ('payment.token', 'stripe_payment_method'),
    # Outgoing messages, which may contain links to set a password.
    ('mail.mail', 'body'),
    ('mail.mail', 'body_content'),
    ('mail.mail', 'body_html'),
    ('mail.mail', 'preview'),
    ('mail.push', 'payload'),
])
#: Fields that store copies of the values of any other fields: treated like the types of `OPAQUE_TYPES`.
COPIES = frozenset([
    *(
        ('mail.tracking.value', f'{time}_value_{type_}')
        for time in ('old', 'new')
        for type_ in ('char', 'datetime', 'float', 'integer', 'text')
    ),
    *(
        ('orestapi.event', name)
        for name in ('actor_name', 'application_name', 'detail', 'new_value', 'old_value', 'user_name')
    ),
])
#: Never offered, whatever a configuration lists: nobody may read these.
NEVER = frozenset(['password', 'new_password', 'totp_secret', 'api_key_ids', 'identitycheck_password'])

#: The fields that computed texts of core really read, where they declare more: declared fields that they show only for
#: some contexts, which are not used here, or one field of a relation. By model and text: declared field, read field.
DEPENDENCIES = {
    ('res.partner', 'display_name'): {'email': (), 'vat': (), 'state_id': (), 'country_id': ()},
    ('account.analytic.account', 'display_name'): {'partner_id': ('partner_id.commercial_partner_id.name',)},
    ('account.move', 'display_name'): {'partner_id': ()},
    ('calendar.event', 'display_name'): {'user_id': ()},
    ('crm.lead', 'name'): {'partner_id': ('partner_id.name',)},
    ('mail.followers', 'display_name'): {'partner_id': ('partner_id.display_name',)},
    ('product.product', 'display_name'): {'product_tmpl_id': ()},
    ('sale.order', 'display_name'): {'partner_id': ()},
    ('stock.picking.type', 'display_name'): {'warehouse_id': ('warehouse_id.name',)},
}

#: Models of core that are SQL views of another model, with fields of the same names.
VIEWS = {'hr.employee.public': 'hr.employee', 'res.device': 'res.device.log'}

#: Field types that can contain a readable credential.
TEXT_TYPES = frozenset(['char', 'text', 'html'])

#: Field types that are offered only by name, because they are large or contain values of any model.
OPAQUE_TYPES = frozenset([
    'binary',
    'image',
    'reference',
    'many2one_reference',
    'properties',
    'properties_definition',
    'json',
    'serialized',
])


class OrestapiRecord(models.AbstractModel):
    """The models and fields that a remote application may know of: the offer within the rights of the user."""

    _inherit = 'orestapi.record'

    @api.model
    def _is_model_offered(self, offer, name):
        """Return whether the application may know that a model of this name exists."""
        model = self.env.get(name) if name in offer.models else None
        return (
            model is not None
            and not model._abstract
            and not model._transient
            and name in self.env['ir.model.access']._get_allowed_models('read')
        )

    @api.model
    def _get_model(self, offer, name):
        """Return the empty recordset of a model.

        :raise NotOffered: for a model that is not offered, and with the same text for one
            that does not exist
        """
        if not self._is_model_offered(offer, name):
            raise NotOffered("The application may not read this model.")
        return self.env[name]

    @api.model
    def _is_field_offered(self, offer, model, field):
        """Return whether a field may be read, searched and ordered by."""
        return field.name in self._get_offered_names(offer, model)

    @api.model
    @tools.ormcache('offer.digest', 'model._name', 'self.env.user._get_group_ids()')
    def _get_offered_names(self, offer, model):
        """Return the names of the offered fields of a model.

        Cached like Odoo's access rights, for all users with the same groups: following the
        dependencies of computed texts takes longer than reading a record.
        """
        return frozenset(name for name, field in model._fields.items() if self._decide_field(offer, model, field))

    @api.model
    def _decide_field(self, offer, model, field):
        """Return whether a field is offered, without using the cache."""
        if field.name == 'id':
            return True
        limit = offer.get_fields(model._name)
        if field.name in NEVER or field.name not in limit or not model._has_field_access(field, 'read'):
            return False
        if limit.lists(field.name):
            return True
        if field.type in OPAQUE_TYPES or self._is_credential(model, field):
            return False
        if offer.excludes and ((model._name, field.name) in COPIES or self._is_only_searched(field)):
            return False
        # Indirect ways into a model or field that is not offered: a relation shows the names of
        # records, related and computed fields show values.
        return (
            self._is_relation_offered(offer, field)
            and self._is_related_offered(offer, model, field)
            and self._is_computed_offered(offer, model, field, set())
        )

    @api.model
    def _is_credential(self, model, field):
        # Custom fields may use capitals: `x_ApiKey`.
        name = re.sub('(?<=[a-z0-9])(?=[A-Z])', '_', field.name)
        if (model._name, field.name) in CREDENTIAL_FIELDS or CREDENTIAL.search(name):
            return True
        if field.type not in TEXT_TYPES:
            return False
        groups = field.groups.replace(' ', '').split(',') if field.groups else ()
        return bool(CREDENTIAL_TEXT.search(name)) or bool(groups and CREDENTIAL_GROUPS.issuperset(groups))

    @api.model
    def _is_relation_offered(self, offer, field):
        if not field.comodel_name:
            return True
        if not self._is_model_offered(offer, field.comodel_name):
            return False
        if field.type != 'many2one':
            return True
        comodel = self.env[field.comodel_name]
        limit = offer.get_fields(field.comodel_name)
        return 'display_name' in limit and (
            limit.lists('display_name')
            or self._is_computed_offered(offer, comodel, comodel._fields['display_name'], set())
        )

    @api.model
    def _is_computed_offered(self, offer, model, field, seen):
        """Return whether a computed field shows nothing that is left out.

        Left out are fields of an offered model that are not offered, and, for a text,
        credentials and the names of records. A value computed from a model that is not offered
        at all, such as a sum over its records, is offered unless it is a text: almost every
        field depends on such a model. For a text, all dependencies must be known, because it
        may repeat their values.

        :param set seen: the fields that have been decided already
        """
        is_strict = offer.excludes and field.type in TEXT_TYPES
        if is_strict and not self._is_source_offered(offer, model, field):
            return False
        for dependency in self._get_dependencies(model, field):
            source = model
            for name in dependency.split('.'):
                if source._name not in offer.models:
                    if is_strict:
                        return False
                    break
                step = source._fields[name]
                if is_strict and (step.type in OPAQUE_TYPES or not self._is_source_offered(offer, source, step)):
                    return False
                if name != 'id' and name not in offer.get_fields(source._name):
                    return False
                if field.type in TEXT_TYPES and not self._is_text_offered(offer, source, step):
                    return False
                if step not in seen:
                    seen.add(step)
                    if not self._is_computed_offered(offer, source, step, seen):
                        return False
                source = self.env[step.comodel_name] if step.comodel_name else source
            else:
                # A dependency that ends in a relation does not tell which fields of it are read.
                if is_strict and step.comodel_name and not self._is_model_complete(offer, step.comodel_name, seen):
                    return False
        return True

    @api.model
    def _is_only_searched(self, field):
        """Return whether a field has no value, only a search method, which may use any field."""
        return bool(field.search) and not (field.store or field.compute or field.related)

    @api.model
    def _is_source_offered(self, offer, model, field):
        """Return whether the source of a text is offered, for sources other than its dependencies."""
        if field.type not in TEXT_TYPES:
            return True
        if (model._name, field.name) in COPIES:
            return False
        if field.compute:
            return not self._has_undeclared_dependencies(model, field)
        if model._auto:
            return True
        # An SQL view may contain a text from any table.
        if source := VIEWS.get(model._name):
            return source in offer.models and field.name in offer.get_fields(source)
        return bool(model._depends) and all(
            name in offer.models and all(column in offer.get_fields(name) for column in columns)
            for name, columns in model._depends.items()
        )

    @api.model
    def _is_model_complete(self, offer, name, seen):
        """Return whether the display name and all fields of a model that a text could repeat are offered."""
        if name not in offer.models or offer.get_fields(name).excludes:
            return False
        model = self.env[name]
        if not all(self._is_model_complete(offer, parent, seen) for parent in model._inherits):
            return False
        display_name = model._fields['display_name']
        if display_name in seen:
            return True
        seen.add(display_name)
        return self._is_computed_offered(offer, model, display_name, seen)

    @api.model
    def _has_undeclared_dependencies(self, model, field):
        """Return whether the dependencies of a computed field are unknown."""
        if field.related:
            return False
        if field._depends is not None or not isinstance(field.compute, str):
            return not self.env.registry.field_depends[field]
        # Odoo's dependencies of a method include those of the methods that it overrides.
        method = getattr(type(model), field.compute)
        if method is models.BaseModel._compute_display_name:
            return False  # the name of the record, otherwise its model and id
        return not self.env.registry.field_depends[field]

    @api.model
    def _is_text_offered(self, offer, model, field):
        """Return whether a text may be computed from a field."""
        if field.name in NEVER or self._is_credential(model, field):
            return False
        return (
            field.type != 'many2one'
            or field.comodel_name not in offer.models
            or 'display_name' in offer.get_fields(field.comodel_name)
        )

    @api.model
    def _get_dependencies(self, model, field):
        declared = self.env.registry.field_depends[field] if field.compute else ()
        read = DEPENDENCIES.get((model._name, field.name), {})
        return [path for dependency in declared for path in read.get(dependency, (dependency,))]

    @api.model
    def _is_related_offered(self, offer, model, field):
        for name in field.related.split('.') if field.related else ():
            step = model._fields[name]
            if not self._decide_field(offer, model, step):
                return False
            model = self.env[step.comodel_name] if step.comodel_name else model
        return True

    @api.model
    def _get_field(self, offer, model, name):
        """Return a field of a model.

        :raise InvalidParameter: for a field that does not exist
        :raise NotOffered: for a field that is not offered, or that this user may not read
        """
        field = model._fields.get(name)
        if field is None:
            raise InvalidParameter("The model does not have one of the fields.")
        if not self._is_field_offered(offer, model, field):
            raise NotOffered("The application may not read one of the fields.")
        return field

    @api.model
    def _get_offered_fields(self, offer, model):
        """Return the names of all offered fields of a model."""
        return sorted(self._get_offered_names(offer, model))

    @api.model
    def _get_models(self, offer, names=None):
        """Describe the models that are offered to the user.

        :param Offer offer: the offer of the application
        :param list names: the models, which must be offered; None for all
        :return: a list of dicts with `model`, `name` and `has_icon`, by name
        """
        if names is None:
            names = [
                name
                for name in self.env['ir.model.access']._get_allowed_models('read')
                if self._is_model_offered(offer, name)
            ]
        # sudo: ir.model - the label of a model that the user may read
        found = self.env['ir.model'].sudo().search_fetch([('model', 'in', names)], ['model', 'name'])
        labels = {model.model: model.name for model in found}
        configurations = self._get_configurations(offer, names)
        descriptions = []
        for name in names:
            configuration = configurations.get(name)
            descriptions.append({
                'model': name,
                'name': configuration.name if configuration else labels[name],
                'has_icon': bool(configuration and configuration.icon),
            })
        return sorted(descriptions, key=lambda description: (description['name'], description['model']))

    @api.model
    def _get_configurations(self, offer, names):
        """Return the `orestapi.model.configuration` of each model that has one, by the name of the model."""
        # sudo: orestapi.model.configuration - its name and icon, which the application is offered
        configurations = self.env['orestapi.model.configuration'].sudo()
        configurations = configurations.browse(
            offer.configurations[name] for name in names if name in offer.configurations
        )
        return {configuration.model: configuration for configuration in configurations}

    @api.model
    def _get_icon(self, offer, name):
        """Return the picture of a model in base64, or False."""
        self._get_model(offer, name)
        configuration = self._get_configurations(offer, [name]).get(name)
        return configuration and configuration.icon

    @api.model
    def _get_fields(self, offer, name):
        """Return the offered fields of a model as `fields_get` describes them.

        Their attributes about searching and ordering describe the records API.
        """
        model = self._get_model(offer, name)
        descriptions = model.fields_get(self._get_offered_fields(offer, model))
        for field_name, description in descriptions.items():
            field = model._fields[field_name]
            description['searchable'] = (
                self._is_display_name_searchable(offer, model)
                if field_name == 'display_name'
                else self._is_searchable(field)
            )
            description['sortable'] = self._is_ordered(field) or (
                field_name == 'display_name' and bool(self._get_default_order(model))
            )
        return descriptions

    @api.model
    def _get_default_fields(self, offer, name):
        """Return the fields that a search returns when the application names none."""
        model = self._get_model(offer, name)
        return ['display_name'] if self._is_field_offered(offer, model, model._fields['display_name']) else ['id']
