"""The client credentials grant (RFC 6749 §4.4): an application acts as its service user."""

import dataclasses

from .. import scopes
from ..errors import InvalidScope, UnauthorizedClient

NAME = 'client_credentials'
PARAMETERS = ('scope',)
HANDLER = ('orestapi.token', '_open_service')
NOT_ALLOWED = 'service_user_missing'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """A token request with nothing but the client's own credentials.

    :ivar scope: the parameter, or None
    """

    scope: str | None


def parse(parameters, client):
    """Return the `Request` (RFC 6749 §4.4.2).

    :raise UnauthorizedClient: for a public application, which anybody could impersonate
    :raise InvalidScope: for a malformed scope
    """
    if client.is_public:
        raise UnauthorizedClient("A public application may not use this grant_type.", reason='service_public')
    scope = parameters.get('scope')
    scopes.parse(scope)
    return Request(scope=scope)


def decide(request, client):
    """Return the scope that the access token gets.

    :raise InvalidScope: when the request exceeds the scope of the application
    """
    requested = scopes.parse(request.scope) or client.default_scope
    if not requested or not requested <= client.scope:
        raise InvalidScope(
            "The application may not ask for this scope.",
            reason='scope_not_allowed' if requested else 'scope_none',
            sent=scopes.render(requested - client.scope),
            expected=scopes.render(client.scope),
        )
    return requested
