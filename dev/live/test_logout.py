"""Logout on a server with several workers and its jobs: a relying party on this computer is told.

First come the modules of the conformance suite's plans *RP-Initiated Logout OP* and *Back-Channel OP*.
"""

import base64
import concurrent.futures
import contextlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urljoin

import joserfc.jwk
import joserfc.jws
import joserfc.jwt
import pytest
import requests

from dev.live.conformance import CALLBACK, FRESH, Person, Provider, RelyingParty
from dev.live.conftest import Live, check_log
from dev.workbench.oauth2_client import read_form
from dev.workbench.odoo_server import LOGIN, PASSWORD

pytestmark = pytest.mark.same

#: Seconds until a job has run: Odoo wakes it up at the commit.
SOON = 20
BYE = 'https://suite.example.com/test/a/orestapi/post_logout_redirect'


@pytest.fixture(scope='module')
def jobs(bench, installed):
    """A server whose jobs run, and which may tell programs on this computer of logouts."""
    with (
        bench.copy(installed, 'jobs') as database,
        bench.serve(database, '--max-cron-threads', '1', workers=2) as server,
    ):
        live = Live(server, bench.postgres)
        live.call('ir.config_parameter', 'set_param', 'orestapi.logout_hosts', '127.0.0.1')
        yield live
        check_log(live)


class LogoutListener:
    """A server that is told of logouts, and answers with the status or after the seconds that a test sets."""

    def __init__(self, server):
        self.uri = f'http://127.0.0.1:{server.server_port}/logout'
        self.forms = []
        self.paths = []
        self.status = 200
        self.delay = 0

    @property
    def tokens(self):
        return [form['logout_token'][0] for form in self.forms]

    def wait(self, number=1, seconds=SOON):
        """Wait until that many tokens have come, and a moment longer for those that must not."""
        deadline = time.monotonic() + seconds
        while len(self.forms) < number and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        return self.tokens


