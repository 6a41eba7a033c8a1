"""What happens to tokens when a database is upgraded, copied, dumped, or beside another one."""

import itertools
import re

import pytest
import requests
from requests.adapters import HTTPAdapter

from dev.live.conftest import Live

VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

#: Wrong client secrets from one address are counted (N103): stay below the limit.
TRIES_AN_ADDRESS = 9


@pytest.fixture
def database(bench, installed):
    with bench.copy(installed, 'lifecycle') as database:
        yield database


def test_n065_n135_n194_databases_are_strangers_to_each_other(bench, installed):
    """N065, N135, N194: each database is an issuer of its own, and takes nothing that another one issued."""
    with bench.copy(installed, 'first') as first, bench.copy(installed, 'second') as second:
        # A copy shares the secret of the database; a database of its own has another.
        bench.run_script(second, "env['ir.config_parameter'].init(force=True)")
        check_strangers(bench, first, second)


def check_strangers(bench, first, second):
    with bench.serve(first) as first_server, bench.serve(second) as second_server:
        lives = Live(first_server), Live(second_server)
        # The same row ids, the same client id and secret in both: only the secrets of the tokens differ.
        values = {'client_id': 'the-same-client', 'client_secret': 'the same secret in both'}
        applications = [live.register(**values) for live in lives]
        for application in applications:
            application.client_id, application.client_secret = values['client_id'], values['client_secret']
        sessions = [live.log_in() for live in lives]
        codes = [live.get_code(session, application, VERIFIER)
                 for live, session, application in zip(lives, sessions, applications, strict=True)]
        issuers = [requests.get(f'{live.url}/.well-known/oauth-authorization-server', timeout=10).json()['issuer']
                   for live in lives]
        assert issuers == [live.url for live in lives]
        assert len(set(issuers)) == 2
        answer = lives[1].redeem(applications[1], codes[0], VERIFIER)
        assert (answer.status_code, answer.json()['error']) == (400, 'invalid_grant')
        tokens = [live.redeem(application, code, VERIFIER).json()
                  for live, application, code in zip(lives, applications, codes, strict=True)]
        assert lives[1].refresh(applications[1], tokens[0]['refresh_token']).json()['error'] == 'invalid_grant'
        assert not lives[1].is_active(applications[1], tokens[0]['access_token'])
        answer = call_json2(lives[1], tokens[0]['access_token'])
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers['WWW-Authenticate']
        # Being tried elsewhere has not hurt them at home.
        assert call_json2(lives[0], tokens[0]['access_token']).status_code == 200
        assert lives[1].refresh(applications[1], tokens[1]['refresh_token']).status_code == 200


def call_json2(live, access_token):
    return requests.post(f'{live.url}/json/2/res.users/context_get', json={}, timeout=10,
                         headers={'Authorization': f'Bearer {access_token}'})


def test_n225_nothing_in_a_dump_is_a_credential(bench, live, user_session, tmp_path, tell):
    """N225: no secret that was issued is in any table; each value of our tables and of Odoo's parameters, tried as
    secret, code and token.
    """
    application = live.register()
    tokens = live.sign_in(user_session, application)
    live.get_code(user_session, application, VERIFIER)
    bench.back_up(live.server.database, tmp_path / 'dump')
    dump = (tmp_path / 'dump').read_bytes().decode(errors='replace')
    assert application.client_id in dump
    assert not live.find_secrets(dump)
    values = set(read_values(bench, live.server.database))
    assert any(re.fullmatch('[0-9a-f]{64}', value) for value in values), "The digests are not among the values."
    assert not values & {application.client_secret, tokens['access_token'], tokens['refresh_token']}
    assert any(application.client_id in value for value in values)
    row_ids = [token.split('_')[2] for token in tokens.values() if str(token).startswith('orestapi_')]
    for value in values:
        # As it is, and as the secret part of a token of the row that it may belong to.
        candidates = [value, *(f'orestapi_{kind}_{row_id}_{value}' for kind in ('at', 'ac') for row_id in row_ids)]
        for candidate in candidates:
            assert not live.is_active(application, candidate)
            assert live.redeem(application, candidate, VERIFIER).status_code == 400
            assert live.refresh(application, candidate).status_code == 400
            assert call_with_token(live, candidate) in (400, 401)
    for number, value in enumerate(values):
        address = f'127.0.{1 + number // TRIES_AN_ADDRESS // 200}.{1 + number // TRIES_AN_ADDRESS % 200}'
        with requests.Session() as session:
            session.mount('http://', AddressAdapter(address))
            answer = session.post(
                f'{live.url}/oauth2/token', auth=(application.client_id, value.encode()),
                data={'grant_type': 'refresh_token', 'refresh_token': 'x'}, timeout=10)
        assert answer.status_code == 401, f"{value!r} is a client secret."
    assert live.is_active(application, tokens['access_token'])
    tell(f"{len(live.issued)} issued secrets looked for in {len(dump) / 1e6:.0f} MB of a dump, {len(values)} "
         "stored values tried as client secret, code, access and refresh token: none")


