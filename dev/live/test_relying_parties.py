"""Relying parties sign people in with Odoo, unchanged: web servers, libraries, a page, another Odoo.

All of them know Odoo by an address with TLS, as in production, so that no library needs a setting for tests.
"""

import base64
import contextlib
import http.server
import json
import os
import re
import secrets
import shutil
import ssl
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urljoin, urlsplit

import jwt
import pyotp
import pytest
import requests

from dev.live.conftest import Live, check_log
from dev.live.programs import MODULES, serve_apache
from dev.live.reader import press_allow
from dev.live.test_addons import ADDONS
from dev.live.test_clients import OIDC_CLIENT_VERSION
from dev.workbench.apt import need
from dev.workbench.cache import CHECKOUT
from dev.workbench.environment import prepare_beside, prepare_folder
from dev.workbench.npm import install, install_locked, node_folder
from dev.workbench.odoo_server import LOGIN, PASSWORD, free_port
from dev.workbench.tls import front, make_certificate
from oauth2 import pkce

#: Left to the short form: the long one has the same.
same = pytest.mark.same

FOLDER = Path(__file__).parent / 'parties'
PAGES = CHECKOUT / 'docs' / 'how-to'
#: A site, in which Chromium finds all hosts on this computer.
SITE = 'orestapi.example'
#: Seconds until an application has been told of a logout.
SOON = 20

#: The path at which each site begins, and the one that Odoo sends the browser back to.
SITES = {
    'Authlib': ('python', '/login', '/callback'),
    'requests-oauth2client': ('python', '/', '/callback'),
    'Flask-OIDC': ('python', '/', '/authorize'),
    'pyoidc': ('python', '/', '/callback'),
    'mozilla-django-oidc': ('django', '/mozilla/authenticate/', '/mozilla/callback/'),
    'django-allauth': ('django', '/allauth/oidc/odoo/login/', '/allauth/oidc/odoo/login/callback/'),
    'social-auth-core': ('django', '/social/login/oidc/', '/social/complete/oidc/'),
    'openid-client': ('node', '/', '/callback'),
    'oauth4webapi': ('node', '/', '/callback'),
    'Auth.js': ('node', '/', '/auth/callback/odoo'),
    'passport-openidconnect': ('node', '/', '/callback'),
    'express-openid-connect': ('node', '/', '/callback'),
}
#: Libraries of the table that have a test of their own.
TESTED_BELOW = {'mod_auth_openidc', 'oidc-client-ts', 'auth_oidc'}


def read_table():
    """Return the rows of the table of libraries: what is ticked in Odoo for each."""
    text = (PAGES / 'sign-in-with-odoo.md').read_text()
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line.startswith('|')]
    [header] = [row for row in rows if row[0] == 'Library']
    begin = rows.index(header) + 2
    ticked = header.index('To tick in Odoo')
    table = {}
    for row in rows[begin:]:
        if len(row) != len(header):
            break
        name = re.match(r'\[?([\w.-]+)', row[0])[1]
        table[name] = row[ticked]
    return table


FIELDS = {'Nonce Instead of PKCE': 'nonce_replaces_pkce', 'Claims in the ID Token': 'claims_in_id_token'}


def get_ticks(name):
    """Return the fields of an application that the table tells to tick for a library."""
    return {FIELDS[label]: True for label in re.findall(r'\*([^*]+)\*', read_table()[name])}


class Provider(Live):
    """The Odoo that people sign in with.

    :ivar int port: that of its address with TLS
    """

    def __init__(self, server, postgres, port):
        super().__init__(server, postgres)
        self.port = port
        self.set_issuer(f'https://127.0.0.1:{port}')

    def set_issuer(self, issuer):
        self.url = issuer
        self.call('ir.config_parameter', 'set_param', 'orestapi.issuer', issuer)

    def register_site(self, url, path, **values):
        application = self.register(url + path, **values)
        return {'url': url, 'client_id': application.client_id, 'client_secret': application.client_secret}


@pytest.fixture(scope='module')
def packages(request):
    """The Python with the libraries, and the folders with those of npm and, in the long form, with OCA's addon."""
    addon = prepare_folder('odoo_client') if request.config.getoption('full') else None
    return prepare_beside('parties'), install_locked(FOLDER), addon


