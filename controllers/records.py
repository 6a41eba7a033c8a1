import base64

from odoo import http
from odoo.http import request
from odoo.tools.mimetypes import guess_mimetype

from ..records import filter as filter_language
from ..records import openapi, order, parameters
from ..records.problem import NotFound
from .record_dispatcher import make_image_response, make_response

SEARCH_PARAMETERS = ('fields', 'filter', 'search', 'ids', 'order', 'limit', 'cursor', 'count')
DEFAULT_LIMIT = 20


def read_route(path):
    """Declare a route that reads as the user of the access token (scope `read`)."""
    return http.route(
        path,
        type='orestapi',
        auth='none',
        methods=['GET'],
        scope='read',
        csrf=False,
        save_session=False,
        readonly=True,
        allow_origin=True,
    )


class Records(http.Controller):
    @read_route('/orestapi/1/models')
    def models(self):
        """List the models that the application is offered."""
        self._get_parameters()
        return make_response(
            request,
            {
                'models': [
                    self._describe_model(description)
                    for description in request.env['orestapi.record']._get_models(request.oauth2_offer)
                ]
            },
        )

    @read_route('/orestapi/1/models/<model>')
    def model(self, model):
        """Describe a model and its fields."""
        self._get_parameters()
        record = request.env['orestapi.record']
        fields = record._get_fields(request.oauth2_offer, model)
        [description] = record._get_models(request.oauth2_offer, [model])
        return make_response(
            request,
            {
                **self._describe_model(description),
                'fields': {name: openapi.describe_field(field) for name, field in fields.items()},
            },
        )

    @read_route('/orestapi/1/models/<model>/icon')
    def icon(self, model):
        """Return the picture of a model."""
        self._get_parameters()
        icon = request.env['orestapi.record']._get_icon(request.oauth2_offer, model)
        return self._respond_with_image(icon)

    @read_route('/orestapi/1/application/logo')
    def logo(self):
        """Return the logo of the application itself."""
        self._get_parameters()
        # sudo: orestapi.application - the application asks for its own logo
        application = request.env['orestapi.application'].sudo().browse(request.oauth2_sign_in['application_id'])
        return self._respond_with_image(application.logo)

    @read_route('/orestapi/1/records/<model>')
    def search(self, model):
        """Find records of a model, and read them."""
        sent = self._get_parameters(SEARCH_PARAMETERS)
        record, offer = request.env['orestapi.record'], request.oauth2_offer
        names = self._get_names(sent) or record._get_default_fields(offer, model)
        found = {
            'condition': filter_language.parse(sent.get('filter')) if 'filter' in sent else None,
            'text': sent.get('search'),
            'ids': parameters.parse_ids(sent.get('ids')) if 'ids' in sent else None,
        }
        rows, cursor = record._read_page(
            offer,
            model,
            names,
            **found,
            order=order.parse(sent.get('order')) if 'order' in sent else [],
            limit=parameters.parse_number(sent.get('limit'), 'limit') if 'limit' in sent else DEFAULT_LIMIT,
            cursor=sent.get('cursor'),
        )
        content = {
            'model': model,
            'records': [self._describe_record(model, row) for row in rows],
            'next_cursor': cursor,
        }
        if 'count' in sent and parameters.parse_boolean(sent.get('count'), 'count'):
            content['count'] = record._count(offer, model, **found)
        return make_response(request, content)

    @read_route('/orestapi/1/records/<model>/<record_id>')
    def record(self, model, record_id):
        """Read one record."""
        sent = self._get_parameters(('fields',))
        if not parameters.NUMBER.fullmatch(record_id):
            raise NotFound("There is no such record, or the user may not see it.")
        row = request.env['orestapi.record']._read_one(
            request.oauth2_offer, model, int(record_id), self._get_names(sent)
        )
        return make_response(request, {'model': model, **self._describe_record(model, row)})

    @read_route('/orestapi/1/openapi.json')
    def openapi(self):
        """Describe this API, as far as the access token reaches."""
        self._get_parameters()
        record, offer = request.env['orestapi.record'], request.oauth2_offer
        return make_response(
            request,
            openapi.build(
                request.env['orestapi.application']._get_issuer(),
                [
                    {**description, 'fields': record._get_fields(offer, description['model'])}
                    for description in record._get_models(offer)
                ],
            ),
        )

    def _get_parameters(self, known=()):
        parameters.require_known(request.oauth2_parameters, known)
        return request.oauth2_parameters

    def _get_names(self, sent):
        return parameters.parse_names(sent.get('fields')) if 'fields' in sent else None

    def _describe_model(self, description):
        has_icon = description['has_icon']
        issuer = request.env['orestapi.application']._get_issuer()
        return {
            'model': description['model'],
            'name': description['name'],
            'link': request.env['orestapi.record']._get_link(description['model']),
            'icon': f"{issuer}/orestapi/1/models/{description['model']}/icon" if has_icon else None,
        }

    def _describe_record(self, model, row):
        id_ = row.pop('id')
        return {'id': id_, 'link': request.env['orestapi.record']._get_link(model, id_), 'fields': row}

    def _respond_with_image(self, content):
        if not content:
            raise NotFound("There is no picture.")
        image = base64.b64decode(content)
        return make_image_response(request, image, guess_mimetype(image, default='application/octet-stream'))
