"""How an administrator is shown a value that a stranger sent.

The value is shortened to one line, without characters that hide or reverse the text
around them (CWE-117, CWE-451), and without secrets: a token in the wrong place, and the
password, query and fragment of a URI.
"""

import re
import unicodedata

from .tokens import PREFIX

#: Longest text that is shown, in characters.
MAX_LENGTH = 200
#: Longest unknown client id: enough characters to recognise it, and too few for a secret
#: that was sent in its place by mistake.
MAX_CLIENT_ID_LENGTH = 20

#: A token or client secret of this server, whole or cut off.
SECRET = re.compile(rf'({PREFIX}_(?:ac|at|rt|cs)_)[A-Za-z0-9_-]*', re.ASCII)
#: A JSON Web Token, as other servers issue them.
JWT = re.compile(r'eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9_.-]*', re.ASCII)

#: Where the query or the fragment of a URI begins, even if it was encoded twice.
AFTER_PATH = re.compile(r'[?#]|%3f|%23', re.IGNORECASE)
#: Scheme, authority and path, as liberally as browsers read them.
PARTS = re.compile(
    r'(?P<scheme>[a-z0-9+.-]*(?::|%3a)(?:[/\\]|%2f|%5c)*)?(?P<authority>(?:(?!%2f|%5c)[^/\\])*)(?P<path>.*)',
    re.IGNORECASE | re.DOTALL,
)
USER_INFORMATION = re.compile(r'.*(?:@|%40)', re.IGNORECASE | re.DOTALL)


def quote(text, length=MAX_LENGTH):
    """Return a text as it is shown to an administrator.

    :param text: the text that was sent, or None
    :param int length: the greatest number of characters of the result
    :return: one line, or None for None
    """
    if text is None:
        return None
    # Shortened first, because each character is looked at and the text may be very long.
    shortened = text[: 4 * length]
    shortened = JWT.sub('eyJ…', SECRET.sub(r'\1…', shortened))
    shortened = ''.join(
        '\N{REPLACEMENT CHARACTER}' if _is_invisible(character) else character for character in shortened
    )
    if len(text) > 4 * length or len(shortened) > length:
        return shortened[: length - 1] + '…'
    return shortened


def _is_invisible(character):
    # Control, format (including bidirectional), surrogate and unassigned characters, and
    # line and paragraph separators.
    category = unicodedata.category(character)
    return category[0] == 'C' or category in ('Zl', 'Zp')


def strip_uri(uri):
    """Return a URI without user name, password, query and fragment.

    :param str uri: the text that was sent as a URI
    """
    parts = PARTS.fullmatch(AFTER_PATH.split(uri, maxsplit=1)[0])
    return (parts['scheme'] or '') + USER_INFORMATION.sub('', parts['authority']) + parts['path']


def quote_uri(uri):
    """Return a URI as it is shown to an administrator.

    :param uri: the text that was sent, or None
    """
    return None if uri is None else quote(strip_uri(uri[: 4 * MAX_LENGTH]))
