"""The hooks of the addon in all of Odoo, on servers with several processes: with failures, and behind proxies."""

import pytest
import requests

from dev.live.conftest import Live
from dev.live.test_documents import Nginx
from dev.workbench.oauth2_client import FORM, get_basic
from dev.workbench.odoo_server import LOGIN, PASSWORD
from dev.workbench.wire import render, send

#: An addon that breaks each hook before Odoo serves anything.
BREAK = '''
def fail(*args, **kwargs):
    raise ZeroDivisionError("A hook is broken.")

def post_load():
    from odoo.addons.orestapi.dispatchers import access_log, outage
    from odoo.addons.orestapi.models import ir_http
    from odoo.addons.orestapi.oauth2 import tokens

    ir_http.find_dispatcher = outage.is_outage = tokens.has_token_form = fail
    for name in (
        '_allow_origin', '_answer_preflight', '_get_error_dispatcher', '_has_our_token', '_is_page_of_ours',
        '_leads_away', '_leads_to_consent', '_refuse_slashes',
    ):
        setattr(ir_http.IrHttp, name, classmethod(fail))
    for name in ('RequestFilter', 'LoginFilter', 'CallFilter', 'StatementFilter', 'FailureFilter'):
        getattr(access_log, name).hide = fail
'''

ADDRESSES = ('fe80::1%eth0', '%s', '%(x)s', '203.0.113.8:50000', 'unknown')


@pytest.fixture(scope='module')
def proxied(bench, installed):
    """A server that trusts a proxy, with two processes."""
    with (
        bench.copy(installed, 'hooks') as database,
        bench.serve(database, '--proxy-mode', '--max-cron-threads', '0') as server,
    ):
        yield server


def test_o01_broken_hooks(bench, installed, tmp_path):
    """Pages, login and both APIs keep working; tests/test_hooks.py shows it with threads."""
    addon = tmp_path / 'addons' / 'orestapi_broken'
    addon.mkdir(parents=True)
    (addon / '__init__.py').write_text(BREAK)
    (addon / '__manifest__.py').write_text(
        "{'name': 'Broken', 'license': 'LGPL-3', 'author': 'Nobody', 'post_load': 'post_load'}"
    )
    with bench.copy(installed, 'broken') as database:
        command = bench.odoo_command(database)
        addons = command[command.index('--addons-path') + 1]
        key = bench.run_script(
            database,
            f"user = env['res.users'].search([('login', '=', {LOGIN!r})])\n"
            "print(env['res.users.apikeys'].with_user(user).sudo()._generate(None, 'Live', None))",
        )[0]
        with bench.serve(
            database,
            '--addons-path',
            f'{addons},{addon.parent}',
            '--load',
            'base,rpc,web,orestapi_broken',
        ) as server:
            for _again in range(4):
                assert requests.get(f'{server.url}/web/health?x=1', timeout=30).json() == {'status': 'pass'}
                assert requests.get(f'{server.url}/web/login?redirect=/odoo', timeout=30).status_code == 200
                assert requests.get(f'{server.url}/no/such/page', timeout=30).status_code == 404
                answer = requests.post(
                    f'{server.url}/json/2/res.users/context_get',
                    json={},
                    headers={'Authorization': f'Bearer {key}'},
                    timeout=30,
                )
                assert answer.status_code == 200, answer.text
                assert server.call('res.users', 'search_count', [('login', '=', LOGIN)], password=PASSWORD) == 1
                # A token that the broken hook cannot recognise gives no access.
                token = {'Authorization': 'Bearer orestapi_at_1_' + 'x' * 43}
                answer = requests.post(f'{server.url}/json/2/res.users/context_get', json={}, headers=token, timeout=30)
                assert answer.status_code == 401
            # The log shows that the hooks were broken.
            assert 'A hook of orestapi failed' in server.log.read_text()


def test_o01_address_that_is_a_format(proxied):
    """The log line is written or left out, and the page is served."""
    for address in ADDRESSES:
        headers = {'X-Forwarded-For': address, 'X-Forwarded-Host': 'odoo.example.com'}
        for path in ('/web/health', '/web/login', '/.well-known/oauth-authorization-server'):
            for _again in range(3):
                assert send(proxied.port, render('GET', path, headers)).status == 200, (address, path)
    assert 'Logging error' not in proxied.log.read_text()


def fail_to_authenticate(port, application, number, headers=()):
    fields = {
        'Authorization': get_basic(application.client_id, f'wrong {number}'),
        'Content-Type': FORM,
        **dict(headers),
    }
    return send(port, render('POST', '/oauth2/token', fields, b'grant_type=client_credentials')).status


@pytest.mark.parametrize(
    'claimed', ['203.0.113.8:5000{}', '[2001:db8:1:2::{}]:443', 'fe80::1%eth{}', '::ffff:203.0.113.9%{}', 'unknown {}']
)
def test_o02_limit_comes_whatever_the_port(proxied, claimed):
    application = Live(proxied).register()
    found = [
        fail_to_authenticate(
            proxied.port,
            application,
            number,
            {'X-Forwarded-For': claimed.format(number), 'X-Forwarded-Host': 'odoo.example.com'},
        )
        for number in range(14)
    ]
    # Each process may accept one more guess, see the threat model.
    assert found[:10] == [401] * 10
    assert found[-1] == 429


def test_o02_behind_nginx_that_sends_the_port(proxied, tmp_path):
    """Each connection has another port, but all count as one client."""
    nginx = Nginx(tmp_path, proxied.port, proxied.port)
    block = tmp_path / 'odoo.conf'
    text = block.read_text()
    assert 'X-Forwarded-For $remote_addr;' in text
    block.write_text(text.replace('X-Forwarded-For $remote_addr;', 'X-Forwarded-For $remote_addr:$remote_port;'))
    application = Live(proxied).register()
    with nginx.run():
        found = []
        for number in range(14):
            connection = nginx.connect('127.0.0.2')
            headers = {
                'Authorization': get_basic(application.client_id, f'wrong {number}'),
                'Content-Type': FORM,
            }
            connection.request('POST', '/oauth2/token', 'grant_type=client_credentials', headers)
            found.append(connection.getresponse().status)
            connection.close()
    assert found[:10] == [401] * 10
    assert found[-1] == 429
    events = proxied.call(
        'orestapi.event',
        'search_read',
        [('kind', '=', 'client_authentication_failed'), ('application_id', '=', application.id)],
        ['address', 'network'],
    )
    assert {event['network'] for event in events} == {'127.0.0.2'}
    assert len({event['address'] for event in events}) >= 10
