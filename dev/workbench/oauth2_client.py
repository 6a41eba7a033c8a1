"""The OAuth 2.0 client of the live tests and of the benchmark: this module is tests/oauth2_client.py."""

import importlib.util
import sys

from .cache import CHECKOUT

# Loaded as a file, because the package `tests` imports Odoo.
_spec = importlib.util.spec_from_file_location(__name__, CHECKOUT / 'tests' / 'oauth2_client.py')
sys.modules[__name__] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[__name__])
