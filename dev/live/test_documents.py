"""Runs every command of the documents as a reader would."""

import base64
import contextlib
import http.client
import http.server
import importlib.metadata
import json
import os
import re
import secrets
import shutil
import signal
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import xmlrpc.client
import xmlrpc.server
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from packaging.requirements import Requirement

from dev.documents import Shell, pages, read_blocks
from dev.live.conftest import Live
from dev.live.reader import allow
from dev.workbench import oauth2_client
from dev.workbench.cache import CHECKOUT, child
from dev.workbench.odoo_server import LOGIN, PASSWORD, free_port
from dev.workbench.tls import make_certificate

pytestmark = pytest.mark.same

LOOPBACK = 'http://127.0.0.1/callback'

#: The code verifier of RFC 7636 appendix B.

#: The applications that the administrator registers before the commands of a page run.
APPLICATIONS = {
    'command-line-tool.md': {'redirect_uri': LOOPBACK, 'client_type': 'public'},
    'server-to-server.md': {'service_user_id': 2},
    'README.md': {'redirect_uri': LOOPBACK, 'service_user_id': 2},
    'wiki.md': {'redirect_uri': LOOPBACK, 'legacy_connector': True},
}


class Reader:
    """Knows the values that the reader of a page fills in: from the administrator, and from printed output."""

    def __init__(self, live, application, user_session, old):
        self.old = old
        self.live = live
        self.application = application
        self.session = user_session

    def fill(self, name, output):
        values = {
            'URL': self.live.url,
            'DATABASE': self.live.server.database,
            'LOGIN': LOGIN,
            'CLIENT_ID': self.application.client_id,
            'CLIENT_SECRET': self.application.client_secret,
            'NEW_URL': self.live.url,
            'NEW_DATABASE': self.live.server.database,
            'NEW_LOGIN': LOGIN,
            'NEW_PASSWORD': PASSWORD,
            **self.old,
        }
        if name in values:
            return values[name]
        if name == 'CODE':
            return get_code(output)
        if name in ('ACCESS_TOKEN', 'REFRESH_TOKEN'):
            tokens = get_tokens(output) or self.live.sign_in(self.session, self.application)
            return tokens[name.lower()]
        return None


def get_code(output):
    """Return the code that the browser gets for the last authorization request that was printed."""
    address = re.findall(r'https?://\S+/oauth2/authorize\?\S+', output)[-1]
    return oauth2_client.read_code(allow(address))


def get_tokens(output):
    """Return the last token response that was printed."""
    found = re.findall(r'\{[^{}]*"access_token"[^{}]*\}', output)
    return json.loads(found[-1]) if found else None


def run_page(page, fill, home):
    """Run the blocks of a page one after the other, and yield what each printed.

    :param Path home: an empty folder for files that the commands write
    """
    python = Path(sys.executable)
    packages = home / 'packages'
    provide_packages(re.findall(r'(?m)^pip install (.+)$', page.read_text()), packages)
    environment = {
        'BROWSER': f'{python} -m dev.live.reader %s &',
        'PATH': os.pathsep.join([str(python.parent), os.environ['PATH']]),
        'HOME': str(home),
        # The commands create their own environment. pip finds only the packages that the page names and downloads
        # nothing, so a package that the page forgets is missing.
        'PYTHONPATH': str(packages),
        'PIP_NO_INDEX': '1',
    }
    with Shell(fill, environment) as shell:
        for block in read_blocks(page):
            yield shell.run(block)


def provide_packages(commands, folder):
    """Link packages of this environment, and what they need, into a folder.

    :param commands: the packages of each `pip install`
    """
    folder.mkdir()
    waiting = [Requirement(name) for command in commands for name in command.split()]
    while waiting:
        requirement = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({'extra': ''}):
            continue
        distribution = importlib.metadata.distribution(requirement.name)
        for name in {path.parts[0] for path in distribution.files} - {'..', '__pycache__'}:
            if not (folder / name).exists():
                (folder / name).symlink_to(distribution.locate_file(name))
                waiting += [Requirement(text) for text in distribution.requires or ()]


