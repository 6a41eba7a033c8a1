"""A database of the first release, with live tokens, is upgraded to the current code."""

import io
import subprocess
import tarfile
import time
import xmlrpc.client

import pytest
import requests

from dev.live.conformance import CONSENT_PAGE, PASSWORD_PAGE, Person, Provider, RelyingParty, make_challenge
from dev.live.conftest import Live, check_log
from dev.workbench.cache import CHECKOUT
from dev.workbench.oauth2_client import get_authorization_path, read_code
from dev.workbench.odoo_server import LOGIN

#: The first release, 19.0.1.0.0, in the history of this repository.
FIRST_RELEASE = 'a07e9e6'
VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'


@pytest.fixture
def first_release(tmp_path):
    """An addons folder with the first release."""
    # The checkout may belong to a user other than the one who runs the tests.
    command = ['git', '-c', 'safe.directory=*', '-C', str(CHECKOUT), 'archive', '--format=tar', FIRST_RELEASE]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.fail(
            f"This clone does not hold commit {FIRST_RELEASE}, the first release, which the upgrade starts from. "
            "Clone the whole history (git fetch --unshallow; in continuous integration, fetch-depth: 0). "
            f"git says: {done.stderr.decode(errors='replace').strip()}",
            pytrace=False,
        )
    folder = tmp_path / 'first_release'
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder / 'orestapi', filter='data')
    return folder


def test_o03_a16_upgraded_from_the_first_release(bench, first_release, summarize):
    """Refresh, reuse, revocation, codes, access tokens over each protocol, and introspection keep working."""
    with bench.database('upgrade', install=False) as database:
        with bench.with_addon(first_release):
            bench.run_odoo("Installing the first release", database, '-i', 'orestapi')
            with bench.serve(database) as server:
                live = Live(server)
                before = SignIns(live)
        assert not has_key(bench, database), "This is not the first release."
        bench.run_odoo("Upgrading from the first release", database, '-u', 'orestapi')
        with bench.serve(database) as server:
            live.server, live.url = server, server.url
            live.call('ir.config_parameter', 'set_param', 'orestapi.issuer', live.url)
            before.check_without_openid()
            before.check()
            before.check_with_openid()
            check_log(live)
        summarize(
            f"{len(live.issued)} secrets of before and after; 9 sign-ins and 1 code of the first release work as before"
        )


def has_key(bench, database):
    [[table]] = bench.postgres.execute("SELECT to_regclass('orestapi_key')", database=database)
    return table is not None


