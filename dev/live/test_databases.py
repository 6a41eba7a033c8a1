"""Tokens when a database is upgraded, copied or dumped, and beside another database."""

import concurrent.futures
import copy
import itertools
import re

import jwt
import pytest
import requests
from requests.adapters import HTTPAdapter

from dev.live.conftest import Live, check_log
from dev.live.test_fuzz import CLIENTS

VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

#: Stays below the limit of wrong client secrets from one IP address (N103).
TRIES_AN_ADDRESS = 9

#: The tables with the secrets of the server.
KEYS = ('orestapi_key', 'ir_config_parameter')


class Origin:
    """An unused database with sign-ins, of which each test makes its own copy.

    :ivar str database: the name of the database
    :ivar Application application: the application of the sign-ins
    :ivar dict used, ended, reused: the token responses of three sign-ins, for tests to use, end, and use again
    :ivar dict newer: the token response after a refresh of `reused`
    """

    def __init__(self, live):
        self.database = live.server.database
        self.live = live
        self.application = live.register(own_secret='how Odoo identifies itself')
        session = live.log_in()
        self.used, self.ended, self.reused = (live.sign_in(session, self.application) for _device in range(3))
        self.newer = live.refresh(self.application, self.reused['refresh_token']).json()

    def at(self, server):
        """Return `Live` for the server of a copy, with the secrets that were issued in the original."""
        live = copy.copy(self.live)
        live.server, live.url = server, server.url
        return live


@pytest.fixture(scope='module')
def origin(bench, installed):
    with bench.copy(installed, 'origin') as database:
        with bench.serve(database) as server:
            origin = Origin(Live(server))
        yield origin


@pytest.fixture
def database(bench, origin):
    with bench.copy(origin.database, 'lifecycle') as database:
        yield database


def test_n065_n135_n194_databases_are_strangers_to_each_other(bench, installed, summarize):
    """N065, N135, N194: each database is a separate issuer, and accepts nothing that another one issued."""
    with bench.copy(installed, 'first') as first, bench.copy(installed, 'second') as second:
        # A copy would share the secrets of the database; a separate database has others.
        for statement in (
            "UPDATE ir_config_parameter SET value = gen_random_uuid() WHERE key = 'database.secret'",
            "UPDATE ir_config_parameter SET value = gen_random_uuid() WHERE key = 'database.uuid'",
            'DELETE FROM orestapi_key',
        ):
            bench.postgres.execute(statement, database=second)
        check_strangers(bench, first, second)
    summarize("1 code, 1 refresh token and 1 access token of one database refused by the other, and still good at home")


def check_strangers(bench, first, second):
    with bench.serve(first) as first_server, bench.serve(second) as second_server:
        lives = Live(first_server), Live(second_server)
        # The same row ids, the same client id and secret in both: only the secrets of the tokens differ.
        values = {'client_id': 'the-same-client', 'client_secret': 'the-same-secret-in-both'}
        applications = [live.register(**values) for live in lives]
        for application in applications:
            application.client_id, application.client_secret = values['client_id'], values['client_secret']
        sessions = [live.log_in() for live in lives]
        codes = [
            live.get_code(session, application, VERIFIER)
            for live, session, application in zip(lives, sessions, applications, strict=True)
        ]
        issuers = [
            requests.get(f'{live.url}/.well-known/oauth-authorization-server', timeout=10).json()['issuer']
            for live in lives
        ]
        assert issuers == [live.url for live in lives]
        assert len(set(issuers)) == 2
        answer = lives[1].redeem(applications[1], codes[0], VERIFIER)
        assert (answer.status_code, answer.json()['error']) == (400, 'invalid_grant')
        tokens = [
            live.redeem(application, code, VERIFIER).json()
            for live, application, code in zip(lives, applications, codes, strict=True)
        ]
        assert lives[1].refresh(applications[1], tokens[0]['refresh_token']).json()['error'] == 'invalid_grant'
        assert not lives[1].is_active(applications[1], tokens[0]['access_token'])
        answer = lives[1].call_json2(tokens[0]['access_token'])
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers['WWW-Authenticate']
        check_identities(lives, sessions, applications)
        # Trying them elsewhere has not affected them in their own database.
        assert lives[0].call_json2(tokens[0]['access_token']).status_code == 200
        assert lives[1].refresh(applications[1], tokens[1]['refresh_token']).status_code == 200


