"""Real OAuth clients through the whole flow, with Chromium doing the clicking."""

import re

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from requests_oauthlib import OAuth2Session as RequestsOAuth2Session

from dev.workbench.odoo_server import LOGIN, PASSWORD

pytestmark = pytest.mark.same

LOOPBACK = 'http://127.0.0.1/callback'


def allow(page, uri):
    """Log in, press *Allow*, and return the address that the browser is sent to."""
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
