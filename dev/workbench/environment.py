"""The virtual environment, which the system's Python creates and then starts."""

import os
import platform
import re
import subprocess
import sys

from .cache import (
    CHECKOUT,
    CommandError,
    Progress,
    cache_directory,
    child,
    digest,
    finish,
    finished,
    locked,
    start_over,
)

OLDEST, NEWEST = (3, 10), (3, 13)  # the versions that Odoo 19.0 supports
#: Pins with hashes, which `make pins` writes from the `.in` files beside them.
REQUIREMENTS = {purpose: CHECKOUT / 'dev' / 'requirements' / f'{purpose}.txt' for purpose in ('run', 'test')}


def _check_platform():
    if sys.platform != 'linux' or platform.machine() not in ('x86_64', 'aarch64'):
        raise CommandError(
            f"{platform.system()} on {platform.machine()} is not supported; "
            "use Debian or Ubuntu on x86_64 or aarch64, or the compose.yaml with Docker."
        )
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise CommandError(
            f"Python {platform.python_version()} is not supported by Odoo 19.0; "
            "name another with PYTHON=python3.13 (3.10 to 3.13), or use the compose.yaml with Docker."
        )


def install(python, requirements, *options):
    number = requirements.read_text().count('==')
    progress = Progress(f'Python packages of {requirements.name}')
    # --no-deps, because the file pins every package, for reproducible versions.
    command = [
        python, '-m', 'pip', 'install',
        '--no-deps', '--require-hashes', '--no-input',
        '--progress-bar', 'off',
        *options,
        '-r', requirements,
    ]  # fmt: skip
    with child(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        lines = []
        for line in pip.stdout:
            lines.append(line)
            if match := re.match(r'Collecting ([^=<>~ ;]+)', line):
                seen = sum(1 for each in lines if each.startswith('Collecting'))
                progress.show(seen, number + 1, match[1])
    if pip.returncode:
        sys.stderr.write(''.join(lines[-15:]))
        raise CommandError(
            "pip could not install the pinned packages (see the end of its output above); "
            "check that the package index can be reached with pip and start again."
        )
    progress.finish()


def _prepare(directory, purpose):
    python = directory / 'bin' / 'python'
    if not finished(directory, 'run'):
        start_over(directory)
        progress = Progress('Virtual environment')
        made = subprocess.run([sys.executable, '-m', 'venv', directory], capture_output=True, text=True, check=False)
        if made.returncode:
            raise CommandError(
                "Python's venv module is missing or broken; on Debian and Ubuntu install it with "
                f"'apt-get install python3-venv' and start again. ({made.stdout.strip()[:150]})"
            )
        progress.finish()
        install(python, REQUIREMENTS['run'])
        finish(directory, 'run')
    if purpose == 'test' and not finished(directory, 'test'):
        install(python, REQUIREMENTS['test'])
        finish(directory, 'test', after=['run'])


def prepare_beside(purpose):
    """Return the Python of an environment that only needs the packages of one file, and create it if necessary.

    :param str purpose: the name of the file in dev/requirements, without its ending
    """
    requirements = CHECKOUT / 'dev' / 'requirements' / f'{purpose}.txt'
    name = f'venv-{purpose}-{platform.python_version()}'
    directory = cache_directory() / f'{name}-{digest(requirements.read_text())[:6]}'
    python = directory / 'bin' / 'python'
    with locked(name):
        if not finished(directory):
            start_over(directory)
            subprocess.run([sys.executable, '-m', 'venv', directory], check=True)
            install(python, requirements)
            finish(directory)
    return python


def prepare_folder(purpose):
    """Return a folder with the packages of one file, to be put on the path of Odoo, and create it if necessary.

    :param str purpose: the name of the file in dev/requirements, without its ending
    """
    requirements = CHECKOUT / 'dev' / 'requirements' / f'{purpose}.txt'
    directory = cache_directory() / f'{purpose}-{digest(requirements.read_text())}'
    with locked(purpose):
        if not finished(directory):
            start_over(directory)
            install(sys.executable, requirements, '--target', directory)
            finish(directory)
    return directory


def enter(module, purpose='run'):
    """Run the module again in the virtual environment; returns only there.

    :param str module: the module to run, for instance ``'dev.run'``
    :param str purpose: ``'run'``, or ``'test'`` for the tools of the tests as well
    """
    os.umask(0o022)  # run by root, PostgreSQL uses another user, which must read the unpacked files
    if os.environ.get('ORESTAPI_ENTERED') == sys.prefix:
        return
    _check_platform()
    contents = [path.read_text() for path in REQUIREMENTS.values()]
    base = os.path.realpath(sys._base_executable)
    directory = cache_directory() / f'venv-{platform.python_version()}-{digest(base, *contents)[:6]}'
    with locked('packages'):
        if not finished(directory, purpose):
            _prepare(directory, purpose)
    os.environ['ORESTAPI_ENTERED'] = str(directory)
    python = str(directory / 'bin' / 'python')
    os.execv(python, [python, '-m', module, *sys.argv[1:]])
