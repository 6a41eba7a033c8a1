"""503 with `Retry-After` while the database cannot be reached.

Odoo opens the database before it looks for a route. Without a database, only the routes
of its server-wide modules exist, so each endpoint of this addon would answer "404: No
database is selected", which an application takes as permanent. At that point there is no
model to inherit from, and no dispatcher has been chosen. Two methods of Odoo's request
are therefore replaced here for the whole process. Other paths behave as before.
"""

import functools
import logging

import psycopg2
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from odoo import http

from ..oauth2.errors import TemporarilyUnavailable
from .application import is_outage
from .headers import PAGE
from .hooks import attempt
from .paths import PAGES, find_dispatcher

_logger = logging.getLogger(__name__)


def _get_response(request):
    """Return the response of one of this addon's endpoints, or None for any other path."""
    path = request.httprequest.path.rstrip('/')
    if path in PAGES:
        # A person sees this one; the addon's own pages are in the database.
        page = ServiceUnavailable(retry_after=TemporarilyUnavailable.retry_after)
        return http.Response(page.get_body(), status=page.code, headers={**dict(page.get_headers()), **PAGE})
    dispatcher = find_dispatcher(request.httprequest.path)
    return dispatcher and dispatcher(request).handle_error(psycopg2.OperationalError())


def _find_response(request, error, cause):
    # A response that is already attached is more specific: keep it.
    if not is_outage(cause) or isinstance(getattr(error, 'error_response', None), http.Response):
        return None
    return _get_response(request)


def _answer_outage(method):
    @functools.wraps(method)
    def wrapper(self):
        try:
            return method(self)
        except (http.RegistryError, psycopg2.Error) as error:
            cause = error.__cause__ if isinstance(error, http.RegistryError) else error
            response = attempt(_find_response, self, error, cause)
            if not response:
                raise
            _logger.warning("The database cannot be used: %s", cause)
            # An exception without a code makes Odoo send the response unchanged.
            raise HTTPException(response=response) from error

    return wrapper


def install():
    """Wrap the two methods, once for the process (the manifest's `post_load`)."""
    for name in ('_get_session_and_dbname', '_serve_db'):
        setattr(http.Request, name, _answer_outage(getattr(http.Request, name)))
