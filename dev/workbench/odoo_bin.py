"""Odoo's command line, for any layout of Odoo. Odoo starts this file again for its evented server."""

import os
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

if styles := os.environ.get('ORESTAPI_STYLES'):  # set by `Workbench`
    import hashlib
    import re
    import tempfile
    from pathlib import Path

    import odoo.release
    from odoo.addons.base.models.assetsbundle import AssetsBundle, ScssStylesheetAsset

    compile_styles = ScssStylesheetAsset.compile

    def compile_once(self, source):
        # The addon adds styles to those of the web client, so each new database would compile all of them again, which
        # takes longer than many tests. What they import comes with Odoo.
        names = AssetsBundle.rx_css_split.findall(source)  # random names of the files
        for number, name in enumerate(names):
            source = source.replace(name, f'{number:036x}')
        state = f'{odoo.release.version} {list(odoo.__path__)} {source}'
        file = Path(styles, hashlib.sha256(state.encode()).hexdigest())
        if not file.exists():
            with tempfile.NamedTemporaryFile('w', dir=styles, delete=False) as unfinished:
                unfinished.write(compile_styles(self, source))
            Path(unfinished.name).rename(file)
        return re.sub('[0-9a-f]{36}', lambda match: names[int(match[0], 16)], file.read_text())

    ScssStylesheetAsset.compile = compile_once

if '--lean' in sys.argv:  # an option of this file too, see `Workbench.serve`
    sys.argv.remove('--lean')
    import logging
    import subprocess

    from odoo.addons.base.models import res_users
    from odoo.service.server import PreforkServer, Worker

    def spawn_sleeper(self):
        # Without a process, the master would try to start one, and query the database, every four seconds.
        self.long_polling_pid = subprocess.Popen(['sleep', 'infinity']).pid

    run_worker = Worker.run

    def run_and_leave(self):
        run_worker(self)
        leave()

    def leave():
        # Python takes a second to free what a process has loaded, which the end of the process does at once.
        logging.shutdown()
        os._exit(0)

    PreforkServer.long_polling_spawn = spawn_sleeper
    Worker.run = run_and_leave
    res_users.MIN_ROUNDS = 1
    try:
        odoo.cli.main()
    except SystemExit as stop:
        if stop.code:
            raise
    leave()

odoo.cli.main()
