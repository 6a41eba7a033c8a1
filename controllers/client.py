from odoo.http import request

from ..oauth2 import client_authentication


def authenticate(known):
    """Authenticate the application that sent the current request (RFC 6749 §3.2.1).

    :param known: the names of the parameters that the endpoint reads
    :return: its `Client`
    :raise InvalidRequest: for a malformed request, a repeated parameter, two methods, or two client ids
    :raise InvalidClient: when the authentication fails
    """
    request.oauth2_parameters, authorization = request.dispatcher.read_request()
    request.oauth2_parameters.require_single(known)
    credentials = client_authentication.parse(authorization, request.oauth2_parameters)
    client = request.env['orestapi.application']._authenticate_client(credentials, request.httprequest.remote_addr)
    # The dispatcher reads it for the CORS headers.
    request.oauth2_client = client
    return client
