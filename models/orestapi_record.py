import math
import re
from contextlib import contextmanager
from datetime import date, datetime

from odoo import api, models
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.tools import SQL

from ..oauth2.errors import InsufficientScope
from ..records.problem import InvalidRequest, NotFound

MAX_IDS = 1000
#: Characters of one binary value in base64: about 8 MiB of the binary.
MAX_BINARY = 11 * 1024 * 1024
#: Records of one answer when a binary is among the fields.
MAX_BINARY_IDS = 10

#: The highest value of a column that numbers records.
MAX_ID = 2**31 - 1

#: Names of fields that may hold what opens something.
CREDENTIAL = re.compile(
    r'pass(word|wd|phrase)?(_|$)|(^|_)pwd|(^|_)pass|secret|token|api_?key|(^|_)key(s|_|$)|credential|totp|(^|_)otp'
    r'|signature|digest|(^|_)hash|(^|_)pin(_|$)|(^|_)cvv|iban|certificate|(^|_)salt|(^|_)seed'
    # Who knows such an address or number is let in: to a chat, to what a webhook does.
    r'|(^|_)uuid|webhook|invitation'
)
#: Fields of core that hold such a thing under a harmless name, or the text of a binary.
CREDENTIAL_FIELDS = frozenset([
    ('ir.config_parameter', 'value'),
    ('hr.employee', 'barcode'),
    ('ir.attachment', 'index_content'),
])
#: Never offered, whatever a configuration lists: nobody reads these.
NEVER = frozenset(['password', 'new_password', 'totp_secret', 'api_key_ids', 'identitycheck_password'])

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
    """How remote applications read records: as the user, within a model scheme.

    Nothing here lifts the rights of the user. What a model scheme leaves out is
    left out everywhere: no field can be read, searched, ordered by or followed
    that is not offered.
    """

    _name = 'orestapi.record'
    _description = "Records for Remote Applications"

    @api.model
    def _get_offer(self, model_scheme_id):
        return self.env['orestapi.model.scheme']._get_offer(model_scheme_id)

    @api.model
    def _get_context(self, languages):
        """Return the context in which an application reads for the current user.

        :param list languages: language tags that the client prefers, best first
            (RFC 9110 §12.5.4); the language of the user where none is installed
        """
        context = dict(self.env['res.users'].context_get())
        installed = [code for code, _name in self.env['res.lang'].get_installed()]
        for tag in languages:
            code = tag.replace('-', '_')
            # `de-AT` is better served with `de_DE` than with another language.
            similar = [known for known in installed if known.split('_')[0] == code.split('_')[0]]
            if similar:
                return {**context, 'lang': code if code in similar else similar[0]}
        return context

    # What is offered

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

        :raise InsufficientScope: for a model that is not offered, and in the same
            words for one that does not exist
        """
        if not self._is_model_offered(offer, name):
            raise InsufficientScope("The application may not read this model.", scope='read')
        return self.env[name]

    @api.model
    def _is_field_offered(self, offer, model, field):
        """Return whether a field may be read, searched and ordered by."""
        if field.name == 'id':
            return True
        limit = offer.get_fields(model._name)
        if field.name in NEVER or field.name not in limit or not model._has_field_access(field, 'read'):
            return False
        if limit.lists(field.name):
            return True
        if field.type in OPAQUE_TYPES or self._is_credential(model, field):
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
        return (model._name, field.name) in CREDENTIAL_FIELDS or bool(CREDENTIAL.search(field.name))

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
        offered at all, such as a sum over its records, stays: few fields need nothing else.

        :param set seen: the fields that are decided on already
        """
        for dependency in self._get_dependencies(model, field):
            source = model
            for name in dependency.split('.'):
                if source._name not in offer.models:
                    break
                step = source._fields[name]
                if name != 'id' and name not in offer.get_fields(source._name):
                    return False
                if field.type in TEXT_TYPES and not self._is_text_offered(offer, source, step):
                    return False
                if step not in seen:
                    seen.add(step)
                    if not self._is_computed_offered(offer, source, step, seen):
                        return False
                source = self.env[step.comodel_name] if step.comodel_name else source
        return True

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
        if field.name == 'display_name' and model._rec_name:
            # Of a partner it depends on the e-mail too, which it shows only where asked to.
            return [model._rec_name]
        return self.env.registry.field_depends[field] if field.compute else ()

    @api.model
    def _is_related_offered(self, offer, model, field):
        for name in field.related.split('.') if field.related else ():
            step = model._fields[name]
            if not self._is_field_offered(offer, model, step):
                return False
            model = self.env[step.comodel_name] if step.comodel_name else model
        return True

    @api.model
    def _get_field(self, offer, model, name):
        """Return a field of a model.

        :raise InvalidRequest: for a field that does not exist
        :raise InsufficientScope: for one that is not offered, or not to this user
        """
        field = model._fields.get(name)
        if field is None:
            raise InvalidRequest("The model does not have one of the fields.")
        if not self._is_field_offered(offer, model, field):
            raise InsufficientScope("The application may not read one of the fields.", scope='read')
        return field

    @api.model
    def _get_offered_fields(self, offer, model):
        """Return the names of all offered fields of a model."""
        return [name for name, field in sorted(model._fields.items()) if self._is_field_offered(offer, model, field)]

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

    # Reading

    @api.model
    def _check_ids(self, ids):
        if len(ids) > MAX_IDS:
            raise InvalidRequest(f"More than {MAX_IDS} records at once.")
        if not all(type(id_) is int and 0 < id_ <= MAX_ID for id_ in ids):
            raise InvalidRequest("An id is a positive number.")

    @api.model
    def _read(self, offer, name, ids, names=None, empty=None):
        """Read records.

        :param Offer offer: what the application is offered
        :param str name: the name of the model
        :param list ids: which records; those that the user may not see are left out
        :param list names: the names of the fields; None for all offered ones
        :param empty: what stands for no value; `False` for the older connector
        :return: a list of dicts with `id` and the values, in the order of the ids
        :raise InsufficientScope: for a model or field that is not offered
        :raise InvalidRequest: for too many records, or fields that do not exist
        """
        self._check_ids(ids)
        model = self._get_model(offer, name)
        fields_ = self._get_fields_to_read(offer, model, names)
        if len(ids) > MAX_BINARY_IDS and self._has_binary(fields_):
            raise InvalidRequest(f"Binary fields are read for at most {MAX_BINARY_IDS} records at once.")
        records = model.browse(dict.fromkeys(ids))
        field_names = [field.name for field in fields_]
        with self._refuse_unreadable():
            try:
                rows = self._read_rows(records, field_names)
            except AccessError:
                # Somebody else's record among them, which must look like one that
                # does not exist; if not, a field that the user cannot compute.
                visible = model.with_context(active_test=False).search([('id', 'in', records.ids)])
                rows = self._read_rows(records & visible, field_names)
        return self._render_rows(fields_, rows, empty)

    @api.model
    def _get_fields_to_read(self, offer, model, names=None):
        return [
            self._get_field(offer, model, name)
            for name in dict.fromkeys(self._get_offered_fields(offer, model) if names is None else names)
        ]

    @api.model
    def _has_binary(self, fields_):
        return any(field.type in ('binary', 'image') for field in fields_)

    @contextmanager
    def _refuse_unreadable(self):
        try:
            yield
        except AccessError:
            raise InsufficientScope("The user may not read one of the fields.", scope='read') from None
        except (UserError, MissingError):
            raise InvalidRequest("One of the fields has no value that could be read.") from None

    @api.model
    def _render_rows(self, fields_, rows, empty=None):
        return [
            {
                'id': row['id'],
                **{field.name: self._render(field, row[field.name], empty) for field in fields_ if field.name != 'id'},
            }
            for row in rows
        ]

    @api.model
    def _read_rows(self, records, names):
        if names == ['id'] or not names:
            # No column to fetch, so that core would not look whether they exist.
            return [{'id': record.id} for record in records.exists()._filtered_access('read')]
        return records.read(names)

    @api.model
    def _render(self, field, value, empty):
        """Return a value as JSON has it: as `read` returns it, dates as in ISO 8601 and in UTC."""
        if isinstance(value, bool):
            return value if value or field.type == 'boolean' else empty
        if isinstance(value, datetime):
            return value.isoformat(timespec='seconds') + 'Z'
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, float) and not math.isfinite(value):
            return empty
        if value is None:
            return empty
        if field.type == 'many2one' and value:
            return [value[0], value[1] or '']
        if field.type in ('binary', 'image') and len(value) > MAX_BINARY:
            raise InvalidRequest("A binary value is too large to be sent.")
        return value

    @api.model
    def _read_one(self, offer, name, id_, names=None):
        """Read one record; see `_read`.

        :raise NotFound: when the user sees no such record
        """
        rows = self._read(offer, name, [id_], names)
        if not rows:
            raise NotFound("There is no such record, or the user may not see it.")
        return rows[0]

    # The way into the web client

    @api.model
    def _get_link(self, name, id_=None):
        """Return the address of a record, or of the list of a model, in the web client."""
        issuer = self.env['orestapi.application']._get_issuer()
        # As the web client writes it: an action, or a model by its name.
        segment = name if '.' in name else f'm-{name}'
        return f'{issuer}/odoo/{segment}' + (f'/{id_}' if id_ else '')

    @api.model
    def _get_location(self, name):
        """Return the ids of the action and of the menu that lead to a model in the web client.

        :return: two ids; False for what there is not
        """
        menus = {
            menu['action_id']: menu['id']
            # In reverse, so that the first menu of an action remains.
            for menu in reversed(self.env['ir.ui.menu'].load_menus(False).values())
            if menu.get('action_model') == 'ir.actions.act_window'
        }
        rows = self.env.execute_query(
            SQL("SELECT id FROM ir_act_window WHERE res_model = %s AND id = ANY(%s)", name, list(menus))
        )
        found = {action_id for [action_id] in rows}
        for action_id in reversed(menus):
            if action_id in found:
                return action_id, menus[action_id]
        return False, False