@pytest.fixture
def listener():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            listener.paths.append(self.path)
            listener.forms.append(parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode()))
            time.sleep(listener.delay)
            with contextlib.suppress(OSError):
                self.send_response(listener.status)
                self.send_header('Location', '/elsewhere')
                self.end_headers()

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        listener = LogoutListener(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield listener
        server.shutdown()


@pytest.fixture(scope='module')
def provider(jobs):
    return Provider(jobs)


def register(provider, listener=None):
    """Register an application, which is told of logouts if it has a listener, and return it as `RelyingParty`."""
    application = provider.live.register(
        CALLBACK,
        nonce_replaces_pkce=True,
        trusted=True,
        post_logout_redirect_uris=BYE,
        backchannel_logout_uri=listener and listener.uri,
    )
    return RelyingParty(provider, application)


@pytest.fixture(scope='module')
def party(provider):
    return register(provider)


@pytest.fixture
def person(provider):
    return Person(provider)


def is_logged_in(party, person):
    """Return whether `prompt=none` gets a code."""
    answer = person.authorize(party.get_request(prompt='none'))
    assert answer.pages == []
    if 'code' in answer.parameters:
        return True
    assert answer.parameters['error'] == 'login_required'
    return False


def ask(person, **parameters):
    """Open the `end_session_endpoint`, and press *Log out* if asked.

    :return: whether a page asked, and the last answer
    """
    answer = person.open_logout(**parameters)
    asked = answer.status_code == 200 and 'value="log_out"' in answer.text
    if asked:
        action, fields = read_form(answer.text)
        answer = person.browser.post(
            urljoin(answer.url, action), data={**fields, 'decision': 'log_out'}, allow_redirects=False
        )
    answer, _pages = person.open(answer)
    return asked, answer


def read_redirect(answer):
    """Return the parameters that came back to the application."""
    assert answer.status_code == 303, answer.text
    uri, _mark, query = answer.headers['Location'].partition('?')
    assert uri == BYE
    return dict(parse_qsl(query, strict_parsing=bool(query)))


def check_logged_out(party, person, answer):
    """Check that the browser stays on the page of a user who is logged out."""
    assert answer.status_code == 200
    assert "You are logged out" in answer.text
    assert not is_logged_in(party, person)


def sign_object(claims, header, key):
    return joserfc.jwt.encode(header, claims, key, algorithms=[header['alg']])


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(provider):
    assert provider.metadata['end_session_endpoint'].startswith(f'{provider.url}/')


def test_oidcc_rp_initiated_logout(party, person):
    """N331: back with the state and nothing else, and logged out."""
    _answer, tokens = party.run(person)
    assert is_logged_in(party, person)
    state = secrets.token_urlsafe(64)
    asked, answer = ask(person, id_token_hint=tokens.response['id_token'], post_logout_redirect_uri=BYE, state=state)
    assert not asked
    assert read_redirect(answer) == {'state': state}
    assert not is_logged_in(party, person)


def test_oidcc_rp_initiated_logout_no_state(party, person):
    _answer, tokens = party.run(person)
    asked, answer = ask(person, id_token_hint=tokens.response['id_token'], post_logout_redirect_uri=BYE)
    assert not asked
    assert read_redirect(answer) == {}
    assert not is_logged_in(party, person)


@pytest.mark.parametrize(
    'uri',
    ['https://suite.example.com/test/a/orestapi/other', f'{BYE}?foo=bar'],
    ids=[
        'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri',
        'oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri',
    ],
)
def test_oidcc_rp_initiated_logout_post_logout_redirect_uri(party, person, uri):
    """N333: the browser stays."""
    _answer, tokens = party.run(person)
    _asked, answer = ask(person, id_token_hint=tokens.response['id_token'], post_logout_redirect_uri=uri, state='s')
    assert answer.status_code == 200
    assert not is_logged_in(party, person)


def check_asks_and_stays(party, person, **parameters):
    """Check that a hint that proves nothing ends nothing, and leads nowhere."""
    answer = person.open_logout(**parameters, post_logout_redirect_uri=BYE, state='s')
    assert answer.status_code == 200
    assert is_logged_in(party, person)
    asked, answer = ask(person, **parameters, post_logout_redirect_uri=BYE, state='s')
    assert asked
    check_logged_out(party, person, answer)


def test_oidcc_rp_initiated_logout_modified_id_token_hint(party, person):
    """N334: the same claims, with `alg` none."""
    _answer, tokens = party.run(person)
    payload = tokens.response['id_token'].split('.')[1]
    header = base64.urlsafe_b64encode(json.dumps({'alg': 'none'}).encode()).decode().rstrip('=')
    check_asks_and_stays(party, person, id_token_hint=f'{header}.{payload}.')


@pytest.mark.parametrize('algorithm', ['HS256', 'RS256'])
def test_oidcc_rp_initiated_logout_bad_id_token_hint(party, person, algorithm):
    """N334: the same claims, signed by the application: with its secret, or with a key that has our key ID."""
    _answer, tokens = party.run(person)
    if algorithm == 'HS256':
        key = joserfc.jwk.OctKey.import_key(party.application.client_secret)
    else:
        key = joserfc.jwk.RSAKey.generate_key(2048)
    kid = joserfc.jws.extract_compact(tokens.response['id_token'].encode()).headers()['kid']
    hint = sign_object(tokens.claims, {'alg': algorithm, 'kid': kid}, key)
    check_asks_and_stays(party, person, id_token_hint=hint)


def test_oidcc_rp_initiated_logout_no_id_token_hint(party, person):
    party.run(person)
    check_asks_and_stays(party, person)


@pytest.mark.parametrize(
    'parameters',
    [{}, {'state': 's'}],
    ids=['oidcc-rp-initiated-logout-no-params', 'oidcc-rp-initiated-logout-only-state'],
)
def test_oidcc_rp_initiated_logout_page(party, person, parameters):
    """N336: logged out, on a page that says so."""
    party.run(person)
    asked, answer = ask(person, **parameters)
    assert asked
    check_logged_out(party, person, answer)


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(party, person):
    _answer, tokens = party.run(person)
    asked, answer = ask(person, id_token_hint=tokens.response['id_token'], state='s')
    assert not asked
    check_logged_out(party, person, answer)


# Back-channel


def test_oidcc_backchannel_logout_discovery_endpoint_verification(provider):
    assert provider.metadata['backchannel_logout_supported'] is True
    assert provider.metadata['backchannel_logout_session_supported'] is True


def test_oidcc_backchannel_rp_initiated_logout(provider, person, listener):
    """N337: the logout token comes, is right, and the browser gets back."""
    party = register(provider, listener)
    _answer, tokens = party.run(person)
    asked, answer = ask(person, id_token_hint=tokens.response['id_token'], post_logout_redirect_uri=BYE, state='s&t')
    assert not asked
    assert read_redirect(answer) == {'state': 's&t'}
    [token] = listener.wait()
    assert listener.forms == [{'logout_token': [token]}]
    check_logout_token(party, token, tokens.claims)
    assert not is_logged_in(party, person)


def check_logout_token(party, token, id_token_claims):
    """Check a logout token (Back-Channel §2.4, §2.6)."""
    keys = joserfc.jwk.KeySet.import_key_set(party.provider.fetch_keys())
    decoded = joserfc.jwt.decode(token, keys, algorithms=['RS256'])
    assert decoded.header['typ'] == 'logout+jwt'
    claims = decoded.claims
    assert claims['iss'] == party.provider.metadata['issuer']
    assert claims['aud'] in (party.client_id, [party.client_id])
    assert time.time() - FRESH < claims['iat'] <= time.time() + 1
    assert claims['iat'] < claims['exp'] <= claims['iat'] + 120
    assert len(claims['jti']) >= 16
    assert claims['events'] == {'http://schemas.openid.net/event/backchannel-logout': {}}
    assert claims['sub'] == id_token_claims['sub']
    assert claims['sid'] == id_token_claims['sid']
    assert 'nonce' not in claims


# Other ends of a session


def read(token):
    """Return the claims of a token without checking it."""
    payload = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4)))


