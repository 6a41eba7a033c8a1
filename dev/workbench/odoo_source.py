"""Finds the Odoo 19.0 to run: the one at ODOO_PATH, otherwise Debian's package in the cache."""

import functools
import gzip
import os
import re
import subprocess
from pathlib import Path

from .cache import CommandError, show
from .debian_odoo import unpacked_odoo

#: The Odoo with which all tests passed last, as `describe` names it. Debian's package is updated over time.
TESTED = 'Debian 19.0.0+dfsg-1'


def _is_odoo(folder):
    release = folder / 'odoo' / 'release.py'
    if not release.is_file():
        return False
    version = re.search(r'(?m)^version_info = \((\d+), (\d+)', release.read_text())
    if not version or version.groups() != ('19', '0'):
        raise CommandError(f"The Odoo in {folder} is not 19.0; set ODOO_PATH to one that is.")
    return True


def _find():
    named = os.environ.get('ODOO_PATH')
    if not named:
        return unpacked_odoo()
    path = Path(named).expanduser().absolute()
    candidates = [path, path.parent, path / 'usr/lib/python3/dist-packages', *path.glob('lib/python3*/site-packages')]
    for folder in candidates:
        if _is_odoo(folder):
            return folder
    raise CommandError(
        f"ODOO_PATH is {path}, which has no Odoo in it; set it to a source checkout or an installation of Odoo 19.0."
    )


def describe(folder):
    """Return the version of the Odoo in a folder: Debian's version, the last commit of a checkout, or the release."""
    changelog = folder / '../../../share/doc/odoo-19/changelog.Debian.gz'
    if changelog.is_file():
        with gzip.open(changelog, 'rt') as lines:
            return 'Debian ' + lines.readline().split()[1].strip('()')
    if (folder / '.git').exists():
        command = ['git', '-C', folder, 'log', '-1', '--format=commit %h of %cs']
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not done.returncode:
            return done.stdout.strip()
    # Nightly builds have their date in the last element.
    info = re.search(r"(?m)^version_info = \((.*)\)", (folder / 'odoo' / 'release.py').read_text())
    return '19.0' + re.findall(r"'([^']*)'", info[1])[-1]


@functools.cache
def odoo_folder():
    """Return the folder that contains the package ``odoo`` (version 19.0), and print a note if it was not tested."""
    folder = _find()
    if (found := describe(folder)) != TESTED:
        show(
            f'Note: this is Odoo {found}, in {folder}; the tests passed last with {TESTED}. '
            'If something fails, try that one too (ODOO_PATH).'
        )
    return folder


def addons_folders(folder):
    """Return the addons folders that belong to the Odoo in ``folder``, without the one that Odoo adds itself."""
    beside = folder / 'addons'  # the layout of a source checkout; an installation has all of them in odoo/addons
    return [] if (folder / 'odoo' / 'addons' / 'web').is_dir() else [beside]
