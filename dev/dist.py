"""`make dist`: builds the committed addon as a zip file for an addons path and as a wheel for pip."""

import ast
import contextlib
import io
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path

from .workbench.cache import CHECKOUT, CommandError, run_command, show
from .workbench.environment import enter

DIST = CHECKOUT / 'dist'
MODULE = 'orestapi'


def read_version():
    """Return the version of the manifest.

    :raises CommandError: when the latest entry of the changelog has another version
    """
    version = ast.literal_eval((CHECKOUT / '__manifest__.py').read_text())['version']
    newest = re.search(r'(?m)^## (\S+)', (CHECKOUT / 'CHANGELOG.md').read_text())
    if not newest or newest[1] != version:
        raise CommandError(
            f"The manifest has version {version} and CHANGELOG.md begins with "
            f"{newest[1] if newest else 'none'}; write an entry for {version}, or correct the manifest."
        )
    return version


def _git(*arguments, **environment):
    done = subprocess.run(
        ['git', *arguments], cwd=CHECKOUT, capture_output=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        raise CommandError(
            f"git could not export the checkout ({done.stderr.decode().strip()}); "
            "`make dist` needs a clone, not an unpacked archive."
        )
    return done.stdout


@contextlib.contextmanager
def exported(committed=True):
    """Yield a folder named as the module, with the files that .gitattributes does not leave out.

    whool names the wheel after this folder, and the checkout may have any name.

    :param bool committed: whether to export the last commit or the current files
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = 'HEAD'
        if not committed:
            # A separate index, so that the developer's own index is not changed.
            index = str(Path(scratch, 'index'))
            _git('add', '--all', GIT_INDEX_FILE=index)
            tree = _git('write-tree', GIT_INDEX_FILE=index).decode().strip()
        archive = _git('archive', '--format=tar', f'--prefix={MODULE}/', tree)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(scratch, filter='data')
        yield Path(scratch, MODULE)


def build(destination, committed=True):
    """Make zip and wheel in a folder, and return their paths.

    :param Path destination: the folder, which exists
    :param bool committed: see `exported`
    """
    version = read_version()
    packed = destination / f'{MODULE}-{version}.zip'
    with exported(committed) as folder:
        with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob('*')):
                if path.is_file() and path.name != 'pyproject.toml':
                    archive.write(path, path.relative_to(folder.parent))
        # Uses the pinned whool of the virtual environment, so that nothing is downloaded.
        command = [
            sys.executable, '-m', 'pip', 'wheel', '--quiet',
            '--no-deps', '--no-build-isolation', '--disable-pip-version-check',
            '--wheel-dir', destination,
            folder,
        ]  # fmt: skip
        made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    wheel = destination / f'odoo_addon_{MODULE}-{version}-py3-none-any.whl'
    if made.returncode or not wheel.exists():
        sys.stderr.write(made.stdout)
        raise CommandError("The wheel could not be built (see pip's output above).")
    return packed, wheel


def install(wheel, folder):
    """Install a wheel in a new environment that has the packages of this one, and return its Python.

    :param Path wheel: the path from ``build``
    :param Path folder: the folder for the environment
    """
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', folder], check=True)
    python = folder / 'bin' / 'python'
    # Shares the sixty packages that Odoo needs.
    packages = Path(sysconfig.get_path('purelib'))
    (folder / packages.relative_to(sys.prefix) / 'shared.pth').write_text(f'{packages}\n')
    # --no-deps, because Odoo itself is unpacked, not installed.
    command = [
        sys.executable, '-m', 'pip', '--python', python, 'install', '--quiet',
        '--no-deps', '--no-index', '--disable-pip-version-check',
        wheel,
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return python


def main():
    if '--check' in sys.argv:
        read_version()
        return 0
    enter('dev.dist', 'test')
    DIST.mkdir(exist_ok=True)
    for path in build(DIST):
        show(f'{path.relative_to(CHECKOUT)}: {path.stat().st_size // 1000} kB')
    return 0


if __name__ == '__main__':
    run_command(main)
