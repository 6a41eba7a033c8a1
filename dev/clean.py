"""`make clean`: remove everything that the commands made in the cache."""

import contextlib
import fcntl
import shutil

from .cache import Problem, cache_directory, end_with_sentence, say

DIGEST = '[0-9a-f]' * 12
VERSION = '[0-9]*'
# By name, so that a cache folder that holds other things too keeps them.
OURS = (
    f'addons-{DIGEST}',
    'apt',
    f'axe-core-{VERSION}',
    'data',
    f'data-{DIGEST}',
    f'eslint-{VERSION}',
    'log',
    f'mutmut-{DIGEST}',
    'odoo',
    'odoo.conf',
    'packages',
    f'postgres-{VERSION}',
    f'postgres-outage-{VERSION}',
    'pre-commit',
    f'venv-{VERSION}',
    f'venv-peer-{VERSION}',
)
LOCKS = (
    'Odoo.lock',
    'axe-core.lock',
    'eslint.lock',
    'outage.lock',
    'packages.lock',
    'postgres-outage-users.lock',
    'postgres-outage.lock',
    'postgres-users.lock',
    'postgres.lock',
)
#: One for each of the templates that databases are copied from.
TEMPLATE_LOCK = f'orestapi_template_{DIGEST}.lock'


def main():
    cache = cache_directory()
    with contextlib.ExitStack() as stack:
        # All of them before anything is removed: nobody prepares or uses anything meanwhile.
        locks = [*LOCKS, *(path.name for path in cache.glob(TEMPLATE_LOCK))]
        for name in locks:
            file = stack.enter_context((cache / name).open('a'))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Problem(
                    f"Another command, such as 'make run' or 'make test', still uses the cache ({name}); "
                    "stop it and start again."
                ) from None
        # The locks last, while they are held.
        for pattern in (*OURS, *locks):
            for path in cache.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
    say(f'The databases and downloads in {cache} are gone.')
    return 0


if __name__ == '__main__':
    end_with_sentence(main)
