"""Client secrets at rest.

An administrator may bring a weak secret, because the application on the other
side has it built in. So client secrets get a slow, salted hash (RFC 6819
§5.1.4.1.3), unlike tokens, whose 256 random bits need none.
"""

import collections
import contextlib
import hashlib
import hmac
import secrets

from passlib.context import CryptContext

#: About 10 ms on the machines of 2026: dear to whoever guesses from a stolen
#: database, and paid by an honest application once a process (see `_verified`).
ROUNDS = 15_000

CONTEXT = CryptContext(['pbkdf2_sha512'], pbkdf2_sha512__rounds=ROUNDS)

#: A shorter secret is a typing error or can be guessed online.
MIN_LENGTH = 16
MAX_LENGTH = 256

#: A secret that was verified once in this process is recognised by a keyed
#: digest, so that introspection and refresh do not pay the slow hash each time.
#: The key never leaves the process and the stored hash is part of the entry: a
#: changed secret is a different entry, and the table is worthless elsewhere.
_KEY = secrets.token_bytes(32)
_CAPACITY = 1024
_verified = collections.OrderedDict()

#: Verified in place of an unknown client's secret, so that the time of the
#: answer does not tell which client ids exist.
_UNKNOWN = CONTEXT.hash(secrets.token_urlsafe(32))


def compute_hash(secret):
    """Return what is stored of a client secret."""
    return CONTEXT.hash(secret)


def verify(secret, stored_hash):
    """Return whether `secret` is the one that `stored_hash` was computed from.

    :param str secret: what the client sent
    :param stored_hash: the stored hash, or None for a client without a secret
    """
    if len(secret) > MAX_LENGTH:
        # passlib raises for more than 4096 characters.
        return False
    if not stored_hash:
        CONTEXT.verify(secret, _UNKNOWN)
        return False
    entry = hmac.digest(_KEY, f'{stored_hash}\0{secret}'.encode(), hashlib.sha256)
    # One step, because another thread may remove the entry at any time.
    with contextlib.suppress(KeyError):
        _verified.move_to_end(entry)
        return True
    if not CONTEXT.verify(secret, stored_hash):
        return False
    _verified[entry] = True
    if len(_verified) > _CAPACITY:
        _verified.popitem(last=False)
    return True