class SignIns:
    """Sign-ins of the first release, and checks of their tokens after the upgrade."""

    def __init__(self, live):
        self.live = live
        self.confidential = live.register()
        self.public = live.register('http://127.0.0.1/callback', client_type='public')
        self.patient = live.register(refresh_token_grace=60)
        session = live.log_in()
        self.untouched, self.reused, self.revoked, self.ended = (
            live.sign_in(session, self.confidential) for _device in range(4)
        )
        self.newer = live.refresh(self.confidential, self.reused['refresh_token']).json()
        assert live.post('revoke', self.confidential, token=self.ended['access_token']).status_code == 200
        self.of_public = live.sign_in(session, self.public)
        self.repeated = live.sign_in(session, self.patient)
        self.limited = live.register()
        self.of_limited = live.sign_in(session, self.limited)
        self.code = live.get_code(session, self.confidential, VERIFIER)
        self.plain = live.register()
        self.of_plain = live.sign_in(session, self.plain)
        self.session = session
        self.settings = live.call('orestapi.application', 'read', [self.plain.id])[0]

    def check(self):
        live, application = self.live, self.confidential
        self.check_access_token(self.untouched['access_token'])
        self.check_access_token(self.newer['access_token'])
        # The access token from before the refresh works until it expires.
        self.check_access_token(self.reused['access_token'])
        assert live.is_active(application, self.untouched['refresh_token'])
        for _count in range(2):
            self.untouched = self.refresh(application, self.untouched)
            self.check_access_token(self.untouched['access_token'])
        self.refresh(self.public, self.of_public)
        # Within the grace period, the same response comes twice.
        once, again = (self.refresh(self.patient, self.repeated) for _count in range(2))
        assert (once['access_token'], once['refresh_token']) == (again['access_token'], again['refresh_token'])
        self.check_ends()
        self.check_limit()
        assert live.redeem(application, self.code, VERIFIER).status_code == 200

    def check_without_openid(self):
        """Check that OpenID Connect changes nothing for an application of the first release."""
        live, application = self.live, self.plain
        [settings] = live.call('orestapi.application', 'read', [application.id])
        for name in ('client_id', 'scope_ids', 'uri_ids', 'state', 'trusted', 'group_ids'):
            assert settings.get(name) == self.settings.get(name), name
        assert (settings['signs_in'], settings['nonce_replaces_pkce']) == (False, False)
        [token] = live.call('orestapi.token', 'search_read', [('application_id', '=', application.id)], ['scope'])
        assert token['scope'] == 'read rpc'
        # The parameters of OpenID Connect mean nothing: `prompt=login` asks for nothing, in the session of before.
        path = get_authorization_path(
            application.client_id, application.redirect_uri, VERIFIER, scope='read rpc', prompt='login', max_age='0'
        )
        answer = self.session.get(live.url + path, allow_redirects=False)
        tokens = live.redeem(application, read_code(answer.headers['Location']), VERIFIER).json()
        assert set(tokens) == set(self.of_plain)
        assert 'id_token' not in self.refresh(application, tokens)
        assert self.get_userinfo(tokens).status_code == 403
        path = get_authorization_path(application.client_id, application.redirect_uri, VERIFIER, scope='openid')
        answer = self.session.get(live.url + path, allow_redirects=False)
        assert 'error=invalid_scope' in answer.headers['Location']

    def check_with_openid(self):
        """Check that OpenID Connect can be switched on for it, and that its sign-ins of before go on."""
        live, application = self.live, self.plain
        scopes = live.call('orestapi.scope', 'search', [('name', 'in', ['openid', 'profile', 'offline_access'])])
        assert len(scopes) == 3
        live.call(
            'orestapi.application', 'write', [application.id], {'scope_ids': [(4, scope_id) for scope_id in scopes]}
        )
        party = RelyingParty(Provider(live), application)
        # When this session logged in, nobody remembers: an application that asks for it gets a new login.
        person = Person(party.provider)
        person.browser = self.session
        request = party.get_request(scope='openid profile', max_age='100000', **make_challenge(VERIFIER))
        answer = person.authorize(request)
        assert answer.pages == [PASSWORD_PAGE, CONSENT_PAGE]
        tokens = party.complete(answer, code_verifier=VERIFIER)
        assert tokens.userinfo['name']
        refreshed = self.refresh(application, self.of_plain)
        assert 'id_token' not in refreshed
        assert self.get_userinfo(refreshed).status_code == 403
        self.of_plain = refreshed

    def get_userinfo(self, tokens):
        headers = {'Authorization': f"Bearer {tokens['access_token']}"}
        return requests.get(f'{self.live.url}/oauth2/userinfo', headers=headers, timeout=60)

    def check_ends(self):
        live, application = self.live, self.confidential
        # The token was used by the refresh before the upgrade.
        assert live.refresh(application, self.reused['refresh_token']).json()['error'] == 'invalid_grant'
        assert not live.is_active(application, self.newer['access_token'])
        assert live.post('revoke', application, token=self.revoked['refresh_token']).status_code == 200
        assert not live.is_active(application, self.revoked['access_token'])
        assert not live.is_active(application, self.ended['refresh_token'])
        reasons = live.call(
            'orestapi.token', 'search_read', [('application_id', '=', application.id)], ['state', 'revoked_reason']
        )
        assert sorted(str(row['revoked_reason']) for row in reasons) == [
            'False', 'application', 'application', 'refresh_token_reused',
        ]  # fmt: skip
        [row] = live.call('orestapi.application', 'read', [application.id], ['sign_in_count'])
        assert row['sign_in_count'] == 1

    def check_limit(self):
        """Check that a limit set now ends an access token that was issued for an hour."""
        live = self.live
        live.call('orestapi.application', 'write', [self.limited.id], {'sign_in_expiry': 1800})
        answer = live.post('introspect', self.limited, token=self.of_limited['access_token']).json()
        assert answer['exp'] - time.time() < 1800
        live.call('orestapi.application', 'write', [self.limited.id], {'sign_in_expiry': 1})
        assert not live.is_active(self.limited, self.of_limited['access_token'])
        assert live.call_json2(self.of_limited['access_token']).status_code == 401

    def refresh(self, application, tokens):
        answer = self.live.refresh(application, tokens['refresh_token'])
        assert answer.status_code == 200, answer.text
        return answer.json()

    def check_access_token(self, access_token):
        """Check that an access token works over every protocol."""
        live = self.live
        assert live.is_active(self.confidential, access_token)
        assert live.call_json2(access_token).status_code == 200
        headers = {'Authorization': f'Bearer {access_token}'}
        assert requests.get(f'{live.url}/orestapi/1/models', headers=headers, timeout=60).status_code == 200
        common = xmlrpc.client.ServerProxy(f'{live.url}/xmlrpc/2/common')
        user_id = common.authenticate(live.server.database, LOGIN, access_token, {})
        assert user_id
        models = xmlrpc.client.ServerProxy(f'{live.url}/xmlrpc/2/object')
        context = models.execute_kw(live.server.database, user_id, access_token, 'res.users', 'context_get', [])
        assert context['uid'] == user_id
