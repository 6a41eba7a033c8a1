"""Web origins that may call an endpoint from a page in the browser (CORS).

RFC 9700 §2.6: at the endpoints that applications call, never at the
authorization endpoint, which only browsers visit.
"""

import re

#: `scheme://host[:port]` as browsers send it (RFC 6454 §6.2): lower case, no path.
ORIGIN = re.compile(r'https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?', re.ASCII)


def parse(text):
    """Return the origins of a setting with one origin a line.

    :param text: the setting, or a false value
    """
    return tuple((text or '').split())


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