@pytest.fixture(scope='module')
def certificate(packages, tmp_path_factory):
    """A certificate that Python, Node.js and Odoo trust, and that pip and npm must not see."""
    path = tmp_path_factory.mktemp('tls') / 'certificate.pem'
    make_certificate(path)
    with pytest.MonkeyPatch.context() as patch:
        for name in ('REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'):
            patch.setenv(name, str(path))
        yield path


@pytest.fixture(scope='module')
def processes(packages, certificate, tmp_path_factory):
    """The two processes of the sites, with their logs: they import their libraries while Odoo starts."""
    python, node_packages, _addon = packages
    folder = tmp_path_factory.mktemp('sites')
    # Node.js looks for packages beside the file.
    (folder / 'node_modules').symlink_to(node_packages / 'node_modules')
    shutil.copy(FOLDER / 'node_sites.mjs', folder)
    commands = {
        'python': [python, FOLDER / 'python_sites.py'],
        'node': [node_folder() / 'node', folder / 'node_sites.mjs'],
    }
    environment = {**os.environ, 'NODE_ENV': 'production'}
    environment.pop('PYTHONPATH', None)
    with contextlib.ExitStack() as stack:
        found = {}
        for kind, command in commands.items():
            log = folder / f'{kind}.log'
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stack.enter_context(log.open('w')),
                text=True,
                env=environment,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            found[kind] = process, log
        yield found


@pytest.fixture(scope='module')
def provider(bench, installed, certificate):
    with (
        bench.copy(installed, 'provider') as database,
        # With the job that tells applications of logouts.
        bench.serve(database, '--max-cron-threads', '1') as server,
        front(server.port, certificate) as port,
    ):
        provider = Provider(server, bench.postgres, port)
        provider.call('ir.config_parameter', 'set_param', 'orestapi.logout_hosts', '127.0.0.1')
        yield provider
        check_log(provider)


@pytest.fixture(scope='module')
def sites(processes, provider):
    """The URLs of all sites with libraries."""
    django = f'http://127.0.0.1:{free_port()}'
    settings = {kind: {} for kind in processes}
    for name, (kind, _begin, callback) in SITES.items():
        url = django if kind == 'django' else f'http://127.0.0.1:{free_port()}'
        values = get_ticks(name)
        if name == 'Authlib':
            values.update(post_logout_redirect_uris=f'{url}/', backchannel_logout_uri=f'{url}/odoo-logout')
        settings['node' if kind == 'node' else 'python'][name] = provider.register_site(url, callback, **values)
    for kind, (process, _log) in processes.items():
        process.stdin.write(json.dumps({'issuer': provider.url, 'sites': settings[kind]}))
        process.stdin.close()
    for process, log in processes.values():
        assert process.stdout.readline() == 'ready\n', log.read_text()[-3000:]
    return {name: site['url'] for kind in settings.values() for name, site in kind.items()}


@pytest.fixture(scope='module')
def identity(provider):
    """What applications are to learn of the user."""
    [user] = provider.call('res.users', 'search_read', [('login', '=', LOGIN)], ['name', 'email'])
    return {'name': user['name'], 'email': user['email']}


@pytest.fixture
def window(browser):
    """A page in a separate browser window, which accepts the certificates of these tests."""
    with browser.new_context(ignore_https_errors=True) as context:
        yield context.new_page()


def log_in(page, login=LOGIN, secret=None):
    """Type into Odoo's login page, and press *Allow* if asked."""
    page.fill('input[name=login]', login)
    page.fill('input[name=password]', PASSWORD)
    page.press('input[name=password]', 'Enter')
    if secret:
        page.fill('input[name=totp_token]', pyotp.TOTP(secret).now())
        page.press('input[name=totp_token]', 'Enter')
    page.click('button[value=allow]')


def follow(session, url, method='GET'):
    """Open a URL as a browser does, with *Allow* where Odoo asks, and return the last response."""
    response = session.request(method, url, timeout=60)
    while 'name="consent"' in response.text:
        allowed = press_allow(session, response)
        response = session.get(urljoin(response.url, allowed.headers['Location']), timeout=60)
    return response


@same
def test_table_names_what_is_tried():
    assert set(read_table()) == {*SITES, *TESTED_BELOW}
    text = (PAGES / 'sign-in-with-odoo.md').read_text()
    pins = [FOLDER / 'package.json', CHECKOUT / 'dev' / 'requirements' / 'parties.in']
    pinned = ''.join(path.read_text() for path in pins)
    # Debian chooses that of mod_auth_openidc; auth_oidc follows the version of Odoo.
    versions = re.findall(r'(?m)^\| (?!mod_|auth_)[^|]+? (\d+(?:\.\d+)+) \|', text)
    assert len(versions) == len(read_table()) - 2
    assert not [version for version in versions if f'=={version}' not in pinned and f'"{version}"' not in pinned]


