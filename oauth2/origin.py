"""Web origins that may call an endpoint from a page in the browser (CORS).

RFC 9700 §2.6: at the endpoints that applications call, never at the
authorization endpoint, which only browsers visit.
"""

import re

#: `scheme://host[:port]` as browsers send it (RFC 6454 §6.2): lower case, no path.
#: An underscore stands in no host name of RFC 1123, and in those of many intranets.
ORIGIN = re.compile(r'https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?', re.ASCII)

#: As a person types it, or copies it from the address bar.
TYPED = re.compile(
    r'(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/*', re.ASCII | re.IGNORECASE
)
DEFAULT_PORTS = {'http': 80, 'https': 443}
#: Blanks of no width, which copying brings along and nobody sees; `str.split` keeps them.
INVISIBLE = str.maketrans({'\u200b': ' ', '\ufeff': ' '})


def parse(text):
    """Return the origins of a setting with one origin a line.

    :param text: the setting, or a false value
    """
    return tuple((text or '').translate(INVISIBLE).split())


def repair(text):
    """Return what an administrator typed as the browser sends it.

    In lower case, without the slash at the end and without the port that the scheme implies
    (RFC 6454 §4, §6.2). What is no origin stays as it is.

    :param str text: one origin
    """
    match = TYPED.fullmatch(text.translate(INVISIBLE).strip())
    if not match:
        return text
    scheme, host, port = match['scheme'].lower(), match['host'].lower(), match['port']
    return f'{scheme}://{host}' if not port or int(port) == DEFAULT_PORTS[scheme] else f'{scheme}://{host}:{port}'


def is_origin(text):
    """Return whether `text` can be an `Origin` header; `null` and `*` cannot be allowed."""
    return ORIGIN.fullmatch(text) is not None


def find_foreign(origin, fetch_site, own):
    """Return the origin of a page of another site that sent a request, or None.

    Browsers add both fields, and no page can change them; a program of its own sends
    neither, or whatever it likes.

    :param origin: the header `Origin`, or None
    :param fetch_site: the header `Sec-Fetch-Site`, or None
    :param str own: the origin of this server
    :return: the origin, `null` for a page that does not tell it
    """
    origin, fetch_site = (origin or '').strip(' \t'), (fetch_site or '').strip(' \t')
    if fetch_site == 'same-origin' or (origin in ('', own) and fetch_site != 'cross-site'):
        return None
    return origin or 'null'
