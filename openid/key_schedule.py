"""Which signing key signs at a moment, and which ones are published then (Core §10.1.1).

A successor is published before it signs, so that no application meets a token with an
unknown key, and a key stays published until nobody can hold a valid token of it.
"""

import dataclasses
from datetime import datetime, timedelta

#: How long a key signs before its successor does.
LIFETIME = timedelta(days=90)
#: How long a key is published before it signs: longer than anybody keeps a key set.
ANNOUNCEMENT = timedelta(hours=24)
#: The longest life of an ID token that an administrator can set.
LONGEST_TOKEN = timedelta(hours=24)
#: How long a key stays published after the last token that it signed has expired.
AFTERLIFE = timedelta(hours=48)

PUBLISHED, SIGNING, RETIRED, GONE = 'published', 'signing', 'retired', 'gone'


@dataclasses.dataclass(frozen=True, repr=False)
class ScheduledKey:
    """A key that was not withdrawn, as its row keeps it.

    :ivar int id: its row
    :ivar str algorithm: how it signs
    :ivar datetime signs_from: when it begins to, UTC
    :ivar dict jwk: its public part
    """

    id: int
    algorithm: str
    signs_from: datetime
    jwk: dict


def find_newest(keys, algorithm):
    """Return the key of an algorithm that signs last, or None.

    :param keys: each `ScheduledKey`
    """
    found = [key for key in keys if key.algorithm == algorithm]
    return max(found, key=_get_order, default=None)


def find_signing(keys, algorithm, now):
    """Return the key of an algorithm that signs now, or None.

    :param keys: each `ScheduledKey`
    :param datetime now: UTC
    """
    return find_newest([key for key in keys if key.signs_from <= now], algorithm)


def get_state(key, keys, now):
    """Return what a key is used for now: `PUBLISHED`, `SIGNING`, `RETIRED` or `GONE`.

    :param ScheduledKey key: the key
    :param keys: all of them
    :param datetime now: UTC
    """
    if key.signs_from > now:
        return PUBLISHED
    successors = [
        other.signs_from
        for other in keys
        if other.algorithm == key.algorithm and _get_order(other) > _get_order(key) and other.signs_from <= now
    ]
    if not successors:
        return SIGNING
    return RETIRED if min(successors) + LONGEST_TOKEN + AFTERLIFE > now else GONE


def find_published(keys, now):
    """Return the keys whose signatures anybody may still have to check, in the order of `keys`.

    :param keys: each `ScheduledKey`
    :param datetime now: UTC
    """
    return [key for key in keys if get_state(key, keys, now) != GONE]


def find_next_start(keys, algorithm, now):
    """Return when the successor of the newest key has to begin to sign, or None where it is not time yet.

    :param keys: each `ScheduledKey`
    :param str algorithm: the algorithm; without a key of it, nobody has asked for one
    :param datetime now: UTC
    """
    newest = find_newest(keys, algorithm)
    if newest is None or newest.signs_from + LIFETIME > now + ANNOUNCEMENT:
        return None
    return max(now + ANNOUNCEMENT, newest.signs_from + LIFETIME)


def _get_order(key):
    return key.signs_from, key.id
