from odoo.http import request

from ..dispatchers.context import get_context
from ..oauth2 import client_authentication, origin

#: Parameters of revocation and introspection. `token_type_hint` is optional and may be wrong
#: (RFC 7009 §2.1, RFC 7662 §2.1); a token tells its type itself.
TOKEN_PARAMETERS = ('token', 'token_type_hint', 'client_id', 'client_secret')


def authenticate(known):
    """Authenticate the application that sent the current request (RFC 6749 §3.2.1).

    :param known: the names of the parameters that the endpoint reads
    :return: its `Client`
    :raise InvalidRequest: for a malformed request, a repeated parameter, two methods, or two client ids
    :raise InvalidClient: when the authentication fails
    """
    context = get_context(request)
    context.parameters, header = request.dispatcher.read_request()
    context.parameters.require_single(known)
    context.client = authenticate_credentials(client_authentication.parse(header, context.parameters))
    return context.client


def authenticate_credentials(credentials):
    """Authenticate the application whose credentials came with the current request.

    :param Credentials credentials: the credentials
    :return: its `Client`
    :raise InvalidClient: when the authentication fails
    """
    applications, httprequest = request.env['orestapi.application'], request.httprequest
    foreign_origin = origin.find_foreign(
        httprequest.headers.get('Origin'),
        httprequest.headers.get('Sec-Fetch-Site'),
        request.env['orestapi.server']._get_issuer(),
    )
    return applications._authenticate_client(credentials, httprequest.remote_addr, foreign_origin)