@pytest.fixture(scope='module')
def session(provider):
    with provider.log_in() as session:
        yield session


@same
@pytest.mark.parametrize('name', SITES)
def test_library(processes, sites, identity, session, name):
    """Code flow, ID token and UserInfo with a library of the table, with what the table says."""
    # This one only begins from a button.
    method = 'POST' if name == 'social-auth-core' else 'GET'
    response = follow(session, sites[name] + SITES[name][1], method)
    if response.status_code != 200:
        logs = [log.read_text()[-3000:] for _process, log in processes.values()]
        pytest.fail('\n'.join([response.url, response.text[-1500:], *logs]))
    if name == 'Authlib':
        # The example greets the user in HTML.
        response = session.get(f'{sites[name]}/me', timeout=60)
    user = response.json()
    # By itself, mozilla-django-oidc stores the address alone.
    expected = {'email': identity['email']} if name == 'mozilla-django-oidc' else identity
    assert {key: user[key] for key in expected} == expected


@same
def test_web_application(sites, identity, window):
    """The example with Authlib: sign in, and log out of the application and of Odoo."""
    url = sites['Authlib']
    window.goto(f'{url}/login')
    log_in(window)
    window.wait_for_selector(f"text={identity['email']}")
    window.click('text=Log out')
    window.wait_for_selector('text=Sign in with Odoo')
    assert window.url.startswith(url)
    # Odoo asks again, because its session has ended as well.
    window.click('text=Sign in with Odoo')
    window.wait_for_selector('input[name=login]')


@same
def test_web_application_is_told_of_logouts(provider, sites, identity):
    url = sites['Authlib']
    with provider.log_in() as session:
        assert identity['email'] in follow(session, f'{url}/login').text
        assert requests.post(f'{url}/odoo-logout', data={'logout_token': 'x.y.z'}, timeout=60).status_code == 400
        session.get(f'{provider.url}/web/session/logout', timeout=60)
        wait_until(lambda: 'Sign in with Odoo' in session.get(url, timeout=60).text)


def wait_until(check):
    deadline = time.monotonic() + SOON
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@same
def test_user_with_two_factors(provider, sites, window):
    secret = base64.b32encode(os.urandom(20)).decode()
    values = {'name': "Grace", 'login': 'grace@example.com', 'password': PASSWORD}
    user_id = provider.call('res.users', 'create', values)
    provider.execute('UPDATE res_users SET totp_secret = %s WHERE id = %s RETURNING id', [secret, user_id])
    window.goto(sites['requests-oauth2client'])
    log_in(window, 'grace@example.com', secret)
    window.wait_for_selector('text=Grace')
    user = json.loads(window.locator('body').text_content())
    assert (user['name'], user['amr']) == ("Grace", ['pwd', 'otp', 'mfa'])


#: Beside the block of the page: what it needs, and a page that shows who is signed in.
APACHE = """
LoadModule include_module {{modules}}/mod_include.so
LoadModule mime_module {{modules}}/mod_mime.so
LoadModule auth_openidc_module {{modules}}/mod_auth_openidc.so
TypesConfig /dev/null
AddType text/html .html
<Directory {folder}/pages>
    Options +Includes
    SetOutputFilter INCLUDES
</Directory>
OIDCCABundlePath {certificate}
{block}
<Location "/strangers">
    Require claim groups:strangers
</Location>
"""


def read_code(page, language):
    """Return all code of a how-to page in a language."""
    return '\n'.join(re.findall(rf'```{language}\n(.*?)```', (PAGES / page).read_text(), re.DOTALL))


def fill_in(block, *pairs):
    for written, here in pairs:
        assert written in block, written
        block = block.replace(written, str(here))
    return block


