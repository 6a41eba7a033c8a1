"""Shared by the live tests: a server with several workers, its applications, and a browser."""

import dataclasses
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import requests
from playwright.sync_api import sync_playwright

from dev.live.counts import FULL, SHORT
from dev.live.reader import press_allow
from dev.workbench import oauth2_client
from dev.workbench.cache import CHECKOUT
from dev.workbench.odoo_server import LOGIN, PASSWORD, Workbench

#: Workers that race each other.
WORKERS = 4
CALLBACK = 'https://wiki.example.com/callback'

#: Chromium runs as root in CI, and must not contact its vendor.
CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
CHROMIUM_OPTIONS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    # Hosts of one site on this computer, for tests that need a name.
    '--host-resolver-rules=MAP *.orestapi.example 127.0.0.1',
]


#: Lines that tell what each check did, and how often.
DONE = pytest.StashKey()

#: The hash of `PASSWORD` in one round, which a lean server would otherwise store at the first login to each copy.
PASSWORD_HASH = (
    '$pbkdf2-sha512$1$bGl2ZQ$8HLu815MUSYcbWd7/NjoZJ.dimFsM8HOBX.6fJ/xEBqs/4gwt3sTyxaxIHlMDsieI6Hw/YV602/XjkA5NhTWqg'
)

#: Characters of the random part of each issued secret, and of those that the tests make up.
RANDOM_PART = 43


def pytest_addoption(parser):
    parser.addoption('--full', action='store_true', help="the numbers of `make live` instead of those of `make test`")
    parser.addoption('--only', help="the name of one file of dev/live")


def pytest_configure(config):
    config.addinivalue_line('markers', 'full: only in the full form; another test shows the same')
    config.addinivalue_line('markers', 'same: the same in the full form, which leaves it to `make test`')
    config.addinivalue_line('markers', 'alone: takes minutes in the full form, which runs it only if its file is named')
    config.stash[DONE] = []


def pytest_collection_modifyitems(config, items):
    full, only = config.getoption('full'), config.getoption('only')
    if full:
        markers = set() if only else {'same', 'alone'}
    else:
        markers = {'full'}
    left_out = [
        item
        for item in items
        if (only and item.path.name != only) or any(item.get_closest_marker(marker) for marker in markers)
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session):
    # A process of pytest-xdist sends its lines to the one that prints them.
    if hasattr(session.config, 'workeroutput'):
        session.config.workeroutput['done'] = session.config.stash[DONE]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[DONE] += getattr(node, 'workeroutput', {}).get('done', [])


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[DONE]:
        terminalreporter.write_line(line)


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


class Live:
    """The live server, and requests to it as applications send them."""

    def __init__(self, server, postgres=None):
        """
        :param Server server: the server
        :param Postgres postgres: its database server, for tests that count rows
        """
        self.server = server
        self.postgres = postgres
        self.url = server.url
        self.issued = set()
        server.call('ir.config_parameter', 'set_param', 'orestapi.issuer', server.url)
        self.scopes = server.call('orestapi.scope', 'search', [])

    def note(self, *issued):
        """Remember secrets that were issued, because none of them may be in the log."""
        for secret in issued:
            # Both parts of a refresh token are secret.
            parts = secret.split('_', 4)[4] if secret.startswith('orestapi_rt_') else secret
            self.issued |= {parts[:RANDOM_PART], secret[-RANDOM_PART:]}

    def find_secrets(self, text):
        """Return the secrets that were issued and are in a text."""
        found = set()
        for word in re.findall(rf'[\w-]{{{RANDOM_PART},}}', text, re.ASCII):
            found.update(word[start : start + RANDOM_PART] for start in range(len(word) - RANDOM_PART + 1))
        return found & self.issued

    def call(self, model, method, *arguments, **keywords):
        return self.server.call(model, method, *arguments, **keywords)

    def find_id(self, xmlid):
        return self.server.find_id(xmlid)

    def register(self, redirect_uri=CALLBACK, **values):
        """Create an application and return it as `Application`."""
        public = values.get('client_type') == 'public'
        client_secret = None if public else secrets.token_urlsafe(32)
        client_id = secrets.token_hex(16)
        application_id = self.call(
            'orestapi.application',
            'create',
            {
                'name': "Live",
                'client_id': client_id,
                'scope_ids': [(6, 0, self.scopes)],
                'uri_ids': [(0, 0, {'uri': redirect_uri})],
                **({} if public else {'client_secret': client_secret}),
                **values,
            },
        )
        if client_secret:
            self.note(client_secret)
        return Application(application_id, client_id, client_secret, redirect_uri)

    def log_in(self, login=LOGIN, password=PASSWORD):
        """Return the session of a browser in which the user is logged in."""
        session = requests.Session()
        _action, fields = oauth2_client.read_form(session.get(f'{self.url}/web/login').text)
        answer = session.post(
            f'{self.url}/web/login', allow_redirects=False, data={**fields, 'login': login, 'password': password}
        )
        assert answer.status_code == 303, "The login failed."
        return session

    def get_cookie(self):
        """Return the header field of a browser in which the user is logged in."""
        with self.log_in() as session:
            return f"session_id={session.cookies['session_id']}"

    def get_code(self, session, application, verifier, scope='read rpc'):
        """Let the user of a session allow an application, and return the code."""
        path = oauth2_client.get_authorization_path(
            application.client_id, application.redirect_uri, verifier, scope=scope
        )
        answer = session.get(self.url + path, allow_redirects=False)
        if answer.status_code == 200:
            answer = press_allow(session, answer)
        assert answer.status_code == 303, answer.text
        code = oauth2_client.read_code(answer.headers['Location'])
        self.note(verifier, code)
        return code

    def post(self, path, application, **parameters):
        headers, body = oauth2_client.encode_form(application, parameters)
        answer = requests.post(f'{self.url}/oauth2/{path}', headers=headers, data=body, timeout=60)
        if path == 'token' and answer.status_code == 200:
            tokens = ['access_token']
            # RFC 6749 §4.4.3: a service gets no refresh token.
            if parameters['grant_type'] != 'client_credentials':
                tokens.append('refresh_token')
            self.note(*(answer.json()[name] for name in tokens))
        return answer

    def redeem(self, application, code, verifier):
        return self.post('token', application, **oauth2_client.request_tokens(code, application.redirect_uri, verifier))

    def refresh(self, application, refresh_token):
        return self.post('token', application, **oauth2_client.request_refresh(refresh_token))

    def is_active(self, application, token):
        return self.post('introspect', application, token=token).json()['active']

    def call_json2(self, access_token):
        """Call Odoo's own API with an access token."""
        return requests.post(
            f'{self.url}/json/2/res.users/context_get',
            json={},
            timeout=60,
            headers={'Authorization': f'Bearer {access_token}'},
        )

    def execute(self, statement, parameters=()):
        """Run one statement in the database, and return its rows."""
        return self.postgres.execute(statement, parameters, database=self.server.database)

    def count_sign_ins(self, application_ids, condition='TRUE'):
        """Return how many stored sign-ins of applications satisfy an SQL condition."""
        [[count]] = self.execute(
            f"""
            SELECT count(*)
              FROM orestapi_token AS token
              JOIN orestapi_authorization AS "authorization" ON "authorization".id = authorization_id
             WHERE application_id = ANY(%s) AND {condition}
            """,
            [application_ids],
        )
        return count

    def start_example(self, name, application):
        """Start a script of examples/ as the application; its output is in `stdout`."""
        return subprocess.Popen(
            [
                sys.executable, CHECKOUT / 'examples' / name,
                '--url', self.url,
                '--client-id', application.client_id,
                f'--client-secret={application.client_secret}',
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Opens no browser: the test's Chromium plays the user's.
            env={'BROWSER': '/bin/true', 'PATH': '/usr/bin:/bin'},
        )  # fmt: skip

    def sign_in(self, session, application):
        """Go through the flow and return the token response."""
        verifier = secrets.token_urlsafe(48)
        answer = self.redeem(application, self.get_code(session, application, verifier), verifier)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope='session')