def check_identities(lives, sessions, applications):
    """The same row of the same user is another person in each database, and neither believes the other."""
    tokens = [
        live.redeem(application, live.get_code(session, application, VERIFIER, 'openid'), VERIFIER).json()
        for live, session, application in zip(lives, sessions, applications, strict=True)
    ]
    headers = [jwt.get_unverified_header(token['id_token']) for token in tokens]
    claims = [jwt.decode(token['id_token'], options={'verify_signature': False}) for token in tokens]
    assert [claim['iss'] for claim in claims] == [live.url for live in lives]
    assert claims[0]['sub'] != claims[1]['sub']
    assert claims[0]['sid'] != claims[1]['sid']
    published = [
        {key['kid'] for key in requests.get(f'{live.url}/oauth2/jwks', timeout=30).json()['keys']} for live in lives
    ]
    assert not published[0] & published[1]
    assert all(header['kid'] in keys for header, keys in zip(headers, published, strict=True))
    answers = [
        requests.get(
            f'{lives[1].url}/oauth2/userinfo', headers={'Authorization': f'Bearer {token["access_token"]}'}, timeout=30
        )
        for token in tokens
    ]
    assert [answer.status_code for answer in answers] == [401, 200]
    assert answers[1].json()['sub'] == claims[1]['sub']


def test_n225_nothing_in_a_dump_is_a_credential(bench, live, user_session, installed, counts, tmp_path, summarize):
    """N225: no issued secret is in any table, and no stored value works as a secret, code or token."""
    # A value that was stored before a secret was issued cannot be that secret. The full form tries it anyway.
    before = read_values(bench, installed if counts.share == 1 else live.server.database)
    application = live.register()
    tokens = live.sign_in(user_session, application)
    live.get_code(user_session, application, VERIFIER)
    bench.back_up(live.server.database, tmp_path / 'dump')
    dump = (tmp_path / 'dump').read_bytes().decode(errors='replace')
    assert application.client_id in dump
    assert not live.find_secrets(dump)
    # Values that were stored before are not tried, except the keys of the server.
    values = read_values(bench, live.server.database) - before | read_values(bench, live.server.database, KEYS)
    assert any(re.fullmatch('[0-9a-f]{64}', value) for value in values), "The digests are not among the values."
    assert not values & {application.client_secret, tokens['access_token'], tokens['refresh_token']}
    assert any(application.client_id in value for value in values)
    row_ids = {token.split('_')[2] for token in tokens.values() if str(token).startswith('orestapi_')}
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda value: try_value(live, application, value, row_ids), values))
        list(pool.map(lambda pair: try_client_secret(live, application, *pair), enumerate(values)))
    assert live.is_active(application, tokens['access_token'])
    summarize(
        f"{len(live.issued)} issued secrets looked for in {len(dump) / 1e6:.0f} MB of a dump; {len(values)} "
        "stored values of all tables tried as client secret, code, access and refresh token: none"
    )


def try_value(live, application, value, row_ids):
    """Try a value unchanged, and as the secret part of tokens for all rows that it may belong to."""
    codes = [value, *(f'orestapi_ac_{row_id}_{value}' for row_id in row_ids)]
    access_tokens = [value, *(f'orestapi_at_{row_id}_{value}' for row_id in row_ids)]
    refresh_tokens = [value, *(f'orestapi_rt_{row_id}_0_{value}_{value}' for row_id in row_ids)]
    for code in codes:
        assert live.redeem(application, code, VERIFIER).status_code == 400, f"{value!r} is a code."
    for access_token in access_tokens:
        assert not live.is_active(application, access_token), f"{value!r} is an access token."
        assert call_with_token(live, access_token) in (400, 401), f"{value!r} opens the API."
    for refresh_token in refresh_tokens:
        assert not live.is_active(application, refresh_token), f"{value!r} is a refresh token."
        assert live.refresh(application, refresh_token).status_code == 400, f"{value!r} is a refresh token."