class AddressAdapter(HTTPAdapter):
    """Sends requests from a loopback address of one's choice."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


def call_with_token(live, candidate):
    header = f'Bearer {candidate}'
    if not header.isascii() or not header.isprintable():
        return 401  # no client can send it
    return requests.post(f'{live.url}/json/2/res.users/context_get', json={}, timeout=10,
                         headers={'Authorization': header}).status_code


def read_values(bench, database):
    """Return the text values of our tables and of Odoo's parameters, as a dump would hold them."""
    columns = bench.postgres.execute(
        """
        SELECT table_name, column_name FROM information_schema.columns
         WHERE (table_name LIKE 'orestapi%%' OR table_name = 'ir_config_parameter')
           AND data_type IN ('character varying', 'text')
        """, database=database)
    for table, column in columns:
        rows = bench.postgres.execute(
            f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" <> \'\'', database=database)
        yield from (value for value, in rows if len(value) < 1000)


def test_n228_upgrade_and_uninstall(bench, database, tell):
    """N228: an upgrade keeps tokens alive; an uninstall leaves nothing, and the addon can come back."""
    with bench.serve(database) as server:
        live = Live(server)
        application = live.register()
        tokens = live.sign_in(live.log_in(), application)
    bench.run_odoo("Upgrade with live tokens", database, '-u', 'orestapi')
    with bench.serve(database) as server:
        live.server, live.url = server, server.url
        assert live.is_active(application, tokens['access_token'])
        tokens = live.refresh(application, tokens['refresh_token']).json()
        [module] = live.call('ir.module.module', 'search', [('name', '=', 'orestapi')])
        live.call('ir.module.module', 'button_immediate_uninstall', [module])
        for path in ('token', 'revoke', 'introspect', 'authorize'):
            assert requests.post(f'{live.url}/oauth2/{path}', timeout=10).status_code == 404
        assert call_json2(live, tokens['access_token']).status_code == 401
        assert find_leftovers(bench, database) == []
    bench.run_odoo("Installing again", database, '-i', 'orestapi')
    with bench.serve(database) as server:
        live = Live(server)
        assert live.sign_in(live.log_in(), live.register())
    tell("tokens outlived an upgrade; uninstalled on a running server and installed again, nothing was left between")


def test_restored_backup(bench, database, tmp_path, tell):
    """What was stored works again where the backup is restored."""
    with bench.serve(database) as server:
        live = Live(server)
        application = live.register()
        tokens = live.sign_in(live.log_in(), application)
    bench.back_up(database, tmp_path / 'backup')
    with bench.restored(tmp_path / 'backup', database, 'restored') as restored, bench.serve(restored) as server:
        live.server, live.url = server, server.url
        assert live.is_active(application, tokens['access_token'])
        assert call_json2(live, tokens['access_token']).status_code == 200
        tokens = live.refresh(application, tokens['refresh_token']).json()
        assert live.is_active(application, tokens['access_token'])
        assert live.sign_in(live.log_in(), application)
        tell("access token, refresh token, client secret and a new sign-in work")


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


def test_neutralized_copy(bench, database, tell):
    """On a neutralized copy of the database no token works and no application is active; the original is untouched."""
    copy = f'{database}_copy'
    with bench.serve(database) as server:
        live = Live(server)
        application = live.register(own_secret='how Odoo identifies itself')
        tokens = live.sign_in(live.log_in(), application)
    bench.postgres.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{database}"')
    try:
        command = bench.odoo_command(copy)
        command[command.index('server')] = 'neutralize'
        process = bench.start(command[:command.index('--http-interface')], None)
        assert process.wait() == 0
        with bench.serve(copy) as server:
            live.server, live.url = server, server.url
            assert live.refresh(application, tokens['refresh_token']).json()['error'] == 'invalid_client'
            assert call_json2(live, tokens['access_token']).status_code == 401
            assert live.call('orestapi.application', 'search_count', []) == 0
            rows = bench.postgres.execute(
                'SELECT 1 FROM orestapi_application WHERE own_secret IS NOT NULL', database=copy)
            assert rows == []
    finally:
        bench.drop(copy)
    with bench.serve(database) as server:
        live.server, live.url = server, server.url
        assert live.is_active(application, tokens['access_token'])
    tell("0 tokens work and 0 applications are active on the copy; the original is untouched")
