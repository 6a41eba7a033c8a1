"""Odoo's command line, for each layout of Odoo alike. Odoo starts this file again for its evented server."""

import sys

# The folder of this file: its modules must not stand before those of the standard library (`test`).
del sys.path[0]

import odoo.cli  # noqa: E402

if '--without-assets' in sys.argv:  # an option of this file, not of Odoo
    sys.argv.remove('--without-assets')
    from odoo.addons.base.models.ir_qweb import IrQweb

    # Before the first HTTP test Odoo makes every file of the web client, for longer than a few tests take.
    IrQweb._pregenerate_assets_bundles = lambda self: []

odoo.cli.main()
