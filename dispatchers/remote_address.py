"""Where a request came from, also while Odoo hides it.

Odoo takes the request away while it serves XML-RPC and JSON-RPC, so that the models
behave as without one. An event must still tell from where an application was changed,
so that what takes the request away also remembers it, for the whole process.
"""

import contextlib
import contextvars

from odoo import http

_borrowed = contextvars.ContextVar('orestapi_borrowed_request', default=None)


def _remember(borrow_request):
    @contextlib.contextmanager
    def wrapper():
        with borrow_request() as request:
            token = _borrowed.set(request)
            try:
                yield request
            finally:
                _borrowed.reset(token)

    return wrapper


def install():
    """Wrap what takes the request away, once for the process (the manifest's `post_load`)."""
    http.borrow_request = _remember(http.borrow_request)


def get_remote_address():
    """Return the client's IP address, or None outside of a request."""
    request = http.request or _borrowed.get()
    return request.httprequest.remote_addr if request else None
