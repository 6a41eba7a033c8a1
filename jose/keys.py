"""Public keys as JWK (RFC 7517), and the private keys that belong to them."""

import dataclasses
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from . import encoding
from .algorithms import ALGORITHMS, ED25519, EDDSA, ES256, P256_LENGTH, PS256, RS256, RSA_BITS
from .errors import InvalidEncoding, InvalidKey

#: The members of a JWK that nobody may show (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
PRIVATE_MEMBERS = frozenset({'d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'})

#: Characters of a key id. Ours have 43.
MAX_KEY_ID = 256

#: Bits of an RSA key that is made here.
RSA_SIZE = 2048


@dataclasses.dataclass(frozen=True)
class PublicKey:
    """A key that verifies signatures.

    :ivar str kid: its id, or None
    :ivar frozenset algorithms: the names of the algorithms that it may be used with
    :ivar key: the key of `cryptography`
    """

    kid: str | None
    algorithms: frozenset
    key: object


@dataclasses.dataclass(frozen=True, repr=False)
class PrivateKey:
    """A key that signs; without a `repr` to keep it out of logs.

    :ivar str algorithm: the one that it signs with
    :ivar key: the key of `cryptography`
    """

    algorithm: str
    key: object

    @property
    def kid(self):
        """The id of the key: its thumbprint (RFC 7638), so that two keys never share one."""
        return compute_thumbprint(self._get_members())

    def to_public_jwk(self):
        """Return the JWK to publish: the public members only (RFC 7517 §4)."""
        return {**self._get_members(), 'kid': self.kid, 'alg': self.algorithm, 'use': 'sig'}

    def to_public_key(self):
        """Return the `PublicKey` that verifies what this one signs."""
        return PublicKey(self.kid, frozenset([self.algorithm]), self.key.public_key())

    def _get_members(self):
        return _get_members(self.key.public_key())


def generate(algorithm):
    """Return a new `PrivateKey`.

    :param str algorithm: `RS256`, `PS256`, `ES256` or `EdDSA`
    """
    if algorithm in (RS256, PS256):
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_SIZE)
    elif algorithm == ES256:
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    return PrivateKey(algorithm, key)


def dump_private(private_key, password=None):
    """Return a private key as PKCS#8 in PEM, to be stored.

    :param PrivateKey private_key: the key
    :param bytes password: what encrypts it; None leaves it readable
    """
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private_key.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode('ascii')


def load_private(text, algorithm, password=None):
    """Return the `PrivateKey` that `dump_private` has written.

    :param str text: the stored PEM
    :param str algorithm: the one that it signs with
    :param bytes password: what it was encrypted with, or None
    :raise InvalidKey: when the password is wrong or missing, or the key is of another kind
    """
    try:
        key = serialization.load_pem_private_key(text.encode('ascii'), password)
    except (ValueError, TypeError):
        # TypeError: a password for a key that has none, or none for one that has.
        raise InvalidKey("The private key cannot be read with this password.") from None
    if not isinstance(key, ALGORITHMS[algorithm].private_type):
        raise InvalidKey("The private key is not of the kind that the algorithm needs.")
    return PrivateKey(algorithm, key)


def parse(jwk):
    """Return the `PublicKey` of a JWK.

    :param dict jwk: as it came, for example registered by an administrator
    :raise InvalidKey: when it is malformed, private, symmetric, too weak, not on its
        curve, or not meant for signatures
    """
    if not isinstance(jwk, dict) or not isinstance(jwk.get('kty'), str):
        raise InvalidKey("The key is not a JWK.")
    if not PRIVATE_MEMBERS.isdisjoint(jwk) or jwk['kty'] == 'oct':
        raise InvalidKey("The key is private: only public keys may be shown.")
    operations = jwk.get('key_ops', ['verify'])
    if jwk.get('use', 'sig') != 'sig' or not isinstance(operations, list) or 'verify' not in operations:
        raise InvalidKey("The key is not for signatures.")
    kid = jwk.get('kid')
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= MAX_KEY_ID):
        raise InvalidKey("The key id is not a short text.")
    try:
        key, algorithms = _PARSERS[jwk['kty']](jwk)
    except KeyError:
        raise InvalidKey("The kind of the key is not supported, or a part of it is missing.") from None
    except (InvalidEncoding, ValueError, TypeError):
        raise InvalidKey("The key is malformed.") from None
    if (named := jwk.get('alg')) is not None:
        algorithms = algorithms & frozenset([named] if isinstance(named, str) else [])
        if not algorithms:
            raise InvalidKey("The algorithm of the key is not supported, or not one for its kind.")
    return PublicKey(kid, algorithms, key)


def compute_thumbprint(members):
    """Return the thumbprint of a key (RFC 7638 §3): SHA-256 over its required members.

    :param dict members: the required members of the JWK and no others
    """
    # Sorted by name and without blanks, RFC 7638 §3.1; ASCII by nature.
    data = encoding.render_object(dict(sorted(members.items())))
    return encoding.encode(hashlib.sha256(data).digest())


def _get_members(key):
    """Return the required members of the JWK of a public key (RFC 7638 §3.2)."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {'kty': 'RSA', 'n': encoding.encode_integer(numbers.n), 'e': encoding.encode_integer(numbers.e)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        numbers = key.public_numbers()
        return {
            'kty': 'EC',
            'crv': 'P-256',
            'x': encoding.encode_integer(numbers.x, P256_LENGTH),
            'y': encoding.encode_integer(numbers.y, P256_LENGTH),
        }
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {'kty': 'OKP', 'crv': 'Ed25519', 'x': encoding.encode(raw)}


def _parse_rsa(jwk):
    modulus, exponent = encoding.decode_integer(jwk['n']), encoding.decode_integer(jwk['e'])
    if modulus.bit_length() not in RSA_BITS:
        raise InvalidKey("An RSA key needs from 2048 to 8192 bits.")
    # FIPS 186-5 §A.1.1; a huge one would cost the verifier seconds.
    if not 2**16 < exponent < 2**32:
        raise InvalidKey("The exponent of the RSA key is too small or too big.")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key(), frozenset([RS256, PS256])


def _parse_ec(jwk):
    if jwk['crv'] != 'P-256':
        raise InvalidKey("The only elliptic curve that is supported for ECDSA is P-256.")
    x, y = (encoding.decode_integer(jwk[name], P256_LENGTH) for name in ('x', 'y'))
    # Raises ValueError for a point that is not on the curve (RFC 8725 §3.4).
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key(), frozenset([ES256])


def _parse_okp(jwk):
    if jwk['crv'] != 'Ed25519':
        raise InvalidKey("The only curve that is supported for EdDSA is Ed25519.")
    return ed25519.Ed25519PublicKey.from_public_bytes(encoding.decode(jwk['x'])), frozenset([EDDSA, ED25519])


_PARSERS = {'RSA': _parse_rsa, 'EC': _parse_ec, 'OKP': _parse_okp}
