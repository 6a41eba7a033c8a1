"""Proof Key for Code Exchange (RFC 7636), method S256 only.

The method `plain` protects nothing when the authorization request can be read, and
RFC 9700 §2.1.1 tells servers to require a method that does not expose the verifier.
"""

import base64
import hashlib
import hmac
import re

from .errors import InvalidGrant, InvalidRequest

METHOD = 'S256'

#: 43 characters of base64url without padding: a SHA-256 digest (RFC 7636 §4.2).
CHALLENGE = re.compile(r'[A-Za-z0-9_-]{43}', re.ASCII)
#: RFC 7636 §4.1.
VERIFIER = re.compile(r'[A-Za-z0-9._~-]{43,128}', re.ASCII)


def compute_challenge(verifier):
    """Return the S256 challenge of a verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode('ascii')).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')


def check_challenge(challenge, method, required):
    """Check the PKCE parameters of an authorization request (RFC 7636 §4.3, §4.4.1).

    :param challenge: the parameter `code_challenge`, or None
    :param method: the parameter `code_challenge_method`, or None
    :param bool required: whether the application must use PKCE
    :raise InvalidRequest: when PKCE is missing, incomplete or not S256
    """
    if challenge is None:
        if method is not None:
            raise InvalidRequest("The parameter code_challenge is missing.", reason='pkce_challenge_missing')
        if required:
            raise InvalidRequest("This application must use PKCE: code_challenge is missing.", reason='pkce_missing')
        return
    # A missing method means `plain` (RFC 7636 §4.3), which is refused as well.
    if method != METHOD:
        raise InvalidRequest(
            "The parameter code_challenge_method must be S256.", reason='pkce_method', sent=method or 'plain'
        )
    if not CHALLENGE.fullmatch(challenge):
        raise InvalidRequest(
            "A code_challenge has 43 letters, digits, hyphens and underscores: an unpadded base64url SHA-256 digest.",
            reason='pkce_challenge_malformed',
        )


def check_verifier(verifier, challenge):
    """Check the verifier of a token request against the stored challenge (RFC 7636 §4.6).

    :param verifier: the parameter `code_verifier`, or None
    :param challenge: the challenge of the authorization request, or None
    :raise InvalidRequest: for a verifier without a challenge, a sign that an attacker
        removed the challenge (RFC 9700 §2.1.1, §4.8.2)
    :raise InvalidGrant: when the verifier is missing, malformed or wrong
    """
    if not challenge:
        if verifier is not None:
            raise InvalidRequest(
                "A code_verifier was sent for a request without code_challenge.", reason='verifier_unexpected'
            )
        return
    if verifier is None:
        raise InvalidGrant("The parameter code_verifier is missing.", reason='verifier_missing')
    if not VERIFIER.fullmatch(verifier):
        raise InvalidGrant(
            "A code_verifier has 43 to 128 characters: letters, digits and - . _ ~ (RFC 7636).",
            reason='verifier_malformed',
        )
    if not hmac.compare_digest(compute_challenge(verifier), challenge):
        raise InvalidGrant("The code_verifier does not match the code_challenge.", reason='verifier_wrong')
