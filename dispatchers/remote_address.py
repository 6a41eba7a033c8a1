"""Where a request came from, also while Odoo hides it.

Odoo hides the request while it serves XML-RPC and JSON-RPC, so that models behave as
without one. An event must still tell from where an application was changed, so the
method that hides the request is wrapped here to keep it, for the whole process.
"""

import contextlib
import contextvars

from odoo import http

_borrowed = contextvars.ContextVar('orestapi_borrowed_request', default=None)


def _keep_request(borrow_request):
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
    """Wrap the method that hides the request, once for the process (the manifest's `post_load`)."""
    http.borrow_request = _keep_request(http.borrow_request)


def get_remote_address():
    """Return the client's IP address, or None outside a request."""
    request = http.request or _borrowed.get()
    return request.httprequest.remote_addr if request else None
