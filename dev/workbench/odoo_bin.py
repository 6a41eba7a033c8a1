"""Odoo's command line, for each layout of Odoo alike. Odoo starts this file again for its evented server."""

import sys

# The folder of this file: its modules must not stand before those of the standard library (`test`).
del sys.path[0]

import odoo.cli  # noqa: E402

odoo.cli.main()
