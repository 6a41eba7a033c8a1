"""Sign-ins that are opened at the very moment at which all sign-ins of the user end.

Transactions do not see each other's rows. A third one holds a lock, so that both begin
before either of them ends.
"""

import concurrent.futures
import contextlib
import secrets
import time

import pytest

pytestmark = pytest.mark.same

PASSWORD = 'a password of at least 8'
VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'


class Person:
    """A user who has already allowed an application and is not asked again."""

    def __init__(self, live):
        self.live = live
        self.login = f'user-{secrets.token_hex(4)}'
        [self.id] = live.call('res.users', 'create', [{'name': self.login, 'login': self.login, 'password': PASSWORD}])
        self.application = live.register()
        self.session = live.log_in(self.login, PASSWORD)
        self.get_code()

    def get_code(self):
        return self.live.get_code(self.session, self.application, VERIFIER)

    def redeem(self, code):
        return self.live.redeem(self.application, code, VERIFIER)

    def refresh(self, tokens):
        return self.live.refresh(self.application, tokens['refresh_token'])

    def change_password(self):
        self.live.server.call(
            'res.users', 'change_password', PASSWORD, 'another ' + PASSWORD, login=self.login, password=PASSWORD
        )

    def archive(self):
        for active in (False, True):
            self.live.call('res.users', 'write', [self.id], {'active': active})

    def assert_ended(self, *answers):
        """Assert that no token from any of the responses works."""
        for answer in answers:
            if answer.status_code == 200:
                tokens = answer.json()
                assert not self.live.is_active(self.application, tokens['access_token'])
                assert not self.live.is_active(self.application, tokens['refresh_token'])
                assert self.live.call_json2(tokens['access_token']).status_code == 401
                assert self.refresh(tokens).json()['error'] == 'invalid_grant'
            else:
                assert (answer.status_code, answer.json()['error']) == (400, 'invalid_grant')


@pytest.fixture
def person(live):
    return Person(live)


@pytest.fixture(params=['change_password', 'archive'])
def end_all(request, person):
    """One of the ways to end all sign-ins of the person."""
    return getattr(person, request.param)


@contextlib.contextmanager
def lock(live, statement, *parameters):
    """Hold the lock of a statement. Yields a function that waits for a number of others to wait for the lock."""
    with live.postgres.connect(live.server.database) as connection, connection.cursor() as cursor:
        cursor.execute('BEGIN')
        cursor.execute(statement, parameters)
        assert cursor.rowcount, "Nothing is locked."

        def wait(number=1):
            for _attempt in range(600):
                # Counts processes that wait for the lock directly or indirectly.
                [[waiting]] = live.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
                )
                if waiting >= number:
                    return
                time.sleep(0.05)
            raise AssertionError("Nobody waits for the lock.")

        try:
            yield wait
        finally:
            cursor.execute('ROLLBACK')


def test_code_of_a_request_that_began_before(live, person, end_all, summarize):
    """N132: its transaction sees the user before the change."""
    [[authorization_id]] = live.execute('SELECT id FROM orestapi_authorization WHERE user_id = %s', [person.id])
    with concurrent.futures.ThreadPoolExecutor() as pool:
        # A new code refers to the authorization, and waits for its lock.
        with lock(live, 'SELECT FROM orestapi_authorization WHERE id = %s FOR UPDATE', authorization_id) as wait:
            code = pool.submit(person.get_code)
            wait()
            end_all()
        code = code.result()
    person.assert_ended(person.redeem(code))
    summarize("1 request raced the end of all sign-ins of its user, and nothing of it is alive")


def test_code_and_sign_in_of_requests_that_end_before(live, person, end_all, summarize):
    """N132, N153: the transaction that ends all sign-ins began before they existed."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with lock(live, 'SELECT FROM res_users WHERE id = %s FOR NO KEY UPDATE', person.id) as wait:
            ended = pool.submit(end_all)
            wait()
            code, answer = person.get_code(), person.redeem(person.get_code())
            assert answer.status_code == 200
        ended.result()
    person.assert_ended(answer, person.redeem(code))
    summarize("1 request raced the end of all sign-ins of its user, and nothing of it is alive")


def test_redemption_meanwhile(live, person, end_all, summarize):
    """N132: of two transactions that change one code, PostgreSQL lets one through and makes the other start over."""
    code = person.get_code()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with lock(
            live, 'SELECT FROM orestapi_authorization_code WHERE id = %s FOR UPDATE', int(code.split('_')[2])
        ) as wait:
            answer = pool.submit(person.redeem, code)
            wait(1)
            ended = pool.submit(end_all)
            wait(2)
        ended.result()
    person.assert_ended(answer.result())
    summarize("1 request raced the end of all sign-ins of its user, and nothing of it is alive")


def test_refresh_meanwhile(live, person, end_all, summarize):
    """N153: the same as for a code."""
    tokens = person.redeem(person.get_code()).json()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with lock(
            live, 'SELECT FROM orestapi_token WHERE id = %s FOR UPDATE', int(tokens['refresh_token'].split('_')[2])
        ) as wait:
            answer = pool.submit(person.refresh, tokens)
            wait(1)
            ended = pool.submit(end_all)
            wait(2)
        ended.result()
    person.assert_ended(answer.result())
    summarize("1 request raced the end of all sign-ins of its user, and nothing of it is alive")
