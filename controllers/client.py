from odoo.http import request

from ..dispatchers.context import get_context
from ..oauth2 import client_authentication


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
    credentials = client_authentication.parse(header, context.parameters)
    applications = request.env['orestapi.application']
    context.client = applications._authenticate_client(credentials, request.httprequest.remote_addr)
    return context.client
