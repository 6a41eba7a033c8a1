import re

from odoo import api, models, tools

from ..records.problem import InvalidParameter, NotOffered

#: Names of fields that may hold what opens something.
CREDENTIAL = re.compile(
    r'pass(word|wd|phrase)?(_|$)|(^|_)pwd|(^|_)pass|secret|token|api_?key|(^|_)key(s|_|$)|credential|totp|(^|_)otp'
    r'|signature|digest|(^|_)hash|(^|_)pin(_|$)|(^|_)cvv|iban|certificate|(^|_)salt|(^|_)seed'
    # Who knows such an address or number is let in: to a chat, to what a webhook does.
    r'|(^|_)uuid|webhook|invitation',
    re.IGNORECASE,
)
#: Names of texts that may. Something else than a text is often called so: the session of a point of sale.
CREDENTIAL_TEXT = re.compile(
    r'(^|_)sha(_|$)|csid|(^|_)csr(_|$)|session_?(id|identifier|iv|code|link)(_|$)|cookie|bearer|nonce|(^|_)jwt|saml'
    r'|(access|activation|auth|authorization|backup|confirmation|invite|login|pairing|recovery|reservation|reset|security'
    r'|sms|unlock|verification)_?code|passcode|one_?time|(^|_)([2m]fa|pem)(_|$)'
    # A link that lets in who opens it, and where a database with its password is.
    r'|(login|magic|reset|signup|sign_in)_?(link|ur[il])|connection_?string|(^|_)dsn(_|$)'
    # The addresses at which a mail server's permission is asked for carry what protects the way back.
    r'|(gmail|outlook)_ur[il]',
    re.IGNORECASE,
)
#: Groups of the people who set the database up: a text for them alone holds access to some service.
CREDENTIAL_GROUPS = frozenset(['base.group_system', 'base.group_erp_manager'])
#: Fields of core that hold such a thing under a harmless name, or the text of a binary.
CREDENTIAL_FIELDS = frozenset([
    ('ir.config_parameter', 'value'),
    ('hr.employee', 'barcode'),
    ('ir.attachment', 'index_content'),
    # Addresses with a token in them that their dependencies do not name.
    ('pos.config', 'self_ordering_url'),
    ('product.feed', 'url'),
    # Who knows it is served, let in, or spends what is on it.
    ('loyalty.card', 'code'),
    ('mail.push.device', 'endpoint'),
    ('restaurant.table', 'identifier'),
    # What stands for a bank card at its provider.
    ('payment.token', 'authorize_profile'),
    ('payment.token', 'provider_ref'),
    ('payment.token', 'stripe_mandate'),
    ('payment.token', 'stripe_payment_method'),
    # Messages on their way, with the links that set a password among them.
    ('mail.mail', 'body'),
    ('mail.mail', 'body_content'),
    ('mail.mail', 'body_html'),
    ('mail.mail', 'preview'),
    ('mail.push', 'payload'),
])
#: Fields that keep the values of other fields, whatever these are later: as opaque as the types of `OPAQUE_TYPES`.
COPIES = frozenset([
    *(
        ('mail.tracking.value', f'{time}_value_{type_}')
        for time in ('old', 'new')
        for type_ in ('char', 'datetime', 'float', 'integer', 'text')
    ),
    ('orestapi.event', 'actor_name'),
    ('orestapi.event', 'user_name'),
])
#: Never offered, whatever a configuration lists: nobody reads these.
NEVER = frozenset(['password', 'new_password', 'totp_secret', 'api_key_ids', 'identitycheck_password'])

#: What texts of core are made of, where they declare more: what they show only when the context asks for it, which
#: none does here, or one field of a relation. By model and text: what is declared, and what is read of it.
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

#: Models of core whose records PostgreSQL takes from another one, with fields of the same names.
VIEWS = {'hr.employee.public': 'hr.employee', 'res.device': 'res.device.log'}

#: Field types in which a credential can be read.
TEXT_TYPES = frozenset(['char', 'text', 'html'])

