"""The authorization code grant (RFC 6749 §4.1), with PKCE (RFC 7636)."""

import dataclasses

from .. import pkce, redirect_uris, scopes, tokens
from ..errors import InvalidGrant, InvalidScope, OAuth2Error
from ..sign_in import get_code_expiry

NAME = 'authorization_code'
PARAMETERS = ('code', 'redirect_uri', 'code_verifier')
HANDLER = ('orestapi.authorization.code', '_redeem')
NOT_ALLOWED = 'grant_type_not_allowed'

#: Wrong code verifiers before a code is refused for good. More than one, so that a thief
#: cannot make a code worthless to its owner by a single wrong guess.
VERIFIER_LIMIT = 5


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Request:
    """A token request with a code. It has no `repr`, to keep secrets out of logs.

    The parameter `scope` is ignored: the code stands for the scope that the user allowed.

    :ivar str code: the code
    :ivar redirect_uri: the parameter, or None
    :ivar code_verifier: the parameter, or None
    """

    code: str
    redirect_uri: str | None = None
    code_verifier: str | None = None


@dataclasses.dataclass(frozen=True)
class Redeem:
    """Exchange the code for tokens.

    :ivar frozenset scope: of the access token: the part of the allowed scope that the application still has
    """

    scope: frozenset


@dataclasses.dataclass(frozen=True)
class Replay:
    """The code was redeemed before: the sign-in that it opened must end."""


class WrongVerifier(InvalidGrant):
    """The PKCE verifier does not belong to the code; the caller must count the failure."""


def parse(parameters, client):
    """Return the `Request` (RFC 6749 §4.1.3, RFC 7636 §4.5).

    :raise InvalidRequest: without a code
    """
    return Request(
        code=parameters.require('code'),
        redirect_uri=parameters.get('redirect_uri'),
        code_verifier=parameters.get('code_verifier'),
    )


def decide(token, code, request, client, now):
    """Decide whether a code gives tokens (RFC 6749 §4.1.3, RFC 9700 §4.5).

    The order is RFC 9700 §4.5 read backwards: only a caller with the right client,
    redirect URI and verifier learns that a code was used, and only then does a second use
    count as theft. A thief who lacks one of them cannot end the user's sign-in.

    The current settings of the application apply: when an administrator has removed a
    redirect URI or a scope, or made the application public, that takes effect at once.

    :param Token token: the presented code, parsed, or None
    :param Code code: its row, or None
    :param Request request: the token request
    :param Client client: the authenticated application
    :param datetime now: UTC
    :return: a `Redeem` or a `Replay`
    :raise WrongVerifier: must be counted
    :raise InvalidRequest: see `pkce.check_verifier`
    :raise InvalidScope: when the application has lost the whole scope
    :raise InvalidGrant: for any other code that gives no tokens
    """
    if token is None or token.kind != tokens.AUTHORIZATION_CODE:
        raise InvalidGrant("The authorization code is not valid.", reason='code_malformed')
    if code is None or not tokens.has_digest(token.secret, code.digest):
        raise InvalidGrant("The authorization code is not valid.", reason='code_unknown')
    try:
        return _decide_about_known(code, request, client, now)
    except OAuth2Error as error:
        error.user_id = code.user_id
        raise


def _decide_about_known(code, request, client, now):
    if code.application_id != client.id:
        raise InvalidGrant("The authorization code is not valid.", reason='code_other_application')
    # RFC 6749 §4.1.3: required and identical if the authorization request had one.
    if request.redirect_uri is None:
        if code.redirect_uri_sent:
            raise InvalidGrant(
                "The redirect_uri of the authorization request is missing.",
                reason='redirect_uri_left_out',
                expected=code.redirect_uri,
            )
    elif request.redirect_uri != code.redirect_uri:
        raise InvalidGrant(
            "The redirect_uri is not that of the authorization request.",
            reason='redirect_uri_changed',
            sent=request.redirect_uri,
            expected=code.redirect_uri,
        )
    if code.at_legacy_address and not client.at_legacy_address:
        # It may have been issued without PKCE, which only the older endpoints allow.
        raise InvalidGrant("The authorization code is not valid at this endpoint.", reason='code_legacy')
    asked = dataclasses.replace(client, at_legacy_address=code.at_legacy_address)
    if not code.code_challenge and not asked.may_omit_pkce(code.nonce):
        # PKCE has been required at this endpoint since the code was issued (RFC 9700 §2.1.1).
        raise InvalidGrant(
            "This application must use PKCE: the authorization request had no code_challenge.", reason='pkce_missing'
        )
    if code.verifier_failures >= VERIFIER_LIMIT:
        raise InvalidGrant("Too many wrong code verifiers.", reason='verifier_limit')
    try:
        pkce.check_verifier(request.code_verifier, code.code_challenge)
    except InvalidGrant as error:
        raise WrongVerifier(error.description, reason=error.reason) from None
    if code.used_at:
        return Replay()
    if code.revoked or get_code_expiry(code.expires_at, code.created_at, client.authorization_code_expiry) <= now:
        raise InvalidGrant(
            "The authorization code has expired.", reason='code_revoked' if code.revoked else 'code_expired'
        )
    if redirect_uris.find(client.redirect_uris, code.redirect_uri, client.is_native) is None:
        raise InvalidGrant(
            "The redirect_uri is no longer registered for the application.",
            reason='redirect_uri_gone',
            sent=code.redirect_uri,
        )
    scope = scopes.parse(code.scope) & client.scope
    if not scope:
        raise InvalidScope(
            "The application may no longer do what the user allowed.",
            reason='scope_gone',
            sent=code.scope,
            expected=scopes.render(client.scope),
        )
    if not code.user_allowed:
        raise InvalidGrant(
            "The user may no longer use the application.",
            reason='user_not_allowed' if code.user_active else 'user_archived',
        )
    return Redeem(scope)
