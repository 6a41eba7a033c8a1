"""Logout on a server with several workers and its jobs: a relying party on this computer is told."""

import base64
import concurrent.futures
import contextlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from jwt import PyJWKClient

from dev.live.conftest import Live, check_log
from dev.workbench.odoo_server import LOGIN, PASSWORD

pytestmark = pytest.mark.same

#: Seconds until the job has run: Odoo wakes it up at the commit.
SOON = 20
BYE = 'https://wiki.example.com/bye'


@pytest.fixture(scope='module')
def jobs(bench, installed):
    """A server whose jobs run."""
    with (
        bench.copy(installed, 'logout') as database,
        bench.serve(database, '--max-cron-threads', '1', workers=2) as server,
    ):
        live = Live(server, bench.postgres)
        live.call('ir.config_parameter', 'set_param', 'orestapi.logout_hosts', '127.0.0.1')
        yield live
        check_log(live)


class RelyingParty:
    """A server that is told of logouts, and answers with the status or after the seconds that a test sets."""

    def __init__(self, server):
        self.uri = f'http://127.0.0.1:{server.server_port}/logout'
        self.tokens = []
        self.paths = []
        self.status = 200
        self.delay = 0

    def wait(self, number=1, seconds=SOON):
        """Wait until that many tokens have come, and a moment longer for those that must not."""
        deadline = time.monotonic() + seconds
        while len(self.tokens) < number and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        return self.tokens


@pytest.fixture
def party():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode())
            party.paths.append(self.path)
            party.tokens += form['logout_token']
            time.sleep(party.delay)
            with contextlib.suppress(OSError):
                self.send_response(party.status)
                self.send_header('Location', '/elsewhere')
                self.end_headers()

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        party = RelyingParty(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield party
        server.shutdown()


def sign_in(live, session, application):
    """Return the token response, with the ID token."""
    verifier = secrets.token_urlsafe(48)
    response = live.redeem(application, live.get_code(session, application, verifier, 'openid'), verifier)
    assert response.status_code == 200, response.text
    return response.json()


def read(token):
    """Return the claims of a token without checking it."""
    payload = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4)))


def register(live, party, **values):
    return live.register(backchannel_logout_uri=party.uri, post_logout_redirect_uris=BYE, trusted=True, **values)


def is_logged_in(live, session, application):
    answer = session.get(
        f'{live.url}/oauth2/authorize',
        allow_redirects=False,
        params={
            'response_type': 'code',
            'client_id': application.client_id,
            'redirect_uri': application.redirect_uri,
            'scope': 'openid',
            'prompt': 'none',
            'code_challenge': 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
            'code_challenge_method': 'S256',
        },
    )
    return 'error=login_required' not in answer.headers['Location']


def test_n331_rp_initiated_logout(jobs, party, summarize):
    """rp-initiated-logout, and oidcc-backchannel-rp-initiated-logout of the conformance suite."""
    metadata = requests.get(f'{jobs.url}/.well-known/openid-configuration', timeout=30).json()
    assert metadata['backchannel_logout_supported'] and metadata['backchannel_logout_session_supported']
    application, session = register(jobs, party), jobs.log_in()
    id_token = sign_in(jobs, session, application)['id_token']
    assert is_logged_in(jobs, session, application)
    answer = session.get(
        metadata['end_session_endpoint'],
        params={'id_token_hint': id_token, 'post_logout_redirect_uri': BYE, 'state': 's&t'},
        allow_redirects=False,
    )
    uri = urlsplit(answer.headers['Location'])
    assert (answer.status_code, parse_qs(uri.query)) == (303, {'state': ['s&t']})
    assert not is_logged_in(jobs, session, application)
    [token] = party.wait()
    key = PyJWKClient(metadata['jwks_uri']).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=['RS256'], audience=application.client_id, issuer=metadata['issuer'])
    assert jwt.get_unverified_header(token)['typ'] == 'logout+jwt'
    assert claims['events'] == {'http://schemas.openid.net/event/backchannel-logout': {}}
    assert (claims['sub'], claims['sid']) == tuple(read(id_token)[name] for name in ('sub', 'sid'))
    assert claims['exp'] - claims['iat'] <= 120
    assert 'nonce' not in claims
    summarize("asked for, told")


