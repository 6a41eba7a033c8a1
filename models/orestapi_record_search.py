from datetime import date
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..records import order as order_language
from ..records.parameters import DEFAULT_LIMIT, MAX_LIMIT
from ..records.problem import InvalidRequest
from .orestapi_record_filter import ORDERED_TYPES

#: Milliseconds that the database may take to find the records of one answer.
TIMEOUT = 10_000


class OrestapiRecord(models.AbstractModel):
    """How remote applications search: in an order, page by page."""

    _inherit = 'orestapi.record'

    @api.model
    def _read_page(
        self, offer, name, names, condition=None, text=None, ids=None, order=(), limit=DEFAULT_LIMIT, cursor=None
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
        return self.env['orestapi.server']._derive_key('cursor')

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