def test_n339_two_logouts_at_once(provider, person, listener, summarize):
    """Of many logouts of one session at once, one tells the application; nobody waits for it."""
    party = register(provider, listener)
    _answer, tokens = party.run(person)
    listener.delay = 2
    cookie = person.browser.cookies['session_id']

    def log_out():
        started = time.monotonic()
        answer = requests.get(
            f'{provider.url}/web/session/logout', cookies={'session_id': cookie}, allow_redirects=False, timeout=60
        )
        assert answer.status_code == 303
        return time.monotonic() - started

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _number: log_out(), range(6)))
    listener.wait(2, seconds=SOON / 2)
    assert [read(token)['sid'] for token in listener.tokens] == [tokens.claims['sid']]
    person = Person(provider)
    party.run(person)
    cookie = person.browser.cookies['session_id']
    listener.delay = 5
    assert log_out() < listener.delay
    summarize("6 at once: told once")


def get_waiting(party):
    """Return the seconds until the next try of each call to an application that waits."""
    rows = party.provider.live.execute(
        """
        SELECT extract(epoch FROM next_try_at - now() AT TIME ZONE 'UTC')
          FROM orestapi_logout_call JOIN orestapi_application ON orestapi_application.id = application_id
         WHERE client_id = %s
        """,
        [party.client_id],
    )
    return [float(row[0]) for row in rows]


def test_n338_user_does_not_wait(jobs, provider, person, listener, summarize):
    """A redirect is not followed and ends it; an error of the server is tried again a minute later."""
    party = register(provider, listener)
    party.run(person)
    listener.status = 302
    person.browser.get(f'{jobs.url}/web/session/logout', allow_redirects=False)
    assert len(listener.wait()) == 1
    assert listener.paths == ['/logout']
    assert not get_waiting(party)
    person = Person(provider)
    party.run(person)
    listener.status = 500
    person.browser.get(f'{jobs.url}/web/session/logout', allow_redirects=False)
    assert len(listener.wait(2)) == 2
    [seconds] = get_waiting(party)
    assert 30 < seconds <= 60
    # The minute passes.
    listener.status = 200
    jobs.execute("UPDATE orestapi_logout_call SET next_try_at = now() AT TIME ZONE 'UTC'")
    jobs.call('ir.cron', 'method_direct_trigger', [jobs.find_id('orestapi.ir_cron_logout_calls')])
    assert len(listener.wait(3)) == 3
    assert not get_waiting(party)
    first, second = (read(token) for token in listener.tokens[1:3])
    assert first['sid'] == second['sid'] and first['jti'] != second['jti']
    summarize("302: once; 500: again after a minute")


def test_n339_changed_password(jobs, provider, person, listener, summarize):
    """A changed password ends all sessions."""
    party = register(provider, listener)
    _answer, tokens = party.run(person)
    [user_id] = jobs.call('res.users', 'search', [('login', '=', LOGIN)])
    jobs.call('res.users', 'write', [user_id], {'password': PASSWORD})
    assert [read(token)['sid'] for token in listener.wait()] == [tokens.claims['sid']]
    assert not is_logged_in(party, person)
    summarize("password changed: told")