def bench():
    with Workbench() as bench:
        yield bench


@pytest.fixture(scope='session')
def counts(request):
    return FULL if request.config.getoption('full') else SHORT


@pytest.fixture
def summarize(request):
    """A function that records what a check did, with its numbers, for the end of the run."""
    return lambda text: request.config.stash[DONE].append(f'{request.node.originalname}: {text}')


@pytest.fixture(scope='session')
def installed(bench):
    """The name of a database with the addon, which is only copied and never used."""
    with bench.database('installed') as database:
        bench.postgres.execute(
            'UPDATE res_users SET password = %s WHERE login = %s RETURNING id',
            [PASSWORD_HASH, LOGIN],
            database=database,
        )
        yield database


#: Prints this addon's routes from Odoo's own map.
ROUTES = """
for rule in env['ir.http'].routing_map().iter_rules():
    if rule.endpoint.func.__module__.startswith('odoo.addons.orestapi.'):
        print(rule.rule, *sorted(rule.endpoint.routing['methods'] or ['GET', 'POST']))
"""


@pytest.fixture(scope='session')
def endpoints(bench, installed):
    """The paths of this addon's routes and the methods of each; variable parts are in angle brackets."""
    with bench.copy(installed, 'routes') as database:
        lines = {line for line in bench.run_script(database, ROUTES) if line.startswith('/')}
    return tuple((path, tuple(methods)) for path, *methods in map(str.split, sorted(lines)))


@pytest.fixture(scope='session')
def live(bench, installed):
    """One server for all live tests; its log must stay free of errors and of secrets."""
    # Without cron, because Odoo's daily clean-up runs at once in a new database and deletes rows that tests count.
    with (
        bench.copy(installed, 'live') as database,
        bench.serve(database, '--max-cron-threads', '0', workers=WORKERS) as server,
    ):
        live = Live(server, bench.postgres)
        yield live
        check_log(live)


def check_log(live, allowed=()):
    """Look for errors, tracebacks, and every secret that was issued.

    :param allowed: parts of allowed lines
    """
    log = live.server.log.read_text(errors='replace')
    complaints = [
        line
        for line in log.splitlines()
        if re.search(' ERROR | CRITICAL |^Traceback ', line) and not any(part in line for part in allowed)
    ]
    assert not complaints, '\n'.join(complaints)
    found = live.find_secrets(log)
    assert not found, f"{len(found)} of {len(live.issued)} secrets are in {live.server.log}: {found}"


@pytest.fixture(scope='session')
def user_session(live):
    return live.log_in()


@pytest.fixture(scope='session')
def browser():
    """A real Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def browser_page(browser):
    """A page in a separate browser window, without a login or cookies."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture
def folder():
    """A folder that other users can read, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