@pytest.mark.parametrize(
    'name',
    [
        'bad-post-logout-redirect-uri', 'query-added-to-post-logout-redirect-uri', 'modified-id-token-hint',
        'bad-id-token-hint', 'no-id-token-hint', 'no-params', 'no-post-logout-redirect-uri', 'only-state',
    ],
)  # fmt: skip
def test_n333_no_redirect(jobs, party, name):
    """The modules of the conformance suite of that name: the browser stays."""
    application, session = register(jobs, party), jobs.log_in()
    id_token = sign_in(jobs, session, application)['id_token']
    header, payload, signature = id_token.split('.')
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip('=')
    good = {'id_token_hint': id_token, 'post_logout_redirect_uri': BYE, 'state': 's'}
    parameters = {
        'bad-post-logout-redirect-uri': {**good, 'post_logout_redirect_uri': 'https://evil.example/'},
        'query-added-to-post-logout-redirect-uri': {**good, 'post_logout_redirect_uri': f'{BYE}?a=b'},
        'modified-id-token-hint': {**good, 'id_token_hint': f'{unsigned}.{payload}.'},
        'bad-id-token-hint': {**good, 'id_token_hint': f'{header}.{payload}.{signature[::-1]}'},
        'no-id-token-hint': {'post_logout_redirect_uri': BYE, 'state': 's'},
        'no-params': {},
        'no-post-logout-redirect-uri': {'id_token_hint': id_token, 'state': 's'},
        'only-state': {'state': 's'},
    }[name]
    answer = session.get(f'{jobs.url}/oauth2/logout', params=parameters)
    assert answer.status_code == 200
    assert answer.url.startswith(jobs.url)
    if 'value="log_out"' in answer.text:
        csrf_token = answer.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = session.post(answer.url, data={'csrf_token': csrf_token, 'decision': 'log_out'})
    assert "You are logged out" in answer.text
    assert answer.url.startswith(jobs.url)
    assert not is_logged_in(jobs, session, application)


def test_n339_two_logouts_at_once(jobs, party, summarize):
    """Of many logouts of one session at once, one tells the application; nobody waits for it."""
    application, session = register(jobs, party), jobs.log_in()
    sid = read(sign_in(jobs, session, application)['id_token'])['sid']
    party.delay = 2
    cookie = session.cookies['session_id']

    def log_out():
        started = time.monotonic()
        answer = requests.get(
            f'{jobs.url}/web/session/logout', cookies={'session_id': cookie}, allow_redirects=False, timeout=60
        )
        assert answer.status_code == 303
        return time.monotonic() - started

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _number: log_out(), range(6)))
    party.wait(2, seconds=SOON / 2)
    assert [read(token)['sid'] for token in party.tokens] == [sid]
    session = jobs.log_in()
    sign_in(jobs, session, application)
    cookie = session.cookies['session_id']
    party.delay = 5
    assert log_out() < party.delay
    summarize("6 at once: told once")


def get_waiting(live, application):
    """Return the seconds until the next try of each call to an application that waits."""
    rows = live.execute(
        """
        SELECT extract(epoch FROM next_try_at - now() AT TIME ZONE 'UTC')
          FROM orestapi_logout_call JOIN orestapi_application ON orestapi_application.id = application_id
         WHERE client_id = %s
        """,
        [application.client_id],
    )
    return [float(row[0]) for row in rows]


def test_n338_user_does_not_wait(jobs, party, summarize):
    """A redirect is not followed and ends it; an error of the server is tried again a minute later."""
    application, session = register(jobs, party), jobs.log_in()
    sign_in(jobs, session, application)
    party.status = 302
    session.get(f'{jobs.url}/web/session/logout', allow_redirects=False)
    assert len(party.wait()) == 1
    assert party.paths == ['/logout']
    assert not get_waiting(jobs, application)
    session = jobs.log_in()
    sign_in(jobs, session, application)
    party.status = 500
    session.get(f'{jobs.url}/web/session/logout', allow_redirects=False)
    assert len(party.wait(2)) == 2
    [seconds] = get_waiting(jobs, application)
    assert 30 < seconds <= 60
    # The minute passes.
    party.status = 200
    jobs.execute("UPDATE orestapi_logout_call SET next_try_at = now() AT TIME ZONE 'UTC'")
    jobs.call('ir.cron', 'method_direct_trigger', [jobs.find_id('orestapi.ir_cron_logout_calls')])
    assert len(party.wait(3)) == 3
    assert not get_waiting(jobs, application)
    first, second = (read(token) for token in party.tokens[1:3])
    assert first['sid'] == second['sid'] and first['jti'] != second['jti']
    summarize("302: once; 500: again after a minute")


def test_n339_changed_password(jobs, party, summarize):
    """A changed password ends all sessions."""
    application, session = register(jobs, party), jobs.log_in()
    sid = read(sign_in(jobs, session, application)['id_token'])['sid']
    [user_id] = jobs.call('res.users', 'search', [('login', '=', LOGIN)])
    jobs.call('res.users', 'write', [user_id], {'password': PASSWORD})
    assert [read(token)['sid'] for token in party.wait()] == [sid]
    assert not is_logged_in(jobs, session, application)
    summarize("password changed: told")
