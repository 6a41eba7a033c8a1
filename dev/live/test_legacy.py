"""The older wiki connector from login to a record, with Chromium doing the clicking, and its traces in the log."""

import re

import pytest
import requests

from dev.workbench.odoo_server import LOGIN, PASSWORD

pytestmark = pytest.mark.same

LOOPBACK = 'http://127.0.0.1/callback'


def play(live, page, application):
    """Run the script, and let the user allow it if asked; return its exit code, its output, and the code."""
    script = live.start_example('wiki_connector.py', application)
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
        assert output == "Not allowed: invalid_request: This application must use PKCE: code_challenge is missing.\n"
        assert code is None
    log = live.server.log.read_text()
    assert '/orestapi/oauth2/authorization?… ' in log
    assert ('/orestapi/oauth2/access_token?… ' in log) or not is_legacy
    for secret in filter(None, (application.client_secret, code, 'orestapi_rt_', 'orestapi_ac_')):
        assert secret not in log


def test_addresses_that_nothing_serves(live):
    """Even if no handler runs, each application gets an error in its own format, which no cache may keep."""
    token = live.sign_in(live.log_in(), live.register())['access_token']
    for method, path, status, media_type in (
        ('GET', '/oauth2/nothing', 404, 'application/json'),
        ('GET', '/oauth2/token', 405, 'application/json'),
        ('GET', '/orestapi/1/nothing', 404, 'application/problem+json'),
        ('DELETE', '/orestapi/1/models', 405, 'application/problem+json'),
        ('POST', '/orestapi/record/write', 404, 'application/json'),
        ('PUT', '/orestapi/record/read', 405, 'application/json'),
    ):
        answer = requests.request(method, live.url + path, headers={'Authorization': f'Bearer {token}'}, timeout=10)
        assert answer.status_code == status, path
        assert answer.headers['Content-Type'] == media_type, path
        assert answer.headers['Cache-Control'].startswith('no-store'), path
        assert 'Set-Cookie' not in answer.headers, path
        assert 'traceback' not in answer.text.lower(), path
        assert answer.json()['error']
        assert ('Allow' in answer.headers) == (status == 405)
        assert ('orestapi_code' in answer.json()) == path.startswith('/orestapi/record')


def test_several_databases(bench, installed):
    """If the request does not name a database, Odoo itself reports an error; if it does, the addon answers."""
    with (
        bench.copy(installed, 'first') as first,
        bench.copy(installed, 'second') as second,
        bench.serve(f'{first},{second}', '--max-cron-threads', '0') as server,
    ):
        for path in ('/oauth2/token', '/oauth2/nothing', '/orestapi/1/models', '/orestapi/version'):
            answer = requests.get(server.url + path, timeout=30)
            assert answer.status_code == 404, path
            assert "No database is selected" in answer.text
        for database in (first, second):
            headers = {'X-Odoo-Database': database}
            answer = requests.get(f'{server.url}/orestapi/version', headers=headers, timeout=30)
            assert answer.json()['orestapi_version']
            answer = requests.get(f'{server.url}/oauth2/token', headers=headers, timeout=30)
            assert (answer.status_code, answer.json()['error']) == (405, 'invalid_request')
            answer = requests.get(f'{server.url}/orestapi/1/nothing', headers=headers, timeout=30)
            assert (answer.status_code, answer.json()['error']) == (404, 'not_found')
        log = server.log.read_text()
    assert 'Traceback' not in log