@pytest.fixture
def apache(provider, certificate, folder):
    """The URL of Apache with the block of the how-to page."""
    need([MODULES / 'mod_auth_openidc.so'], ['apache2-bin', 'libapache2-mod-auth-openidc'], 'the tests of sign-ins')
    port = free_port()
    url = f'http://127.0.0.1:{port}'
    site = provider.register_site(
        url,
        '/signed-in',
        post_logout_redirect_uris=f'{url}/goodbye.html',
        backchannel_logout_uri=f'{url}/signed-in?logout=backchannel',
        group_claim_ids=[(0, 0, {'group_id': provider.find_id('base.group_user'), 'name': 'editors'})],
        **get_ticks('mod_auth_openidc'),
    )
    pages = folder / 'pages'
    pages.mkdir()
    (pages / 'index.html').write_text(
        '<p>Hello <!--#echo var="REMOTE_USER" -->, <!--#echo var="OIDC_CLAIM_email" --></p>'
        f'<a href="/signed-in?logout={quote(url, safe="")}%2Fgoodbye.html">Log out</a>'
    )
    (pages / 'goodbye.html').write_text("<p>Goodbye</p>")
    for name in ('editors', 'strangers'):
        (pages / name).mkdir()
        (pages / name / 'index.html').write_text(f"<p>For {name}</p>")
    shutil.copy(certificate, folder / 'certificate.pem')
    (folder / 'certificate.pem').chmod(0o644)
    block = fill_in(
        read_code('sign-in-apache.md', 'apache'),
        ('https://odoo.example.com', provider.url),
        ('https://www.example.com', url),
        ('CLIENT_ID', site['client_id']),
        ('CLIENT_SECRET', site['client_secret']),
        ('A_LONG_RANDOM_TEXT', secrets.token_hex()),
    )
    settings = APACHE.format(folder=folder, certificate=folder / 'certificate.pem', block=block)
    with serve_apache(folder, port, settings, f'{url}/goodbye.html') as log:
        yield url
        # Apache's own line about a page that the user may not see is expected.
        assert 'auth_openidc:error]' not in log.read_text(), log.read_text()


