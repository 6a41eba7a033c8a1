"""Which Odoo 19.0 runs: the one that ODOO_PATH names, else Debian's package in the cache."""

import os
import re
from pathlib import Path

from .cache import Problem
from .debian_odoo import unpacked_odoo


def _is_odoo(folder):
    release = folder / 'odoo' / 'release.py'
    if not release.is_file():
        return False
    version = re.search(r'(?m)^version_info = \((\d+), (\d+)', release.read_text())
    if not version or version.groups() != ('19', '0'):
        raise Problem(f"The Odoo in {folder} is not 19.0; set ODOO_PATH to one that is.")
    return True


def odoo_folder():
    """Return the folder that has the package ``odoo`` (version 19.0) in it."""
    named = os.environ.get('ODOO_PATH')
    if not named:
        return unpacked_odoo()
    path = Path(named).expanduser().absolute()
    candidates = [path, path.parent, path / 'usr/lib/python3/dist-packages', *path.glob('lib/python3*/site-packages')]
    for folder in candidates:
        if _is_odoo(folder):
            return folder
    raise Problem(
        f"ODOO_PATH is {path}, but there is no Odoo in it; set it to a source checkout or an installation of Odoo 19.0."
    )


def addons_folders(folder):
    """Return the addons folders that belong to the Odoo in ``folder``, without the one that Odoo adds itself."""
    beside = folder / 'addons'  # the layout of a source checkout; an installation has all of them in odoo/addons
    return [] if (folder / 'odoo' / 'addons' / 'web').is_dir() else [beside]
