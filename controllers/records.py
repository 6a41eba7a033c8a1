import base64

from odoo import http
from odoo.http import request
from odoo.tools.mimetypes import guess_mimetype

from ..dispatchers.application import application_route
from ..dispatchers.context import get_context
from ..dispatchers.records import make_document_response, make_image_response, make_response
from ..records import filters, openapi, ordering, parameters
from ..records.problem import NotFound

SEARCH_PARAMETERS = ('fields', 'filter', 'search', 'ids', 'order', 'limit', 'cursor', 'count')


def read_route(path):
    """Declare a route that reads as the user of the access token (scope `read`)."""
    return application_route(
        path, type='orestapi_records', methods=['GET'], scope='read', readonly=True, allow_origin=True
    )


class Records(http.Controller):
    """The records API in JSON, as `openapi.json` describes it.

    Every route reports errors as problem details: 400 for a parameter that is unknown,
    repeated, empty or wrong; 401 without a valid access token and 403 `insufficient_scope`
    without the scope `read` (RFC 6750 §3.1); 403 `not_offered` for a model or field that is
    not offered, with the same text for a model that does not exist.
    """

    @read_route('/orestapi/1/models')
    def models(self):
        """List the models that the application is offered.

        :return: `models`: a list of `model`, `name`, `link` and `icon`, by name
        """
        self._get_parameters()
        descriptions = request.env['orestapi.record']._get_models(get_context(request).offer)
        return make_response(request, {'models': [self._describe_model(description) for description in descriptions]})

    @read_route('/orestapi/1/models/<model>')
    def model(self, model):
        """Describe a model and its fields.

        :return: the same as an item of `models`, with `fields`: for each name `label`, `type`, `help`,
            `required`, `searchable`, and if there is one `relation` or `selection`
        """
        self._get_parameters()
        record = request.env['orestapi.record']
        fields = record._get_fields(get_context(request).offer, model)
        [description] = record._get_models(get_context(request).offer, [model])
        content = {
            **self._describe_model(description),
            'fields': {name: openapi.describe_field(field) for name, field in fields.items()},
        }
        return make_response(request, content)

    @read_route('/orestapi/1/models/<model>/icon')
    def icon(self, model):
        """Return the picture of a model, with an entity tag (RFC 9110 §8.8.3); 404 if there is none."""
        self._get_parameters()
        icon = request.env['orestapi.record']._get_icon(get_context(request).offer, model)
        return self._respond_with_image(icon)

    @read_route('/orestapi/1/application/logo')
    def logo(self):
        """Return the logo of the application itself, with an entity tag; 404 if there is none."""
        self._get_parameters()
        client = get_context(request).active_token.sign_in.client
        # sudo: orestapi.application - the application asks for its own logo
        application = request.env['orestapi.application'].sudo().browse(client.id)
        return self._respond_with_image(application.logo)

    @read_route('/orestapi/1/records/<model>')
    def search(self, model):
        """Find records of a model, and read them.

        The parameters are in the query string:

        - `fields`: names separated by commas; the display name if left out
        - `filter`: a condition as in RFC 7644 §3.4.2.2, see `records.filters`
        - `search`: a text that the display name contains, at most `MAX_SEARCH` characters
        - `ids`: at most `MAX_IDS` ids separated by commas; only these records, including archived ones
        - `order`: names separated by commas, a minus sign in front for descending, see `records.ordering`
        - `limit`: the maximum number of records, `DEFAULT_LIMIT` if left out, up to `MAX_LIMIT`
        - `cursor`: the `next_cursor` of the previous page
        - `count`: `true` to count all matching records

        :return: `model`, `records` (each with `id`, `link` and `fields`), `next_cursor` (null after the
            last page), and `count` if requested
        """
        query = self._get_parameters(SEARCH_PARAMETERS)
        parameters.require_room_for_cursor(request.httprequest.query_string)
        record, offer = request.env['orestapi.record'], get_context(request).offer
        criteria = {
            'condition': filters.parse(query.get('filter')) if 'filter' in query else None,
            'text': query.get('search'),
            'ids': parameters.parse_ids(query.get('ids')) if 'ids' in query else None,
        }
        rows, cursor = record._read_page(
            offer,
            model,
            self._get_names(query) or record._get_default_fields(offer, model),
            **criteria,
            order=ordering.parse(query.get('order')) if 'order' in query else [],
            limit=parameters.parse_number(query.get('limit'), 'limit')
            if 'limit' in query
            else parameters.DEFAULT_LIMIT,
            cursor=query.get('cursor'),
            application_id=get_context(request).active_token.sign_in.client.id,
        )
        content = {'model': model, 'records': self._describe_records(model, rows), 'next_cursor': cursor}
        if 'count' in query and parameters.parse_boolean(query.get('count'), 'count'):
            content['count'] = record._count(offer, model, **criteria)
        return make_response(request, content)

    @read_route('/orestapi/1/records/<model>/<record_id>')
    def record(self, model, record_id):
        """Read one record.

        The parameter `fields` contains names separated by commas; all offered fields if left out.

        :return: `model`, `id`, `link` and `fields`; 404 for a record that does not exist or
            that the user may not see
        """
        query = self._get_parameters(('fields',))
        if not parameters.NUMBER.fullmatch(record_id):
            raise NotFound("There is no such record, or the user may not see it.")
        row = request.env['orestapi.record']._read_one(
            get_context(request).offer, model, int(record_id), self._get_names(query)
        )
        [description] = self._describe_records(model, [row])
        return make_response(request, {'model': model, **description})

    @read_route('/orestapi/1/openapi.json')
    def openapi(self):
        """Describe this API, as far as the access token reaches (OpenAPI 3.1), with an entity tag."""
        self._get_parameters()
        compressed, digest = request.env['orestapi.record']._get_openapi(get_context(request).offer)
        return make_document_response(request, compressed, digest)

    def _get_parameters(self, known=()):
        parameters.require_known(get_context(request).parameters, known)
        return get_context(request).parameters

    def _get_names(self, query):
        return parameters.parse_names(query.get('fields')) if 'fields' in query else None

    def _describe_model(self, description):
        has_icon = description['has_icon']
        issuer = request.env['orestapi.server']._get_issuer()
        return {
            'model': description['model'],
            'name': description['name'],
            'link': request.env['orestapi.record']._get_link(description['model']),
            'icon': f"{issuer}/orestapi/1/models/{description['model']}/icon" if has_icon else None,
        }

    def _describe_records(self, model, rows):
        link = request.env['orestapi.record']._get_link(model)
        descriptions = []
        for row in rows:
            id_ = row.pop('id')
            descriptions.append({'id': id_, 'link': f'{link}/{id_}', 'fields': row})
        return descriptions

    def _respond_with_image(self, content):
        if not content:
            raise NotFound("There is no picture.")
        image = base64.b64decode(content)
        return make_image_response(request, image, guess_mimetype(image, default='application/octet-stream'))
