from odoo.http import request

from ..oauth2 import client_authentication, origin


def authenticate(known):
    """Authenticate the application that sent the current request (RFC 6749 §3.2.1).

    :param known: the names of the parameters that the endpoint reads
    :return: its `Client`
    :raise InvalidRequest: for a malformed request, a repeated parameter, two methods, or two client ids
    :raise InvalidClient: when the authentication fails
    """
    request.oauth2_parameters, authorization = request.dispatcher.read_request()
    request.oauth2_parameters.require_single(known)
    client = authenticate_credentials(client_authentication.parse(authorization, request.oauth2_parameters))
    # The dispatcher reads it for the CORS headers.
    request.oauth2_client = client
    return client


def authenticate_credentials(credentials):
    """Authenticate the application whose credentials came with the current request.

    :param Credentials credentials: what it sent
    :return: its `Client`
    :raise InvalidClient: when the authentication fails
    """
    applications, httprequest = request.env['orestapi.application'], request.httprequest
    foreign_origin = origin.find_foreign(
        httprequest.headers.get('Origin'), httprequest.headers.get('Sec-Fetch-Site'), applications._get_issuer()
    )
    return applications._authenticate_client(credentials, httprequest.remote_addr, foreign_origin)
