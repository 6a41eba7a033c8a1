"""Client secrets at rest.

An administrator may bring a weak secret, because the application on the other
side has it built in. So client secrets get a slow, salted hash (RFC 6819
§5.1.4.1.3), unlike tokens, whose 256 random bits need none.
"""

import collections
import contextlib
import enum
import hashlib
import hmac
import re
import secrets

from passlib.context import CryptContext

#: About 10 ms on the machines of 2026: expensive for an attacker who guesses from a stolen
#: database, and paid by an honest application once a process (see `_verified`).
ROUNDS = 15_000

CONTEXT = CryptContext(['pbkdf2_sha512'], pbkdf2_sha512__rounds=ROUNDS)

#: A shorter secret is a typing error or can be guessed online.
MIN_LENGTH = 16
MAX_LENGTH = 256
#: The unreserved characters of RFC 3986 §2.3. The others mean something else when they are
#: form-encoded, which RFC 6749 §2.3.1 demands of HTTP Basic and few clients do: such a secret
#: would be right with some programs and wrong with others.
CHARACTERS = re.compile(r'[A-Za-z0-9._~-]+', re.ASCII)

#: See `_count_surprises`. Of 16 random digits of hexadecimal numbers hardly ever fewer are.
MIN_SURPRISES = 7
#: Neighbours in the alphabet and on keyboards, read in both directions.
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


class Defect(enum.Enum):
    """Why a secret that somebody brings is not accepted."""

    LENGTH = 'length'
    CHARACTERS = 'characters'
    GUESSABLE = 'guessable'


def find_defect(secret, known=()):
    """Tell why a client secret that somebody brings cannot be one.

    :param str secret: the secret
    :param known: what others know of the application, such as its client id
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

    No measure of entropy: it finds what people type to fill a field. Words that all know count as one
    character; a character is no surprise next to its neighbour in a row, and where it repeats a pair.
    """
    for word in sorted({*COMMON_WORDS, *(word.lower() for word in known if word)}, key=len, reverse=True):
        # In the place of each word one sign that no secret has: the second one repeats the first.
        text = text.replace(word, '\0')
    seen, surprises = set(), set()
    for index, character in enumerate(text):
        pair = text[index - 1 : index + 1] if index else character
        if pair not in seen and not any(pair in row or pair in row[::-1] for row in ROWS) and len({*pair}) == len(pair):
            surprises.add(index)
        seen.add(pair)
    return min(len(surprises), len({*text}) + 2)


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
