"""Programs from Debian packages, for the tests that need them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .cache import CommandError, show


def need(programs, packages, purpose):
    """Install Debian packages if none of some programs is installed.

    :param programs: names of programs, or paths of files; one of them is enough
    :param packages: the packages that contain them
    :param str purpose: what needs them, as a text for people
    :return: the first program that is installed
    :raises CommandError: when none is installed or can be installed
    """
    if found := _find(programs):
        return found
    names, output = ' '.join(packages), ''
    if os.geteuid() == 0 and shutil.which('apt-get'):
        show(f'Installing {names} for {purpose} …')
        # RUNLEVEL makes invoke-rc.d start no services. A test starts its own.
        environment = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive', 'RUNLEVEL': '1'}
        for arguments in (['update'], ['install', '-y', '--no-install-recommends', *packages]):
            done = subprocess.run(
                ['apt-get', '-q', *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                env=environment,
            )
            output = done.stdout[-800:] + done.stderr[-800:]
        if found := _find(programs):
            return found
    sys.stderr.write(output)
    raise CommandError(
        f"This is not installed, and is needed for {purpose}: {names}; "
        f"install it ('apt-get install {names}' as root) and start again."
    )


def _find(programs):
    for name in programs:
        if shutil.which(name) or (Path(name).is_absolute() and Path(name).exists()):
            return str(name)
    return None
