"""Exceptions from the RFCs for the older connector, only for applications marked for it.

The connector has an authorization and a token endpoint of its own. They accept secrets
in the query string (against RFC 6749 §2.3.1), an `Authorization: OAuth` header on the
code grant (no such scheme exists), and authorization requests without PKCE (against
RFC 9700 §2.1.1). For any other application they behave like the standard endpoints.
"""

import dataclasses

from . import parameters
from .errors import UnknownPath
from .grants import authorization_code

AUTHORIZATION_ENDPOINT = '/orestapi/oauth2/authorization'
TOKEN_ENDPOINT = '/orestapi/oauth2/access_token'


def relax(client):
    """Return a client as the older authorization and token endpoints see it.

    :param Client client: the application
    """
    if not client.legacy_connector:
        return client
    return dataclasses.replace(client, at_legacy_address=True)


def read(query_string, body, header):
    """Read a token request as the older connector writes it.

    :param bytes query_string: as the request line holds it
    :param bytes body: in the format of RFC 6749 appendix B, or empty
    :param header: the value of the `Authorization` header, or None
    :return: the `Parameters` of both, in which a parameter in both counts as repeated;
        and the header, or None where it has no meaning
    :raise InvalidRequest: see `parameters.parse`
    """
    merged = parameters.parse(b'&'.join(filter(None, (query_string, body))))
    scheme = (header or '').partition(' ')[0]
    if scheme.lower() == 'oauth' and merged.get('grant_type') == authorization_code.NAME:
        header = None
    return merged, header


def get_error_parameters(error, path):
    """Return the error parameters of the older connector, which come beside those of the RFC.

    :param error: an error with `status` and `description`
    :param str path: the path of the request
    """
    if isinstance(error, UnknownPath):
        # A response never repeats a path that a stranger made up. The text is part of the contract.
        path = '/orestapi/address'
    words = path.removeprefix('/orestapi').replace('_', '/').split('/')
    return {
        'orestapi_code': f"{''.join(word.capitalize() for word in words)}-{error.status}",
        'orestapi_message': error.description,
    }
