"""Signed tokens: JWS in compact form (RFC 7515 §3.1) with a JSON object inside (RFC 7519)."""

import dataclasses

from cryptography.exceptions import InvalidSignature

from . import encoding
from .algorithms import ALGORITHMS
from .errors import InvalidEncoding, InvalidJws

#: Characters of a token, and bytes of its header: more than any honest one has.
MAX_TOKEN = 8 * 1024
MAX_HEADER = 1024

#: Headers that change how a token is read, or say where to find its key. Both are the
#: verifier's to decide (RFC 8725 §3.10; Authlib's CVE-2026-27962, PyJWT's CVE-2026-32597).
REFUSED_HEADERS = frozenset({'crit', 'b64', 'zip', 'jwk', 'jku', 'x5u'})


@dataclasses.dataclass(frozen=True, repr=False)
class Jws:
    """A token whose signature is right; without a `repr`, because it may still be used.

    :ivar dict header: its header
    :ivar dict claims: what was signed
    :ivar PublicKey key: the key that it was verified with
    """

    header: dict
    claims: dict
    key: object


def sign(claims, private_key, typ=None):
    """Return a signed token.

    :param dict claims: what to sign
    :param PrivateKey private_key: what to sign it with
    :param str typ: what the token is, so that it cannot pass for another (RFC 8725 §3.11)
    """
    header = {'alg': private_key.algorithm, 'kid': private_key.kid}
    if typ:
        header['typ'] = typ
    message = f'{encoding.encode(encoding.render_object(header))}.{encoding.encode(encoding.render_object(claims))}'
    signature = ALGORITHMS[private_key.algorithm].sign(private_key.key, message.encode('ascii'))
    return f'{message}.{encoding.encode(signature)}'


def verify(token, public_keys, typ=None):
    """Return the `Jws` of a token.

    Its claims are not looked at: when it expires, and for whom it is, is the caller's
    to check.

    :param str token: what came in
    :param public_keys: each `PublicKey` that may have signed it
    :param str typ: the type that the token must name, in lower case; None takes any
    :raise InvalidJws: when its form, its header or its signature is not acceptable
    """
    header, message, signature = _split(token)
    if typ is not None and not is_type(header.get('typ'), typ):
        raise InvalidJws("The token is of another type.")
    kid, algorithm = header.get('kid'), header.get('alg')
    candidates = [key for key in public_keys if kid is None or key.kid == kid]
    if len(candidates) != 1:
        # Without an id, trying one key after the other would let a token choose.
        raise InvalidJws("The key of the token is not known.")
    [key] = candidates
    if algorithm not in key.algorithms:
        raise InvalidJws("The algorithm of the token is not that of the key.")
    try:
        ALGORITHMS[algorithm].verify(key.key, signature, message.encode('ascii'))
    except InvalidSignature:
        raise InvalidJws("The signature of the token is not valid.") from None
    try:
        claims = encoding.parse_object(encoding.decode(message.partition('.')[2]))
    except InvalidEncoding as error:
        raise InvalidJws("The claims of the token are not a JSON object.") from error
    return Jws(header, claims, key)


def is_type(value, typ):
    """Return whether the header `typ` names a type (RFC 7515 §4.1.9).

    :param value: the header, or None
    :param str typ: the type, without `application/`
    """
    return isinstance(value, str) and value.lower().removeprefix('application/') == typ


def _split(token):
    """Return the header, what was signed, and the signature, none of them checked against a key."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN or token.count('.') != 2:
        raise InvalidJws("The token is not a signed one in compact form.")
    message, _dot, encoded_signature = token.rpartition('.')
    try:
        header_data = encoding.decode(message.partition('.')[0])
        if len(header_data) > MAX_HEADER:
            raise InvalidJws("The header of the token is too long.")
        header = encoding.parse_object(header_data)
        signature = encoding.decode(encoded_signature)
    except InvalidEncoding as error:
        raise InvalidJws("The token is malformed.") from error
    if not REFUSED_HEADERS.isdisjoint(header):
        raise InvalidJws("The token has a header that is not supported.")
    if not all(isinstance(header.get(name, ''), str) for name in ('alg', 'kid', 'typ')):
        raise InvalidJws("The header of the token is malformed.")
    return header, message, signature
