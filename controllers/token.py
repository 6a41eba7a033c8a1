from odoo import http
from odoo.http import request

from ..dispatchers.application import application_route, make_response
from ..dispatchers.context import get_context
from ..oauth2 import grants, metadata
from . import client


class Token(http.Controller):
    @application_route(
        metadata.TOKEN_ENDPOINT, type='orestapi_protocol', methods=['POST'], readonly=False, allow_origin=True
    )
    def token(self):
        """Exchange an authorization code, a refresh token or the client's own
        credentials for tokens (RFC 6749 §3.2).

        The parameters are those of RFC 6749 §4.1.3, §4.4.2 and §6 and of RFC 7636 §4.5,
        in a form.

        :return: `access_token`, `token_type`, `expires_in` (seconds), `scope`, and a
            `refresh_token` if a user signed in (RFC 6749 §5.1)
        :raise OAuth2Error: 400, 401, or 429 after too many failures (RFC 6749 §5.2)
        """
        return self._exchange(client.authenticate(grants.PARAMETERS))

    def _exchange(self, authenticated):
        grant, token_request = grants.validate(get_context(request).parameters, authenticated)
        model, method = grant.HANDLER
        handle = getattr(request.env[model], method)
        return make_response(handle(authenticated, token_request, request.httprequest.remote_addr))
