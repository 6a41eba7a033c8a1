from odoo import http
from odoo.http import request

from ..dispatchers.application import application_route
from ..dispatchers.context import get_context
from ..dispatchers.records import make_response
from ..records import legacy_parameters, ordering
from ..records.parameters import DEFAULT_LIMIT


def read_route(path):
    """Declare a route that reads as the user of the access token (scope `read`)."""
    return application_route(path, type='orestapi_legacy_records', methods=['GET', 'POST'], scope='read', readonly=True)


class LegacyRecords(http.Controller):
    """Records for the older connector: the contract of the older addon, see docs/legacy-wire.md.

    Parameters come in the query string or in a form; unknown ones are ignored. Errors are
    those of the records API, as `error`, `error_description`, `orestapi_code` and
    `orestapi_message`.
    """

    @read_route('/orestapi/application/model')
    def legacy_models(self):
        """List the models that the application is offered.

        :return: a list of `model` and `name`
        """
        descriptions = request.env['orestapi.record']._get_models(get_context(request).offer)
        return make_response(
            request, [{'model': description['model'], 'name': description['name']} for description in descriptions]
        )

    @read_route('/orestapi/model/field')
    def legacy_fields(self):
        """Describe fields of a model in the words of `ir.model.fields`.

        Parameters: `model`; `names`, a JSON list, empty for all; `data`, a JSON list of
        `records.legacy_parameters.COLUMNS`, optional.

        :return: a list with one object for each field
        """
        arguments = self._get_parameters('model', 'names', 'data')
        model = legacy_parameters.require(arguments, 'model')
        names = legacy_parameters.parse_names(legacy_parameters.require(arguments, 'names'), 'names')
        columns = legacy_parameters.parse_columns(arguments.get('data'))
        record, offer = request.env['orestapi.record'], get_context(request).offer
        fields = record._get_fields(offer, model)
        for name in names:
            record._get_field(offer, request.env[model], name)
        descriptions = [
            legacy_parameters.describe_field(model, name, fields[name], columns)
            for name in dict.fromkeys(names or fields)
        ]
        return make_response(request, descriptions)

    @read_route('/orestapi/record/name_search')
    def legacy_name_search(self):
        """Find records by their display name.

        Parameters: `model`; `name`, a text that the display name contains; `limit` (20) and `offset` (0);
        `order` in Odoo's syntax.

        :return: a list of two: `header` with `model`, `action_id`, `menu_id`, `count`, `offset` and
            `limit`, and `data`, a list of `id` and `display_name`
        """
        arguments = self._get_parameters('model', 'name', 'limit', 'offset', 'order')
        model = legacy_parameters.require(arguments, 'model')
        limit = legacy_parameters.parse_number(arguments.get('limit'), 'limit', DEFAULT_LIMIT)
        offset = legacy_parameters.parse_number(arguments.get('offset'), 'offset', 0)
        count, found = request.env['orestapi.record']._find_by_display_name(
            get_context(request).offer,
            model,
            arguments.get('name'),
            limit,
            offset,
            ordering.parse_legacy(arguments.get('order')) if arguments.get('order') else (),
        )
        header = {**self._get_header(model), 'count': count, 'offset': offset, 'limit': limit}
        data = [{'id': id_, 'display_name': display_name} for id_, display_name in found]
        return make_response(request, [{'header': header}, {'data': data}])

    @read_route('/orestapi/record/read')
    def legacy_read(self):
        """Read records by their ids.

        Parameters: `model`; `ids`, a JSON list; `fields`, a JSON list, empty or left out for all.

        :return: a list of two: `header` with `model`, `action_id` and `menu_id`, and `data`, a list
            with an object for each record that the user may see
        """
        arguments = self._get_parameters('model', 'ids', 'fields')
        model = legacy_parameters.require(arguments, 'model')
        ids = legacy_parameters.parse_ids(legacy_parameters.require(arguments, 'ids'))
        names = legacy_parameters.parse_names(arguments.get('fields') or '[]', 'fields')
        rows = request.env['orestapi.record']._read(get_context(request).offer, model, ids, names or None, empty=False)
        return make_response(request, [{'header': self._get_header(model)}, {'data': rows}])

    def _get_parameters(self, *known):
        get_context(request).parameters.require_single(known)
        return get_context(request).parameters

    def _get_header(self, model):
        action_id, menu_id = request.env['orestapi.record']._get_action_and_menu_ids(model)
        return {'model': model, 'action_id': action_id, 'menu_id': menu_id}
