"""The flow beside the addons of Odoo that change how people log in and how pages look."""

import base64
import hashlib
import html
import json
import os
import re
import time
from urllib.parse import parse_qsl, urljoin, urlsplit

import jwt
import pyotp
import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from dev.live.conftest import CALLBACK, Live
from dev.workbench.oauth2_client import VERIFIER, get_authorization_path
from dev.workbench.odoo_log import read_log
from dev.workbench.odoo_server import LOGIN, PASSWORD, free_port

ADDONS = ('website', 'portal', 'auth_totp', 'auth_passkey', 'auth_timeout')

#: The tests of the whole flow.
TESTS = (
    'TestFlow', 'TestAuthorizeClient', 'TestAuthorizeResponse', 'TestConsent', 'TestUsers', 'TestAddresses',
    'TestHooks', 'TestTokenRequests', 'TestClaimFields', 'TestOpenIDUsers',
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


class Browser(requests.Session):
    """A browser without a screen, and the forms of pages in it."""

    def __init__(self, live):
        super().__init__()
        self.live = live
        # Odoo names the trusted device after it.
        self.headers['User-Agent'] = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'

    def read(self, answer):
        """Return the hidden fields of a page."""
        pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', answer.text)
        return {name: html.unescape(value) for name, value in pairs}

    def fill_in(self, path, **values):
        return self.post(self.live.url + path, {**self.read(self.get(self.live.url + path)), **values})

    def ask(self, application, **parameters):
        """Send an authentication request, and return the answer."""
        query = {'scope': 'openid', 'state': STATE, **parameters}
        path = get_authorization_path(application.client_id, CALLBACK, **query)
        return self.get(self.live.url + path, allow_redirects=False)

    def confirm(self, page, **values):
        """Answer the page that asks for a credential, and return where it leads."""
        action = html.unescape(re.search(r'action="([^"]*)"', page.text)[1])
        answer = self.post(self.live.url + action, {**self.read(page), **values}, allow_redirects=False)
        return self.get(urljoin(self.live.url, answer.headers['Location']), allow_redirects=False)

    def read_id_token(self, application, answer):
        """Return the claims of the ID token that a response of the authorization endpoint gives."""
        assert 'code=' in answer.headers.get('Location', ''), (answer.status_code, answer.headers, answer.text)
        code = dict(parse_qsl(urlsplit(answer.headers['Location']).query))['code']
        tokens = self.live.redeem(application, code, VERIFIER).json()
        return jwt.decode(tokens['id_token'], options={'verify_signature': False})


def sign_with_passkey(key, credential_id, options, url):
    """Return what a browser sends when a passkey has signed a challenge (WebAuthn §7.2)."""
    client_data = json.dumps({'type': 'webauthn.get', 'challenge': options['challenge'], 'origin': url}).encode()
    # User present and verified.
    data = hashlib.sha256(urlsplit(url).hostname.encode()).digest() + b'\x05' + bytes(4)
    signature = key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
    encoded = {'authenticatorData': data, 'clientDataJSON': client_data, 'signature': signature}
    return json.dumps({
        'id': credential_id,
        'rawId': credential_id,
        'type': 'public-key',
        'clientExtensionResults': {},
        'response': {name: encode(value) for name, value in encoded.items()},
    })


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


@pytest.mark.same
def test_how_a_user_logged_in(bench, addons_database, summarize):
    """N307, N323: second factor, trusted device, passkey, and each of them asked for once more."""
    secret = base64.b32encode(os.urandom(20)).decode()

    def execute(statement, *values):
        return bench.postgres.execute(statement, list(values), database=addons_database)

    with bench.serve(addons_database, '-i', 'orestapi', workers=2) as server:
        # Of the test before: with a second factor, nobody comes in over XML-RPC.
        execute('UPDATE res_users SET totp_secret = NULL WHERE login = %s RETURNING id', LOGIN)
        live = Live(server)
        server.call('ir.config_parameter', 'set_param', 'web.base.url', live.url)
        server.call('ir.config_parameter', 'set_param', 'web.base.url.freeze', 'True')
        application = live.register(trusted=True)
        user_id = server.call('res.users', 'create', {'name': "Grace", 'login': 'grace', 'password': PASSWORD})
        execute('UPDATE res_users SET totp_secret = %s WHERE id = %s RETURNING id', secret, user_id)
        codes = [pyotp.TOTP(secret).at(time.time() + 30 * step) for step in (-1, 0, 1)]
        browser = Browser(live)
        browser.fill_in('/web/login', login='grace', password=PASSWORD)
        # The second factor is missing.
        assert 'error=login_required' in browser.ask(application, prompt='none').headers['Location']
        browser.fill_in('/web/login/totp', totp_token=codes[0], remember='1')
        claims = browser.read_id_token(application, browser.ask(application))
        assert (claims['amr'], claims['acr']) == (['pwd', 'otp', 'mfa'], 'urn:orestapi:acr:2fa')
        # The cookie of a trusted device is none.
        browser.get(f'{live.url}/web/session/logout')
        browser.fill_in('/web/login', login='grace', password=PASSWORD)
        claims = browser.read_id_token(application, browser.ask(application))
        assert (claims['amr'], claims['acr']) == (['pwd'], 'urn:orestapi:acr:1fa')
        page = browser.ask(application, prompt='login')
        assert 'name="password"' in page.text
        page = browser.confirm(page, password=PASSWORD)
        assert 'name="totp_token"' in page.text
        claims = browser.read_id_token(application, browser.confirm(page, totp_token=codes[1]))
        assert claims['amr'] == ['pwd', 'otp', 'mfa']
        # A passkey, by the login page to which that page leads.
        key, credential_id = ec.generate_private_key(ec.SECP256R1()), encode(os.urandom(16))
        numbers = key.public_key().public_numbers()
        x, y = (number.to_bytes(32, 'big') for number in (numbers.x, numbers.y))
        public_key = bytes.fromhex('a5010203262001215820') + x + bytes.fromhex('225820') + y
        execute(
            'INSERT INTO auth_passkey_key (name, credential_identifier, public_key, sign_count, create_uid, write_uid, '
            "create_date, write_date) VALUES ('Key', %s, %s, 0, %s, %s, now(), now()) RETURNING id",
            credential_id,
            encode(public_key),
            user_id,
            user_id,
        )
    with bench.serve(addons_database, workers=2) as server:
        live = Live(server)
        server.call('ir.config_parameter', 'set_param', 'web.base.url', live.url)
        browser = Browser(live)
        login = browser.ask(application, prompt='login').headers['Location']
        path = urlsplit(urljoin(live.url, login))
        options = browser.post(f'{live.url}/auth/passkey/start-auth', json={'params': {}}).json()['result']
        webauthn = sign_with_passkey(key, credential_id, options, live.url)
        page = browser.get(urljoin(live.url, login))
        answer = browser.post(
            f'{live.url}{path.path}',
            {**browser.read(page), 'login': '', 'password': '', 'type': 'webauthn', 'webauthn_response': webauthn},
            allow_redirects=False,
        )
        assert answer.status_code == 303, re.findall(r'alert[^<]*<', answer.text)
        answer = browser.get(urljoin(live.url, answer.headers['Location']), allow_redirects=False)
        claims = browser.read_id_token(application, answer)
        assert (claims['amr'], claims['acr']) == (['hwk'], 'urn:orestapi:acr:2fa')
    summarize("password, code, trusted device, passkey")
