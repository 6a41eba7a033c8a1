import logging
import math
import threading
from contextlib import contextmanager
from datetime import date, datetime

import psycopg2
import psycopg2.errors
from werkzeug.exceptions import HTTPException

from odoo import api, models
from odoo.exceptions import AccessError, ConcurrencyError
from odoo.fields import Datetime
from odoo.tools import SQL

from ..dispatchers.application import is_outage
from ..oauth2.errors import OAuth2Error
from ..records.parameters import MAX_ID, MAX_IDS
from ..records.problem import InvalidParameter, NotFound, NotOffered, Problem

_logger = logging.getLogger(__name__)

#: The class of PostgreSQL errors for a query that is too large: not an outage, although psycopg2 reports it as one.
PROGRAM_LIMIT = '54'

#: Characters of one binary value in base64, which stand for about 8 MiB.
MAX_BINARY = 11 * 1024 * 1024
#: Records of one page when a binary is among the fields.
MAX_BINARY_IDS = 10


class _RefusedQueries(logging.Filter):
    """Keeps failures that `_refuse_failures` handles out of the log, where core reports every failed query."""

    def filter(self, record):
        return not getattr(threading.current_thread(), 'orestapi_refuses', False)


logging.getLogger('odoo.sql_db').addFilter(_RefusedQueries())


class OrestapiRecord(models.AbstractModel):
    """How remote applications read records: as the user, within a model scheme.

    Records are only read with the rights of the user: `sudo` is for labels,
    configurations and the key of the cursors. A field that is not offered cannot be
    read, searched, ordered by or followed anywhere.
    """

    _name = 'orestapi.record'
    _description = "Records for Remote Applications"

    @api.model
    def _get_context(self, header):
        """Return the context in which an application reads for the current user.

        :param header: the header `Accept-Language` (RFC 9110 §12.5.4), or None; if none of
            its languages is installed, the language of the user applies
        """
        context = dict(self.env['res.users'].context_get())
        return {**context, 'lang': self.env['res.lang']._choose_code(header, context.get('lang'))}

    @api.model
    def _check_ids(self, ids):
        if len(ids) > MAX_IDS:
            raise InvalidParameter(f"More than {MAX_IDS} records were requested at once.")
        if not all(type(id_) is int and 0 < id_ <= MAX_ID for id_ in ids):
            raise InvalidParameter("An id is a positive number.")

    @api.model
    def _read(self, offer, name, ids, names=None, empty=None):
        """Read records.

        :param Offer offer: the offer of the application
        :param str name: the name of the model
        :param list ids: the records; those that the user may not see are left out
        :param list names: the names of the fields; None for all offered ones
        :param empty: the value for an empty field; `False` for the older connector
        :return: a list of dicts with `id` and the values, in the order of the ids
        :raise NotOffered: for a model or field that is not offered
        :raise InvalidParameter: for too many records, or fields that do not exist
        """
        self._check_ids(ids)
        model = self._get_model(offer, name)
        fields_ = self._get_fields_to_read(offer, model, names)
        if len(ids) > MAX_BINARY_IDS and self._has_binary(fields_):
            raise InvalidParameter(f"Binary fields can be read for at most {MAX_BINARY_IDS} records at once.")
        records = model.browse(dict.fromkeys(ids))
        field_names = [field.name for field in fields_]
        with self._refuse_failures(model, "One of the fields has a value that cannot be read."):
            try:
                rows = self._read_rows(records, field_names)
            except AccessError:
                # A record that the user may not see must look like one that does not exist.
                # If there is none, the user may not compute one of the fields.
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
    def _refuse_failures(self, model, refusal):
        """Turn exceptions from the code of fields, which may be from any addon, into errors of the request.

        Exceptions that mean an outage, or that make Odoo run the request again, are not changed.

        :param model: the model that is searched or read
        :param str refusal: the error description for the application
        """
        thread = threading.current_thread()
        before = getattr(thread, 'orestapi_refuses', False)
        thread.orestapi_refuses = True
        try:
            yield
        except (OAuth2Error, Problem, HTTPException, ConcurrencyError, MemoryError):
            raise
        except AccessError:
            raise NotOffered("The user may not read one of the fields, or a field that the search uses.") from None
        except Exception as error:
            if self._is_left_to_odoo(error):
                raise
            # After an error, PostgreSQL refuses every statement of the transaction.
            self.env.cr.rollback()
            # Without the message, which may contain values.
            _logger.info("A request of an application for %s was refused: %s", model._name, type(error).__name__)
            raise InvalidParameter(refusal) from None
        finally:
            thread.orestapi_refuses = before

    @api.model
    def _is_left_to_odoo(self, error):
        if isinstance(error, psycopg2.Error) and (error.pgcode or '').startswith(PROGRAM_LIMIT):
            return False
        # A query that writes fails on a replica: Odoo then uses the primary.
        return is_outage(error) or isinstance(error, psycopg2.errors.ReadOnlySqlTransaction)

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
            # Without a column to fetch, core would not check that the records exist.
            return [{'id': record.id} for record in records.exists()._filtered_access('read')]
        return records.read(names)

    @api.model
    def _render(self, field, value, empty):
        """Return a value for JSON: as `read` returns it, with dates in ISO 8601 and UTC."""
        if isinstance(value, bool):
            return value if value or field.type == 'boolean' else empty
        if isinstance(value, datetime):
            return self._render_datetime(value)
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
        if field.type in ('properties', 'properties_definition') and isinstance(value, list):
            keys = ('default',) if field.type == 'properties_definition' else ('default', 'value')
            return [self._render_property(property_, keys, empty) for property_ in value]
        if field.type in ('binary', 'image') and len(value) > MAX_BINARY:
            raise InvalidParameter("A binary value is too large to be sent.")
        return value

    @api.model
    def _render_datetime(self, value):
        return value.isoformat(timespec='seconds') + 'Z'

    @api.model
    def _render_property(self, property_, keys, empty):
        """Return a property from `read` or its definition, with the values of `keys` rendered like fields."""
        type_ = property_.get('type')
        if type_ == 'separator':
            return property_
        return {
            **property_,
            **{key: self._render_property_value(type_, property_.get(key), empty) for key in keys},
        }

    @api.model
    def _render_property_value(self, type_, value, empty):
        if type_ == 'boolean':
            return bool(value)
        if type_ in ('many2many', 'tags'):
            # A record that the user may not see has no display name.
            return [
                [item[0], item[1] or ''] if type_ == 'many2many' and isinstance(item, (list, tuple)) else item
                for item in value or ()
            ]
        if value in (None, False, ''):
            return empty
        if type_ == 'datetime':
            return self._render_datetime(Datetime.to_datetime(value))
        if type_ == 'many2one' and isinstance(value, (list, tuple)):
            return [value[0], value[1] or '']
        return value

    @api.model
    def _read_one(self, offer, name, id_, names=None):
        """Read one record; see `_read`.

        :raise NotFound: when the record does not exist or the user may not see it
        """
        rows = self._read(offer, name, [id_], names)
        if not rows:
            raise NotFound("There is no such record, or the user may not see it.")
        return rows[0]

    @api.model
    def _get_link(self, name):
        """Return the URL of a model in the web client; with a slash and an id appended, that of a record."""
        issuer = self.env['orestapi.server']._get_issuer()
        # The web client's own form: the path of an action, or the name of a model.
        segment = name if '.' in name else f'm-{name}'
        return f'{issuer}/odoo/{segment}'

    @api.model
    def _get_action_and_menu_ids(self, name):
        """Return the ids of the action and of the menu that lead to a model in the web client.

        :return: two ids; False for each that does not exist
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
