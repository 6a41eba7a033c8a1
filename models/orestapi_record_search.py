import hashlib
import hmac
from datetime import date, datetime, timezone
from decimal import Decimal

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..oauth2.errors import InsufficientScope
from ..records import filter as filter_language
from ..records import order as order_language
from ..records.problem import InvalidRequest
from .orestapi_record import TEXT_TYPES

MAX_LIMIT = 1000
#: Milliseconds that the database may take to find the records of one answer.
TIMEOUT = 10_000

NUMBER_TYPES = frozenset(['integer', 'float', 'monetary'])
DATE_TYPES = frozenset(['date', 'datetime'])
RELATIONAL_TYPES = frozenset(['many2one', 'one2many', 'many2many'])
ORDERED_TYPES = NUMBER_TYPES | DATE_TYPES | {'char', 'text', 'boolean', 'selection'}

OPERATORS = {'eq': '=', 'ne': '!=', 'gt': '>', 'ge': '>=', 'lt': '<', 'le': '<='}
#: What a pattern looks like, by the operator that is no comparison.
PATTERNS = {'co': '%{}%', 'sw': '{}%', 'ew': '%{}'}


class OrestapiRecordSearch(models.AbstractModel):
    """How remote applications search: with the filter language, in an order, page by page."""

    _inherit = 'orestapi.record'

    @api.model
    def _read_page(
        self,
        offer,
        name,
        names,
        condition=None,
        text=None,
        ids=None,
        order=(),
        limit=20,
        cursor=None,
    ):
        """Find one page of records, and read them.

        :param Offer offer: what the application is offered
        :param str name: the name of the model
        :param list names: the fields to read, see `_read`
        :param condition: a parsed filter, or None
        :param str text: what the display name holds, or None
        :param list ids: only these records, or None
        :param list order: (name of the field, whether descending); the id comes last
        :param int limit: how many records, at most
        :param str cursor: where the page before ended, or None for the first
        :return: what `_read` returns, and the cursor of the next page or None
        :raise InsufficientScope: for a model or field that is not offered
        :raise InvalidRequest: for anything that cannot be searched
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidRequest(f"The limit is a number from 1 to {MAX_LIMIT}.")
        model = self._get_model(offer, name)
        fields_ = self._get_fields_to_read(offer, model, names)
        query = self._get_query(offer, model, condition, text, ids)
        keys = [
            (self._get_order_expression(offer, model, field_name, query), descending)
            for field_name, descending in order
            if field_name != 'id'
        ]
        keys.append((SQL.identifier(query.table, 'id'), dict(order).get('id', False)))
        search = repr((name, condition, text, ids, order, self.env.lang))
        if cursor is not None:
            position = order_language.parse_cursor(self._get_cursor_key(), search, cursor)
            query.add_where(self._get_continuation(keys, position))
        query.order = SQL(", ").join(
            SQL("%s DESC" if descending else "%s", expression) for expression, descending in keys
        )
        only_ids = ids is not None and condition is None and text is None
        if only_ids and len(set(ids)) <= limit and not self._has_binary(fields_):
            # There is no next page, and some rows by their ids are found in no time.
            with self._refuse_unreadable():
                return self._render_rows(fields_, self._fetch_rows(model, query, names)), None
        query.limit = limit + 1
        rows = self._execute_search(query.select(*(expression for expression, _descending in keys)))
        page = rows[:limit]
        following = None
        if len(rows) > limit:
            position = [self._get_position(value) for value in page[-1]]
            following = order_language.render_cursor(self._get_cursor_key(), search, position)
        return self._read(offer, name, [row[-1] for row in page], names), following

    @api.model
    def _fetch_rows(self, model, query, names):
        """Read what a query finds with the same query, as `search_read` of core does."""
        records = model._fetch_query(query, model._determine_fields_to_fetch(names))
        return records._read_format(names)

    @api.model
    def _count(self, offer, name, condition=None, text=None, ids=None):
        """Return how many records a search finds; see `_read_page`."""
        model = self._get_model(offer, name)
        query = self._get_query(offer, model, condition, text, ids)
        [[count]] = self._execute_search(query.select(SQL("COUNT(*)")))
        return count

    @api.model
    def _find_by_display_name(self, offer, name, text, limit, offset, order=()):
        """Find records by their display name, as the older connector does.

        :param str text: what the display name holds; empty for all
        :return: how many there are, and (id, display name) of those from `offset` on
        """
        if not 1 <= limit <= MAX_LIMIT or not 0 <= offset <= 2**31:
            raise InvalidRequest(f"The limit is a number from 1 to {MAX_LIMIT}, and the offset not negative.")
        model = self._get_model(offer, name)
        self._get_field(offer, model, 'display_name')
        query = self._get_query(offer, model, text=text or None)
        keys = [
            SQL("%s DESC" if descending else "%s", self._get_order_expression(offer, model, field_name, query))
            for field_name, descending in order or self._get_default_order(model)
        ]
        [[count]] = self._execute_search(query.select(SQL("COUNT(*)")))
        query.order = SQL(", ").join([*keys, SQL.identifier(query.table, 'id')])
        query.limit, query.offset = limit, offset
        ids = [id_ for [id_] in self._execute_search(query.select(SQL.identifier(query.table, 'id')))]
        rows = self._read(offer, name, ids, ['display_name'], empty=False)
        return count, [(row['id'], row['display_name']) for row in rows]

    @api.model
    def _get_default_order(self, model):
        field = model._fields.get(model._rec_name)
        return [('display_name', False)] if field and self._is_ordered(field) else []

    @api.model
    def _execute_search(self, query):
        # Only as long as the transaction, and without a word in the log when it takes longer.
        self.env.cr.execute(SQL("SET LOCAL statement_timeout = %s", TIMEOUT))
        self.env.flush_all()
        self.env.cr.execute(query, log_exceptions=False)
        return self.env.cr.fetchall()

    # Order and cursor

    @api.model
    def _is_ordered(self, field):
        column = field.base_field
        return field.type in ORDERED_TYPES and bool(column.column_type and column.store)

    @api.model
    def _get_order_expression(self, offer, model, name, query):
        field = self._get_field(offer, model, name)
        if name == 'display_name' and model._rec_name:
            # Only computed. The field that it is made of is in it for all to see.
            field = model._fields[model._rec_name]
        # Not by relations either, which core orders by fields of the other model.
        if not self._is_ordered(field):
            raise InvalidRequest("The records cannot be ordered by one of the fields.")
        return model._field_to_sql(query.table, field.name, query)

    @api.model
    def _get_cursor_key(self):
        # sudo: ir.config_parameter - the key of the cursors is derived from the database secret
        secret = self.env['ir.config_parameter'].sudo().get_param('database.secret')
        return hmac.digest(secret.encode(), b'orestapi.cursor', hashlib.sha256)

    @api.model
    def _get_position(self, value):
        # As texts of SQL, which PostgreSQL reads as what it compares them with.
        return str(value) if isinstance(value, (date, Decimal)) else value

    @api.model
    def _get_continuation(self, keys, position):
        """Return the condition for what comes after a position.

        PostgreSQL puts empty values last, and first when descending.
        """
        condition = SQL("FALSE")
        for (expression, descending), value in reversed(list(zip(keys, position, strict=True))):
            if value is None:
                after = SQL("%s IS NOT NULL", expression) if descending else SQL("FALSE")
                same = SQL("%s IS NULL", expression)
            else:
                after = (
                    SQL("%s < %s", expression, value)
                    if descending
                    else SQL("(%s > %s OR %s IS NULL)", expression, value, expression)
                )
                same = SQL("%s = %s", expression, value)
            condition = SQL("(%s OR (%s AND %s))", after, same, condition)
        return condition

    # The filter as a domain

    @api.model
    def _get_query(self, offer, model, condition=None, text=None, ids=None):
        # Many access rules look at one field of the user's company, and would have
        # core read all of them.
        model = model.with_context(prefetch_fields=False)
        try:
            return model._search(self._get_domain(offer, model, condition, text, ids))
        except AccessError:
            raise InsufficientScope("The user may not read what the search looks into.", scope='read') from None
        except (UserError, OverflowError):
            # Of what searches a field that is computed, and of a date at the end of time.
            raise InvalidRequest("One of the fields cannot be searched for this value.") from None

    @api.model
    def _get_domain(self, offer, model, condition, text, ids):
        domain = Domain.TRUE
        if ids is not None:
            self._check_ids(ids)
            domain &= Domain('id', 'in', ids)
        if text is not None:
            if not filter_language.is_storable(text):
                raise InvalidRequest("The text to search for is not valid.")
            domain &= self._get_display_name_domain(offer, model, 'co', text)
        if condition is not None:
            domain &= self._convert(offer, model, condition)
        return domain

    @api.model
    def _convert(self, offer, model, condition):
        if isinstance(condition, filter_language.Negation):
            return ~self._convert(offer, model, condition.operand)
        if isinstance(condition, filter_language.Combination):
            combine = Domain.AND if condition.operator == filter_language.AND else Domain.OR
            return combine(self._convert(offer, model, operand) for operand in condition.operands)
        return self._convert_condition(offer, model, condition.path, condition.operator, condition.value)

    @api.model
    def _convert_condition(self, offer, model, path, operator, value):
        field = self._get_field(offer, model, path[0])
        if len(path) > 1:
            if field.type not in RELATIONAL_TYPES:
                raise InvalidRequest("A path of the filter follows a field that is no relation.")
            self._check_searchable(field)
            if not (field.store or field.related):
                # What searches it may not know what to do with a search in a search.
                raise InvalidRequest("A path of the filter follows a field that is computed.")
            comodel = self._get_model(offer, field.comodel_name).with_context(active_test=False)
            # A search of its own, with the rules for the records of that model:
            # core leaves them out for some relations (`bypass_search_access`).
            records = comodel._search(self._convert_condition(offer, comodel, path[1:], operator, value))
            return Domain(field.name, 'in', records)
        if field.name == 'display_name':
            return self._get_display_name_domain(offer, model, operator, value)
        self._check_searchable(field)
        return self._get_comparison(field, operator, value)

    @api.model
    def _is_searchable(self, field):
        return bool(field._description_searchable) and field.type in ORDERED_TYPES | RELATIONAL_TYPES | {'html'}

    @api.model
    def _check_searchable(self, field):
        if not self._is_searchable(field):
            raise InvalidRequest("One of the fields cannot be searched.")

    @api.model
    def _get_comparison(self, field, operator, value):
        if operator == filter_language.PRESENT:
            return Domain(field.name, '!=', False)
        if operator in PATTERNS:
            if field.type not in TEXT_TYPES or not isinstance(value, str):
                raise InvalidRequest("The operators co, sw and ew compare texts.")
            escaped = value.replace('\\', r'\\').replace('%', r'\%').replace('_', r'\_')
            return Domain(field.name, '=ilike', PATTERNS[operator].format(escaped))
        comparable = value is not None and field.type in ORDERED_TYPES - {'boolean', 'selection'}
        if operator not in ('eq', 'ne') and not comparable:
            raise InvalidRequest("The operators gt, ge, lt and le compare numbers, dates and texts.")
        return Domain(field.name, OPERATORS[operator], self._convert_value(field, value))

    @api.model
    def _convert_value(self, field, value):
        """Return a value of the filter as a domain takes it.

        :raise InvalidRequest: when it is not of the field's type
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
            raise InvalidRequest("The filter compares a field with a value of another type.")
        if field.type in DATE_TYPES:
            return self._convert_date(field, value)
        return value

    @api.model
    def _convert_date(self, field, value):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo:
                moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise InvalidRequest("A date is written as in ISO 8601.") from None
        return moment.date() if field.type == 'date' else moment

    @api.model
    def _is_display_name_searchable(self, offer, model):
        try:
            self._get_display_name_domain(offer, model, 'co', '')
        except InvalidRequest:
            return False  # It is a number, for example.
        return True

    @api.model
    def _get_display_name_domain(self, offer, model, operator, value):
        """Return the domain of a search by display name.

        Core also looks into fields that the display name does not show, the
        e-mail of a partner for example: only those which are offered count.

        :raise InsufficientScope: when the display name is not offered
        """
        self._get_field(offer, model, 'display_name')
        if operator == filter_language.PRESENT or value is None or operator in ('gt', 'ge', 'lt', 'le'):
            raise InvalidRequest("The display name is searched with eq, ne, co, sw and ew.")
        names = {model._rec_name, *(model._rec_names_search or ())} - {None}
        domains = []
        for name in sorted(names):
            try:
                # What the display name is made of may be searched where it is offered.
                if name == model._rec_name and not name.count('.'):
                    field = model._fields[name]
                    self._check_searchable(field)
                    domains.append(self._get_comparison(field, operator, value))
                else:
                    domains.append(self._convert_condition(offer, model, name.split('.'), operator, value))
            except (InsufficientScope, InvalidRequest):
                continue
        if not domains:
            raise InvalidRequest("The model has no display name that could be searched.")
        return Domain.AND(domains) if operator == 'ne' else Domain.OR(domains)