class OldOdoo(socketserver.ThreadingMixIn, xmlrpc.server.SimpleXMLRPCServer):
    """Plays the Odoo 11 of the older addon: neither is available, and current versions of Python do not run them."""

    daemon_threads = True
    applications = (
        {
            'id': 7,
            'name': "Old wiki",
            'active': True,
            'client_id': secrets.token_hex(16),
            'client_secret': secrets.token_urlsafe(20),
        },
    )
    uris = ({'id': 3, 'application_id': [7, "Old wiki"], 'uri': 'https://wiki.example.com/callback.action'},)

    def __init__(self):
        super().__init__(('127.0.0.1', 0), FourPaths, logRequests=False)
        self.register_function(self.authenticate)
        self.register_function(self.execute_kw)
        self.settings = {
            'OLD_URL': f'http://127.0.0.1:{self.server_address[1]}',
            'OLD_DATABASE': 'old',
            'OLD_LOGIN': 'admin',
            'OLD_PASSWORD': 'admin',
        }

    def authenticate(self, database, login, _password, _environment):
        if database != self.settings['OLD_DATABASE']:
            raise xmlrpc.client.Fault(1, f'FATAL: database "{database}" does not exist')
        return login == self.settings['OLD_LOGIN'] and 1

    def execute_kw(self, _database, _user_id, _password, model, method, _arguments, _keywords):
        records = {'orestapi.application': self.applications, 'orestapi.application.uri': self.uris}[model]
        return {'fields_get': {name: {} for name in records[0]}, 'search_read': list(records)}[method]


class FourPaths(xmlrpc.server.SimpleXMLRPCRequestHandler):
    rpc_paths = ('/xmlrpc/2/common', '/xmlrpc/2/object')


@pytest.fixture
def old_odoo():
    with OldOdoo() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    'page', [pytest.param(page, id=str(page.relative_to(CHECKOUT))) for page in pages() if read_blocks(page)]
)
def test_page(live, user_session, old_odoo, tmp_path, page):
    values = {'redirect_uri': LOOPBACK, **APPLICATIONS.get(page.name, {})}
    reader = Reader(live, live.register(**values), user_session, old_odoo.settings)
    for output in run_page(page, reader.fill, tmp_path):
        assert '"error"' not in output


def test_move_over(live, old_odoo, tmp_path):
    """With the values that the script carries over, the remote side works as before; a second run changes nothing."""
    [old] = old_odoo.applications
    page = CHECKOUT / 'docs' / 'how-to' / 'move-over.md'
    reader = Reader(live, live.register(), None, old_odoo.settings)
    live.note(old['client_secret'])
    for run in ('first', 'second'):
        home = tmp_path / run
        home.mkdir()
        [output] = run_page(page, reader.fill, home)
    assert output.strip() == "Old wiki: is there already"
    answer = requests.get(
        f'{live.url}/orestapi/application/status', timeout=60, auth=(old['client_id'], old['client_secret'])
    )
    assert answer.status_code == 200, answer.text
    [found] = live.call(
        'orestapi.application',
        'search_read',
        [('client_id', '=', old['client_id'])],
        ['name', 'legacy_connector', 'uri_ids'],
    )
    assert (found['name'], found['legacy_connector']) == ("Old wiki", True)
    [uri] = live.call('orestapi.application.uri', 'read', found['uri_ids'], ['uri'])
    assert uri['uri'] == old_odoo.uris[0]['uri']


NOWHERE = 'http://nowhere.invalid'


