from odoo import http
from odoo.http import request

from ..oauth2 import errors, legacy, parameters
from ..records import legacy as legacy_parameters
from ..records import order
from ..records.parameters import DEFAULT_LIMIT
from ..records.problem import NotOffered
from .dispatcher import application_route
from .record_dispatcher import RecordDispatcher, make_response


class LegacyRecordDispatcher(RecordDispatcher):
    """Serves the addresses at which the older connector reads records: `type='legacy_records'`.

    They differ from those of the records API by their parameters, which may come
    in a form as well, and by how an error looks.
    """

    routing_type = 'legacy_records'
    allows_origins = False
    #: Bytes of a request body. The older connector sends long lists of ids: far more
    #: than are read at once must still be told how many that are.
    max_content_length = 1024 * 1024
    not_found, method_not_allowed = errors.UnknownAddress, errors.MethodNotAllowed

    def _serve(self, endpoint):
        # Kept before anything reads the form, which uses the body up.
        httprequest = self.request.httprequest
        httprequest.max_content_length = self.max_content_length + 1
        httprequest.get_data(parse_form_data=False)
        return super()._serve(endpoint)

    def _parse_parameters(self):
        httprequest = self.request.httprequest
        has_body = httprequest.method == 'POST' and (httprequest.mimetype or httprequest.content_length)
        body = self._read_body() if has_body else b''
        return parameters.parse(b'&'.join(filter(None, (httprequest.query_string, body))))

    def _get_error_response(self, error):
        if isinstance(error, NotOffered):
            # What the older addon says, and its connector understands.
            error = errors.InsufficientScope(error.description, scope='read')
        content = {
            # RFC 6750 §3.1: no code for a request without credentials.
            **({'error': error.error} if error.error else {}),
            'error_description': error.description,
            **legacy.get_error_parameters(error, self.request.httprequest.path),
        }
        return make_response(self.request, content, error.status, headers=self._get_error_headers(error))


def read_route(path):
    """Declare a route that reads as the user of the access token (scope `read`)."""
    return application_route(path, type='legacy_records', methods=['GET', 'POST'], scope='read', readonly=True)


class LegacyRecords(http.Controller):
    """Records for the older connector: the contract of that addon, see docs/architecture.md.

    Parameters come in the query string or in a form; one that is sent beside the known
    ones is ignored. Errors are those of the records API, as `error`, `error_description`,
    `orestapi_code` and `orestapi_message`.
    """

    @read_route('/orestapi/application/model')
    def legacy_models(self):
        """List the models that the application is offered.

        :return: a list of `model` and `name`
        """
        descriptions = request.env['orestapi.record']._get_models(request.oauth2_offer)
        return make_response(
            request, [{'model': description['model'], 'name': description['name']} for description in descriptions]
        )

    @read_route('/orestapi/model/field')
    def legacy_fields(self):
        """Describe fields of a model in the words of `ir.model.fields`.

        Parameters: `model`; `names`, a JSON list, empty for all; `data`, a JSON list of
        `records.legacy.COLUMNS`, optional.

        :return: a list of objects, one a field
        """
        sent = self._get_parameters('model', 'names', 'data')
        model = legacy_parameters.require(sent, 'model')
        names = legacy_parameters.parse_names(legacy_parameters.require(sent, 'names'), 'names')
        columns = legacy_parameters.parse_columns(sent.get('data'))
        record, offer = request.env['orestapi.record'], request.oauth2_offer
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

        Parameters: `model`; `name`, what the display name contains; `limit` (20) and `offset` (0);
        `order` as Odoo writes it.

        :return: a list of two: `header` with `model`, `action_id`, `menu_id`, `count`, `offset` and
            `limit`, and `data`, a list of `id` and `display_name`
        """
        sent = self._get_parameters('model', 'name', 'limit', 'offset', 'order')
        model = legacy_parameters.require(sent, 'model')
        limit = legacy_parameters.parse_number(sent.get('limit'), 'limit', DEFAULT_LIMIT)
        offset = legacy_parameters.parse_number(sent.get('offset'), 'offset', 0)
        count, found = request.env['orestapi.record']._find_by_display_name(
            request.oauth2_offer,
            model,
            sent.get('name'),
            limit,
            offset,
            order.parse_legacy(sent.get('order')) if sent.get('order') else (),
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
        sent = self._get_parameters('model', 'ids', 'fields')
        model = legacy_parameters.require(sent, 'model')
        ids = legacy_parameters.parse_ids(legacy_parameters.require(sent, 'ids'))
        names = legacy_parameters.parse_names(sent.get('fields') or '[]', 'fields')
        rows = request.env['orestapi.record']._read(request.oauth2_offer, model, ids, names or None, empty=False)
        return make_response(request, [{'header': self._get_header(model)}, {'data': rows}])

    def _get_parameters(self, *known):
        request.oauth2_parameters.require_single(known)
        return request.oauth2_parameters

    def _get_header(self, model):
        action_id, menu_id = request.env['orestapi.record']._get_location(model)
        return {'model': model, 'action_id': action_id, 'menu_id': menu_id}