#: Field types that are offered only by name: large, or holding values of any model.
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
    """Which models and fields a remote application may know of: the offer, narrowed by the rights of the user."""

    _inherit = 'orestapi.record'

    @api.model
    def _is_model_offered(self, offer, name):
        """Return whether the application may know that there is a model of this name."""
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

        :raise NotOffered: for a model that is not offered, and in the same
            words for one that does not exist
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

        Remembered like Odoo's access rights, for all users with the same groups: to
        follow what texts are computed from takes longer than to read a record.
        """
        return frozenset(name for name, field in model._fields.items() if self._decide_field(offer, model, field))

    @api.model
    def _decide_field(self, offer, model, field):
        """Return whether a field is offered, without a look at what is remembered."""
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
        # Ways into a model that is not offered, or to a field that is left out: a relation
        # shows the names of records, a related and a computed field show values.
        return (
            self._is_relation_offered(offer, field)
            and self._is_related_offered(offer, model, field)
            and self._is_computed_offered(offer, model, field, set())
        )

    @api.model
    def _is_credential(self, model, field):
        # Also in the capitals of a field that somebody has added: `x_ApiKey`.
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
        """Return whether a field is computed from nothing that is left out.

        That is a field that an offered model is offered without, and, for a text, a
        credential and the name of a record. What is computed from a model that is not
        offered at all, such as a sum over its records, stays, unless it is a text: few
        fields need nothing else. Of a text it must be known from what it is computed,
        because it may repeat it.

        :param set seen: the fields that are decided on already
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
                # A dependency that ends in a relation does not say which fields are read there.
                if is_strict and step.comodel_name and not self._is_model_complete(offer, step.comodel_name, seen):
                    return False
        return True

    @api.model
    def _is_only_searched(self, field):
        """Return whether a field has no value, but a search that looks where it likes: in all numbers of a person."""
        return bool(field.search) and not (field.store or field.compute or field.related)

    @api.model
    def _is_source_offered(self, offer, model, field):
        """Return whether it is known where a text comes from, as far as that can be known without its dependencies."""
        if field.type not in TEXT_TYPES:
            return True
        if (model._name, field.name) in COPIES:
            return False
        if field.compute:
            return not self._has_undeclared_dependencies(model, field)
        if model._auto:
            return True
        # A view of PostgreSQL, in which a text of any table may be.
        if source := VIEWS.get(model._name):
            return source in offer.models and field.name in offer.get_fields(source)
        return bool(model._depends) and all(
            name in offer.models and all(column in offer.get_fields(name) for column in columns)
            for name, columns in model._depends.items()
        )

    @api.model
    def _is_model_complete(self, offer, name, seen):
        """Return whether nothing of a model is left out that a text could be made of, nor its display name."""
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
        """Return whether what a field is computed from is not known."""
        if field.related:
            return False
        if field._depends is not None or not isinstance(field.compute, str):
            return not self.env.registry.field_depends[field]
        # The dependencies of a method are those of all that it overrides, as Odoo has it.
        method = getattr(type(model), field.compute)
        if method is models.BaseModel._compute_display_name:
            return False  # the name of the record, or else the model and the number
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
        :raise NotOffered: for one that is not offered, or not to this user
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

        :param Offer offer: what the application is offered
        :param list names: the models, which must be offered; None for all
        :return: a list of dicts with `model`, `name` and `has_icon`, by name
        """
        if names is None:
            names = [
                name
                for name in self.env['ir.model.access']._get_allowed_models('read')
                if self._is_model_offered(offer, name)
            ]
        # sudo: ir.model - the name of a model that the user may read
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
        """Return how models are presented, as `orestapi.model.configuration` by the name of the model."""
        # sudo: orestapi.model.configuration - its name and icon are what the application is offered
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

        What it says of searching and ordering is what works here.
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
        """Return which fields a list shows when the application names none."""
        model = self._get_model(offer, name)
        return ['display_name'] if self._is_field_offered(offer, model, model._fields['display_name']) else ['id']
