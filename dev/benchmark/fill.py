"""Any number of sign-ins and authorization codes, written with SQL, and their tokens.

The secrets are derived from the id of the row, so that the load can present any of ten million tokens without a list.
The addon itself generates them at random.
"""

import dataclasses
import hashlib
import random

from oauth2 import pkce, tokens

#: As many applications as ten million sign-ins would have; the sign-ins of each are spread over the whole table.
APPLICATIONS = 1000
#: The second is an ordinary user, whose calls are checked against access rules.
LOGINS = ('admin', 'demo')
USER = LOGINS[1]

#: Later than any run, because the database is kept. The sign-ins are refreshed at this time too, because an access
#: token expires by the setting of its application, counted from the refresh.
FAR = "timestamp '2100-01-01'"

#: The row of a sign-in that the benchmark never refreshes.
UNTOUCHED = 5

VERIFIER = 'v' * 64
ACCESS, REFRESH, CODE = 'a', 'r', 'c'
USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0'


@dataclasses.dataclass
class Application:
    """An application registered for the benchmark."""

    id: int
    client_id: str
    client_secret: str
    redirect_uri: str


def get_secret(kind, row_id):
    """Return the secret of a row; `_get_digest_sql` stores its digest."""
    return hashlib.md5(f'{kind}{row_id}'.encode()).hexdigest().ljust(43, '0')  # noqa: S324


def _get_digest_sql(kind, row_id):
    return f"encode(sha256(rpad(md5('{kind}' || {row_id}), 43, '0')::bytea), 'hex')"


def get_access_token(row_id):
    return tokens.render(tokens.ACCESS_TOKEN, row_id, get_secret(ACCESS, row_id))


def register(server):
    """Register the application of the benchmark and others, and return the first."""
    client_id, client_secret = 'benchmark-application', tokens.generate_client_secret()
    found = server.call('orestapi.application', 'search', [('client_id', '=', client_id)])
    if found:
        server.call('orestapi.application', 'write', found, {'client_secret': client_secret})
        [application_id] = found
    else:
        values = {'scope_ids': [(6, 0, server.call('orestapi.scope', 'search', []))]}
        application_id = server.call(
            'orestapi.application',
            'create',
            {
                **values,
                'name': "Benchmark",
                'client_id': client_id,
                'client_secret': client_secret,
                'resource_server': True,
                'uri_ids': [(0, 0, {'uri': 'https://app.example.com/callback'})],
            },
        )
        server.call(
            'orestapi.application',
            'create',
            [
                {**values, 'name': f"Other {number}", 'client_id': f'other-application-{number}'}
                for number in range(1, APPLICATIONS)
            ],
        )
    return Application(application_id, client_id, client_secret, 'https://app.example.com/callback')


