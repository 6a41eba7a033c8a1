from datetime import date
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..records import ordering
from ..records.parameters import DEFAULT_LIMIT, MAX_LIMIT
from ..records.problem import InvalidParameter
from .orestapi_record_filter import ORDERED_TYPES

#: Milliseconds that the database may take to find the records of one answer.
TIMEOUT = 10_000


class OrestapiRecord(models.AbstractModel):
    """How remote applications search: in an order, page by page."""

    _inherit = 'orestapi.record'

    @api.model
    def _limit_time(self):
        """Let PostgreSQL end each query of the request that takes longer than `TIMEOUT`.

        Before anything else: some fields search for themselves, long before the search
        that they are part of.
        """
        # Only as long as the transaction.
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

        :param Offer offer: what the application is offered
        :param str name: the name of the model
        :param list names: the fields to read, see `_read`
        :param condition: a parsed filter, or None
        :param str text: what the display name holds, or None
        :param list ids: only these records, archived ones too, or None
        :param list order: (name of the field, whether descending); the id comes last
        :param int limit: how many records, at most
        :param str cursor: where the page before ended, or None for the first
        :param int application_id: whose search it is: a cursor is of no use to another application
        :return: what `_read` returns, and the cursor of the next page or None
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
            # There is no next page, and some rows by their ids are found in no time.
            with self._refuse_failures(model, "One of the fields has no value that could be read."):
                return self._render_rows(fields_, self._fetch_rows(model, query, names)), None
        rows = self._find_rows(model, query, keys, limit + 1)
        if len(rows) > limit and not by_prefix and self._has_long_text(rows[limit - 1]):
            # No server takes an address with a long text in it. From here on, texts count by
            # their beginning. What comes before and after is the same, as long as no text
            # of the page before was longer than that.
            by_prefix = True
            rows = self._find_rows(model, *get_query(by_prefix), limit + 1)
        following = None
        if len(rows) > limit:
            position = [by_prefix, *(self._get_cursor_value(value) for value in rows[limit - 1])]
            following = ordering.render_cursor(self._get_cursor_key(), search, position)
        return self._read(offer, name, [row[-1] for row in rows[:limit]], names), following

    @api.model
    def _find_rows(self, model, query, keys, limit):
        """Return the values by which the records are ordered that a query finds."""
        query.limit = limit
        return self._execute_search(model, query.select(*(expression for expression, _descending in keys)))

    @api.model
    def _has_long_text(self, values):
        return any(isinstance(value, str) and len(value) >= ordering.PREFIX_LENGTH for value in values)

    @api.model
    def _get_order_keys(self, offer, model, order, query, by_prefix):
        """Return by which expressions the records are ordered, the id as the last, and whether descending.

        :param bool by_prefix: whether texts count by their beginning only
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
        """Read what a query finds with the same query, as `search_read` of core does."""
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

        :param str text: what the display name holds; empty for all
        :return: how many there are, and (id, display name) of those from `offset` on
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
        """Return the field by which records are ordered, and how SQL gets its value."""
        field = self._get_field(offer, model, name)
        if name == 'display_name' and model._rec_name:
            # Only computed. The field that it is made of is in it for all to see.
            field = model._fields[model._rec_name]
        # Not by relations either, which core orders by fields of the other model.
        if not self._is_ordered(field):
            raise InvalidParameter("The records cannot be ordered by one of the fields.")
        return field, model._field_to_sql(query.table, field.name, query)

    @api.model
    def _get_cursor_key(self):
        return self.env['orestapi.server']._derive_key('cursor')

    @api.model
    def _get_cursor_value(self, value):
        # As texts of SQL, which PostgreSQL reads as what it compares them with. Also what JSON
        # has no number for: infinity, and what is none.
        return str(value) if isinstance(value, (date, Decimal, float)) else value

    @api.model
    def _get_condition_after(self, keys, position):
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
