"""The token request (RFC 6749 §4.1.3, §4.4.2, §6), checked in order.

The client is authenticated before any of this, so that a stranger learns
nothing from what follows.
"""

import dataclasses

from . import grant_type as grant_types
from . import scope as scopes
from .errors import InvalidRequest, UnauthorizedClient, UnsupportedGrantType

KNOWN = ('grant_type', 'client_id', 'client_secret', 'scope', 'code', 'redirect_uri', 'code_verifier', 'refresh_token')


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class TokenRequest:
    """A well-formed token request; without a `repr` to keep secrets out of logs.

    :ivar str grant_type: one of `oauth2.grant_type.ALL`
    :ivar code: of `authorization_code`
    :ivar redirect_uri: of `authorization_code`, or None
    :ivar code_verifier: of `authorization_code`, or None
    :ivar refresh_token: of `refresh_token`
    :ivar scope: the parameter `scope`, or None. The code grant ignores it: the
        user has allowed what the code stands for.
    """

    grant_type: str
    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = None
    refresh_token: str | None = None
    scope: str | None = None


def validate(parameters, client):
    """Check a token request of an authenticated client.

    :param Parameters parameters: those of the body
    :param Client client: the application
    :return: a `TokenRequest`
    :raise InvalidRequest, UnsupportedGrantType, UnauthorizedClient, InvalidScope:
        RFC 6749 §5.2
    """
    parameters.require_single(KNOWN)
    grant_type = parameters.get('grant_type')
    if grant_type is None:
        raise InvalidRequest("The parameter grant_type is missing.", reason='parameter_missing', sent='grant_type')
    if grant_type not in grant_types.ALL:
        raise UnsupportedGrantType(
            "The grant_type is not supported.",
            reason='grant_type',
            sent=grant_type,
            expected=', '.join(grant_types.ALL),
        )
    if grant_type not in client.grant_types:
        reason = 'service_user_missing' if grant_type == grant_types.CLIENT_CREDENTIALS else 'grant_type_not_allowed'
        raise UnauthorizedClient("The application may not use this grant_type.", reason=reason, sent=grant_type)
    if grant_type == grant_types.CLIENT_CREDENTIALS and client.is_public:
        # RFC 6749 §4.4: anybody could be a client that has no secret.
        raise UnauthorizedClient("A public application may not use this grant_type.", reason='service_public')
    if grant_type == grant_types.AUTHORIZATION_CODE:
        return TokenRequest(
            grant_type=grant_type,
            code=_require(parameters, 'code'),
            redirect_uri=parameters.get('redirect_uri'),
            code_verifier=parameters.get('code_verifier'),
        )
    scope = parameters.get('scope')
    scopes.parse(scope)
    if grant_type == grant_types.REFRESH_TOKEN:
        return TokenRequest(
            grant_type=grant_type,
            refresh_token=_require(parameters, 'refresh_token'),
            scope=scope,
        )
    return TokenRequest(grant_type=grant_type, scope=scope)


def _require(parameters, name):
    value = parameters.get(name)
    if value is None:
        raise InvalidRequest(f"The parameter {name} is missing.", reason='parameter_missing', sent=name)
    return value