@same
def test_apache(provider, apache, identity, window):
    """mod_auth_openidc: sign in, log out there and in Odoo, and be logged out by Odoo."""
    window.goto(f'{apache}/index.html')
    log_in(window)
    window.wait_for_selector(f"text=Hello {LOGIN}, {identity['email']}")
    statuses = [window.request.get(f'{apache}/{name}/index.html').status for name in ('editors', 'strangers')]
    assert statuses == [200, 401]
    window.click('text=Log out')
    window.wait_for_selector('text=Goodbye')
    window.goto(f'{apache}/index.html')
    log_in(window)
    window.wait_for_selector('text=Hello')
    window.request.get(f'{provider.url}/web/session/logout')
    # Apache has ended its session, and asks Odoo, which shows the login page.
    wait_until(lambda: window.goto(f'{apache}/index.html') and window.locator('input[name=login]').count())


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves what the test puts into `pages`, by the path."""

    def do_GET(self):
        content = self.server.pages.get(urlsplit(self.path).path)
        self.send_response(200 if content else 404)
        self.send_header('Content-Type', 'text/javascript' if self.path.endswith('.js') else 'text/html; charset=utf-8')
        self.end_headers()
        self.wfile.write(content or b'')

    def log_message(self, *_arguments):
        pass


@contextlib.contextmanager
def serve(handler):
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@same
def test_page_in_the_browser(provider, identity, certificate, window):
    """oidc-client-ts: a hidden frame, a refresh token, and logout; the page is a host of the site that Odoo is in."""
    old = provider.url
    provider.set_issuer(f'https://odoo.{SITE}:{provider.port}')
    library = install('oidc-client-ts', OIDC_CLIENT_VERSION) / 'node_modules/oidc-client-ts/dist/browser'
    try:
        with serve(Handler) as server, front(server.server_port, certificate) as port:
            origin = f'https://app.{SITE}:{port}'
            application = provider.register(
                f'{origin}/',
                client_type='public',
                allowed_origins=origin,
                post_logout_redirect_uris=f'{origin}/',
                **get_ticks('oidc-client-ts'),
            )
            example = fill_in(
                (CHECKOUT / 'examples' / 'sign_in_page.html').read_text(),
                ('https://odoo.example.com', provider.url),
                ('CLIENT_ID = "…"', f'CLIENT_ID = "{application.client_id}"'),
            )
            server.pages = {
                '/': example.encode(),
                '/oidc-client-ts.min.js': (library / 'oidc-client-ts.min.js').read_bytes(),
            }
            who = f"text={identity['name']}, {identity['email']}"
            window.goto(origin)
            window.click('#sign-in')
            log_in(window)
            window.wait_for_selector(who)
            # The page has forgotten the user, and the hidden frame finds them again.
            with window.expect_request(lambda request: 'prompt=none' in request.url) as request:
                window.reload()
            assert request.value.frame.parent_frame
            window.wait_for_selector(who)
            with window.expect_request(f'{provider.url}/oauth2/token') as request:
                window.click('#renew')
            assert 'refresh_token' in request.value.post_data
            window.wait_for_selector('text=Signed in until')
            window.click('#log-out')
            window.wait_for_selector('#sign-in:visible')
            assert window.url == f'{origin}/'
            # Nobody is logged in to Odoo: the hidden frame finds nobody.
            window.reload()
            window.wait_for_selector('#sign-in:visible')
    finally:
        provider.set_issuer(old)


class AspNetCore(http.server.BaseHTTPRequestHandler):
    """Sends what ASP.NET Core's OpenIdConnectHandler sends with its defaults and `ResponseType = "code"`.

    .NET is not to be had where these tests run, so this follows the handler's documentation and source.
    """

    def do_GET(self):
        path, _mark, query = self.path.partition('?')
        if path == '/':
            self.challenge()
        elif path == '/logout':
            self.redirect(
                self.server.metadata['end_session_endpoint'],
                post_logout_redirect_uri=f'{self.server.url}/signout-callback-oidc',
                id_token_hint=self.server.tokens['id_token'],
                state='CfDJ8-state-of-logout',
                **self.telemetry,
            )
        elif path == '/signout-callback-oidc' and parse_qs(query) == {'state': ['CfDJ8-state-of-logout']}:
            self.show("Signed out")
        else:
            self.send_error(404)

    telemetry = {'x-client-SKU': 'ID_NET8_0', 'x-client-ver': '7.1.2.0'}

    def challenge(self):
        self.server.nonce = f'638990000000000000.{secrets.token_urlsafe(48)}'
        self.server.verifier = secrets.token_urlsafe(32)
        self.server.correlation = secrets.token_urlsafe(32)
        cookie = '; path=/signin-oidc; secure; samesite=none; httponly'
        self.redirect(
            self.server.metadata['authorization_endpoint'],
            cookies=[
                f'.AspNetCore.OpenIdConnect.Nonce.x=N{cookie}',
                f'.AspNetCore.Correlation.{self.server.correlation}=N{cookie}',
            ],
            client_id=self.server.site['client_id'],
            redirect_uri=f'{self.server.url}/signin-oidc',
            response_type='code',
            scope='openid profile email',
            code_challenge=pkce.compute_challenge(self.server.verifier),
            code_challenge_method='S256',
            response_mode='form_post',
            nonce=self.server.nonce,
            state='CfDJ8-a_state+of/the=handler',
            **self.telemetry,
        )

    def do_POST(self):
        form = dict(parse_qsl(self.rfile.read(int(self.headers['Content-Length'])).decode()))
        # It refuses an answer without these, which a browser sends only with SameSite=None.
        assert f'.AspNetCore.Correlation.{self.server.correlation}' in self.headers['Cookie']
        assert '.AspNetCore.OpenIdConnect.Nonce' in self.headers['Cookie']
        assert self.headers['Content-Type'].startswith('application/x-www-form-urlencoded')
        assert form['state'] == 'CfDJ8-a_state+of/the=handler'
        tokens = requests.post(
            self.server.metadata['token_endpoint'],
            data={
                'client_id': self.server.site['client_id'],
                'client_secret': self.server.site['client_secret'],
                'code': form['code'],
                'grant_type': 'authorization_code',
                'redirect_uri': f'{self.server.url}/signin-oidc',
                'code_verifier': self.server.verifier,
            },
            timeout=60,
        ).json()
        self.server.tokens = tokens
        context = ssl.create_default_context(cafile=os.environ['SSL_CERT_FILE'])
        keys = jwt.PyJWKClient(self.server.metadata['jwks_uri'], ssl_context=context)
        claims = jwt.decode(
            tokens['id_token'],
            keys.get_signing_key_from_jwt(tokens['id_token']),
            algorithms=['RS256'],
            audience=self.server.site['client_id'],
            issuer=self.server.metadata['issuer'],
        )
        assert claims['nonce'] == self.server.nonce
        user = requests.get(
            self.server.metadata['userinfo_endpoint'],
            headers={'Authorization': f"Bearer {tokens['access_token']}"},
            timeout=60,
        ).json()
        assert user['sub'] == claims['sub']
        self.show(f"Hello {user['name']}, {user['email']}")

    def redirect(self, url, cookies=(), **parameters):
        self.send_response(302)
        for cookie in cookies:
            self.send_header('Set-Cookie', cookie)
        self.send_header('Location', f'{url}?{urlencode(parameters)}')
        self.end_headers()

    def show(self, text):
        self.send_response(200)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments):
        pass


@same
def test_asp_net_core(provider, identity, certificate, window):
    """The answer comes by POST, with cookies, and logout comes back to the application."""
    with serve(AspNetCore) as server, front(server.server_port, certificate) as port:
        server.url = f'https://127.0.0.1:{port}'
        server.metadata = requests.get(f'{provider.url}/.well-known/openid-configuration', timeout=60).json()
        server.site = provider.register_site(
            server.url, '/signin-oidc', post_logout_redirect_uris=f'{server.url}/signout-callback-oidc'
        )
        window.goto(server.url)
        log_in(window)
        window.wait_for_selector(f"text=Hello {identity['name']}, {identity['email']}")
        provider.note(server.tokens['access_token'])
        window.goto(f'{server.url}/logout')
        window.wait_for_selector('text=Signed out')


#: Prints the link of the mail that invites a user.
INVITE = """
user = env['res.users'].with_context(no_reset_password=True).create({'name': "Ada", 'login': 'ada'})
user.partner_id.signup_prepare()
print(user.partner_id.with_context(relative_url=True)._get_signup_url())
"""


@pytest.fixture
def second_odoo(bench, packages, certificate):
    """Another Odoo with OCA's auth_oidc, at localhost, because cookies know no ports."""
    folder = packages[2]
    with (
        bench.database('second', install=False, addons=ADDONS) as database,
        bench.with_addon(folder / 'odoo' / 'addons', packages=[folder]),
        bench.serve(database, '-i', 'auth_oidc', workers=2) as server,
    ):
        yield server