def try_client_secret(live, application, number, value):
    address = f'127.0.{1 + number // TRIES_AN_ADDRESS // 200}.{1 + number // TRIES_AN_ADDRESS % 200}'
    with requests.Session() as session:
        session.mount('http://', AddressAdapter(address))
        answer = session.post(
            f'{live.url}/oauth2/token',
            auth=(application.client_id, value.encode()),
            data={'grant_type': 'refresh_token', 'refresh_token': 'x'},
            timeout=60,
        )
    assert answer.status_code == 401, f"{value!r} is a client secret."


class AddressAdapter(HTTPAdapter):
    """Sends requests from a chosen loopback address."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


def call_with_token(live, candidate):
    header = f'Bearer {candidate}'
    if not header.isascii() or not header.isprintable():
        return 401  # no client can send it
    return requests.post(
        f'{live.url}/json/2/res.users/context_get', json={}, timeout=10, headers={'Authorization': header}
    ).status_code


def read_values(bench, database, tables=()):
    """Return the values of some or all tables as a dump writes them, and separately each value within JSON."""
    columns = bench.postgres.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'",
        database=database,
    )
    values = set()
    with bench.postgres.connect(database) as connection, connection.cursor() as cursor:
        for table, column, data_type in columns:
            if tables and table not in tables:
                continue
            cursor.execute(f'SELECT DISTINCT "{column}"::text FROM "{table}" WHERE "{column}" IS NOT NULL')
            found = {value for (value,) in cursor.fetchall() if value and len(value) < 1000}
            if data_type in ('json', 'jsonb'):
                found |= {text for value in found for text in re.findall(r'"([^"]+)"', value)}
            values |= found
    return values


def test_n228_upgrade_and_uninstall(bench, origin, database, endpoints, summarize):
    """N228: an upgrade keeps tokens alive; an uninstall leaves nothing, and the addon can come back."""
    bench.run_odoo("Upgrade with live tokens", database, '-u', 'orestapi')
    with bench.serve(database) as server:
        live = origin.at(server)
        assert live.is_active(origin.application, origin.used['access_token'])
        tokens = live.refresh(origin.application, origin.used['refresh_token']).json()
        [module] = live.call('ir.module.module', 'search', [('name', '=', 'orestapi')])
        live.call('ir.module.module', 'button_immediate_uninstall', [module])
        for path, methods in endpoints:
            for method in methods:
                address = live.url + re.sub('<[^>]*>', '1', path)
                assert requests.request(method, address, timeout=60).status_code == 404, (method, path)
        assert live.call_json2(tokens['access_token']).status_code == 401
        assert find_leftovers(bench, database) == []
        check_log(live)
    bench.run_odoo("Installing again", database, '-i', 'orestapi')
    with bench.serve(database) as server:
        live = Live(server)
        assert live.sign_in(live.log_in(), live.register())
    summarize(
        f"tokens outlived an upgrade; uninstalled on a running server, which answered 404 at {len(endpoints)} "
        "addresses; no table, column, parameter, group or job was left, and the addon came back"
    )


def test_restored_backup(bench, origin, tmp_path, summarize):
    """Stored sign-ins and secrets work again in a restored backup."""
    application, tokens = origin.application, origin.used
    bench.back_up(origin.database, tmp_path / 'backup')
    with bench.restored(tmp_path / 'backup', origin.database, 'restored') as restored, bench.serve(restored) as server:
        live = origin.at(server)
        assert live.is_active(application, tokens['access_token'])
        assert live.call_json2(tokens['access_token']).status_code == 200
        tokens = live.refresh(application, tokens['refresh_token']).json()
        assert live.is_active(application, tokens['access_token'])
        assert live.sign_in(live.log_in(), application)
        summarize("access token, refresh token, client secret and a new sign-in work")


def get_secret(bench, database):
    [[secret]] = bench.postgres.execute(
        "SELECT value FROM ir_config_parameter WHERE key = 'database.secret'", database=database
    )
    return secret


def test_o03_dumped_and_loaded(bench, origin, tmp_path, summarize):
    """After Odoo's own dump and load, and in its duplicate, sign-ins keep working with another `database.secret`."""
    dump = tmp_path / 'dump.zip'
    database = origin.database
    bench.manage('dump', database, dump)
    for what, copying in (('load', bench.loaded(dump)), ('duplicate', bench.duplicated(database))):
        with copying as copied:
            assert get_secret(bench, copied) != get_secret(bench, database), what
            with bench.serve(copied) as server:
                live = origin.at(server)
                check_copied(live, origin.application, origin.used, origin.ended, (origin.reused, origin.newer))
                check_log(live)
    with bench.loaded(dump, '--neutralize') as copied:
        [[key]] = bench.postgres.execute('SELECT value FROM orestapi_key', database=copied)
        [[original]] = bench.postgres.execute('SELECT value FROM orestapi_key', database=database)
        assert key != original
        assert bench.postgres.execute('SELECT id FROM orestapi_token', database=copied) == []
    summarize(
        "loaded and duplicated by Odoo: refresh, reuse and revocation of 3 sign-ins work; neutralized: another key"
    )


