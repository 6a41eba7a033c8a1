"""Which requests of a session have asked for a new login (`prompt=login`, `max_age`), and since when.

Kept on the server, because the request travels through the browser: a person there could
remove the parameter from the URL between two pages and get a code without a password.
A request is identified by the values that the application checks in the response, so a
changed request gives a code that the application refuses.
"""

import hashlib

from ..jose import encoding

#: How many requests are told apart.
MAX_REQUESTS = 20
#: Seconds for which an unanswered request is remembered.
MAX_AGE = 24 * 60 * 60
#: Stands for every request, if there were more than that.
ANY = ''

#: The values that an application compares with what it sent (RFC 6749 §10.12, Core §3.1.3.7, RFC 7636 §4.6).
COMPARED = ('client_id', 'state', 'nonce', 'code_challenge')


def compute_key(parameters):
    """Return the key that identifies a request.

    :param Parameters parameters: those of the request
    """
    values = [parameters.get(name) for name in COMPARED]
    return hashlib.sha256(encoding.render_object({'request': values})).hexdigest()


def add(required, key, now):
    """Return what a session remembers once a request has asked for a login.

    :param required: what it remembered before, or None: for each key, since when in seconds since 1970
    :param str key: see `compute_key`
    :param float now: seconds since 1970
    """
    required = {known: since for known, since in (required or {}).items() if now - since < MAX_AGE}
    required.setdefault(key, now)
    # Many other requests must not remove one.
    return required if len(required) <= MAX_REQUESTS else {ANY: now}


def find(required, key, now):
    """Return since when a request needs a login, or None if it needs none.

    :param required: what the session remembers, or None
    :param str key: see `compute_key`
    :param float now: seconds since 1970
    """
    found = [(required or {}).get(name) for name in (key, ANY)]
    return max((since for since in found if since is not None and now - since < MAX_AGE), default=None)


def remove(required, key):
    """Return what a session remembers once a request was answered.

    :param required: what it remembered before, or None
    :param str key: see `compute_key`
    """
    return {known: since for known, since in (required or {}).items() if known != key}
