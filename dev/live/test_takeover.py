"""S1 to S4 as they were found, against the server with two workers: who could act for others, and lock them out."""

import secrets
import xmlrpc.client

import pytest
import requests

from dev.workbench.odoo_server import LOGIN

pytestmark = pytest.mark.same

OTHER = 'https://evil.example/callback'
#: A request of a stranger's page, as a browser sends it.
CROSS_SITE = {'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'}
LIMIT = 10


def create_user(live, *groups):
    """Create an internal user with groups, and return the keywords that `live.call` logs in with, and the id."""
    login = f'user-{secrets.token_hex(4)}'
    group_ids = [live.find_id(group) for group in ('base.group_user', *groups)]
    user_id = live.call(
        'res.users',
        'create',
        {
            'name': login,
            'login': login,
            'password': login,
            'email': f'{login}@example.com',
            'group_ids': [(6, 0, group_ids)],
        },
    )
    return {'login': login, 'password': login}, user_id


@pytest.fixture(scope='module')
def administrator(live):
    """An administrator of applications, and of nothing else."""
    user, _user_id = create_user(live, 'orestapi.group_administrator')
    return user


def assert_refused(live, model, method, *arguments, **user):
    with pytest.raises(xmlrpc.client.Fault) as fault:
        live.call(model, method, *arguments, **user)
    assert 'Traceback' not in fault.value.faultString


def test_s01_trusted_application(live, administrator, summarize):
    """An administrator of applications widens nothing of a trusted application."""
    application = live.register(trusted=True, group_ids=[(6, 0, [live.find_id('base.group_system')])])
    writes = (
        {'group_ids': [(6, 0, [live.find_id('base.group_user')])]},
        {'client_type': 'public'},
        {'require_pkce': False},
        {'legacy_connector': True},
        {'resource_server': True},
        {'allowed_origins': 'https://evil.example'},
        {'client_id': 'evil'},
        {'client_secret': secrets.token_urlsafe(32)},
        {'uri_ids': [(0, 0, {'uri': OTHER})]},
        {'access_token_expiry': 7200},
    )
    before = live.call(
        'orestapi.application',
        'read',
        [application.id],
        sorted({name for each in writes for name in each} - {'client_secret'}),
    )
    for values in writes:
        assert_refused(live, 'orestapi.application', 'write', [application.id], values, **administrator)
    assert_refused(
        live, 'orestapi.application.uri', 'create', {'application_id': application.id, 'uri': OTHER}, **administrator
    )
    assert_refused(live, 'orestapi.application', 'generate_client_id', [application.id], **administrator)
    live.call('orestapi.application', 'write', [application.id], {'active': False})
    assert_refused(live, 'orestapi.application', 'write', [application.id], {'active': True}, **administrator)
    assert_refused(live, 'orestapi.application', 'action_unarchive', [application.id], **administrator)
    live.call('orestapi.application', 'write', [application.id], {'active': True})
    assert live.call('orestapi.application', 'read', [application.id], sorted(before[0])) == before
    summarize(f"{len(writes) + 4} changes by an administrator of applications refused, none of them left a trace")


def test_s02_service_of_somebody_else(live, administrator):
    """The archived service of an administrator stays archived, and its secret opens nothing."""
    admin_id = live.call('res.users', 'search', [('login', '=', LOGIN)])[0]
    application = live.register(service_user_id=admin_id, active=False)
    for method in ('action_unarchive', 'generate_client_secret'):
        assert_refused(live, 'orestapi.application', method, [application.id], **administrator)
    assert_refused(live, 'orestapi.application', 'write', [application.id], {'active': True}, **administrator)
    answer = live.post('token', application, grant_type='client_credentials')
    assert (answer.status_code, answer.json()['error']) == (401, 'invalid_client')
    live.call('orestapi.application', 'write', [application.id], {'active': True})
    assert live.post('token', application, grant_type='client_credentials').status_code == 200


