"""The authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3), checked in order.

The order matters. Until the client and its redirect URI are known to be good,
nothing may be sent to the redirect URI (RFC 6749 §4.1.2.1, RFC 9700 §4.11.2), so
they are checked first, on their own. Every later error is reported to the
application by redirect.
"""

import dataclasses

from . import pkce, redirect_uris, scopes
from .errors import InvalidRequest, InvalidScope, UnauthorizedClient, UnsupportedResponseType
from .grants import authorization_code
from .parameters import add_to_uri

#: The parameters that this endpoint reads. Others are ignored (RFC 6749 §3.1).
PARAMETERS = ('response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'code_challenge', 'code_challenge_method')
CODE = 'code'


@dataclasses.dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """A valid authorization request.

    :ivar str redirect_uri: where the response goes
    :ivar bool redirect_uri_sent: whether the token request must repeat it (RFC 6749 §4.1.3)
    :ivar frozenset scope: the requested scope tokens
    :ivar code_challenge: the S256 challenge, or None
    :ivar nonce: of an authentication request (OpenID Connect Core §3.1.2.1), or None
    """

    redirect_uri: str
    redirect_uri_sent: bool
    scope: frozenset
    code_challenge: str | None
    nonce: str | None = None


def get_client_id(parameters):
    """Return the client id of a request.

    :raise InvalidRequest: when it is missing or sent twice; must not be redirected
    """
    parameters.require_single(['client_id'])
    return parameters.require('client_id')


def get_redirect_uri(parameters, client):
    """Return the redirect URI that the response may be sent to.

    :raise InvalidRequest: when none can be trusted; must not be redirected
    """
    parameters.require_single(['redirect_uri'])
    requested = parameters.get('redirect_uri')
    uri = redirect_uris.find(client.redirect_uris, requested, client.is_native)
    if uri is None:
        raise InvalidRequest(
            "The redirect_uri is not one of those registered for the application.",
            **_get_redirect_uri_facts(requested, client.redirect_uris),
        )
    return uri


def _get_redirect_uri_facts(requested, registered):
    """Return the reason for the administrator why no registered redirect URI matches."""
    if not registered:
        return {'reason': 'redirect_uri_none', 'sent': requested}
    if requested is None:
        return {'reason': 'redirect_uri_missing'}
    found = redirect_uris.find_difference(registered, requested)
    if not found:
        return {'reason': 'redirect_uri', 'sent': requested}
    difference, uri = found
    return {'reason': f'redirect_uri_{difference.value}', 'sent': requested, 'expected': uri}


def validate(parameters, client, uri):
    """Check the parameters whose errors may be sent to the redirect URI.

    :param Parameters parameters: those of the request
    :param Client client: the application
    :param str uri: what `get_redirect_uri` returned
    :return: an `AuthorizationRequest`
    :raise OAuth2Error: must be sent to the redirect URI
    """
    parameters.require_single(PARAMETERS)
    response_type = parameters.require('response_type')
    if response_type != CODE:
        # The implicit and hybrid flows are insecure (RFC 9700 §2.1.2).
        raise UnsupportedResponseType("The only response_type is code.", reason='response_type', sent=response_type)
    if authorization_code.NAME not in client.grant_types:
        raise UnauthorizedClient(
            "The application may not use the authorization code grant.",
            reason='grant_type_not_allowed',
            sent=authorization_code.NAME,
        )
    requested = scopes.parse(parameters.get('scope')) or client.default_scope
    if not requested:
        raise InvalidScope("The application has no default scope: the request must name one.", reason='scope_none')
    if not requested <= client.scope:
        raise InvalidScope(
            "The application may not ask for this scope.",
            reason='scope_not_allowed',
            sent=scopes.render(requested - client.scope),
            expected=scopes.render(client.scope),
        )
    challenge = parameters.get('code_challenge')
    nonce = parameters.get('nonce') if scopes.OPENID in requested else None
    pkce.check_challenge(challenge, parameters.get('code_challenge_method'), not client.may_omit_pkce(nonce))
    return AuthorizationRequest(
        redirect_uri=uri,
        redirect_uri_sent=parameters.get('redirect_uri') is not None,
        scope=requested,
        code_challenge=challenge,
        nonce=nonce,
    )


def get_response_uri(uri, response, state, issuer):
    """Return the URI of an authorization response (RFC 6749 §4.1.2, RFC 9207 §2).

    :param str uri: the redirect URI
    :param dict response: `code`, or `error` and `error_description`
    :param state: the parameter `state` of the request, or None
    :param str issuer: the issuer identifier, sent with errors too
    """
    # None removes a parameter: a URI registered with `?code=x` must not make an error
    # look like a success.
    absent = dict.fromkeys(('code', 'error', 'error_description'))
    return add_to_uri(uri, {**absent, **get_response_parameters(response, state, issuer)})


def get_response_parameters(response, state, issuer):
    """Return the parameters of an authorization response, likewise."""
    return {**response, **({} if state is None else {'state': state}), 'iss': issuer}
