"""Programs that come as Debian packages, for the tests that need them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .cache import CommandError, show


def need(programs, packages, purpose):
    """Install Debian packages where none of some programs is there.

    :param programs: names of programs, or paths of files; one of them is enough
    :param packages: what has them
    :param str purpose: what needs them, for people to read
    :return: the first of them that is there
    :raises CommandError: when they are not there and cannot be installed
    """
    if found := _find(programs):
        return found
    names, output = ' '.join(packages), ''
    if os.geteuid() == 0 and shutil.which('apt-get'):
        show(f'Installing {names} for {purpose} …')
        # RUNLEVEL: no service of theirs is started (invoke-rc.d obeys it). A test starts its own.
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
