"""`make mutation`: changes the rules of OAuth in one place at a time, and tells which changes no unit test notices.

    python3 -m dev.mutation                   all of oauth2/; writes the counts into docs/reports/mutation.md
    python3 -m dev.mutation oauth2/pkce.py    one file (of records/ as well); writes nothing

A change that no test can tell from the original stands in docs/reports/mutation.md with the reason. Any other
survivor is a missing test, or code that nothing needs, and makes this fail.
"""

import ast
import difflib
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .workbench.cache import (
    CHECKOUT,
    Problem,
    cache_directory,
    digest,
    end_with_sentence,
    finish,
    finished,
    locked,
    say,
    start_over,
)
from .workbench.environment import enter
from .workbench.pytest_command import pytest_options

REQUIREMENTS = CHECKOUT / 'dev' / 'requirements' / 'mutation.txt'
PAGE = CHECKOUT / 'docs' / 'reports' / 'mutation.md'
TIMEOUT = 120  # seconds for the tests of one change; one that makes them run for ever is noticed by that
# A row of the page: file, line as it is, line as it becomes, reason. `…` stands for any text.
ROW = re.compile(r'(?m)^\| `(?P<file>[^`]+)` \| `` (?P<before>.*?) `` \| `` (?P<after>.*?) `` \| (?P<reason>.+) \|$')
COUNTS = re.compile(r'(?s)(<!-- counts -->\n).*(<!-- end of counts -->)')


def _need_mutmut():
    """Make mutmut importable, installed first if need be."""
    directory = cache_directory() / f'mutmut-{digest(REQUIREMENTS.read_text())}'
    with locked('packages'):
        if not finished(directory):
            start_over(directory)
            say("Installing mutmut …")
            # --no-deps: what it needs as a program is not needed here.
            command = [
                sys.executable, '-m', 'pip', 'install', '--quiet',
                '--no-deps', '--require-hashes',
                '--target', directory,
                '-r', REQUIREMENTS,
            ]  # fmt: skip
            made = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
            if made.returncode:
                raise Problem(
                    "pip could not install mutmut (its words are above); "
                    "check that the package index can be reached with pip and start again."
                )
            finish(directory)
    sys.path.append(str(directory))


def find_changes(text):
    """Return what to change in a file, as a list of changed texts.

    The changes are those of mutmut (an operator, a comparison, a number, a string, a keyword, what is assigned …), and
    each statement left out that raises or that is called for its effect. The words of an error description are left
    alone, because no rule is in them.

    :param str text: of a Python file
    """
    import mutmut  # see `_need_mutmut`

    changed = [
        mutmut.mutate(mutmut.Context(source=text, mutation_id=mutation))[0]
        for mutation in mutmut.list_mutations(mutmut.Context(source=text))
    ]
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            left_out = ' ' * node.col_offset + 'pass\n'
            changed.append(''.join([*lines[: node.lineno - 1], left_out, *lines[node.end_lineno :]]))
    return [each for each in dict.fromkeys(changed) if not re.search(r'"XX[A-Z]|XX"', describe(text, each)[1])]


def describe(text, changed):
    """Return the changed lines of a file, before and after, each as one line."""
    before, after = [], []
    for line in difflib.ndiff(text.splitlines(), changed.splitlines()):
        if line[0] in '-+':
            (before if line[0] == '-' else after).append(line[2:].strip())
    return ' '.join(before), ' '.join(after)


def _pass(scratch, paths):
    """Return whether all tests pass; they run in a copy of this process, which has imported what they need."""
    child = os.fork()
    if not child:
        try:
            signal.alarm(TIMEOUT)
            sys.path.insert(0, str(scratch))
            os.chdir(scratch)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            import pytest  # needs the environment

            options = pytest_options(paths[0].parent, scratch / 'pytest.ini')
            code = pytest.main([*options, '-x', '--tb=no', '--hypothesis-profile=few', *map(str, paths)])
            os._exit(int(code))
        finally:
            os._exit(9)
    return os.waitpid(child, 0)[1] == 0


def find_survivors(path):
    """Try each change of a file.

    :param str path: of the file, relative to the checkout
    :return: the number of changes, and those that no test noticed, as ``(before, after)``
    """
    package, name = path.split('/')
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for each in (package, f'tests/{package}'):
            shutil.copytree(CHECKOUT / each, scratch / each, ignore=shutil.ignore_patterns('__pycache__'))
        # pytest would like to rewrite the assertions of what is imported before.
        (scratch / 'pytest.ini').write_text('[pytest]\nfilterwarnings =\n error\n ignore:Module already imported\n')
        tests = scratch / 'tests' / package
        own = tests / f'test_{name}'
        # Those of the file itself first: they notice nearly everything, and fast.
        groups = [[own] if own.exists() else [], [each for each in sorted(tests.glob('test_*.py')) if each != own]]

        def passes():
            return all(_pass(scratch, paths) for paths in groups if paths)

        if not passes():
            raise Problem("The tests fail before anything is changed; run `make test PART=unit`.")
        file = scratch / path
        text = file.read_text()
        changes = find_changes(text)
        survivors = []
        for change in changes:
            file.write_text(change)
            if passes():
                survivors.append(describe(text, change))
    return len(changes), survivors


def read_reasons():
    """Return the rows of the page, each as a regular expression for ``file, before, after`` on three lines."""
    page = PAGE.read_text().replace('\\|', '|')
    return [
        re.compile('\n'.join(re.escape(row[name]).replace('…', '.*') for name in ('file', 'before', 'after')))
        for row in ROW.finditer(page)
    ]


def main():
    enter('dev.mutation', 'test')
    _need_mutmut()
    # Imported once, for all the copies of this process.
    sys.dont_write_bytecode = True
    for module in ('pytest', 'hypothesis', 'passlib.context', 'passlib.handlers.pbkdf2'):
        importlib.import_module(module)
    reasons = read_reasons()
    rows, unexplained = [], 0
    for path in sys.argv[1:] or [f'oauth2/{file.name}' for file in sorted((CHECKOUT / 'oauth2').glob('[a-z]*.py'))]:
        started = time.monotonic()
        number, survivors = find_survivors(path)
        missing = [
            survivor
            for survivor in survivors
            if not any(reason.fullmatch('\n'.join((path, *survivor))) for reason in reasons)
        ]
        unexplained += len(missing)
        rows.append((path, number, number - len(survivors), len(survivors) - len(missing), len(missing)))
        say(
            f'{path}: {number} changes, {len(survivors)} not noticed, {len(missing)} of them without a reason, '
            f'{time.monotonic() - started:.0f} s'
        )
        for before, after in missing:
            say(f'  `` {before} `` → `` {after} ``')
    if not sys.argv[1:]:
        rows.append(('all', *(sum(row[column] for row in rows) for column in range(1, 5))))
        table = ''.join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
        PAGE.write_text(
            COUNTS.sub(
                lambda match: (
                    f'{match[1]}| File | Changes | Noticed | Explained below | Neither |\n'
                    f'|---|---:|---:|---:|---:|\n{table}{match[2]}'
                ),
                PAGE.read_text(),
            )
        )
    return 1 if unexplained else 0


if __name__ == '__main__':
    end_with_sentence(main)