def check_copied(live, application, used, ended, reused):
    """Check three sign-ins of the original in a copy: one is used, one ended, and one has a token reused."""
    assert live.is_active(application, used['access_token'])
    assert live.call_json2(used['access_token']).status_code == 200
    answer = live.refresh(application, used['refresh_token'])
    assert answer.status_code == 200, answer.text
    assert live.is_active(application, answer.json()['refresh_token'])
    assert live.post('revoke', application, token=ended['refresh_token']).status_code == 200
    assert not live.is_active(application, ended['access_token'])
    old, new = reused
    assert live.refresh(application, old['refresh_token']).json()['error'] == 'invalid_grant'
    assert not live.is_active(application, new['access_token'])
    states = live.call('orestapi.token', 'search_read', [('application_id', '=', application.id)], ['state'])
    assert sorted(row['state'] for row in states) == ['active', 'ended', 'ended']


def find_leftovers(bench, database):
    """Return what an uninstall has left in a database."""
    queries = (
        "SELECT tablename FROM pg_tables WHERE tablename LIKE 'orestapi%%'",
        "SELECT key FROM ir_config_parameter WHERE key LIKE 'orestapi.%%'",
        "SELECT name FROM ir_model_data WHERE module = 'orestapi'",
        "SELECT model FROM ir_model WHERE model LIKE 'orestapi.%%'",
        "SELECT name->>'en_US' FROM res_groups WHERE name->>'en_US' LIKE 'Oregional%%'",
        "SELECT cron_name FROM ir_cron WHERE cron_name LIKE 'Oregional%%'",
        "SELECT column_name FROM information_schema.columns WHERE column_name LIKE 'orestapi%%'",
    )
    return list(itertools.chain(*(bench.postgres.execute(query, database=database) for query in queries)))


def test_neutralized_copy(bench, origin, database, summarize):
    """On a neutralized copy of the database no token works and no application is active; the original is untouched."""
    application, tokens = origin.application, origin.used
    neutral = f'{database}_copy'
    bench.postgres.execute(f'CREATE DATABASE "{neutral}" TEMPLATE "{database}"')
    try:
        command = bench.odoo_command(neutral)
        command[command.index('server')] = 'neutralize'
        process = bench.start(command[: command.index('--http-interface')], None)
        assert process.wait() == 0
        with bench.serve(neutral) as server:
            live = origin.at(server)
            assert live.refresh(application, tokens['refresh_token']).json()['error'] == 'invalid_client'
            assert live.call_json2(tokens['access_token']).status_code == 401
            assert live.call('orestapi.application', 'search_count', []) == 0
            for query in (
                'SELECT 1 FROM orestapi_application WHERE own_secret IS NOT NULL',
                "SELECT 1 FROM ir_config_parameter WHERE key = 'orestapi.issuer'",
            ):
                assert bench.postgres.execute(query, database=neutral) == []
    finally:
        bench.drop(neutral)
    with bench.serve(database) as server:
        live = origin.at(server)
        assert live.is_active(application, tokens['access_token'])
    summarize("0 tokens work and 0 applications are active on the copy; the original is untouched")
