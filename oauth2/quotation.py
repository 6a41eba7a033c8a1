"""How an administrator is shown what a stranger sent.

Short, on one line, without characters that hide or turn round what stands beside
them (CWE-117, CWE-451), and without anything secret: a token that somebody put in
the wrong place, the password in an address, its query and its fragment.
"""

import re
import unicodedata

from .tokens import PREFIX

#: Characters of a text.
MAX_LENGTH = 200
#: And of a client id that no application has: enough to recognise it by, and too few
#: for a secret that somebody sent in its place by mistake.
MAX_CLIENT_ID_LENGTH = 20

#: One of our tokens or client secrets, whole or cut off.
SECRET = re.compile(rf'({PREFIX}_(?:ac|at|rt|cs)_)[A-Za-z0-9_-]*', re.ASCII)
#: A JSON Web Token, as other servers issue them.
JWT = re.compile(r'eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9_.-]*', re.ASCII)

#: Where the query or the fragment of an address begins, also of one that was encoded twice.
AFTER_PATH = re.compile(r'[?#]|%3f|%23', re.IGNORECASE)
#: Scheme, authority and path, as liberally as browsers read them.
PARTS = re.compile(
    r'(?P<scheme>[a-z0-9+.-]*(?::|%3a)(?:[/\\]|%2f|%5c)*)?(?P<authority>(?:(?!%2f|%5c)[^/\\])*)(?P<path>.*)',
    re.IGNORECASE | re.DOTALL,
)
USER_INFORMATION = re.compile(r'.*(?:@|%40)', re.IGNORECASE | re.DOTALL)


def quote(text, length=MAX_LENGTH):
    """Return a text as it is shown to an administrator.

    :param text: what somebody sent, or None
    :param int length: the greatest number of characters of the result
    :return: one line, or None for None
    """
    if text is None:
        return None
    # First, because a stranger may send a long text, and each character is looked at.
    shortened = text[: 4 * length]
    shortened = JWT.sub('eyJ…', SECRET.sub(r'\1…', shortened))
    shortened = ''.join(
        '\N{REPLACEMENT CHARACTER}' if _is_invisible(character) else character for character in shortened
    )
    if len(text) > 4 * length or len(shortened) > length:
        return shortened[: length - 1] + '…'
    return shortened


def _is_invisible(character):
    # Control, format (bidirectional ones among them), surrogate and unassigned characters,
    # and what starts a new line.
    category = unicodedata.category(character)
    return category[0] == 'C' or category in ('Zl', 'Zp')


def strip_uri(uri):
    """Return an address without user name, password, query and fragment.

    :param str uri: what somebody sent as an address
    """
    parts = PARTS.fullmatch(AFTER_PATH.split(uri, maxsplit=1)[0])
    return (parts['scheme'] or '') + USER_INFORMATION.sub('', parts['authority']) + parts['path']


def quote_uri(uri):
    """Return an address as it is shown to an administrator.

    :param uri: what somebody sent, or None
    """
    return None if uri is None else quote(strip_uri(uri[: 4 * MAX_LENGTH]))
