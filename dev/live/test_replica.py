"""The records API on a PostgreSQL replica, which lags behind."""

import contextlib
import shutil
import time

import psycopg2
import pytest
import requests

from dev.cache import locked
from dev.live.conftest import Live, check_log
from dev.odoo_server import Bench
from dev.postgres import ROLE, Postgres

PORT = 5433

#: Reads in a row: each worker has some of them.
READS = 20


class Replica:
    """A streaming replica of a private server, to use inside a ``with`` block. It listens beside it."""

    def __init__(self, primary):
        self.primary = primary
        self.data = primary.folder / 'replica'

    def __enter__(self):
        shutil.rmtree(self.data, ignore_errors=True)
        # -R: to follow the primary from there on
        self._run('pg_basebackup', '-D', self.data, '-R', '-c', 'fast', '--no-sync',
                  '-h', self.primary.socket, '-U', ROLE)
        # The settings of the primary: a replica refuses to take fewer connections.
        settings = {**self.primary.settings, 'unix_socket_directories': self.primary.socket, 'port': PORT}
        options = ' '.join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run('pg_ctl', 'start', '-w', '-D', self.data, '-l', self.primary.folder / 'replica.log', '-o', options)
        return self

    def __exit__(self, *exception):
        with contextlib.suppress(AssertionError):  # stopped already
            self.stop()
        shutil.rmtree(self.data)

    def _run(self, program, *arguments):
        code, output = self.primary.run(program, *arguments, timeout=120)
        assert not code, output

    def stop(self):
        self._run('pg_ctl', 'stop', '-w', '-m', 'immediate', '-D', self.data)

    def execute(self, statement):
        """Run one statement at the replica, and return its first value."""
        with contextlib.closing(psycopg2.connect(
                host=str(self.primary.socket), port=PORT, user=ROLE, dbname='postgres')) as connection, \
                connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(statement)
            return cursor.fetchone()[0]


@pytest.fixture
def replicated(bench, installed, tmp_path):
    """A live server with a replica, and the replica. Its primary is that of the test that stops PostgreSQL."""
    bench.back_up(installed, tmp_path / 'backup')
    with locked('outage'), Bench(Postgres('outage')) as second:
        second.drop_abandoned()
        with second.restored(tmp_path / 'backup', installed, 'replica') as database, \
                Replica(second.postgres) as replica, second.serve(
                    database, '--max-cron-threads', '0', '--db_replica_host', str(second.postgres.socket),
                    '--db_replica_port', str(PORT), workers=2) as server:
            live = Live(server, second.postgres)
            yield live, replica
            check_log(live)


def read(live, access_token, partner_id):
    """Return the status of the answer, and the name of a partner in it."""
    answer = requests.get(
        f'{live.url}/orestapi/1/records/res.partner/{partner_id}?fields=name',
        headers={'Authorization': f'Bearer {access_token}'}, timeout=60)
    return answer.status_code, answer.json().get('fields', {}).get('name')


def test_replica(replicated, tell):
    """Records come from the replica; whether a token is valid is known at once all the same."""
    live, replica = replicated
    application = live.register()
    partner_id = live.call('res.partner', 'create', {'name': "Old name"})
    with live.log_in() as session:
        first = live.sign_in(session, application)['access_token']
        second = live.sign_in(session, application)['access_token']
        end = time.monotonic() + 30
        while read(live, first, partner_id) != (200, "Old name"):
            assert time.monotonic() < end, "The replica does not follow."
        assert replica.execute('SELECT pg_is_in_recovery()')

        replica.execute('SELECT pg_wal_replay_pause()')
        live.call('res.partner', 'write', [partner_id], {'name': "New name"})
        assert live.call('res.partner', 'read', [partner_id], ['name'])[0]['name'] == "New name"
        for _read in range(READS):
            assert read(live, first, partner_id) == (200, "Old name")

        # The replica has never heard of this one, and does not know yet that the other is over.
        third = live.sign_in(session, application)['access_token']
        assert live.post('revoke', application, token=second).status_code == 200
        for _read in range(READS):
            assert read(live, third, partner_id) == (200, "Old name")
            assert read(live, second, partner_id) == (401, None)

        replica.execute('SELECT pg_wal_replay_resume()')
        end = time.monotonic() + 30
        while read(live, third, partner_id) != (200, "New name"):
            assert time.monotonic() < end, "The replica does not follow."

        # A connection that it had may break in the middle of an answer.
        replica.stop()
        statuses = [read(live, third, partner_id)[0] for _read in range(READS)]
        assert set(statuses[:4]) <= {200, 503} and set(statuses[4:]) == {200}, statuses
    tell(f"{READS} reads showed the old value of a replica that was held back; a token issued meanwhile worked "
         f"{READS} times, one revoked meanwhile was refused {READS} times; without the replica: {statuses[:6]}")
