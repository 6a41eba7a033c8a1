"""Real OAuth clients through the whole flow, with Chromium doing the clicking."""

import http.server
import queue
import re
import threading
import webbrowser

import google.auth.transport.requests
import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from google_auth_oauthlib.flow import InstalledAppFlow
from requests_oauthlib import OAuth2Session as RequestsOAuth2Session

from dev.workbench.npm import install
from dev.workbench.odoo_server import LOGIN, PASSWORD

pytestmark = pytest.mark.same

LOOPBACK = 'http://127.0.0.1/callback'

OIDC_CLIENT_VERSION = '3.5.0'

#: A page that signs in with oidc-client-ts, calls Odoo, and signs out.
PAGE = """<!DOCTYPE html>
<title>Page</title>
<output></output>
<script src="/oidc-client-ts.js"></script>
<script>
    const origin = window.location.origin;
    const manager = new oidc.UserManager({
        authority: "%(url)s",
        metadataUrl: "%(url)s/.well-known/oauth-authorization-server",
        client_id: "%(client_id)s",
        redirect_uri: origin + "/callback",
        scope: "read rpc",
        loadUserInfo: false,
        automaticSilentRenew: false,
    });
    const call = (token) =>
        fetch("%(url)s/json/2/res.users/context_get", {
            method: "POST",
            headers: {Authorization: `Bearer ${token}`, "Content-Type": "application/json", traceparent: "00-1-1-00"},
            body: "{}",
        });
    async function run() {
        if (window.location.pathname !== "/callback") {
            await manager.signinRedirect();
            return;
        }
        const user = await manager.signinRedirectCallback();
        const before = await call(user.access_token);
        await manager.revokeTokens(["access_token", "refresh_token"]);
        const after = await call(user.access_token);
        return `${before.status} ${after.status} ${after.headers.get("WWW-Authenticate")}`;
    }
    run()
        .catch((error) => `failed: ${error.message}`)
        .then((text) => text && (document.querySelector("output").textContent = text));
</script>
"""


def allow(page, uri):
    """Log in, press *Allow*, and return the URI that the browser is redirected to."""
    page.goto(uri)
    if page.locator('input[name=login]').count():
        page.fill('input[name=login]', LOGIN)
        page.fill('input[name=password]', PASSWORD)
        page.press('input[name=password]', 'Enter')
    with page.expect_request(lambda request: 'code=' in request.url and '/callback' in request.url) as request:
        page.click('button[value=allow]')
    return request.value.url


def test_example(live, browser_page):
    """The command that `make run` prints, unattended."""
    application = live.register(LOOPBACK)
    script = live.start_example('authlib_client.py', application)
    with script:
        try:
            first = script.stdout.readline()
            uri = re.fullmatch(r'Allow it in the browser: (\S+)\n', first)
            assert uri, first + script.stdout.read()
            allow(browser_page, uri[1])
            output, _errors = script.communicate(timeout=60)
        finally:
            script.kill()
    assert script.returncode == 0, output
    assert output.count(' <') == 10, output
    assert output.endswith("Signed out.\n")


@pytest.mark.parametrize('client_type', ['confidential', 'public'])
def test_authlib(live, browser_page, client_type):
    application = live.register(LOOPBACK, client_type=client_type)
    metadata = requests.get(f'{live.url}/.well-known/oauth-authorization-server', timeout=10).json()
    session = AuthlibSession(
        application.client_id,
        application.client_secret,
        scope='read rpc',
        redirect_uri=LOOPBACK,
        code_challenge_method='S256',
        token_endpoint_auth_method='client_secret_basic' if application.client_secret else 'none',
    )
    verifier = generate_token(48)
    uri, state = session.create_authorization_url(metadata['authorization_endpoint'], code_verifier=verifier)
    token = session.fetch_token(
        metadata['token_endpoint'], authorization_response=allow(browser_page, uri), state=state, code_verifier=verifier
    )
    old = dict(token)
    session.refresh_token(metadata['token_endpoint'])
    assert session.token['refresh_token'] != old['refresh_token']
    if application.client_secret:
        answer = session.introspect_token(metadata['introspection_endpoint'], session.token['access_token'])
        assert answer.json()['active']
    assert session.revoke_token(metadata['revocation_endpoint'], session.token['refresh_token']).status_code == 200
    assert live.refresh(application, session.token['refresh_token']).json()['error'] == 'invalid_grant'


