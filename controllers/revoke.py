from odoo import http
from odoo.http import request

from ..dispatchers.application import application_route, make_response
from ..dispatchers.context import get_context
from ..oauth2 import metadata
from . import client


class Revoke(http.Controller):
    @application_route(
        metadata.REVOCATION_ENDPOINT, type='orestapi_protocol', methods=['POST'], readonly=False, allow_origin=True
    )
    def revoke(self):
        """End the sign-in of a token at the request of its application (RFC 7009).

        The parameters are `token` and, without effect, `token_type_hint`, in a form.

        :return: an empty object with status 200, whether the token existed or not
        :raise OAuth2Error: 400, 401, or 429 after too many failures (RFC 7009 §2.2.1)
        """
        authenticated = client.authenticate(client.TOKEN_PARAMETERS)
        token = get_context(request).parameters.require('token')
        request.env['orestapi.token']._revoke(authenticated, token, request.httprequest.remote_addr)
        # RFC 7009 §2.2: the same response for every token, known or not. The content means
        # nothing, and is JSON because libraries parse every response of this server as JSON.
        return make_response({})
