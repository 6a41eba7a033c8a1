"""Every command of the documents, as somebody runs it who reads them."""

import http.server
import json
import os
import re
import secrets
import socketserver
import sys
import threading
import xmlrpc.server
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from dev.cache import CHECKOUT
from dev.documents import Shell, pages, read_blocks
from dev.live.reader import allow
from dev.odoo_server import LOGIN, PASSWORD

pytestmark = pytest.mark.same

LOOPBACK = 'http://127.0.0.1/callback'

#: What the administrator has registered before the commands of a page are run.
APPLICATIONS = {
    'command-line-tool.md': {'redirect_uri': LOOPBACK, 'client_type': 'public'},
    'server-to-server.md': {'service_user_id': 2},
    'README.md': {'redirect_uri': LOOPBACK, 'service_user_id': 2},
    'wiki.md': {'redirect_uri': LOOPBACK, 'legacy_connector': True},
}


class Reader:
    """Knows what the reader of a page fills in: what the administrator tells, and what the commands have printed."""

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
    return parse_qs(urlsplit(allow(address)).query)['code'][0]


def get_tokens(output):
    """Return the last token response that was printed."""
    found = re.findall(r'\{[^{}]*"access_token"[^{}]*\}', output)
    return json.loads(found[-1]) if found else None


def run_page(page, fill):
    python = Path(sys.executable)
    environment = {
        'BROWSER': f'{python} -m dev.live.reader %s &',
        'PATH': os.pathsep.join([str(python.parent), os.environ['PATH']]),
    }
    with Shell(fill, environment) as shell:
        for block in read_blocks(page):
            yield shell.run(block)


class OldOdoo(socketserver.ThreadingMixIn, xmlrpc.server.SimpleXMLRPCServer):
    """The Odoo 11 of the older addon, played: neither can be had, and no Python of today runs them."""

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
        self.register_function(lambda _database, _login, _password, _environment: 1, 'authenticate')
        self.register_function(self.execute_kw)
        self.settings = {
            'OLD_URL': f'http://127.0.0.1:{self.server_address[1]}',
            'OLD_DATABASE': 'old',
            'OLD_LOGIN': 'admin',
            'OLD_PASSWORD': 'admin',
        }

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
def test_page(live, user_session, old_odoo, page):
    values = {'redirect_uri': LOOPBACK, **APPLICATIONS.get(page.name, {})}
    reader = Reader(live, live.register(**values), user_session, old_odoo.settings)
    for output in run_page(page, reader.fill):
        assert '"error"' not in output


def test_move_over(live, old_odoo):
    """What the script carries over lets the remote side in as before, and a second run changes nothing."""
    [old] = old_odoo.applications
    page = CHECKOUT / 'docs' / 'how-to' / 'move-over.md'
    reader = Reader(live, live.register(), None, old_odoo.settings)
    live.note(old['client_secret'])
    list(run_page(page, reader.fill))
    [output] = run_page(page, reader.fill)
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
        # An answer to a sign-in that this page did not begin is refused.
        browser_page.goto(f'{origin}/?code=stolen&state=x&iss={live.url}')
        browser_page.wait_for_selector("#message >> text=belongs to another sign-in")
        server.shutdown()