@pytest.mark.parametrize(
    ('script', 'options', 'sentence'),
    [
        ('authlib_client', {'url': NOWHERE, 'client-id': 'x'}, "nowhere.invalid/.well-known/.* cannot be reached."),
        ('wiki_connector', {'url': NOWHERE, 'client-id': 'x', 'client-secret': 'x'}, "status cannot be reached."),
        ('move_over', {'old-url': NOWHERE}, "http://nowhere.invalid cannot be reached: "),
        ('move_over', {'old-database': 'nowhere'}, "cannot open the database nowhere."),
        ('move_over', {'old-login': 'nobody'}, "does not let nobody in."),
        ('move_over', {}, "The environment variable OLD_PASSWORD is missing."),
    ],
)
def test_example_says_what_is_wrong(old_odoo, script, options, sentence):
    environment = {'PATH': os.environ['PATH']}
    if script == 'move_over':
        environment.update({'OLD_PASSWORD': 'admin', 'NEW_PASSWORD': 'admin'} if options else {})
        right = {name: old_odoo.settings[f'OLD_{name.upper()}'] for name in ('url', 'database', 'login')}
        options = {**{f'{side}-{name}': right[name] for side in ('old', 'new') for name in right}, **options}
    done = subprocess.run(
        [sys.executable, CHECKOUT / 'examples' / f'{script}.py', *(f'--{name}={options[name]}' for name in options)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert (done.returncode, done.stdout) == (1, ''), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert re.search(sentence, done.stderr), done.stderr


def test_example_is_stopped(live):
    """Ctrl-C while the browser is away."""
    application = live.register(LOOPBACK)
    command = [sys.executable, CHECKOUT / 'examples' / 'authlib_client.py', '--url', live.url]
    options = ['--client-id', application.client_id, f'--client-secret={application.client_secret}']
    with subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={'BROWSER': '/bin/true', 'PATH': os.environ['PATH']},
    ) as script:
        try:
            assert script.stdout.readline().startswith("Allow it in the browser: ")
            # It waits soon after.
            time.sleep(1)
            script.send_signal(signal.SIGINT)
            _output, errors = script.communicate(timeout=30)
        finally:
            script.kill()
    assert (script.returncode, errors) == (1, "Stopped before the browser came back.\n")


class PageOfTheApplication(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.end_headers()
        self.wfile.write(self.server.page)

    def log_message(self, *args):
        pass


def test_single_page_app(live, browser_page):
    """The example, in Chromium, from another origin than that of Odoo."""
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), PageOfTheApplication) as server:
        origin = f'http://127.0.0.1:{server.server_port}'
        application = live.register(f'{origin}/', client_type='public', allowed_origins=origin)
        server.page = (
            (CHECKOUT / 'examples' / 'single_page_app.html')
            .read_text()
            .replace('http://127.0.0.1:8069', live.url)
            .replace("'…'", f"'{application.client_id}'")
            .encode()
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser_page.goto(f'{origin}/')
        browser_page.click('#sign-in')
        browser_page.fill('input[name=login]', LOGIN)
        browser_page.fill('input[name=password]', PASSWORD)
        browser_page.press('input[name=password]', 'Enter')
        browser_page.click('button[value=allow]')
        browser_page.wait_for_selector('#partners li >> nth=4')
        assert browser_page.url == f'{origin}/'
        # The page refuses a response to a sign-in that it did not start.
        browser_page.goto(f'{origin}/?code=stolen&state=x&iss={live.url}')
        browser_page.wait_for_selector("#message >> text=belongs to another sign-in")
        server.shutdown()


@pytest.fixture
def odoo_behind_nginx(bench, installed):
    """A server that trusts a proxy, and the port of its websocket."""
    websocket_port = free_port()
    options = ('--proxy-mode', '--gevent-port', str(websocket_port), '--max-cron-threads', '0')
    with bench.copy(installed, 'nginx') as database, bench.serve(database, *options, lean=False) as server:
        yield server, websocket_port


class Nginx:
    """nginx with the block of *In production*, at a port of this computer.

    :ivar url: its URL
    :ivar certificate: its self-signed certificate
    :ivar logs: the folder of its logs
    """

    def __init__(self, folder, odoo_port, websocket_port):
        self.folder = folder
        self.logs = folder / 'log'
        self.port = free_port()
        self.url = f'https://127.0.0.1:{self.port}'
        self.certificate = folder / 'certificate.pem'
        self.program = find_nginx(folder)
        make_certificate(self.certificate)
        [block] = re.findall(
            r'```nginx\n(.*?)```', (CHECKOUT / 'docs' / 'how-to' / 'production.md').read_text(), re.DOTALL
        )
        for written, here in (
            ('listen 443 ssl;', f'listen 127.0.0.1:{self.port} ssl;'),
            ('/etc/ssl/certs/odoo.example.com.pem', self.certificate),
            ('/etc/ssl/private/odoo.example.com.key', self.certificate),
            ('/var/log/nginx/', f'{self.logs}/'),
            ('127.0.0.1:8069', f'127.0.0.1:{odoo_port}'),
            ('127.0.0.1:8072', f'127.0.0.1:{websocket_port}'),
        ):
            assert written in block
            block = block.replace(written, str(here))
        self.logs.mkdir()
        (folder / 'odoo.conf').write_text(block)
        # The rest is as in Debian's nginx.conf.
        temporary = ''.join(
            f'    {name}_temp_path {folder}/{name};\n' for name in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')
        )
        self.configuration = folder / 'nginx.conf'
        self.configuration.write_text(
            f'{"user root;" if os.geteuid() == 0 else ""}\n'
            f'daemon off;\npid {folder}/pid;\nerror_log {self.logs}/error.log;\nevents {{}}\nhttp {{\n{temporary}'
            f'    access_log {self.logs}/access.log;\n    include {folder}/odoo.conf;\n}}\n'
        )

    @contextlib.contextmanager
    def run(self):
        command = [self.program, '-p', self.folder, '-c', self.configuration, '-e', self.logs / 'error.log']
        tested = subprocess.run([*command, '-t'], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        assert 'warn' not in tested.stderr
        with child(command) as process:
            try:
                while not (self.folder / 'pid').exists() or not (self.folder / 'pid').read_text():
                    assert process.poll() is None, (self.logs / 'error.log').read_text()
                    time.sleep(0.1)
                yield
            finally:
                # Not SIGTERM, because nginx must finish writing access.log, which it does after a response.
                process.send_signal(signal.SIGQUIT)

    def connect(self, address='127.0.0.1'):
        """Return a connection from any loopback address."""
        context = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection(
            '127.0.0.1', self.port, timeout=30, context=context, source_address=(address, 0)
        )


def find_nginx(folder):
    """Return the program nginx: the installed one, or Debian's package, unpacked but not installed."""
    path = os.pathsep.join([os.environ['PATH'], '/usr/local/sbin', '/usr/sbin'])
    if found := shutil.which('nginx', path=path):
        return found
    packages = folder / 'nginx'
    packages.mkdir()
    if os.geteuid() == 0:
        subprocess.run(['apt-get', '-q', 'update'], capture_output=True, check=False)
    # In one of the two, depending on the release. Installing it would start a server.
    subprocess.run(
        ['apt-get', '-q', 'download', 'nginx', 'nginx-light'], cwd=packages, capture_output=True, check=False
    )
    for package in packages.glob('*.deb'):
        subprocess.run(['dpkg-deb', '-x', package, packages], check=True)
    program = packages / 'usr' / 'sbin' / 'nginx'
    assert program.exists(), "nginx is missing: install it ('apt-get install nginx-light' as root) and start again."
    return str(program)


def test_nginx(odoo_behind_nginx, tmp_path, monkeypatch):
    """The configuration of *In production*: the whole flow, the client's IP address, and its logs."""
    server, websocket_port = odoo_behind_nginx
    nginx = Nginx(tmp_path, server.port, websocket_port)
    monkeypatch.setenv('REQUESTS_CA_BUNDLE', str(nginx.certificate))
    live = Live(server)
    server.call('ir.config_parameter', 'set_param', 'orestapi.issuer', nginx.url)
    live.url = nginx.url
    with nginx.run():
        check_flow(live)
        check_websocket(nginx)
        check_address(live, nginx)
        server.stop()
        ask_in_vain(nginx)
    check_logs(nginx)


def check_flow(live):
    metadata = requests.get(f'{live.url}/.well-known/oauth-authorization-server', timeout=30).json()
    assert metadata['issuer'] == live.url
    cookie = requests.get(f'{live.url}/web/login', timeout=30).headers['Set-Cookie']
    assert re.search('(?i)session_id=.*samesite=lax', cookie)
    assert re.search('(?i)session_id=.*; *secure', cookie)
    application = live.register(LOOPBACK)
    parameters = oauth2_client.request_authorization(application.client_id, LOOPBACK)
    address = f'{metadata["authorization_endpoint"]}?{urlencode(parameters)}'
    code = oauth2_client.read_code(allow(address))
    tokens = live.redeem(application, code, oauth2_client.VERIFIER).json()
    answer = requests.get(
        f'{live.url}/orestapi/1/records/res.partner?limit=1',
        headers={'Authorization': f"Bearer {tokens['access_token']}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def check_websocket(nginx):
    """Only the evented server of Odoo speaks the protocol of the websocket."""
    connection = nginx.connect()
    connection.request(
        'GET',
        '/websocket',
        headers={
            'Connection': 'Upgrade',
            'Upgrade': 'websocket',
            # nginx forwards the host without the port, which is not the default here.
            'Origin': 'https://127.0.0.1',
            'Sec-WebSocket-Key': base64.b64encode(secrets.token_bytes(16)).decode(),
            'Sec-WebSocket-Version': '13',
        },
    )
    assert connection.getresponse().status == 101
    connection.close()


def check_address(live, nginx):
    """Wrong secrets are counted by the IP address of the connection, whatever the client claims."""
    application = live.register()
    found = []
    for number in range(11):
        connection = nginx.connect('127.0.0.2')
        claimed = f'192.0.2.{number}'
        headers = {
            'Authorization': oauth2_client.get_basic(application.client_id, 'wrong'),
            'Content-Type': oauth2_client.FORM,
            'X-Forwarded-For': claimed,
            'X-Real-IP': claimed,
            'Forwarded': f'for={claimed}',
        }
        connection.request('POST', '/oauth2/token', 'grant_type=client_credentials', headers)
        found.append(connection.getresponse().status)
        connection.close()
    assert found == [401] * 10 + [429]
    events = live.call(
        'orestapi.event',
        'search_read',
        [('application_id', '=', application.id), ('kind', '=', 'client_authentication_failed')],
        ['address'],
    )
    assert {event['address'] for event in events} == {'127.0.0.2'}


def ask_in_vain(nginx):
    """Send a request that Odoo does not answer, which nginx also writes to its error log."""
    for path in ('/orestapi/oauth2/access_token', '/orestapi/oauth2/authorization', '/oauth2/token', '/web/login'):
        query = f'client_secret=hidden{path.count("/oauth2")}'
        assert requests.post(f'{nginx.url}{path}?{query}', timeout=30).status_code == 502


def check_logs(nginx):
    """No log contains a query string of this addon's paths. nginx has ended, so its logs are complete."""
    logs = {path.name: path.read_text() for path in nginx.logs.iterdir()}
    assert '"POST /orestapi/oauth2/access_token" 502' in logs['odoo.log']
    assert not [name for name, text in logs.items() if 'hidden1' in text]
    # The check would notice it, as it does for another path.
    assert [name for name, text in sorted(logs.items()) if 'hidden0' in text] == ['access.log', 'error.log']
