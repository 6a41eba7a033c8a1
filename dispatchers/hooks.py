"""Hooks of this addon in requests that are not of this addon.

Each finds out whether a request concerns it, and does nothing where that fails: a fault
in this addon must not break a page of Odoo. docs/threat-model.md lists the
hooks, and those that refuse instead, because they protect something.
"""

import logging

import psycopg2
from werkzeug.exceptions import HTTPException

_logger = logging.getLogger(__name__)


def attempt(function, *args, default=None):
    """Return what a function finds out about a request, or a default where it fails.

    :param function: what finds it out
    :param args: its arguments
    :param default: what stands for "this is none of our business"
    """
    try:
        return function(*args)
    except (HTTPException, psycopg2.Error):
        # An answer that is meant, or a transaction that Odoo must run again.
        raise
    except Exception:
        _logger.exception("A hook of orestapi failed, and the request goes on without it.")
        return default
