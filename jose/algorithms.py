"""The signature algorithms (RFC 7518 §3, RFC 8037 §3.1), and which kind of key each takes.

The table is fixed. `none` and the algorithms with a shared secret are not in it,
so that no header can ask for them: a public key taken for the secret of an HMAC
is the oldest attack on JWT (RFC 8725 §2.1).
"""

import dataclasses
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

#: Bytes of each of the two numbers of a signature on P-256 (RFC 7518 §3.4).
P256_LENGTH = 32

#: RFC 7518 §3.3 demands 2048 bits. More than 8192 only cost the one who verifies.
RSA_BITS = range(2048, 8193)


@dataclasses.dataclass(frozen=True)
class Algorithm:
    """One signature algorithm.

    :ivar type private_type: the kind of private key that signs
    :ivar type public_type: the kind of public key that verifies
    :ivar sign: `sign(private_key, message)` returns the signature
    :ivar verify: `verify(public_key, signature, message)` raises `InvalidSignature`
    """

    private_type: type
    public_type: type
    sign: Callable
    verify: Callable


def _sign_rs256(key, message):
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def _verify_rs256(key, signature, message):
    key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


def _get_pss():
    # RFC 7518 §3.5: the salt is as long as the digest.
    return padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)


def _sign_ps256(key, message):
    return key.sign(message, _get_pss(), hashes.SHA256())


def _verify_ps256(key, signature, message):
    key.verify(signature, message, _get_pss(), hashes.SHA256())


def _sign_es256(key, message):
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(P256_LENGTH, 'big') + s.to_bytes(P256_LENGTH, 'big')


def _verify_es256(key, signature, message):
    if len(signature) != 2 * P256_LENGTH:
        raise InvalidSignature
    r, s = (int.from_bytes(half, 'big') for half in (signature[:P256_LENGTH], signature[P256_LENGTH:]))
    if not r or not s:
        # "Psychic signatures" (CVE-2022-21449). OpenSSL refuses them as well.
        raise InvalidSignature
    key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def _sign_eddsa(key, message):
    return key.sign(message)


def _verify_eddsa(key, signature, message):
    key.verify(signature, message)


RS256, PS256, ES256, EDDSA = 'RS256', 'PS256', 'ES256', 'EdDSA'
#: The name that RFC 9864 gives to EdDSA with this curve.
ED25519 = 'Ed25519'

ALGORITHMS = {
    RS256: Algorithm(rsa.RSAPrivateKey, rsa.RSAPublicKey, _sign_rs256, _verify_rs256),
    PS256: Algorithm(rsa.RSAPrivateKey, rsa.RSAPublicKey, _sign_ps256, _verify_ps256),
    ES256: Algorithm(ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey, _sign_es256, _verify_es256),
    EDDSA: Algorithm(ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey, _sign_eddsa, _verify_eddsa),
}
ALGORITHMS[ED25519] = ALGORITHMS[EDDSA]
