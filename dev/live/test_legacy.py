"""The older wiki connector from login to a record, with Chromium doing the clicking, and what the log says of it."""

import re
import subprocess
import sys

import pytest

from dev.cache import CHECKOUT
from dev.odoo_server import LOGIN, PASSWORD

LOOPBACK = 'http://127.0.0.1/callback'


def play(live, page, application):
    """Run the script, and let the user allow it if asked; return its exit code, what it said, and the code."""
    script = subprocess.Popen(
        [sys.executable, CHECKOUT / 'examples' / 'wiki_connector.py', '--url', live.url,
         '--client-id', application.client_id, '--client-secret', application.client_secret],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={'PATH': '/usr/bin:/bin'})
    with script:
        try:
            assert script.stdout.readline().startswith("Live at ")
            line = script.stdout.readline()
            uri = re.fullmatch(r'Allow it in the browser: (\S+)\n', line)
            assert uri, line + script.stdout.read()
            with page.expect_request(lambda request: '/callback?' in request.url) as sent:
                page.goto(uri[1])
                page.fill('input[name=login]', LOGIN)
                page.fill('input[name=password]', PASSWORD)
                page.press('input[name=password]', 'Enter')
                if application.is_legacy:
                    page.click('button[value=allow]')
            output, _errors = script.communicate(timeout=60)
        finally:
            script.kill()
    code = re.search('code=([^&]+)', sent.value.url)
    return script.returncode, output, code and code[1]


@pytest.mark.parametrize('is_legacy', [True, False])
def test_wiki_connector(live, browser_page, is_legacy):
    application = live.register(LOOPBACK, legacy_connector=is_legacy)
    application.is_legacy = is_legacy
    returncode, output, code = play(live, browser_page, application)
    if is_legacy:
        assert returncode == 0, output
        assert output.count("  Email: ") == 2, output
    else:
        assert returncode == 1, output
        assert output == "Not allowed: invalid_request\n"
        assert code is None
    log = live.server.log.read_text()
    assert '/orestapi/oauth2/authorization?… ' in log
    assert ('/orestapi/oauth2/access_token?… ' in log) or not is_legacy
    for secret in filter(None, (application.client_secret, code, 'orestapi_rt_', 'orestapi_ac_')):
        assert secret not in log
