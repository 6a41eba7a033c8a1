"""The records API with a PostgreSQL replica, whose lag the tests control.

The primary is the cluster of the tests that stop PostgreSQL; the replica listens beside it.
"""

import contextlib
import re
import secrets
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
import requests

from dev.live.conftest import Live, check_log
from dev.workbench.cache import locked
from dev.workbench.odoo_server import Workbench
from dev.workbench.postgres import ROLE, Postgres

#: The port of the replica; its socket is in the folder of the primary's.
PORT = 5433

WORKERS = 2

#: Concurrent requests. Many more with a wrong secret would get 429.
REQUESTS = 8

#: Seconds until the replica has what the primary had.
PATIENCE = 15

API = '/orestapi/1/'


class Replica:
    """A streaming replica of a private server, to use inside a ``with`` block; it is removed at its end."""

    def __init__(self, primary):
        self.primary = primary
        self.data = primary.folder / 'replica'
        self.log = primary.folder / 'replica.log'

    def __enter__(self):
        self._remove()  # the remains of a killed run
        self._run(
            'pg_basebackup',
            '--pgdata',
            self.data,
            '--write-recovery-conf',
            '--checkpoint',
            'fast',
            '--no-sync',
            '--host',
            self.primary.socket,
            '--username',
            ROLE,
        )
        self.start()
        return self

    def __exit__(self, *exception):
        self._remove()

    def start(self):
        # PostgreSQL requires at least as many connections as at the primary.
        settings = {
            **self.primary.settings,
            'unix_socket_directories': self.primary.socket,
            'port': PORT,
            'log_statement': 'all',
        }
        options = ' '.join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run('pg_ctl', 'start', '-w', '-D', self.data, '-l', self.log, '-o', options)

    def stop(self, mode):
        self._run('pg_ctl', 'stop', '-w', '-m', mode, '-D', self.data)

    def _remove(self):
        if self.data.exists() and not self.primary.run('pg_ctl', 'status', '-D', self.data)[0]:
            self.stop('immediate')
        shutil.rmtree(self.data, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def _run(self, program, *arguments):
        code, output = self.primary.run(program, *arguments)
        assert not code, output + (self.log.read_text() if self.log.exists() else '')

    def execute(self, statement):
        """Run one statement at the replica and return its value."""
        connection = psycopg2.connect(host=str(self.primary.socket), port=PORT, user=ROLE, dbname='postgres')
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchone()[0]
        finally:
            connection.close()

    def catch_up(self):
        """Wait until the replica has everything that was committed."""
        [[position]] = self.primary.execute('SELECT pg_current_wal_lsn()')
        end = time.monotonic() + PATIENCE
        while not self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{position}'"):
            assert time.monotonic() < end, "The replica does not follow."
            time.sleep(0.02)

    def pause(self):
        """Let the replica replay everything committed until now, and nothing after that."""
        self.catch_up()
        self.execute('SELECT pg_wal_replay_pause()')

    def resume(self):
        self.execute('SELECT pg_wal_replay_resume()')
        self.catch_up()

    def count(self, text):
        """Return how often a text occurs in the statements executed at the replica."""
        return self.log.read_text().count(text)


@pytest.fixture(scope='module')
def replicated(bench, installed, tmp_path_factory):
    """The database server, the replica, and a database on both."""
    backup = tmp_path_factory.mktemp('replica') / 'backup'
    bench.back_up(installed, backup)
    # Only one test at a time may use this cluster.
    with locked('outage'), Workbench(Postgres('outage')) as primary:
        primary.drop_abandoned()
        with primary.restored(backup, installed, 'replica') as database, Replica(primary.postgres) as replica:
            yield primary, replica, database


@contextlib.contextmanager
def serve(replicated):
    """Run an Odoo that uses the replica, and check its log at the end."""
    primary, replica, database = replicated
    with primary.serve(
        database,
        '--max-cron-threads',
        '0',
        '--db_replica_host',
        str(primary.postgres.socket),
        '--db_replica_port',
        str(PORT),
        workers=WORKERS,
    ) as server:
        live = Live(server, primary.postgres)
        replica.catch_up()
        yield live
        check_log(live)


@pytest.fixture(scope='module')
def live(replicated):
    with serve(replicated) as live:
        yield live


@pytest.fixture
def replica(replicated):
    _primary, replica, _database = replicated
    yield replica
    replica.resume()


def get(live, path, token):
    return requests.get(f'{live.url}{path}', headers={'Authorization': f'Bearer {token}'}, timeout=60)


def read(live, token, partner_id):
    """Return the status of the response, and the name of the partner if there is one."""
    answer = get(live, f'{API}records/res.partner/{partner_id}?fields=name', token)
    return answer.status_code, answer.json().get('fields', {}).get('name')


def ask_all(ask, *arguments):
    """Return the different responses to concurrent requests, enough for each worker to get some."""
    with ThreadPoolExecutor(REQUESTS) as threads:
        return {asked.result() for asked in [threads.submit(ask, *arguments) for _request in range(REQUESTS)]}


def test_each_route_runs_on_the_replica(live, replica, summarize):
    """Every path of the OpenAPI document runs on the replica; Odoo logs the kind of cursor."""
    with live.log_in() as session:
        token = live.sign_in(session, live.register())['access_token']
    replica.catch_up()
    described = get(live, f'{API}openapi.json', token).json()['paths']
    paths = [path.replace('{id}', '1') for path in described if 'res.partner' in path or path.count('/') < 5]
    assert len(paths) == 7, paths
    for path in paths:
        # The new application has no logo.
        assert get(live, path, token).status_code == (404 if path.endswith('/logo') else 200), path
    log = live.server.log.read_text()
    cursors = dict(re.findall(rf'"GET ({API}\S+) HTTP/1.1" \d+ .* (\S+)$', log, re.MULTILINE))
    assert cursors == dict.fromkeys(paths, 'ro')
    assert replica.count('FROM "res_partner"') > 2
    summarize(
        f"{len(paths)} routes ran read-only; {replica.count('statement: ')} statements at the replica, "
        f"{replica.count('orestapi_token')} of them about tokens"
    )


def test_records_are_those_of_the_replica(live, replica, summarize):
    application = live.register()
    partner_id = live.call('res.partner', 'create', {'name': "Old"})
    with live.log_in() as session:
        token = live.sign_in(session, application)['access_token']
        replica.pause()
        live.call('res.partner', 'write', [partner_id], {'name': "New"})
        assert ask_all(read, live, token, partner_id) == {(200, "Old")}
        # The replica does not have this sign-in yet.
        token = live.sign_in(session, application)['access_token']
    assert ask_all(read, live, token, partner_id) == {(200, "Old")}
    assert {answer.status_code for answer in ask_all(live.call_json2, token)} == {200}
    assert not replica.count('orestapi_token')
    replica.resume()
    assert ask_all(read, live, token, partner_id) == {(200, "New")}
    summarize(
        f"{2 * REQUESTS} requests showed the old value of the replica, "
        f"{REQUESTS} of them with a token that it did not know; no statement of it was about tokens"
    )


def test_what_ends_is_known_at_once(live, replica, summarize):
    """The caches of all workers follow too, although Odoo looks for messages at the replica."""
    # The change, and then the responses to a read, a call of Odoo's own API, and an introspection.
    changes = {
        'archive': ({'active': False}, (401, 401, 401, None)),
        'group': ({'group_ids': [(6, 0, [live.find_id('base.group_portal')])]}, (401, 401, 200, False)),
        'scope': ({'scope_ids': [(5,)]}, (403, 403, 200, True)),
        'scheme': ({'model_scheme_id': False}, (403, 200, 200, True)),
        'secret': ({'client_secret': secrets.token_urlsafe(32)}, (200, 200, 401, None)),
        'revoke': (None, (401, 401, 200, False)),
    }
    applications = {change: live.register() for change in changes}
    with live.log_in() as session:
        tokens = {
            change: live.sign_in(session, application)['access_token'] for change, application in applications.items()
        }
    replica.pause()

    def ask(change):
        introspection = live.post('introspect', applications[change], token=tokens[change])
        return (
            read(live, tokens[change], 1)[0],
            live.call_json2(tokens[change]).status_code,
            introspection.status_code,
            introspection.json().get('active'),
        )

    for change, (values, expected) in changes.items():
        # Right before the change, because it empties all caches of the worker that makes it.
        assert ask_all(ask, change) == {(200, 200, 200, True)}, change
        if values:
            # With the password, because an access token may not change applications.
            live.call('orestapi.application', 'write', [applications[change].id], values)
        else:
            assert live.post('revoke', applications[change], token=tokens[change]).status_code == 200
        assert ask_all(ask, change) == {expected}, change
    summarize(
        f"{len(changes)} changes, each followed by {REQUESTS} requests to each of 3 endpoints; the replica knew none"
    )


@pytest.mark.parametrize('mode', ['immediate', pytest.param('fast', marks=pytest.mark.full)])
def test_replica_stops(replicated, summarize, mode):
    _primary, replica, _database = replicated
    with serve(replicated) as live:
        with live.log_in() as session:
            token = live.sign_in(session, live.register())['access_token']
        replica.catch_up()
        assert {status for status, _name in ask_all(read, live, token, 1)} == {200}
        replica.stop(mode)
        try:
            statuses = [read(live, token, 1)[0] for _request in range(REQUESTS)]
        finally:
            replica.start()
    # Each worker may have one broken connection.
    assert statuses.count(503) <= WORKERS, statuses
    assert set(statuses) <= {200, 503}, statuses
    summarize(f"{mode}: {statuses.count(200)} answers from the primary, {statuses.count(503)} times 503")
