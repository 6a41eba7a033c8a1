"""Logout: that which an application asks for (RP-Initiated Logout 1.0), and what applications are told
(Back-Channel Logout 1.0)."""

import dataclasses

from ..oauth2.errors import InvalidRequest
from . import id_token

PARAMETERS = ('client_id', 'id_token_hint', 'logout_hint', 'post_logout_redirect_uri', 'state', 'ui_locales')

#: Seconds that a logout token is valid (Back-Channel §2.4 recommends at most two minutes).
TOKEN_EXPIRY = 120
TYPE = 'logout+jwt'
EVENT = 'http://schemas.openid.net/event/backchannel-logout'

#: When an application is told, in seconds after the logout: once more until it answers. An event
#: tells of the last failure.
TRIES = (0, 60, 300, 1800)
#: Seconds that one call may take.
TIMEOUT = 3


def get_delay(tries):
    """Return the seconds until the next try, or None after the last one.

    :param int tries: how many there were
    """
    return TRIES[tries] - TRIES[tries - 1] if tries < len(TRIES) else None


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class LogoutRequest:
    """A logout that an application asks for.

    :ivar client_id: the application, or None when nothing names it
    :ivar subject: the `sub` of the hint, or None without a valid hint
    :ivar sid: the session of the hint, or None
    :ivar uri: where the browser shall go afterwards, as it came and not compared yet, or None
    :ivar state: to be repeated there, or None
    """

    client_id: str | None = None
    subject: str | None = None
    sid: str | None = None
    uri: str | None = None
    state: str | None = None


def parse(parameters, public_keys, issuer):
    """Read a logout request (RP-Initiated §2). A bad hint counts as none.

    :param Parameters parameters: those of the query or the form
    :param public_keys: the published keys of this server
    :param str issuer: the issuer identifier
    :return: a `LogoutRequest`. Without client id nothing may be answered by redirect.
    """
    claims, client_id = {}, parameters.get('client_id')
    if hint := parameters.get('id_token_hint'):
        try:
            claims = id_token.read_hint(hint, public_keys, issuer, client_id)
            client_id = claims['aud']
        except InvalidRequest:
            # RP-Initiated §4: no redirect on the word of a forged or foreign hint, nor on
            # that of the parameter beside it.
            client_id = None
    repeated = not parameters.repeated.isdisjoint(PARAMETERS)
    return LogoutRequest(
        client_id=None if repeated else client_id,
        subject=claims.get('sub'),
        sid=claims.get('sid'),
        uri=parameters.get('post_logout_redirect_uri'),
        state=parameters.get('state'),
    )


def find_redirect_uri(request, registered):
    """Return where the browser may go afterwards, or None for a page of this server.

    :param LogoutRequest request: the request
    :param registered: the logout URIs of its application, compared character by character
    """
    return request.uri if request.client_id and request.uri in registered else None


def build_token(issuer, client_id, subject, sid, jti, now):
    """Return the claims of a logout token (Back-Channel §2.4).

    :param str jti: random, and new for each try
    :param int now: seconds since 1970
    """
    token = {
        'iss': issuer,
        'aud': client_id,
        'iat': now,
        'exp': now + TOKEN_EXPIRY,
        'jti': jti,
        'events': {EVENT: {}},
        'sub': subject,
        'sid': sid,
    }
    return {name: value for name, value in token.items() if value is not None}
