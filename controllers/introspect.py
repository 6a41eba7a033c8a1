from odoo import http
from odoo.http import request

from ..dispatchers.application import application_route, make_response
from ..dispatchers.context import get_context
from ..oauth2 import metadata
from ..oauth2.errors import InvalidClient
from . import client


class Introspect(http.Controller):
    # Not read-only: a lagging replica would report a token as active that was just revoked,
    # and a failed client authentication must be counted.
    @application_route(
        metadata.INTROSPECTION_ENDPOINT, type='orestapi_protocol', methods=['POST'], readonly=False, autocommit=True
    )
    def introspect(self):
        """Tell an application whether a token is valid and what for (RFC 7662).

        The parameters are `token` and, without effect, `token_type_hint`, in a form.

        :return: `active`, and for a valid token `scope`, `client_id`, `sub`, `iss`, `exp` if it
            expires, `token_type` of an access token, and `username` for a resource server or
            if the token has the scope `rpc` or `profile` (RFC 7662 §2.2)
        :raise OAuth2Error: 400, 401, or 429 after too many failures (RFC 7662 §2.3)
        """
        authenticated = client.authenticate(client.TOKEN_PARAMETERS)
        if authenticated.is_public:
            # RFC 7662 §2.1: the caller must be authenticated; a public client cannot be.
            raise InvalidClient(
                "Introspection is for applications that have a client secret.", reason='introspection_public'
            )
        token = get_context(request).parameters.require('token')
        return make_response(request.env['orestapi.token']._introspect(authenticated, token))
