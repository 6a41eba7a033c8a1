"""The pytest command for tests outside Odoo, used by several commands."""

import os

from .cache import CHECKOUT


def plain_packages():
    """Return the names of the packages without Odoo: those with a folder of tests of the same name."""
    folders = (path.name for path in (CHECKOUT / 'tests').iterdir() if (path / 'conftest.py').is_file())
    return sorted(name for name in folders if (CHECKOUT / name / '__init__.py').is_file())


def pytest_options(folder, configuration=CHECKOUT / 'pyproject.toml'):
    """Return the options for the tests in ``folder``.

    :param Path folder: the root for pytest, because the folders above it are packages that import Odoo
    :param Path configuration: the file with pytest's settings
    """
    return [
        '-q',
        '--rootdir', str(folder),
        '--confcutdir', str(folder),
        '-c', str(configuration),
        '-p', 'no:cacheprovider',
        '--import-mode', 'importlib',
    ]  # fmt: skip


def pytest_environment():
    """Return the environment in which the tests find the packages of the checkout and write nothing into it."""
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get('PYTHONPATH')]))
    return {**os.environ, 'PYTHONPATH': path, 'PYTHONDONTWRITEBYTECODE': '1'}
