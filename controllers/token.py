from odoo import http
from odoo.http import request

from ..oauth2 import grant_type, metadata, token_request
from . import client
from .dispatcher import application_route, make_response


class Token(http.Controller):
    @application_route(metadata.TOKEN_ENDPOINT, type='oauth2', methods=['POST'], readonly=False, allow_origin=True)
    def token(self):
        """Exchange an authorization code, a refresh token or the client's own
        credentials for tokens (RFC 6749 §3.2).

        The parameters are those of RFC 6749 §4.1.3, §4.4.2 and §6 and of RFC 7636 §4.5,
        in a form.

        :return: `access_token`, `token_type`, `expires_in` (seconds), `scope`, and a
            `refresh_token` where a user allowed it (RFC 6749 §5.1)
        :raise OAuth2Error: 400, 401, or 429 after too many failures (RFC 6749 §5.2)
        """
        return self._exchange(client.authenticate(token_request.KNOWN))

    def _exchange(self, authenticated):
        parsed = token_request.validate(request.oauth2_parameters, authenticated)
        address = request.httprequest.remote_addr
        if parsed.grant_type == grant_type.AUTHORIZATION_CODE:
            response = request.env['orestapi.authorization.code']._redeem(authenticated, parsed, address)
        elif parsed.grant_type == grant_type.REFRESH_TOKEN:
            response = request.env['orestapi.token']._refresh(authenticated, parsed, address)
        else:
            response = request.env['orestapi.token']._open_service(authenticated, parsed, address)
        return make_response(request, response)
