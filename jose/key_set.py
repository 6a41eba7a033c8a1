"""Sets of public keys (RFC 7517 §5)."""

from . import keys
from .errors import InvalidKey

#: More keys than anybody rotates through; each costs time to read.
MAX_KEYS = 20


def parse(value):
    """Return the usable `PublicKey` of a key set, in its order.

    Unsupported keys are skipped, as RFC 7517 §5 requires, so that an application can add
    one before everybody supports it. A private key is refused: every reader of the set
    has it.

    :param value: the parsed JSON of the set
    :raise InvalidKey: when it is not a set of up to 20 keys, when it holds a private
        key, or when two keys have one id
    """
    members = value.get('keys') if isinstance(value, dict) else None
    if not isinstance(members, list) or len(members) > MAX_KEYS:
        raise InvalidKey("The key set is not a JSON object with up to 20 keys.")
    found = []
    for member in members:
        if isinstance(member, dict) and (not keys.PRIVATE_MEMBERS.isdisjoint(member) or member.get('kty') == 'oct'):
            raise InvalidKey("The key set holds a private key.")
        try:
            found.append(keys.parse(member))
        except InvalidKey:
            continue
    named = [key.kid for key in found if key.kid is not None]
    if len(set(named)) != len(named):
        raise InvalidKey("Two keys of the set have one id.")
    return tuple(found)


def render(jwks):
    """Return a key set to publish.

    :param jwks: the public JWK of each key
    """
    return {'keys': list(jwks)}
