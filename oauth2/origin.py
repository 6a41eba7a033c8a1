"""Web origins that may call an endpoint from a page in the browser (CORS).

RFC 9700 §2.6: CORS is for the endpoints that applications call, never for the
authorization endpoint, which only browsers visit.
"""

import re

#: `scheme://host[:port]` as browsers send it (RFC 6454 §6.2): lower case, no path.
#: RFC 1123 allows no underscore in host names, but many intranets use it.
ORIGIN = re.compile(r'https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?', re.ASCII)

#: An origin as a person types it, or copies it from the browser.
TYPED = re.compile(
    r'(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/*', re.ASCII | re.IGNORECASE
)
DEFAULT_PORTS = {'http': 80, 'https': 443}
#: Invisible zero-width spaces, which copying brings along and `str.split` keeps.
INVISIBLE = str.maketrans({'\u200b': ' ', '\ufeff': ' '})


def parse(text):
    """Return the origins of a setting with one origin per line.

    :param text: the setting, or a false value
    """
    return tuple((text or '').translate(INVISIBLE).split())


def repair(text):
    """Return an origin that an administrator typed, in the form that browsers send.

    That is in lower case, without a slash at the end and without the port that the scheme
    implies (RFC 6454 §4, §6.2). Any other text is returned unchanged.

    :param str text: one origin
    """
    match = TYPED.fullmatch(text.translate(INVISIBLE).strip())
    if not match:
        return text
    scheme, host, port = match['scheme'].lower(), match['host'].lower(), match['port']
    return f'{scheme}://{host}' if not port or int(port) == DEFAULT_PORTS[scheme] else f'{scheme}://{host}:{port}'


def is_origin(text):
    """Return whether `text` is an origin that can be allowed; `null` and `*` cannot."""
    return ORIGIN.fullmatch(text) is not None


def find_foreign(origin, fetch_site, own):
    """Return the origin of the page that sent a request, if it is of another site; otherwise None.

    Browsers set both header fields, and no page can change them. A program outside a
    browser sends neither, or any value it likes.

    :param origin: the header `Origin`, or None
    :param fetch_site: the header `Sec-Fetch-Site`, or None
    :param str own: the origin of this server
    :return: the origin, or `null` for a page that hides it
    """
    origin, fetch_site = (origin or '').strip(' \t'), (fetch_site or '').strip(' \t')
    if fetch_site == 'same-origin' or (origin in ('', own) and fetch_site != 'cross-site'):
        return None
    return origin or 'null'