@pytest.mark.parametrize('client_type', ['confidential', 'public'])
def test_requests_oauthlib(live, browser_page, client_type, monkeypatch):
    # oauthlib refuses plain http, which the live server on loopback speaks.
    monkeypatch.setenv('OAUTHLIB_INSECURE_TRANSPORT', '1')
    application = live.register(LOOPBACK, client_type=client_type)
    session = RequestsOAuth2Session(application.client_id, redirect_uri=LOOPBACK, scope=['read', 'rpc'], pkce='S256')
    uri, _state = session.authorization_url(f'{live.url}/oauth2/authorize')
    token = session.fetch_token(
        f'{live.url}/oauth2/token',
        authorization_response=allow(browser_page, uri),
        client_secret=application.client_secret,
        include_client_id=not application.client_secret,
    )
    assert token['scope'] == ['read', 'rpc']
    auth = application.auth
    refreshed = session.refresh_token(
        f'{live.url}/oauth2/token', auth=auth, **({} if auth else {'client_id': application.client_id})
    )
    assert refreshed['refresh_token'] != token['refresh_token']
    answer = session.post(f'{live.url}/json/2/res.users/context_get', json={})
    assert answer.json()['uid']
    assert live.post('revoke', application, token=refreshed['access_token']).status_code == 200
    assert session.post(f'{live.url}/json/2/res.users/context_get', json={}).status_code == 401


def test_p01_requests_oauthlib_as_it_comes(live, browser_page, monkeypatch):
    """By default, it sends an empty secret for a public client with HTTP Basic."""
    monkeypatch.setenv('OAUTHLIB_INSECURE_TRANSPORT', '1')
    application = live.register(LOOPBACK, client_type='public')
    session = RequestsOAuth2Session(application.client_id, redirect_uri=LOOPBACK, scope=['read', 'rpc'], pkce='S256')
    uri, _state = session.authorization_url(f'{live.url}/oauth2/authorize')
    token = session.fetch_token(f'{live.url}/oauth2/token', authorization_response=allow(browser_page, uri))
    assert token['scope'] == ['read', 'rpc']
    refreshed = session.refresh_token(f'{live.url}/oauth2/token', auth=(application.client_id, ''))
    assert refreshed['refresh_token'] != token['refresh_token']
    live.note(token['access_token'], refreshed['access_token'])


@pytest.mark.parametrize('client_type', ['confidential', 'public'])
def test_p03_random_port_of_localhost(live, browser_page, monkeypatch, client_type):
    """google-auth-oauthlib listens on a port that the operating system chooses, and calls it localhost."""
    monkeypatch.setenv('OAUTHLIB_INSECURE_TRANSPORT', '1')
    values = {} if client_type == 'public' else {'native_application': True}
    application = live.register('http://localhost/', client_type=client_type, **values)
    flow = InstalledAppFlow.from_client_config(
        {
            'installed': {
                'client_id': application.client_id,
                'client_secret': application.client_secret or '',
                'auth_uri': f'{live.url}/oauth2/authorize',
                'token_uri': f'{live.url}/oauth2/token',
            }
        },
        ['read', 'rpc'],
        autogenerate_code_verifier=True,
    )
    opened, received = queue.Queue(), queue.Queue()
    # The library opens the browser of the test.
    webbrowser.register('test', None, type('Browser', (), {'open': lambda _self, uri, **_: opened.put(uri)})())

    def run():
        try:
            received.put(flow.run_local_server(port=0, browser='test', timeout_seconds=60))
        except Exception as error:  # noqa: BLE001 - passed to the test, which raises it
            received.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    page = browser_page
    page.goto(opened.get(timeout=30))
    page.fill('input[name=login]', LOGIN)
    page.fill('input[name=password]', PASSWORD)
    page.press('input[name=password]', 'Enter')
    page.click('button[value=allow]')
    page.wait_for_url('http://localhost:*/?*')
    credentials = received.get(timeout=60)
    thread.join()
    if isinstance(credentials, Exception):
        raise credentials
    old = credentials.refresh_token
    credentials.refresh(google.auth.transport.requests.Request())
    assert credentials.refresh_token != old
    assert live.call_json2(credentials.token).status_code == 200
    live.note(credentials.token, credentials.refresh_token, old)


def test_p02_p04_oidc_client_in_a_page(live, browser_page):
    """A page signs in, calls Odoo's own API, and signs out without an error of the library."""
    script = install('oidc-client-ts', OIDC_CLIENT_VERSION) / 'node_modules/oidc-client-ts/dist/browser'
    script = (script / 'oidc-client-ts.min.js').read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            is_script = self.path == '/oidc-client-ts.js'
            self.send_response(200)
            self.send_header('Content-Type', 'text/javascript' if is_script else 'text/html')
            self.end_headers()
            self.wfile.write(script if is_script else self.server.page.encode())

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'http://127.0.0.1:{server.server_port}'
        application = live.register(f'{address}/callback', client_type='public', allowed_origins=address)
        server.page = PAGE % {'url': live.url, 'client_id': application.client_id}
        page = browser_page
        page.goto(address)
        page.fill('input[name=login]', LOGIN)
        page.fill('input[name=password]', PASSWORD)
        page.press('input[name=password]', 'Enter')
        page.click('button[value=allow]')
        page.wait_for_function("document.querySelector('output')?.textContent")
        text = page.locator('output').text_content()
        server.shutdown()
    assert text.startswith('200 401 Bearer realm="orestapi", error="invalid_token"'), text
