"""The flow beside the addons of Odoo that change how people log in and how pages look."""

import base64
import os
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest
import requests

from dev.live.conftest import CALLBACK, Live
from dev.workbench.oauth2_client import VERIFIER, get_authorization_path
from dev.workbench.odoo_log import read_log
from dev.workbench.odoo_server import LOGIN, PASSWORD, free_port

ADDONS = ('website', 'portal', 'auth_totp', 'auth_passkey', 'auth_timeout')

#: The tests of the whole flow.
TESTS = (
    'TestFlow', 'TestAuthorizeClient', 'TestAuthorizeResponse', 'TestConsent', 'TestUsers', 'TestAddresses',
    'TestHooks', 'TestTokenRequests',
)  # fmt: skip

STATE = 'a state with & = # % and ünïcode'


@pytest.fixture(scope='module')
def addons_database(bench):
    with bench.database('addons', install=False, addons=ADDONS) as database:
        yield database


@pytest.fixture(scope='module')
def addons_server(bench, addons_database):
    """A server with the addon beside the others. The last test of this file stops it."""
    with bench.serve(addons_database, '-i', 'orestapi', workers=2) as server:
        yield server


@pytest.mark.full
@pytest.mark.alone
def test_flow_tests_pass_beside_other_addons(bench, addons_database, tmp_path):
    log = tmp_path / 'odoo.log'
    with log.open('w') as output:
        process = bench.start(
            bench.odoo_command(
                addons_database,
                '-i',
                'orestapi',
                '--stop-after-init',
                '--workers',
                '0',
                '--max-cron-threads',
                '0',
                '--http-port',
                str(free_port()),
                '--test-tags',
                ','.join(f'/orestapi:{name}' for name in TESTS),
            ),
            output,
        )
        process.wait()
    findings = read_log(log.read_text())
    assert not findings.failed + findings.skipped, '\n'.join(findings.failed + findings.skipped)
    assert len(findings.tests) > len(TESTS)


@pytest.mark.same
def test_s13_slashes_behind_a_language(addons_server):
    """With a website, a path may begin with a language. No client is redirected to the host in the request."""
    for path in ('/en/oauth2//token', '/en//oauth2/token', '/oauth2//token', '/en/orestapi//1/models'):
        for method in ('POST', 'PUT', 'GET'):
            answer = requests.request(
                method, addons_server.url + path, headers={'Host': 'evil.example'}, allow_redirects=False, timeout=60
            )
            location = answer.headers.get('Location', '')
            assert 'evil.example' not in location, (method, path, location)
            # Whatever the status, the form is not forwarded to another URL.
            assert method != 'POST' or not (answer.is_redirect or location), (path, answer.status_code)


@pytest.mark.same
def test_user_with_two_factor_authentication(bench, addons_database, addons_server, browser_page):
    """The user comes back from the second factor with every parameter intact."""
    secret = base64.b32encode(os.urandom(20)).decode()
    live = Live(addons_server)
    application = live.register()
    # Stored as by the dialog of auth_totp after the user has scanned the picture.
    bench.postgres.execute(
        'UPDATE res_users SET totp_secret = %s WHERE login = %s RETURNING id',
        [secret, LOGIN],
        database=addons_database,
    )
    page = browser_page
    # The wiki does not exist: only the redirect matters.
    page.route('https://wiki.example.com/**', lambda route: route.fulfill(body="The wiki"))
    page.goto(live.url + get_authorization_path(application.client_id, CALLBACK, scope='read rpc', state=STATE))
    page.fill('input[name=login]', LOGIN)
    page.fill('input[name=password]', PASSWORD)
    page.press('input[name=password]', 'Enter')
    page.fill('input[name=totp_token]', pyotp.TOTP(secret).now())
    page.press('input[name=totp_token]', 'Enter')
    with page.expect_request('https://wiki.example.com/**') as request:
        page.click('button[value=allow]')
    response = dict(parse_qsl(urlsplit(request.value.url).query))
    assert response['state'] == STATE
    assert request.value.url.startswith(CALLBACK + '?')
    answer = live.redeem(application, response['code'], VERIFIER)
    assert answer.status_code == 200, answer.text
    assert answer.json()['scope'] == 'read rpc'


@pytest.mark.same
def test_a10_portal_users_find_their_page(bench, addons_database, addons_server, browser_page):
    """*Connection & Security* of the portal leads to the connected applications, whichever addon came first."""
    page = browser_page
    page.goto(f'{addons_server.url}/web/login?redirect=/my/security')
    page.fill('input[name=login]', 'portal')  # of the demo data
    page.fill('input[name=password]', 'portal')
    page.press('input[name=password]', 'Enter')
    page.click('section[name=orestapi_connected_applications] a')
    page.wait_for_selector('main h1')
    assert urlsplit(page.url).path == '/oauth2/applications'
    page.click("a[href='/my/security']")
    page.wait_for_selector('section[name=orestapi_connected_applications]')
    addons_server.stop()
    query = "SELECT count(*) FROM ir_ui_view WHERE key = 'orestapi.portal_my_security'"
    # An update of both must neither remove nor duplicate the entry.
    bench.run_odoo('Updating', addons_database, '-u', 'orestapi,portal')
    assert bench.postgres.execute(query, database=addons_database) == [(1,)]
    # Without the entry, as if Portal were installed after this addon.
    bench.run_script(
        addons_database,
        """
        env.ref('orestapi.portal_my_security').unlink()
        env['ir.model.data']._extend_portal()
        assert env.ref('orestapi.portal_my_security').inherit_id == env.ref('portal.portal_my_security')
        # After the uninstall, the page must not need anything of this addon.
        env['ir.module.module'].search([('name', '=', 'orestapi')]).button_immediate_uninstall()
        """,
    )
    assert bench.postgres.execute(query, database=addons_database) == [(0,)]
