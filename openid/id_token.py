"""The ID token (Core §2): who logged in, when and how, signed for one application."""

import dataclasses
import hashlib

from ..jose import encoding, jws
from ..jose.algorithms import ED25519, EDDSA
from ..jose.errors import InvalidJws
from ..oauth2.errors import InvalidRequest


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Authentication:
    """The login that an ID token tells of.

    :ivar str subject: the `sub` of the user for this application
    :ivar auth_time: seconds since 1970, or None when nobody remembers
    :ivar tuple amr: the methods that were used
    :ivar acr: how strong that was, or None
    :ivar sid: the session at this server, random, or None
    :ivar nonce: that of the request, or None
    """

    subject: str
    auth_time: int | None = None
    amr: tuple = ()
    acr: str | None = None
    sid: str | None = None
    nonce: str | None = None


def build(issuer, client_id, authentication, now, expires_in, claims=None):
    """Return the claims of an ID token, without `at_hash`.

    :param str issuer: the issuer identifier
    :param str client_id: the audience
    :param Authentication authentication: the login
    :param int now: seconds since 1970
    :param int expires_in: seconds that the token is valid
    :param dict claims: more claims, of those that the scopes allow
    """
    token = {
        **(claims or {}),
        'iss': issuer,
        'sub': authentication.subject,
        'aud': client_id,
        'iat': now,
        'exp': now + expires_in,
        'auth_time': authentication.auth_time,
        'acr': authentication.acr,
        'amr': list(authentication.amr) or None,
        'sid': authentication.sid,
        'nonce': authentication.nonce,
    }
    # Core §5.3.2: a claim without a value is left out.
    return {name: value for name, value in token.items() if value is not None}


def compute_at_hash(access_token, algorithm):
    """Return what binds an ID token to the access token beside it (Core §3.1.3.6).

    :param str access_token: as the application gets it
    :param str algorithm: the one that signs the ID token
    """
    # Ed25519 hashes with SHA-512 inside; the specification is silent, clients agree on that.
    digest = (hashlib.sha512 if algorithm in (EDDSA, ED25519) else hashlib.sha256)(
        access_token.encode('ascii')
    ).digest()
    return encoding.encode(digest[: len(digest) // 2])


def read_hint(token, public_keys, issuer, client_id=None):
    """Return the claims of an `id_token_hint` (Core §3.1.2.1, RP-Initiated Logout §2).

    It may have expired: it only names who is expected, and never logs anybody in.

    :param str token: what came
    :param public_keys: the published keys of this server
    :param str issuer: the issuer identifier
    :param client_id: the application that sent it; None takes it from the token
    :raise InvalidRequest: when this server did not issue it as an ID token for the application
    """
    try:
        verified = jws.verify(token, public_keys)
    except InvalidJws:
        raise InvalidRequest("The id_token_hint is not an ID token of this server.", reason='id_token_hint') from None
    claims = verified.claims
    audience = claims.get('aud')
    if (
        # Access tokens and logout tokens are signed with the same keys, and have types.
        verified.header.get('typ', 'JWT').upper() != 'JWT'
        or claims.get('iss') != issuer
        or not isinstance(claims.get('sub'), str)
        or not isinstance(audience, str)
        or (client_id is not None and audience != client_id)
    ):
        raise InvalidRequest(
            "The id_token_hint is not an ID token of this server for this application.", reason='id_token_hint'
        )
    return claims
