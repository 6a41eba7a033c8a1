from psycopg2.extensions import STATUS_READY

from odoo import http
from odoo.http import request

from ..oauth2 import metadata
from ..oauth2.errors import InvalidClient, InvalidRequest
from . import client
from .dispatcher import application_route, make_response

KNOWN = ('token', 'token_type_hint', 'client_id', 'client_secret')


class Introspect(http.Controller):
    # Not read-only: a replica that lags would call a token active that was just
    # revoked, and a failed client authentication is counted.
    @application_route(metadata.INTROSPECTION_ENDPOINT, type='oauth2', methods=['POST'], readonly=False)
    def introspect(self):
        """Tell an application whether a token is valid and what for (RFC 7662).

        The parameters are `token` and, without effect, `token_type_hint`, in a form.

        :return: `active`, and of a valid token `scope`, `client_id`, `username`, `sub`, `iss`,
            `exp` where it expires, and `token_type` of an access token (RFC 7662 §2.2)
        :raise OAuth2Error: 400, 401, or 429 after too many failures (RFC 7662 §2.3)
        """
        connection = request.env.cr.connection
        if connection.status == STATUS_READY:
            # A query or two are all that this does, or it adds one event. To begin and
            # to commit a transaction for them takes longer than the query. The next
            # cursor that gets the connection sets it anew.
            connection.autocommit = True
        authenticated = client.authenticate(KNOWN)
        if authenticated.is_public:
            # RFC 7662 §2.1: the caller must be authenticated, which a public one is not.
            raise InvalidClient(
                "Introspection is for applications that have a client secret.", reason='introspection_public'
            )
        token = request.oauth2_parameters.get('token')
        if token is None:
            raise InvalidRequest("The parameter token is missing.", reason='parameter_missing', sent='token')
        response = request.env['orestapi.token']._introspect(authenticated, token)
        if response['active']:
            response['iss'] = request.env['orestapi.application']._get_issuer()
        return make_response(request, response)
