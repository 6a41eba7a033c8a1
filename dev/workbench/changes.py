"""The changed files of the checkout, and the Odoo tests that belong to them. For `make check`."""

import ast
import subprocess
from pathlib import Path

from .cache import CHECKOUT, CommandError

#: The folders whose files Odoo loads.
RUNTIME = ('models', 'controllers', 'dispatchers', 'oauth2', 'records', 'views', 'security', 'data', 'wizards')
#: A word in the name of a changed file, and the test files for it besides the one of the same name.
TESTED_IN = {
    'address': ['client_authentication'],
    'authorize': ['authorize_client', 'authorize_response', 'consent'],
    'bearer': ['bearer', 'xmlrpc'],
    'client': ['client_authentication'],
    'dispatcher': ['addresses', 'origin', 'token'],
    'event': ['events'],
    'filter': ['records_access'],
    'legacy': ['legacy_oauth2', 'legacy_records'],
    'offer': ['records_access', 'records_indirect'],
    'pkce': ['authorization_code', 'authorize_response'],
    'record': ['records', 'records_access'],
    'redirect': ['authorize_client', 'application'],
    'scheme': ['model_scheme'],
    'scope': ['consent', 'authorize_response'],
    'secret': ['application_secret'],
    'security': ['access'],
    'token': ['token', 'authorization_code', 'refresh_token'],
    'uri': ['application', 'authorize_client'],
}
#: Runs for every change: the whole flow of an application.
ALWAYS = 'flow'
#: Only `make test` runs these: they start a browser for each test.
SLOW = ('tours', 'translations')


def _git(*arguments):
    done = subprocess.run(['git', *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.split('\n') if not done.returncode else []


def changed_files():
    """Return the paths, relative to the checkout, of files changed since this branch began, committed or not.

    The branch began where it left that of the remote, or `main`; on `main` only uncommitted changes count.
    """
    if not (CHECKOUT / '.git').exists():
        raise CommandError("This is not a clone, so git cannot tell what has changed; run `make test`.")
    for upstream in ('@{upstream}', 'origin/HEAD', 'main'):
        if base := _git('merge-base', 'HEAD', upstream):
            break
    names = [*_git('diff', '--name-only', (base or ['HEAD'])[0]), *_git('ls-files', '--others', '--exclude-standard')]
    return sorted({name for name in names if name and (CHECKOUT / name).is_file()})


def find_tags(files):
    """Return the value of Odoo's `--test-tags` for the tests of some files, or None when Odoo does not load them."""
    known = {path.stem.removeprefix('test_'): path for path in (CHECKOUT / 'tests').glob('test_*.py')}
    chosen = set()
    for path in map(Path, files):
        if path.parent == Path('tests') and path.stem.startswith('test_'):
            chosen.add(path.stem.removeprefix('test_'))
        elif path.parts[0] in RUNTIME or (path.suffix == '.py' and len(path.parts) == 1):
            name = path.stem.removeprefix('orestapi_')
            chosen |= {ALWAYS, name}
            for word in (*name.split('_'), path.parts[0]):
                chosen.update(TESTED_IN.get(word, ()))
    classes = [
        node.name
        for name in sorted(chosen - {*SLOW})
        if name in known
        for node in ast.parse(known[name].read_text()).body
        if isinstance(node, ast.ClassDef) and any(_is_test(each) for each in node.body)
    ]
    return ','.join(f'/orestapi:{name}' for name in classes) or None


def _is_test(node):
    return isinstance(node, ast.FunctionDef) and node.name.startswith('test_')
