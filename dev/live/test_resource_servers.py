"""Programs that introspect tokens: command-line clients, and servers that grant access by the result."""

import shutil
import subprocess

import pytest
import requests

from dev.live.programs import MODULES, serve_apache, wait_for
from dev.workbench.apt import need
from dev.workbench.odoo_server import LOGIN, free_port

pytestmark = pytest.mark.same

APACHE = """
LoadModule oauth2_module {{modules}}/mod_oauth2.so
<Location />
    AuthType oauth2
    OAuth2TokenVerify introspect {url}/oauth2/introspect {options}
    Require valid-user
</Location>
"""

DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols =
ssl = no
auth_mechanisms = plain xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = plain xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
"""

DOVECOT_OAUTH2 = """
introspection_mode = post
introspection_url = {authenticated_url}/oauth2/introspect
username_attribute = username
active_attribute = active
active_value = true
"""


@pytest.fixture(scope='module')
def resource_server(live):
    return live.register(resource_server=True)


@pytest.fixture
def tokens(live, user_session):
    return live.sign_in(user_session, live.register())


def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize('program', ['curl', 'wget'])
def test_p06_programs_that_wait_for_the_challenge(live, resource_server, tokens, program):
    """These programs send the secret only after a 401 with a challenge (RFC 9110 §15.5.2)."""
    need([program], [program], 'the tests of clients')
    address, parameters = f'{live.url}/oauth2/introspect', f"token={tokens['access_token']}"
    client_id, client_secret = resource_server.auth
    if program == 'curl':
        done = run('curl', '-sS', '--anyauth', '-u', f'{client_id}:{client_secret}', '-d', parameters, address)
    else:
        done = run(
            'wget', '-q', '-O', '-', f'--user={client_id}', f'--password={client_secret}',
            f'--post-data={parameters}', address,
        )  # fmt: skip
    assert '"active": true' in done.stdout, done.stdout + done.stderr


def test_s05_apache(live, resource_server, tokens, folder):
    """mod_oauth2 accepts any token that introspection reports as active."""
    need([MODULES / 'mod_oauth2.so'], ['apache2-bin', 'libapache2-mod-oauth2'], 'the tests of resource servers')
    pages = folder / 'pages'
    pages.mkdir()
    (pages / 'page.txt').write_text('for the user')
    client_id, client_secret = resource_server.auth
    options = f'introspect.auth=client_secret_basic&client_id={client_id}&client_secret={client_secret}'
    port = free_port()
    address = f'http://127.0.0.1:{port}/page.txt'
    with serve_apache(folder, port, APACHE.format(url=live.url, options=options), address) as log:
        for name, status in (('access_token', 200), ('refresh_token', 401)):
            answer = requests.get(address, timeout=30, headers={'Authorization': f'Bearer {tokens[name]}'})
            assert answer.status_code == status, f'{name}: {answer.status_code}\n{log.read_text()}'


def test_s05_dovecot(live, resource_server, tokens, folder):
    """A mail server logs in the user named by introspection."""
    dovecot = need(['/usr/sbin/dovecot'], ['dovecot-core'], 'the tests of resource servers')
    configuration = folder / 'dovecot.conf'
    configuration.write_text(DOVECOT.format(folder=folder))
    scheme, _colon, rest = live.url.partition('://')
    authenticated_url = f"{scheme}://{':'.join(resource_server.auth)}@{rest}"
    (folder / 'oauth2.conf').write_text(DOVECOT_OAUTH2.format(authenticated_url=authenticated_url))
    log = folder / 'dovecot.log'
    process = subprocess.Popen([dovecot, '-F', '-c', configuration], stdin=subprocess.DEVNULL)
    try:
        wait_for((folder / 'run' / 'auth-client').exists, process, log)
        for name, accepted in (('access_token', True), ('refresh_token', False)):
            done = run(shutil.which('doveadm'), '-c', configuration, 'auth', 'test', LOGIN, tokens[name])
            assert (done.returncode == 0) is accepted, f'{name}: {done.stdout}{done.stderr}\n{log.read_text()}'
    finally:
        process.terminate()
        process.wait(timeout=30)
