"""`make clean`: remove everything from the cache."""

import contextlib
import fcntl
import shutil

from .workbench.cache import CommandError, cache_directory, run_command, show


def main():
    cache = cache_directory()
    # Takes all locks before removing anything. Every command takes `packages` first, so none can begin meanwhile.
    locks = dict.fromkeys([cache / 'packages.lock', *sorted(cache.glob('*.lock'))])
    with contextlib.ExitStack() as stack:
        for path in locks:
            file = stack.enter_context(path.open('a'))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError(
                    f"Another command, such as 'make run' or 'make test', still uses the cache ({path.name}); "
                    "stop it and start again."
                ) from None
        # Removes the locks last, while they are held.
        for path in [*(each for each in cache.iterdir() if each not in locks), *locks]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    show(f'Removed the databases and downloads in {cache}.')
    return 0


if __name__ == '__main__':
    run_command(main)
