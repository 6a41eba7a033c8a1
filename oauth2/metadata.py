"""Authorization server metadata (RFC 8414): exactly what this server supports."""

from . import authorization_request, client_authentication, pkce
from .grants import GRANTS

WELL_KNOWN = '/.well-known/oauth-authorization-server'
AUTHORIZATION_ENDPOINT = '/oauth2/authorize'
TOKEN_ENDPOINT = '/oauth2/token'
REVOCATION_ENDPOINT = '/oauth2/revoke'
INTROSPECTION_ENDPOINT = '/oauth2/introspect'


def build(issuer, scopes):
    """Return the metadata document (RFC 8414 §2).

    :param str issuer: the issuer identifier, without a slash at the end
    :param scopes: the names of all scopes
    """
    secret_methods = [client_authentication.BASIC, client_authentication.POST]
    return {
        'issuer': issuer,
        'authorization_endpoint': issuer + AUTHORIZATION_ENDPOINT,
        'token_endpoint': issuer + TOKEN_ENDPOINT,
        'token_endpoint_auth_methods_supported': [*secret_methods, client_authentication.NONE],
        'revocation_endpoint': issuer + REVOCATION_ENDPOINT,
        'revocation_endpoint_auth_methods_supported': [*secret_methods, client_authentication.NONE],
        'introspection_endpoint': issuer + INTROSPECTION_ENDPOINT,
        'introspection_endpoint_auth_methods_supported': secret_methods,
        'response_types_supported': [authorization_request.CODE],
        'response_modes_supported': ['query'],
        'grant_types_supported': list(GRANTS),
        'code_challenge_methods_supported': [pkce.METHOD],
        'scopes_supported': sorted(scopes),
        'authorization_response_iss_parameter_supported': True,
    }
