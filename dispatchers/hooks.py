"""Hooks of this addon in requests that do not belong to it.

Each hook finds out whether a request concerns it, and does nothing if that fails: a fault
in this addon must not break a page of Odoo. tests/test_hooks.py lists these hooks, and
the ones that refuse instead because they protect something.
"""

import logging

import psycopg2
from werkzeug.exceptions import HTTPException

_logger = logging.getLogger(__name__)


def attempt(function, *args, default=None):
    """Return the result of a function that inspects a request, or a default if it fails.

    :param function: the function
    :param args: its arguments
    :param default: the result that means "this request does not concern the addon"
    """
    try:
        return function(*args)
    except (HTTPException, psycopg2.Error):
        # An intended response, or a transaction that Odoo must retry.
        raise
    except Exception:
        _logger.exception("A hook of orestapi failed; the request goes on without it.")
        return default
