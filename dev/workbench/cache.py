"""The cache folder that checkouts share: its place, its locks, and which steps are finished.

This uses only the standard library, because it runs with the system's Python before the virtual environment exists.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


class CommandError(Exception):
    """A failure of the command, with a sentence that tells what is wrong and what to do."""


def show(text):
    print(text, flush=True)


def _stop_on_signals():
    """Make Ctrl-C, a closed terminal and SIGTERM all end the command in the same way."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number, _frame):
        # Only once: a second Ctrl-C must not interrupt the stopping itself.
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in signals:
        signal.signal(each, interrupt)


def run_command(main):
    """Call ``main`` and exit with the code that it returns.

    A ``CommandError`` becomes one line on standard error and exit code 1; being stopped is exit code 130.
    """
    _stop_on_signals()
    try:
        sys.exit(main())
    except CommandError as problem:
        print(f'error: {problem}', file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        show('\nStopped.')
        sys.exit(130)


@contextlib.contextmanager
def child(command, **options):
    """Run ``command`` in parallel with the ``with`` block; it is ended when the block is interrupted."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, **options) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


class Progress:
    """Shows progress: one line that is rewritten on a terminal, or a line for each tenth in a log file."""

    def __init__(self, what):
        self.what = what
        self.started = time.monotonic()
        self.tenth = -1
        self.terminal = sys.stdout.isatty()
        if not self.terminal:
            show(f'{what} …')

    def show(self, done, total, detail=''):
        share = min(done / total, 1) if total else 0
        if self.terminal:
            print(f'\r\033[K{self.what}: {share:4.0%} {detail}'[:110], end='', flush=True)
        elif int(share * 10) > self.tenth:
            self.tenth = int(share * 10)
            show(f'  {share:.0%} {detail}'.rstrip())

    def finish(self):
        ending = f'{self.what}: done in {time.monotonic() - self.started:.0f} s'
        print(f'\r\033[K{ending}' if self.terminal else f'  {ending}', flush=True)


def cache_directory():
    """Return the cache folder, which only these commands write to, and create it if necessary.

    Root's cache is not below its home: PostgreSQL refuses to run as root, and its own user cannot enter /root.
    """
    if named := os.environ.get('ORESTAPI_CACHE'):
        # A subfolder, so that `make clean` can remove all of it.
        directory = Path(named).expanduser().absolute() / 'orestapi'
    elif os.geteuid() == 0:
        directory = Path('/var/cache/orestapi')
    else:
        directory = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser().absolute() / 'orestapi'
    if directory.is_relative_to(CHECKOUT):
        raise CommandError(f"The cache {directory} is inside the checkout; set ORESTAPI_CACHE to a folder outside it.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(
            f"The cache folder {directory} cannot be created ({error.strerror}); "
            "set ORESTAPI_CACHE to a folder that you may write to."
        ) from error
    if not os.access(directory, os.W_OK):
        raise CommandError(
            f"The cache folder {directory} is not writable for you; set ORESTAPI_CACHE to another folder."
        )
    return directory


@contextlib.contextmanager
def locked(name):
    """Hold the lock ``name`` of the cache; it is released when the process ends, even if it is killed."""
    path = cache_directory() / f'{name}.lock'
    while True:
        with path.open('a') as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                show(f'waiting for another command that prepares {name} …')
                fcntl.flock(file, fcntl.LOCK_EX)
            # `make clean` removes the file while it holds the lock; others then lock a different file.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
                yield
                return


def digest(*parts):
    """Return a short name for ``parts`` (strings or bytes)."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part.encode() if isinstance(part, str) else part)
        state.update(b'\0')
    return state.hexdigest()[:12]


def measure(directory):
    """Return the number and bytes of the files below ``directory``: cheap, and enough to notice missing files."""
    number = size = 0
    waiting = [directory]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != '__pycache__':
                        waiting.append(entry.path)
                elif entry.name != '.finished':
                    number += 1
                    size += entry.stat(follow_symlinks=False).st_size
    return [number, size]


def finished(directory, step='done'):
    """Return whether ``step`` of ``directory`` was finished and no files were lost since."""
    try:
        record = json.loads((directory / '.finished').read_text())
    except (OSError, ValueError):
        return False
    return step in record['steps'] and record['measure'] == measure(directory)


def finish(directory, step='done', *, after=()):
    """Record that ``step`` of ``directory`` is finished, and the steps ``after`` which it ran."""
    (directory / '.finished').write_text(json.dumps({'steps': [*after, step], 'measure': measure(directory)}))


def start_over(directory):
    """Remove the remains of an interrupted or damaged step."""
    if directory.exists():
        show(f'{directory.name} is incomplete and will be created again')
        shutil.rmtree(directory)
