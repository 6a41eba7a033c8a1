"""Read the access token of a request: once, from the header (RFC 6750 §2.1)."""

import re

from .errors import InvalidRequest, Unauthorized

#: The scheme, spaces, and one token.
BEARER = re.compile(r'bearer +([A-Za-z0-9._~+/-]+=*)', re.ASCII | re.IGNORECASE)
#: Accepts any white space as a separator, as servers do.
SCHEME = re.compile(r'\s*bearer(\s|,|$)', re.IGNORECASE)


def get_token(header, parameters=()):
    """Return the access token of a request to a protected resource.

    :param header: the header `Authorization`, or None
    :param parameters: the names of the parameters in the query and the body, where
        RFC 9700 §4.3.2 forbids a token
    :raise Unauthorized: when the request has no token in the header
    :raise InvalidRequest: for a malformed header, or a token in two places
    """
    # RFC 9110 §5.5: white space around a field value is not part of it.
    header = (header or '').strip(' \t')
    if not SCHEME.match(header):
        raise Unauthorized("An access token is needed, in the header.")
    match = BEARER.fullmatch(header)
    if not match or 'access_token' in parameters:
        raise InvalidRequest("The access token must be sent once, in the header.")
    return match[1]