class SignIns:
    """The sign-ins of a database, with the ids 1 to `number`.

    Every fifth belongs to the benchmark's application, and each user has half of them.
    """

    def __init__(self, postgres, database, application):
        self.postgres = postgres
        self.database = database
        self.application = application
        self.number = 0

    def _execute(self, statement, parameters=()):
        return self.postgres.execute(statement, parameters, database=self.database)

    def fill(self, number):
        """Store `number` sign-ins, unless an earlier run did."""
        self.number = number
        [[stored]] = self._execute(
            "SELECT count(*) FROM (SELECT FROM orestapi_token WHERE id <= %s LIMIT %s) AS rows", [number, number]
        )
        # The untouched sign-in shows whether an earlier run filled the table in the same way.
        as_now = self._execute(f"SELECT FROM orestapi_token WHERE id = {UNTOUCHED} AND refreshed_at = {FAR}")
        if stored == number and as_now:
            # Vacuumed now; otherwise PostgreSQL would do it during the measurements.
            self._execute("VACUUM orestapi_token, orestapi_authorization_code")
            return
        self._execute("DELETE FROM orestapi_token")
        # The indexes stay, as for real sign-ins. The foreign key is checked once for all rows.
        self._execute(
            f"""
            ALTER TABLE orestapi_token DROP CONSTRAINT orestapi_token_authorization_id_fkey;
            INSERT INTO orestapi_token (
                   id, authorization_id, grant_type, scope, access_digest, access_scope, access_expires_at,
                   previous_access_digest, previous_access_scope, previous_access_expires_at,
                   refresh_digest, generation, refreshed_at, create_date, last_used_at,
                   address, user_agent, last_address)
            SELECT id,
                   CASE WHEN id %% 10 < 2 THEN (%(authorizations)s::int[])[1 + id %% 2]
                        ELSE (%(authorizations)s::int[])[1 + id %% %(count)s] END,
                   'authorization_code', 'read rpc',
                   {_get_digest_sql(ACCESS, 'id')}, 'read rpc', {FAR},
                   md5(id::text) || md5(id::text), 'read rpc', timestamp '2026-01-01',
                   {_get_digest_sql(REFRESH, 'id')}, 0, {FAR}, timestamp '2026-01-01', {FAR},
                   '192.0.2.1', '{USER_AGENT}', '192.0.2.2'
              FROM generate_series(1, %(number)s) AS id;
            ALTER TABLE orestapi_token ADD CONSTRAINT orestapi_token_authorization_id_fkey
                  FOREIGN KEY (authorization_id) REFERENCES orestapi_authorization ON DELETE CASCADE;
            SELECT setval('orestapi_token_id_seq', %(number)s)
            """,
            {'authorizations': (authorizations := self.grant()), 'count': len(authorizations), 'number': number},
        )
        self._execute("VACUUM (FREEZE, ANALYZE) orestapi_token")

    def grant(self):
        """Let each user allow each application, and return the ids, those of the benchmark's application first."""
        self._execute(
            """
            INSERT INTO orestapi_authorization (user_id, application_id, create_date)
            SELECT users.id, application.id, timestamp '2026-01-01'
              FROM res_users AS users, orestapi_application AS application
             WHERE login = ANY(%s) AND (application.id = %s OR client_id LIKE 'other-application-%%')
                ON CONFLICT DO NOTHING
            """,
            [list(LOGINS), self.application.id],
        )
        return [
            row[0]
            for row in self._execute(
                """
                SELECT "authorization".id FROM orestapi_authorization AS "authorization"
                  JOIN res_users AS users ON users.id = user_id
                  JOIN orestapi_application AS application ON application.id = application_id
                 WHERE login = ANY(%s) AND (application.id = %s OR client_id LIKE 'other-application-%%')
                 ORDER BY application.id <> %s, application.id, login
                """,
                [list(LOGINS), self.application.id, self.application.id],
            )
        ]

    def get_any_access_token(self):
        """Return the access token of a sign-in chosen at random.

        It never belongs to the benchmark's application, because refreshes change those tokens.
        """
        return get_access_token(10 * random.randrange(self.number // 10) + random.randint(2, 9))

    def get_user_access_token(self):
        """Return an access token of `USER`, chosen in the same way."""
        return get_access_token(10 * random.randrange(self.number // 10) + random.choice((3, 5, 7, 9)))

    def reset_refresh_tokens(self, number=10_000):
        """Undo the refreshes of earlier runs, and return refresh tokens of the benchmark's application.

        :param int number: the maximum number of sign-ins, chosen at random
        """
        row_ids = [
            10 * ten + odd
            for ten in random.sample(range(1, self.number // 10), min(number, self.number // 20))
            for odd in (0, 1)
        ]
        self._execute(
            f"""
            UPDATE orestapi_token
               SET generation = 0, refresh_digest = {_get_digest_sql(REFRESH, 'id')},
                   access_digest = {_get_digest_sql(ACCESS, 'id')}, access_expires_at = {FAR}, refreshed_at = {FAR},
                   last_used_at = {FAR}
             WHERE id = ANY(%s)
            """,
            [row_ids],
        )
        [[value]] = self._execute("SELECT value FROM orestapi_key WHERE purpose = 'refresh_token'")
        key = bytes.fromhex(value)
        return [tokens.render_refresh_token(key, row_id, 0, get_secret(REFRESH, row_id)) for row_id in row_ids]

    def issue_codes(self, number, openid=False):
        """Store authorization codes of the benchmark's application, and return them.

        :param bool openid: whether an ID token comes with the tokens: with what the login of a browser leaves
        """
        login = {'nonce': 'n' * 22, 'amr': 'pwd', 'acr': 'urn:orestapi:acr:1fa', 'sid': 's' * 43} if openid else {}
        rows = self._execute(
            f"""
            INSERT INTO orestapi_authorization_code (
                   id, authorization_id, digest, redirect_uri, redirect_uri_sent, code_challenge, scope, create_date,
                   expires_at, verifier_failures, address, user_agent, auth_time, nonce, amr, acr, sid)
            SELECT id, (%(authorizations)s::int[])[1 + id %% 2], {_get_digest_sql(CODE, 'id')}, %(redirect_uri)s, TRUE,
                   %(challenge)s, %(scope)s, now() AT TIME ZONE 'utc',
                   now() AT TIME ZONE 'utc' + interval '1 hour', 0, '192.0.2.1', '{USER_AGENT}',
                   CASE WHEN %(openid)s THEN now() AT TIME ZONE 'utc' END,
                   %(nonce)s, %(amr)s, %(acr)s, %(sid)s
              FROM (
                SELECT nextval('orestapi_authorization_code_id_seq') AS id FROM generate_series(1, %(number)s)
              ) AS new
            RETURNING id
            """,
            {
                'authorizations': self.grant(),
                'redirect_uri': self.application.redirect_uri,
                'challenge': pkce.compute_challenge(VERIFIER),
                'scope': 'openid read rpc' if openid else 'read rpc',
                'openid': openid,
                'number': number,
                **dict.fromkeys(('nonce', 'amr', 'acr', 'sid')),
                **login,
            },
        )
        self._execute("ANALYZE orestapi_authorization_code")
        return [tokens.render(tokens.AUTHORIZATION_CODE, row_id, get_secret(CODE, row_id)) for (row_id,) in rows]

    def issue_openid_tokens(self, number):
        """Store sign-ins of the benchmark's application that may ask for UserInfo, and return their access tokens."""
        rows = self._execute(
            f"""
            INSERT INTO orestapi_token (
                   id, authorization_id, grant_type, scope, access_digest, access_scope, access_expires_at,
                   refresh_digest, generation, refreshed_at, create_date, last_used_at, address, user_agent,
                   last_address)
            SELECT id, (%(authorizations)s::int[])[1 + id %% 2], 'authorization_code', 'email openid profile',
                   {_get_digest_sql(ACCESS, 'id')}, 'email openid profile', {FAR}, {_get_digest_sql(REFRESH, 'id')}, 0,
                   {FAR}, timestamp '2026-01-01', {FAR}, '192.0.2.1', '{USER_AGENT}', '192.0.2.2'
              FROM (SELECT nextval('orestapi_token_id_seq') AS id FROM generate_series(1, %(number)s)) AS new
            RETURNING id
            """,
            {'authorizations': self.grant(), 'number': number},
        )
        self._execute("ANALYZE orestapi_token")
        return [get_access_token(row_id) for (row_id,) in rows]

    def store_ended(self, number):
        """Store sign-ins that were revoked, and as many expired codes, after all others."""
        authorizations = self.grant()
        for statement in (
            """
            INSERT INTO orestapi_token (
                   authorization_id, grant_type, scope, access_digest, access_scope, access_expires_at,
                   refresh_digest, generation, refreshed_at, create_date, last_used_at, revoked_at, revoked_reason)
            SELECT (%s::int[])[1 + number %% %s], 'authorization_code', 'read rpc', md5(number::text), 'read rpc',
                   timestamp '2026-01-01', md5(number::text), 1, timestamp '2026-01-01', timestamp '2026-01-01',
                   timestamp '2026-01-01', timestamp '2026-01-01', 'user'
              FROM generate_series(1, %s) AS number
            """,
            """
            INSERT INTO orestapi_authorization_code (
                   authorization_id, digest, redirect_uri, redirect_uri_sent, scope, create_date, expires_at,
                   verifier_failures)
            SELECT (%s::int[])[1 + number %% %s], md5(number::text), 'https://app.example.com/callback', TRUE, 'read',
                   timestamp '2026-01-01', timestamp '2026-01-01', 0
              FROM generate_series(1, %s) AS number
            """,
        ):
            self._execute(statement, [authorizations, len(authorizations), number])
        self._execute("ANALYZE orestapi_token, orestapi_authorization_code")
