"""The refresh token grant (RFC 6749 §6): rotation, repetition and reuse (RFC 9700 §4.14.2)."""

import dataclasses
from datetime import timedelta

from .. import scopes, tokens
from ..errors import InvalidGrant, InvalidScope, OAuth2Error

NAME = 'refresh_token'
PARAMETERS = ('refresh_token', 'scope')
HANDLER = ('orestapi.token', '_refresh')
NOT_ALLOWED = 'grant_type_not_allowed'


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Request:
    """A token request with a refresh token. It has no `repr`, to keep secrets out of logs.

    :ivar str refresh_token: the token
    :ivar scope: the parameter, or None
    """

    refresh_token: str
    scope: str | None = None


@dataclasses.dataclass(frozen=True)
class Rotate:
    """Issue the next pair of tokens.

    :ivar frozenset scope: of the access token
    """

    scope: frozenset


@dataclasses.dataclass(frozen=True, repr=False)
class Repeat:
    """Repeat the response that the application has lost.

    :ivar str access_secret: of the access token
    :ivar str refresh_secret: of the refresh token
    """

    access_secret: str
    refresh_secret: str


@dataclasses.dataclass(frozen=True)
class End:
    """End the sign-in, and refuse the request.

    :ivar str reason: why, as the row keeps it
    :ivar str description: the error description for the application
    :ivar str refusal: the reason for the administrator, see `errors.OAuth2Error`
    """

    reason: str
    description: str
    refusal: str


def parse(parameters, client):
    """Return the `Request` (RFC 6749 §6).

    :raise InvalidRequest: without a refresh token
    :raise InvalidScope: for a malformed scope
    """
    scope = parameters.get('scope')
    scopes.parse(scope)
    return Request(refresh_token=parameters.require('refresh_token'), scope=scope)


def decide(token, is_genuine, sign_in, scope, client, now):
    """Decide whether a refresh token is exchanged, repeated or refused.

    :param Token token: the presented token, parsed, or None
    :param bool is_genuine: whether its MAC is right
    :param SignIn sign_in: its row, or None
    :param scope: the parameter `scope`, or None
    :param Client client: the authenticated application
    :param datetime now: UTC
    :return: a `Rotate`, `Repeat` or `End`
    :raise InvalidScope: when the request exceeds the allowed scope; the token stays valid
    :raise InvalidGrant: for any other token that is refused
    """
    if token is None or token.kind != tokens.REFRESH_TOKEN:
        raise InvalidGrant("The refresh token is not valid.", reason='refresh_token_malformed')
    if not is_genuine:
        raise InvalidGrant("The refresh token is not valid.", reason='refresh_token_unknown')
    if sign_in is None:
        raise InvalidGrant("The refresh token is not valid.", reason='refresh_token_gone')
    try:
        return _decide_about_genuine(token, sign_in, scope, client, now)
    except OAuth2Error as error:
        error.user_id = sign_in.user_id
        raise


def _decide_about_genuine(token, sign_in, scope, client, now):
    if sign_in.client.id != client.id:
        raise InvalidGrant("The refresh token is not valid.", reason='refresh_token_other_application')
    if not sign_in.refresh_digest:
        # A service has no refresh token. Only somebody who knows the key can forge one for it.
        raise InvalidGrant("The refresh token is not valid.", reason='refresh_token_unknown')
    if sign_in.revoked_at or sign_in.is_expired(now):
        raise InvalidGrant(
            "The refresh token has expired or was revoked.",
            reason='refresh_token_revoked' if sign_in.revoked_at else 'refresh_token_expired',
        )
    if not sign_in.user_allowed:
        return End(
            'user_not_allowed',
            "The user may no longer use the application.",
            'user_not_allowed' if sign_in.user_active else 'user_archived',
        )
    if token.generation != sign_in.generation:
        return _decide_about_earlier(token, sign_in, client, now)
    if not tokens.has_digest(token.secret, sign_in.refresh_digest):
        raise InvalidGrant("The refresh token is not valid.", reason='refresh_token_unknown')
    granted = scopes.narrow(scope, sign_in.scope & client.scope)
    if not granted:
        raise InvalidScope(
            "The application may no longer do what the user allowed.",
            reason='scope_gone',
            sent=scopes.render(sign_in.scope),
            expected=scopes.render(client.scope),
        )
    return Rotate(granted)


def derive_secrets(token, salt):
    """Return the secrets of the successors of a refresh token, see `tokens.derive_secret`.

    :param Token token: the presented refresh token
    :param str salt: of the row
    :return: the secrets of the access token and of the refresh token
    """
    return (
        tokens.derive_secret(token.secret, salt, tokens.ACCESS_TOKEN),
        tokens.derive_secret(token.secret, salt, tokens.REFRESH_TOKEN),
    )


def _decide_about_earlier(token, sign_in, client, now):
    """Decide about a refresh token of a generation other than the current one.

    Within the grace period, its successor is given out again. In all other cases two
    parties hold tokens of the same sign-in: one is a thief, and nobody can tell which.
    """
    if (
        token.generation == sign_in.generation - 1
        and sign_in.refresh_salt
        and now <= sign_in.refreshed_at + timedelta(seconds=client.refresh_token_grace)
    ):
        access_secret, refresh_secret = derive_secrets(token, sign_in.refresh_salt)
        if tokens.has_digest(refresh_secret, sign_in.refresh_digest):
            return Repeat(access_secret, refresh_secret)
    if token.generation < sign_in.generation:
        return End('refresh_token_reused', "The refresh token was already used.", 'refresh_token_used')
    raise InvalidGrant("The refresh token was already used.", reason='refresh_token_used')
