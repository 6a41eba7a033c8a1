"""Servers of other projects that live tests start: Apache, and waiting for any of them."""

import contextlib
import subprocess
import time
from pathlib import Path

import pytest
import requests

MODULES = Path('/usr/lib/apache2/modules')

#: What Debian's configuration has; a test adds its own modules and settings.
APACHE = """
ServerName localhost
ServerRoot {folder}
PidFile {folder}/apache.pid
Listen 127.0.0.1:{port}
ErrorLog {folder}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
User www-data
Group www-data
DocumentRoot {folder}/pages
{settings}
"""


def wait_for(check, process, log):
    """Wait until a server is ready, and fail with its log if it ends or takes too long.

    :param check: returns whether it is ready
    """
    for _attempt in range(100):
        if check():
            return
        assert process.poll() is None, log.read_text() if log.exists() else process.returncode
        time.sleep(0.1)
    pytest.fail(log.read_text() if log.exists() else "It did not start.")


def answers(address):
    """Return the status of the answer at an address, or None when nothing listens there."""
    try:
        return requests.get(address, timeout=5).status_code
    except requests.ConnectionError:
        return None


@contextlib.contextmanager
def serve_apache(folder, port, settings, page):
    """Run Apache with the files in ``pages`` of a folder, and yield the path of its log.

    :param str settings: lines for its configuration, with ``{modules}`` for the folder of its modules
    :param str page: the URL of a page that answers once it is ready
    """
    configuration, log = folder / 'apache.conf', folder / 'error.log'
    settings = settings.replace('{modules}', str(MODULES))
    configuration.write_text(APACHE.format(folder=folder, port=port, modules=MODULES, settings=settings))
    process = subprocess.Popen(['/usr/sbin/apache2', '-DFOREGROUND', '-f', configuration], stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(page), process, log)
        yield log
    finally:
        process.terminate()
        process.wait(timeout=30)
