"""Client secrets at rest.

An administrator may enter a weak secret, because the application on the other side
has it built in. Client secrets therefore get a slow, salted hash (RFC 6819
§5.1.4.1.3). Tokens do not need one: they have 256 random bits.
"""

import collections
import contextlib
import enum
import hashlib
import hmac
import re
import secrets

from passlib.context import CryptContext

#: About 10 ms on a machine of 2026: expensive for an offline attacker, and paid only once
#: per process by an honest application (see `_verified`).
ROUNDS = 15_000

CONTEXT = CryptContext(['pbkdf2_sha512'], pbkdf2_sha512__rounds=ROUNDS)

#: A shorter secret is a typing error, or can be guessed online.
MIN_LENGTH = 16
MAX_LENGTH = 256
#: The unreserved characters of RFC 3986 §2.3. Form-encoding changes all others. RFC 6749
#: §2.3.1 requires it for HTTP Basic, but few clients do it: such a secret would work with
#: some programs and fail with others.
CHARACTERS = re.compile(r'[A-Za-z0-9._~-]+', re.ASCII)

#: See `_count_surprises`. 16 random hexadecimal digits hardly ever have fewer.
MIN_SURPRISES = 7
#: Neighbours in the alphabet and on keyboards, in both directions.
ROWS = (
    'abcdefghijklmnopqrstuvwxyz',
    '01234567890',
    'qwertyuiop',
    'asdfghjkl',
    'zxcvbnm',
    'qwertzuiop',
    'yxcvbnm',
    '1q2w3e4r5t6y7u8i9o0p',
)
COMMON_WORDS = (
    'administrator', 'admin', 'application', 'changeme', 'client', 'default', 'demo', 'example', 'letmein', 'oauth2',
    'oauth', 'odoo', 'orestapi', 'password', 'passw0rd', 'p4ssword', 'secret', 'test', 'token', 'user', 'welcome',
)  # fmt: skip

#: A process recognises a secret that it has verified before by a keyed digest, so that
#: introspection and refresh do not pay for the slow hash each time. The key never leaves
#: the process, and the stored hash is part of the entry: a changed secret is a different
#: entry, and the table is worthless elsewhere.
_KEY = secrets.token_bytes(32)
_CAPACITY = 1024
_verified = collections.OrderedDict()

#: Verified in place of an unknown client's secret, so that the response time does not
#: reveal which client ids exist.
_UNKNOWN = CONTEXT.hash(secrets.token_urlsafe(32))


class Defect(enum.Enum):
    """Why a secret chosen by a person is not accepted."""

    LENGTH = 'length'
    CHARACTERS = 'characters'
    GUESSABLE = 'guessable'


def find_defect(secret, known=()):
    """Return why a secret chosen by a person cannot be a client secret.

    :param str secret: the secret
    :param known: words that others know, such as the client id of the application
    :return: a `Defect`, or None for a secret that is fine
    """
    if not MIN_LENGTH <= len(secret) <= MAX_LENGTH:
        return Defect.LENGTH
    if not CHARACTERS.fullmatch(secret):
        return Defect.CHARACTERS
    is_repetition = secret in (secret + secret)[1:-1]
    if is_repetition or _count_surprises(secret.lower(), known) < MIN_SURPRISES:
        return Defect.GUESSABLE
    return None


def _count_surprises(text, known):
    """Return how many characters of a text do not follow from those before.

    This does not measure entropy: it recognises texts typed just to fill a field. A well-known word
    counts as one character. A character that continues a row or repeats a pair does not count.
    """
    for word in sorted({*COMMON_WORDS, *(word.lower() for word in known if word)}, key=len, reverse=True):
        # Replaces each word by a character that no secret has; its repetitions do not count.
        text = text.replace(word, '\0')
    seen, surprises = set(), set()
    for index, character in enumerate(text):
        pair = text[index - 1 : index + 1] if index else character
        if pair not in seen and not any(pair in row or pair in row[::-1] for row in ROWS) and len({*pair}) == len(pair):
            surprises.add(index)
        seen.add(pair)
    return min(len(surprises), len({*text}) + 2)


def compute_hash(secret):
    """Return the hash of a client secret that is stored."""
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
    # In one step, because another thread may remove the entry at any time.
    with contextlib.suppress(KeyError):
        _verified.move_to_end(entry)
        return True
    if not CONTEXT.verify(secret, stored_hash):
        return False
    _verified[entry] = True
    if len(_verified) > _CAPACITY:
        _verified.popitem(last=False)
    return True
