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
