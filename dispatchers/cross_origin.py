"""What web pages of other origins may send and read (CORS, Fetch standard §3.2), never with cookies.

An origin is allowed if an administrator listed it for an application. Requests of its
pages carry no cookie of this server, so such a page can do exactly what any program with
the same token can do.
"""

import re

import psycopg2

from odoo import SUPERUSER_ID, api, http

#: Response headers that a page could not read otherwise.
EXPOSED_HEADERS = ('Allow', 'ETag', 'Retry-After', 'WWW-Authenticate')
#: Request headers that pages send: their own, and those added by libraries for tracing,
#: languages and idempotency.
REQUEST_HEADERS = (
    'Accept-Language', 'Authorization', 'baggage', 'Cache-Control', 'Content-Type', 'DPoP', 'Idempotency-Key',
    'If-Match', 'If-Modified-Since', 'If-None-Match', 'Last-Event-ID', 'MCP-Protocol-Version', 'Mcp-Session-Id',
    'Pragma', 'Prefer', 'sentry-trace', 'traceparent', 'tracestate', 'X-Odoo-Database', 'X-Request-ID',
    'X-Requested-With',
)  # fmt: skip
#: The allowed origin while the database, which has the list, cannot be reached. The
#: response is then the same for everybody, and without this header a page could not tell
#: an outage from a failed connection.
UNKNOWN = '*'
#: The `allow_origin` of a route whose response is the same for everybody.
ANY = '*'
#: `#field-name` of RFC 9110 §5.1 as browsers write it, no longer than an honest list.
FIELD_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?: *, *[A-Za-z0-9!#$%&'*+.^_`|~-]+){0,49}", re.ASCII)
#: Seconds for which a browser may cache the response to a preflight request.
MAX_AGE = 600


def get_origin(request):
    """Return the origin of the page that sent a request, or an empty text."""
    # RFC 9110 §5.5: white space around a field value is not part of it.
    return request.httprequest.headers.get('Origin', '').strip(' \t')


def is_preflight(request):
    """Return whether the request is a preflight request of a browser (Fetch standard §3.2.2)."""
    headers = request.httprequest.headers
    return request.httprequest.method == 'OPTIONS' and 'Access-Control-Request-Method' in headers


def allow(request, response, allowed_origins):
    """Let the page that sent a request read the response, if its origin is listed.

    :param response: the response
    :param allowed_origins: the origins of the requesting application; `ANY` for a response
        that is the same for everybody; None while the application is not known: then the
        origins of all active applications are allowed
    :return: whether the page may
    """
    if allowed_origins == ANY:
        found = ANY
    elif origin := get_origin(request):
        response.headers.add('Vary', 'Origin')
        # A preflight request names no application, and an error may occur before the
        # application is known.
        found = _find(request, origin) if allowed_origins is None else origin in allowed_origins and origin
    else:
        found = None
    if found:
        response.headers['Access-Control-Allow-Origin'] = found
        response.headers['Access-Control-Expose-Headers'] = ', '.join(EXPOSED_HEADERS)
    return bool(found)


def _find(request, origin):
    """Return the origin if an active application lists it, otherwise None."""
    if not request.registry:
        return UNKNOWN
    try:
        # With a cursor of its own, because that of the request may be unusable after an error.
        with request.registry.cursor() as cr:
            applications = api.Environment(cr, SUPERUSER_ID, {})['orestapi.application']
            return origin if applications._is_allowed_origin(origin) else None
    except psycopg2.Error:
        return UNKNOWN


def make_preflight_response(request, methods, allowed_origins=None):
    """Return the response to `OPTIONS`, which tells pages of allowed origins what they may send.

    :param methods: the methods that the endpoint supports
    :param allowed_origins: see `allow`
    """
    response = make_empty_response(204, {'Allow': ', '.join(sorted({*methods, 'OPTIONS'}))})
    if allow(request, response, allowed_origins):
        response.headers['Access-Control-Allow-Methods'] = ', '.join(sorted(methods))
        response.headers['Access-Control-Allow-Headers'] = ', '.join(_get_request_headers(request))
        response.headers['Access-Control-Max-Age'] = str(MAX_AGE)
    return response


def _get_request_headers(request):
    # A listed page may send any other header too: a header gives no right, and any other
    # program can send it.
    requested = request.httprequest.headers.get('Access-Control-Request-Headers', '').strip(' \t')
    names = {name.lower(): name for name in REQUEST_HEADERS}
    if FIELD_NAMES.fullmatch(requested):
        for name in requested.split(','):
            names.setdefault(name.strip().lower(), name.strip())
    return names.values()


def make_empty_response(status, headers):
    """Return a response without content, and therefore without a content type (RFC 9110 §8.3).

    :param int status: the HTTP status
    :param dict headers: its header fields
    """
    response = http.Response(status=status, headers=headers)
    response.headers.remove('Content-Type')
    return response