@pytest.mark.full  # another Odoo takes half a minute to start, and fewer people need it than the others
def test_second_odoo(bench, provider, second_odoo, identity, window):
    """People of one Odoo log in to another, where they are new, or accept an invitation."""
    url = f'http://localhost:{second_odoo.port}'
    site = provider.register_site(url, '/auth_oauth/signin', **get_ticks('auth_oidc'))
    settings = second_odoo.call('res.config.settings', 'create', {'auth_signup_uninvited': 'b2c'})
    second_odoo.call('res.config.settings', 'execute', [settings])
    provider_id = second_odoo.call(
        'auth.oauth.provider',
        'create',
        {
            'name': "Odoo",
            'body': "Sign in with the other Odoo",
            'enabled': True,
            'flow': 'id_token_code',
            'client_id': site['client_id'],
            'client_secret': site['client_secret'],
            'scope': 'openid profile email',
            'auth_endpoint': f'{provider.url}/oauth2/authorize',
            'token_endpoint': f'{provider.url}/oauth2/token',
            'jwks_uri': f'{provider.url}/oauth2/jwks',
        },
    )

    def sign_in(login, name):
        """Press the button on the page that is open, and return the user of the second Odoo."""
        window.click('text=Sign in with the other Odoo')
        log_in(window, login)
        window.wait_for_url(lambda found: found.startswith(url) and '/auth_oauth' not in found)
        window.goto(f'{url}/my')
        window.wait_for_selector(f'text={name}')
        [user] = second_odoo.call(
            'res.users',
            'search_read',
            [('oauth_provider_id', '=', provider_id), ('name', '=', name)],
            ['login', 'oauth_uid', 'share'],
        )
        assert len(user['oauth_uid']) == 36
        return user

    window.goto(f'{url}/web/login')
    user = sign_in(LOGIN, identity['name'])
    assert (user['login'], user['share']) == (identity['email'], True)
    # Somebody who has an account there, with another login.
    provider.call('res.users', 'create', {'name': "Ada", 'login': 'ada@example.com', 'password': PASSWORD})
    window.context.clear_cookies()
    window.goto(url + bench.run_script(second_odoo.database, INVITE)[-1])
    user = sign_in('ada@example.com', "Ada")
    assert (user['login'], user['share']) == ('ada', False)
