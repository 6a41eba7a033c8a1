"""`make clean`: remove everything that the bench made outside the checkout."""

import fcntl
import shutil

from .cache import Problem, cache_directory, end_with_sentence, say

OURS = (
    'addons-*',
    'apt',
    'data*',
    'eslint-*',
    'log',
    'odoo',
    'odoo.conf',
    'packages',
    'postgres-*[0-9]',
    'pre-commit',
    'venv-*',
)


def main():
    cache = cache_directory()
    with (cache / 'postgres-users.lock').open('a') as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("A 'make run' or 'make test' still uses the databases; stop it and start again.") from None
        for pattern in OURS:  # by name, so that a cache folder that holds other things too keeps them
            for path in cache.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
    say(f'{cache} is empty of what the bench made')
    return 0


if __name__ == '__main__':
    end_with_sentence(main)
