import math
from contextlib import contextmanager
from datetime import date, datetime

from odoo import api, models
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.tools import SQL

from ..oauth2.errors import InsufficientScope
from ..records.parameters import MAX_ID, MAX_IDS
from ..records.problem import InvalidRequest, NotFound

#: Characters of one binary value in base64: about 8 MiB of the binary.
MAX_BINARY = 11 * 1024 * 1024
#: Records of one answer when a binary is among the fields.
MAX_BINARY_IDS = 10


class OrestapiRecord(models.AbstractModel):
    """How remote applications read records: as the user, within a model scheme.

    No record is read with other rights than the user's: `sudo` is only for labels,
    configurations and the key of the cursors. What a model scheme leaves out is left
    out everywhere: no field can be read, searched, ordered by or followed that is
    not offered.
    """

    _name = 'orestapi.record'
    _description = "Records for Remote Applications"

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

    @api.model
    def _get_link(self, name):
        """Return the address of a model in the web client; with a slash and an id behind it, of a record."""
        issuer = self.env['orestapi.application']._get_issuer()
        # As the web client writes it: an action, or a model by its name.
        segment = name if '.' in name else f'm-{name}'
        return f'{issuer}/odoo/{segment}'

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
