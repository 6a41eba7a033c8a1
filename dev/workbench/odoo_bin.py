"""Odoo's command line, for any layout of Odoo. Odoo starts this file again for its evented server."""

import sys

# Removes the folder of this file, whose modules would hide those of the standard library (`test`).
del sys.path[0]

import odoo.cli  # noqa: E402

if '--without-assets' in sys.argv:  # an option of this file, not of Odoo
    sys.argv.remove('--without-assets')
    from odoo.addons.base.models.ir_qweb import IrQweb

    # Before the first HTTP test, Odoo generates all assets of the web client, which takes longer than a few tests.
    IrQweb._pregenerate_assets_bundles = lambda self: []

if '--few-assets' in sys.argv:  # an option of this file too
    sys.argv.remove('--few-assets')
    from odoo.addons.base.models.ir_qweb import IrQweb

    # Before the first HTTP test, Odoo generates all assets. No test opens these, which take most of the time.
    find_bundles = IrQweb._get_bundles_to_pregenarate
    NOT_OPENED = {'web.assets_unit_tests_setup', 'web.tests_assets', 'web.assets_web_dark'}
    IrQweb._get_bundles_to_pregenarate = lambda self: tuple(names - NOT_OPENED for names in find_bundles(self))

if '--lean' in sys.argv:  # an option of this file too, see `Workbench.serve`
    sys.argv.remove('--lean')
    import subprocess

    from odoo.addons.base.models import res_users
    from odoo.service.server import PreforkServer

    def spawn_sleeper(self):
        # Without a process, the master would try to start one, and query the database, every four seconds.
        self.long_polling_pid = subprocess.Popen(['sleep', 'infinity']).pid

    PreforkServer.long_polling_spawn = spawn_sleeper
    res_users.MIN_ROUNDS = 1

odoo.cli.main()
