from odoo import http
from odoo.http import request

from ..dispatchers.application import application_route, make_response
from ..oauth2 import metadata


class Metadata(http.Controller):
    @application_route(metadata.WELL_KNOWN, type='orestapi_protocol', methods=['GET'], readonly=True, allow_origin=True)
    def metadata(self):
        """Publish the authorization server metadata (RFC 8414 §3)."""
        return make_response(request.env['orestapi.server']._get_metadata())