def test_s03_token_leaves_nothing_behind(live):
    """A token neither guesses the password nor keeps a way back in, by any of the three protocols."""
    user, user_id = create_user(live, 'orestapi.group_administrator')
    application = live.register()
    token = live.sign_in(live.log_in(user['login'], user['password']), application)['access_token']
    calls = (
        ('res.users', 'change_password', [user['password'], 'a new password']),
        ('res.users', 'change_password', ['wrong', 'a new password']),
        ('res.users', 'change_password', [user['password'], '']),
        ('res.users', 'write', [[user_id], {'email': 'thief@example.com'}]),
        ('res.users', 'write', [[user_id], {'login': 'thief'}]),
        ('orestapi.application', 'create', [{'name': "Back door", 'service_user_id': user_id}]),
    )
    texts = set()
    for model, method, arguments in calls:
        answer = call_json2(live, token, model, method, arguments)
        assert answer.status_code == 403, (model, method, answer.text)
        if method == 'change_password':
            texts.add(answer.text)
        models = xmlrpc.client.ServerProxy(f'{live.url}/xmlrpc/2/object', allow_none=True)
        with pytest.raises(xmlrpc.client.Fault):
            models.execute_kw(live.server.database, user_id, token, model, method, arguments)
        answer = requests.post(
            f'{live.url}/jsonrpc',
            timeout=60,
            json={
                'method': 'call',
                'params': {
                    'service': 'object',
                    'method': 'execute_kw',
                    'args': [live.server.database, user_id, token, model, method, arguments],
                },
            },
        )
        assert 'error' in answer.json(), (model, method)
    assert len(texts) == 1, "The answer tells a right password from a wrong one."
    assert live.log_in(user['login'], user['password'])
    [values] = live.call('res.users', 'read', [user_id], ['login', 'email'])
    assert values['login'] == user['login']
    assert values['email'] == f'{user["login"]}@example.com'
    assert not live.call('orestapi.application', 'search', [('name', '=', "Back door")])


def call_json2(live, token, model, method, arguments):
    names = {
        'change_password': ('old_passwd', 'new_passwd'),
        'write': ('ids', 'vals'),
        'create': ('vals_list',),
    }[method]
    return requests.post(
        f'{live.url}/json/2/{model}/{method}',
        json=dict(zip(names, arguments, strict=True)),
        headers={'Authorization': f'Bearer {token}'},
        timeout=60,
    )


def test_s03_disconnect_ends_the_service(live):
    """A user who disconnects an application is not its service user any more."""
    user, user_id = create_user(live)
    application = live.register(service_user_id=user_id)
    live.sign_in(live.log_in(user['login'], user['password']), application)
    assert live.post('token', application, grant_type='client_credentials').status_code == 200
    [authorization_id] = live.call('orestapi.authorization', 'search', [('user_id', '=', user_id)], **user)
    live.call('orestapi.authorization', 'action_disconnect', [authorization_id], **user)
    answer = live.post('token', application, grant_type='client_credentials')
    assert answer.status_code == 400
    assert answer.json()['error'] == 'unauthorized_client'


def test_s04_nobody_is_locked_out(live, user_session, summarize):
    """Neither wrong secrets nor a stranger's page keep an application from its users."""
    public = live.register('http://127.0.0.1/callback', client_type='public')
    tokens = live.sign_in(user_session, public)
    wrong = {'client_id': public.client_id, 'client_secret': 'wrong', 'token': 'x', 'grant_type': 'refresh_token'}
    for number in range(2 * LIMIT):
        path = ('token', 'revoke', 'introspect')[number % 3]
        answer = requests.post(f'{live.url}/oauth2/{path}', data=wrong, timeout=60)
        assert answer.status_code == 401, answer.text
    assert live.refresh(public, tokens['refresh_token']).status_code == 200
    application = live.register()
    tokens = live.sign_in(user_session, application)
    wrong['client_id'] = application.client_id
    statuses = {
        requests.post(f'{live.url}/oauth2/token', data=wrong, headers=CROSS_SITE, timeout=60).status_code
        for _number in range(2 * LIMIT)
    }
    assert statuses == {401, 429}
    assert live.refresh(application, tokens['refresh_token']).status_code == 200
    summarize(f"{4 * LIMIT} failures, half of them by a page of another site: both applications work on")
