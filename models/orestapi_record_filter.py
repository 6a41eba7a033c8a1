from datetime import datetime

from odoo import api, models
from odoo.fields import Domain

from ..records import dates, filters
from ..records.parameters import MAX_SEARCH
from ..records.problem import InvalidParameter, NotOffered
from .orestapi_record_offer import TEXT_TYPES

NUMBER_TYPES = frozenset(['integer', 'float', 'monetary'])
DATE_TYPES = frozenset(['date', 'datetime'])
RELATIONAL_TYPES = frozenset(['many2one', 'one2many', 'many2many'])
ORDERED_TYPES = NUMBER_TYPES | DATE_TYPES | {'char', 'text', 'boolean', 'selection'}

OPERATORS = {'eq': '=', 'ne': '!=', 'gt': '>', 'ge': '>=', 'lt': '<', 'le': '<='}
#: The SQL pattern of each text operator.
PATTERNS = {'co': '%{}%', 'sw': '{}%', 'ew': '%{}'}


class OrestapiRecord(models.AbstractModel):
    """How the filter of a remote application becomes a search of Odoo, with offered fields only.

    `_get_query` → `_get_domain` → `_convert_condition` → `_get_comparison`: a parsed filter becomes a
    domain, which becomes a `Query`. Each step raises `NotOffered` for a field that is not offered and
    `InvalidParameter` for a comparison that a field does not support.
    """

    _inherit = 'orestapi.record'

    @api.model
    def _get_query(self, offer, model, condition=None, text=None, ids=None):
        """Return the `Query` of a search, with the access rules of the user.

        :param Offer offer: the offer of the application
        :param model: the empty recordset of the model
        :param condition: a parsed filter, or None
        :param text: a text that the display name contains, or None
        :param ids: the ids to search among, or None
        """
        # Many access rules read one field of the user's company; prefetching would make core
        # read all its fields.
        model = model.with_context(prefetch_fields=False)
        with self._refuse_failures(model, "One of the fields cannot be searched for this value."):
            # Archived records are not found by searching, but can be read by their ids.
            return model._search(self._get_domain(offer, model, condition, text, ids), active_test=ids is None)

    @api.model
    def _get_domain(self, offer, model, condition, text, ids):
        """Return the domain of a search; the parameters are those of `_get_query`."""
        domain = Domain.TRUE
        if ids is not None:
            self._check_ids(ids)
            domain &= Domain('id', 'in', ids)
        if text is not None:
            if len(text) > MAX_SEARCH:
                raise InvalidParameter(f"The text to search for has more than {MAX_SEARCH} characters.")
            if not filters.is_storable(text):
                raise InvalidParameter("The text to search for is not valid.")
            domain &= self._get_display_name_domain(offer, model, 'co', text)
        if condition is not None:
            domain &= self._convert(offer, model, condition)
        return domain

    @api.model
    def _convert(self, offer, model, condition):
        if isinstance(condition, filters.Negation):
            return ~self._convert(offer, model, condition.operand)
        if isinstance(condition, filters.Combination):
            combine = Domain.AND if condition.operator == filters.AND else Domain.OR
            return combine(self._convert(offer, model, operand) for operand in condition.operands)
        return self._convert_condition(offer, model, condition.path, condition.operator, condition.value)

    @api.model
    def _convert_condition(self, offer, model, path, operator, value):
        """Return the domain of one comparison, with a subquery for each relation of its path."""
        field = self._get_field(offer, model, path[0])
        if len(path) > 1:
            if field.type not in RELATIONAL_TYPES:
                raise InvalidParameter("A path of the filter follows a field that is not a relation.")
            self._check_searchable(field)
            if not (field.store or field.related):
                # Its search method may not accept a subquery.
                raise InvalidParameter("A path of the filter follows a computed field.")
            self._get_model(offer, field.comodel_name)
            comodel = self._get_comodel(field)
            # A separate search that applies the access rules of that model: core skips them for
            # some relations (`bypass_search_access`).
            records = comodel._search(self._convert_condition(offer, comodel, path[1:], operator, value))
            return Domain(field.name, 'in', records)
        if field.name == 'display_name':
            return self._get_display_name_domain(offer, model, operator, value)
        self._check_searchable(field)
        return self._get_comparison(field, operator, value)

    @api.model
    def _get_comodel(self, field):
        """Return the model of a relation, in a context in which a search finds the records that the relation shows.

        As everywhere in Odoo, a relation to several records leaves out archived ones, and a
        relation to one record shows it even if it is archived.
        """
        active_test = field.type != 'many2one' and field.context.get('active_test', True)
        return self.env[field.comodel_name].with_context(active_test=active_test)

    @api.model
    def _is_searchable(self, field):
        return bool(field._description_searchable) and field.type in ORDERED_TYPES | RELATIONAL_TYPES | {'html'}

    @api.model
    def _check_searchable(self, field):
        if not self._is_searchable(field):
            raise InvalidParameter("One of the fields cannot be searched.")

    @api.model
    def _get_comparison(self, field, operator, value):
        """Return the domain that compares a field of the model itself with a value of the filter."""
        if field.type in ('one2many', 'many2many') and (field.store or field.related):
            return self._get_relation_comparison(field, operator, value)
        if operator == filters.PRESENT:
            return Domain(field.name, '!=', False)
        if operator in PATTERNS:
            if field.type not in TEXT_TYPES or not isinstance(value, str):
                raise InvalidParameter("The operators co, sw and ew are for texts.")
            escaped = value.replace('\\', r'\\').replace('%', r'\%').replace('_', r'\_')
            return Domain(field.name, '=ilike', PATTERNS[operator].format(escaped))
        comparable = value is not None and field.type in ORDERED_TYPES - {'boolean', 'selection'}
        if operator not in ('eq', 'ne') and not comparable:
            raise InvalidParameter("The operators gt, ge, lt and le are for numbers, dates and texts.")
        return Domain(field.name, OPERATORS[operator], self._convert_value(field, value, operator))

    @api.model
    def _get_relation_comparison(self, field, operator, value):
        """Return the domain for a relation to several records, of which only those that the user may see count."""
        if operator == filters.PRESENT:
            operator, value = 'ne', None
        if operator not in ('eq', 'ne'):
            raise InvalidParameter("A relation to several records can only be compared with eq, ne and pr.")
        among = Domain.TRUE if value is None else Domain('id', '=', self._convert_value(field, value))
        # A separate search as for a path, because core would compare all of them.
        domain = Domain(field.name, 'in', self._get_comodel(field)._search(among))
        return domain if (operator == 'eq') == (value is not None) else ~domain

    @api.model
    def _convert_value(self, field, value, operator='eq'):
        """Return a value of the filter in the form that a domain needs.

        :raise InvalidParameter: when it does not have the field's type
        """
        if value is None:
            return False
        if field.type == 'boolean':
            accepted = isinstance(value, bool)
        elif field.type in RELATIONAL_TYPES or field.type == 'integer':
            accepted = type(value) is int
        elif field.type in NUMBER_TYPES:
            accepted = type(value) in (int, float)
        else:
            accepted = isinstance(value, str)
        if not accepted:
            raise InvalidParameter("The filter compares a field with a value of another type.")
        if field.type in DATE_TYPES:
            return self._convert_date(field, value, operator)
        return value

    @api.model
    def _convert_date(self, field, value, operator):
        """Return a day or a moment in a form for which Odoo compares exactly the value that was sent.

        With an ordering operator, a day is the whole day in the time zone of the user. With
        `eq` and `ne`, Odoo would compare its first second instead, so a day is refused.
        """
        moment = dates.parse(value)
        is_day = not isinstance(moment, datetime)
        if field.type == 'date' and not is_day:
            raise InvalidParameter("One of the fields is a date: compare it with a day, without a time.")
        if field.type == 'datetime' and is_day and operator in ('eq', 'ne'):
            raise InvalidParameter(
                "One of the fields is a date and time: compare it with a moment, or by ge, gt, le and lt with a day."
            )
        return moment

    @api.model
    def _is_display_name_searchable(self, offer, model):
        try:
            with self._refuse_failures(model, "The display name cannot be searched."):
                self._get_display_name_domain(offer, model, 'co', '')
        except InvalidParameter:
            return False  # For example a number.
        return True

    @api.model
    def _get_display_name_domain(self, offer, model, operator, value):
        """Return the domain of a search by display name.

        Core also searches fields that the display name does not show, for example the e-mail
        of a partner: only the offered ones are used here.

        :raise NotOffered: when the display name is not offered
        """
        self._get_field(offer, model, 'display_name')
        if operator == filters.PRESENT or value is None or operator in ('gt', 'ge', 'lt', 'le'):
            raise InvalidParameter("The display name can only be searched with eq, ne, co, sw and ew.")
        names = {model._rec_name, *(model._rec_names_search or ())} - {None}
        domains = []
        for name in sorted(names):
            try:
                # The field that the display name shows may be searched if the display name is offered.
                if name == model._rec_name and not name.count('.'):
                    field = model._fields[name]
                    self._check_searchable(field)
                    domains.append(self._get_comparison(field, operator, value))
                else:
                    domains.append(self._convert_condition(offer, model, name.split('.'), operator, value))
            except (NotOffered, InvalidParameter):
                continue
        if not domains:
            raise InvalidParameter("The display name of the model cannot be searched.")
        return Domain.AND(domains) if operator == 'ne' else Domain.OR(domains)
