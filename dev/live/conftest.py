"""What the live tests share: a server with several workers, its applications, and a browser."""

import dataclasses
import secrets
import shutil

import pytest
import requests
from playwright.sync_api import sync_playwright

from dev.odoo_server import LOGIN, PASSWORD, Bench
from oauth2 import pkce

#: Workers that race each other.
WORKERS = 4
CALLBACK = 'https://wiki.example.com/callback'

#: Chromium runs as root in CI, and must not phone home.
CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
CHROMIUM_OPTIONS = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
]


@dataclasses.dataclass
class Application:
    """An application registered at the live server."""
    id: int
    client_id: str
    client_secret: str | None
    redirect_uri: str

    @property
    def auth(self):
        return (self.client_id, self.client_secret) if self.client_secret else None

    def with_client(self, parameters):
        """Add the client id where the client does not authenticate."""
        return parameters if self.client_secret else {**parameters, 'client_id': self.client_id}


class Live:
    """The live server, and requests to it as applications make them."""

    def __init__(self, server):
        self.server = server
        self.url = server.url
        server.call('ir.config_parameter', 'set_param', 'orestapi.issuer', server.url)
        self.scopes = server.call('orestapi.scope', 'search', [])

    def call(self, model, method, *arguments, **keywords):
        return self.server.call(model, method, *arguments, **keywords)

    def register(self, redirect_uri=CALLBACK, **values):
        """Create an application and return it as `Application`."""
        public = values.get('client_type') == 'public'
        client_secret = None if public else secrets.token_urlsafe(32)
        client_id = secrets.token_hex(16)
        application_id = self.call('orestapi.application', 'create', {
            'name': "Live", 'client_id': client_id, 'scope_ids': [(6, 0, self.scopes)],
            'uri_ids': [(0, 0, {'uri': redirect_uri})],
            **({} if public else {'client_secret': client_secret}), **values,
        })
        return Application(application_id, client_id, client_secret, redirect_uri)

    def log_in(self, login=LOGIN, password=PASSWORD):
        """Return a session of a browser in which the user is logged in."""
        session = requests.Session()
        page = session.get(f'{self.url}/web/login').text
        csrf_token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = session.post(f'{self.url}/web/login', allow_redirects=False, data={
            'csrf_token': csrf_token, 'login': login, 'password': password})
        assert answer.status_code == 303, "The login failed."
        return session

    def get_code(self, session, application, verifier, scope='read rpc'):
        """Let the user of a session allow an application, and return the code."""
        answer = session.get(f'{self.url}/oauth2/authorize', allow_redirects=False, params={
            'response_type': 'code', 'client_id': application.client_id, 'redirect_uri': application.redirect_uri,
            'scope': scope, 'state': 's', 'code_challenge': pkce.compute_challenge(verifier),
            'code_challenge_method': 'S256',
        })
        if answer.status_code == 200:
            answer = session.post(answer.url, allow_redirects=False, data={
                'decision': 'allow',
                **{name: answer.text.partition(f'name="{name}" value="')[2].partition('"')[0]
                   for name in ('csrf_token', 'consent')},
            })
        assert answer.status_code == 303, answer.text
        return answer.headers['Location'].partition('code=')[2].partition('&')[0]

    def post(self, path, application, **parameters):
        return requests.post(
            f'{self.url}/oauth2/{path}', auth=application.auth, data=application.with_client(parameters), timeout=60)

    def redeem(self, application, code, verifier):
        return self.post('token', application, grant_type='authorization_code', code=code,
                         redirect_uri=application.redirect_uri, code_verifier=verifier)

    def refresh(self, application, refresh_token):
        return self.post('token', application, grant_type='refresh_token', refresh_token=refresh_token)

    def is_active(self, application, token):
        return self.post('introspect', application, token=token).json()['active']

    def sign_in(self, session, application):
        """Go through the flow and return the token response."""
        verifier = secrets.token_urlsafe(48)
        answer = self.redeem(application, self.get_code(session, application, verifier), verifier)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope='session')
def bench():
    with Bench() as bench:
        yield bench


@pytest.fixture(scope='session')
def live(bench):
    """One server for all live tests; its log must stay free of errors."""
    # Without cron: Odoo's daily clean-up runs at once in a new database, and deletes what a test wants to count.
    with bench.database('live') as database, \
            bench.serve(database, '--max-cron-threads', '0', workers=WORKERS) as server:
        yield Live(server)
        log = server.log.read_text()
        complaints = [line for line in log.splitlines() if ' ERROR ' in line or ' CRITICAL ' in line]
        assert not complaints, '\n'.join(complaints)


@pytest.fixture(scope='session')
def user_session(live):
    return live.log_in()


@pytest.fixture
def browser_page():
    """A page of a real Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield browser.new_page()
        browser.close()
