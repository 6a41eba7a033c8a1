from datetime import date
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..records import ordering
from ..records.parameters import DEFAULT_LIMIT, MAX_LIMIT
from ..records.problem import InvalidParameter
from .orestapi_record_filter import ORDERED_TYPES

#: Milliseconds that the database may take to find the records of one page.
TIMEOUT = 10_000


class OrestapiRecord(models.AbstractModel):
    """How remote applications search: in a stable order, page by page."""

    _inherit = 'orestapi.record'

    @api.model
    def _limit_time(self):
        """Let PostgreSQL cancel each query of the request that takes longer than `TIMEOUT`.

        Called first, because some fields run searches of their own before the search that
        uses them.
        """
        self.env.cr.execute(SQL("SET LOCAL statement_timeout = %s", TIMEOUT))

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
        limit=DEFAULT_LIMIT,
        cursor=None,
        application_id=None,
    ):
        """Find one page of records, and read them.

        :param Offer offer: the offer of the application
        :param str name: the name of the model
        :param list names: the fields to read, see `_read`
        :param condition: a parsed filter, or None
        :param str text: a text that the display name contains, or None
        :param list ids: only these records, including archived ones, or None
        :param list order: (name of the field, whether descending); the id is added at the end
        :param int limit: the maximum number of records
        :param str cursor: the cursor from the previous page, or None for the first page
        :param int application_id: the application that searches: a cursor is of no use to another one
        :return: the result of `_read`, and the cursor of the next page or None
        :raise NotOffered: for a model or field that is not offered
        :raise InvalidParameter: for anything that cannot be searched
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidParameter(f"The limit is a number from 1 to {MAX_LIMIT}.")
        model = self._get_model(offer, name)
        fields_ = self._get_fields_to_read(offer, model, names)
        search = repr((self.env.uid, application_id, name, condition, text, ids, order, self.env.lang))
        by_prefix, position = False, None
        if cursor is not None:
            by_prefix, *position = ordering.parse_cursor(self._get_cursor_key(), search, cursor)

        def get_query(by_prefix):
            query = self._get_query(offer, model, condition, text, ids)
            keys = self._get_order_keys(offer, model, order, query, by_prefix)
            if position is not None:
                query.add_where(self._get_condition_after(keys, position))
            query.order = SQL(", ").join(
                SQL("%s DESC" if descending else "%s", expression) for expression, descending in keys
            )
            return query, keys

        query, keys = get_query(by_prefix)
        only_ids = ids is not None and condition is None and text is None
        if only_ids and len(set(ids)) <= limit and not self._has_binary(fields_):
            # There is no next page, and a lookup by ids is cheap.
            with self._refuse_failures(model, "One of the fields has a value that cannot be read."):
                return self._render_rows(fields_, self._fetch_rows(model, query, names)), None
        rows = self._find_rows(model, query, keys, limit + 1)
        if len(rows) > limit and not by_prefix and self._has_long_text(rows[limit - 1]):
            # No server accepts a URL with a long text in it. From here on, texts are compared by
            # their beginning. The order stays the same, because no text of the previous pages
            # was longer than that.
            by_prefix = True
            rows = self._find_rows(model, *get_query(by_prefix), limit + 1)
        following = None
        if len(rows) > limit:
            position = [by_prefix, *(self._get_cursor_value(value) for value in rows[limit - 1])]
            following = ordering.render_cursor(self._get_cursor_key(), search, position)
        return self._read(offer, name, [row[-1] for row in rows[:limit]], names), following

    @api.model
    def _find_rows(self, model, query, keys, limit):
        """Return the sort values of the records that a query finds."""
        query.limit = limit
        return self._execute_search(model, query.select(*(expression for expression, _descending in keys)))

    @api.model
    def _has_long_text(self, values):
        return any(isinstance(value, str) and len(value) >= ordering.PREFIX_LENGTH for value in values)

    @api.model
    def _get_order_keys(self, offer, model, order, query, by_prefix):
        """Return the expressions by which the records are ordered, ending with the id, and whether each is descending.

        :param bool by_prefix: whether texts are compared by their beginning only
        """
        keys = []
        for field_name, descending in order:
            if field_name == 'id':
                continue
            field, expression = self._get_order_expression(offer, model, field_name, query)
            if by_prefix and field.type in ('char', 'text'):
                expression = SQL("LEFT(%s, %s)", expression, ordering.PREFIX_LENGTH)
            keys.append((expression, descending))
        return [*keys, (SQL.identifier(query.table, 'id'), dict(order).get('id', False))]

    @api.model
    def _fetch_rows(self, model, query, names):
        """Find and read records with one query, as `search_read` of core does."""
        records = model._fetch_query(query, model._determine_fields_to_fetch(names))
        return records._read_format(names)

    @api.model
    def _count(self, offer, name, condition=None, text=None, ids=None):
        """Return how many records a search finds; see `_read_page`."""
        model = self._get_model(offer, name)
        query = self._get_query(offer, model, condition, text, ids)
        [[count]] = self._execute_search(model, query.select(SQL("COUNT(*)")))
        return count

    @api.model
    def _find_by_display_name(self, offer, name, text, limit, offset, order=()):
        """Find records by their display name, as the older connector does.

        :param str text: a text that the display name contains; empty for all records
        :return: the number of all matches, and (id, display name) of those from `offset` on
        """
        if not 1 <= limit <= MAX_LIMIT or not 0 <= offset <= 2**31:
            raise InvalidParameter(f"The limit is a number from 1 to {MAX_LIMIT}, and the offset not negative.")
        model = self._get_model(offer, name)
        self._get_field(offer, model, 'display_name')
        query = self._get_query(offer, model, text=text or None)
        keys = [
            SQL("%s DESC" if descending else "%s", self._get_order_expression(offer, model, field_name, query)[1])
            for field_name, descending in order or self._get_default_order(model)
        ]
        [[count]] = self._execute_search(model, query.select(SQL("COUNT(*)")))
        query.order = SQL(", ").join([*keys, SQL.identifier(query.table, 'id')])
        query.limit, query.offset = limit, offset
        ids = [id_ for [id_] in self._execute_search(model, query.select(SQL.identifier(query.table, 'id')))]
        rows = self._read(offer, name, ids, ['display_name'], empty=False)
        return count, [(row['id'], row['display_name']) for row in rows]

    @api.model
    def _get_default_order(self, model):
        field = model._fields.get(model._rec_name)
        return [('display_name', False)] if field and self._is_ordered(field) else []

    @api.model
    def _execute_search(self, model, query):
        with self._refuse_failures(model, "One of the fields cannot be searched for this value."):
            self.env.flush_all()
            self.env.cr.execute(query)
            return self.env.cr.fetchall()

    @api.model
    def _is_ordered(self, field):
        column = field.base_field
        return field.type in ORDERED_TYPES and bool(column.column_type and column.store)

    @api.model
    def _get_order_expression(self, offer, model, name, query):
        """Return the field by which records are ordered, and the SQL expression of its value."""
        field = self._get_field(offer, model, name)
        if name == 'display_name' and model._rec_name:
            # The display name is only computed; the field that it shows can be sorted by.
            field = model._fields[model._rec_name]
        # Relations are refused too: core orders them by fields of the other model.
        if not self._is_ordered(field):
            raise InvalidParameter("The records cannot be ordered by one of the fields.")
        return field, model._field_to_sql(query.table, field.name, query)

    @api.model
    def _get_cursor_key(self):
        return self.env['orestapi.server']._derive_key('cursor')

    @api.model
    def _get_cursor_value(self, value):
        # As a text, which PostgreSQL converts to the type that it is compared with. JSON has no
        # numbers for infinity and NaN.
        return str(value) if isinstance(value, (date, Decimal, float)) else value

    @api.model
    def _get_condition_after(self, keys, position):
        """Return the condition for the records after a position.

        PostgreSQL sorts empty values last, and first in descending order.
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
