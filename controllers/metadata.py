from odoo import http
from odoo.http import request

from ..dispatchers.application import application_route, make_response
from ..dispatchers.cross_origin import ANY
from ..dispatchers.headers import PUBLISHED
from ..oauth2 import metadata
from ..openid import discovery


class Metadata(http.Controller):
    @application_route(metadata.WELL_KNOWN, type='orestapi_protocol', methods=['GET'], readonly=True, allow_origin=True)
    def metadata(self):
        """Publish the authorization server metadata (RFC 8414 §3)."""
        return make_response(request.env['orestapi.server']._get_metadata())

    @application_route(discovery.WELL_KNOWN, type='orestapi_protocol', methods=['GET'], readonly=True, allow_origin=ANY)
    def openid_configuration(self):
        """Publish the provider metadata (OpenID Connect Discovery §4): the same document."""
        return make_response(request.env['orestapi.server']._get_metadata(), headers=PUBLISHED)

    @application_route(
        discovery.JWKS_ENDPOINT, type='orestapi_protocol', methods=['GET'], readonly=True, allow_origin=ANY
    )
    def jwks(self):
        """Publish the keys that ID tokens are checked with (RFC 7517 §5)."""
        return make_response(request.env['orestapi.server']._get_key_set(), headers=PUBLISHED)
