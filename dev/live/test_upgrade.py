"""A database of the first release, with live tokens, is upgraded to the current code."""

import io
import subprocess
import tarfile
import time
import xmlrpc.client

import pytest
import requests

from dev.live.conftest import Live, check_log
from dev.workbench.cache import CHECKOUT
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
            before.check()
            check_log(live)
        summarize(
            f"{len(live.issued)} secrets of before and after; 8 sign-ins and 1 code of the first release work as before"
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
