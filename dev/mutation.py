"""`make mutation`: changes the rules of OAuth one by one, and reports the changes that no unit test notices.

    python3 -m dev.mutation                          all of COVERED; writes the counts to docs/reports/mutation.md
    python3 -m dev.mutation records oauth2/pkce.py   folders and files of packages without Odoo; writes nothing

Changes that no test can tell from the original are listed in dev/mutation.survivors.md with the reason. The command
fails for any other survivor, which points to a missing test or to unnecessary code, and when less than 95 % are
noticed.
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
    CommandError,
    cache_directory,
    digest,
    finish,
    finished,
    locked,
    run_command,
    show,
    start_over,
)
from .workbench.environment import enter
from .workbench.pytest_command import plain_packages, pytest_options

REQUIREMENTS = CHECKOUT / 'dev' / 'requirements' / 'mutation.txt'
PAGE = CHECKOUT / 'docs' / 'reports' / 'mutation.md'
SURVIVORS = CHECKOUT / 'dev' / 'mutation.survivors.md'
COVERED = ('oauth2',)  # folders or files, including subfolders
LEAST = 95  # percent of the changes of all files
TIMEOUT = 120  # seconds for the tests of one change; a change that makes them hang counts as noticed
# A row of the survivors: file, line as it is, line as it becomes, reason. `…` stands for any text.
ROW = re.compile(r'(?m)^\| `(?P<file>[^`]+)` \| `` (?P<before>.*?) `` \| `` (?P<after>.*?) `` \| (?P<reason>.+) \|$')
COUNTS = re.compile(r'(?s)(<!-- counts -->\n).*(<!-- end of counts -->)')


def _need_mutmut():
    """Make mutmut importable, and install it if necessary."""
    directory = cache_directory() / f'mutmut-{digest(REQUIREMENTS.read_text())}'
    with locked('packages'):
        if not finished(directory):
            start_over(directory)
            show("Installing mutmut …")
            # --no-deps, because the dependencies of its command line are not needed.
            command = [
                sys.executable, '-m', 'pip', 'install', '--quiet',
                '--no-deps', '--require-hashes',
                '--target', directory,
                '-r', REQUIREMENTS,
            ]  # fmt: skip
            made = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
            if made.returncode:
                raise CommandError(
                    "pip could not install mutmut (see its output above); "
                    "check that the package index can be reached with pip and start again."
                )
            finish(directory)
    sys.path.append(str(directory))


def find_changes(text):
    """Return the texts of a file with one change each.

    The changes are those of mutmut (an operator, a comparison, a number, a string, a keyword, an assigned value …), and
    the removal of each statement that raises or is called for its effect. The texts of error descriptions and the
    values of enumerations are not changed, because they contain no rules.

    :param str text: the text of a Python file
    """
    import mutmut  # see `_need_mutmut`

    changed = [
        mutmut.mutate(mutmut.Context(source=text, mutation_id=mutation))[0]
        for mutation in mutmut.list_mutations(mutmut.Context(source=text))
    ]
    lines = text.splitlines(keepends=True)
    names_only = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith('Enum') for base in node.bases):
            names_only.update(each.lineno for each in node.body if isinstance(each, ast.Assign))
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            left_out = ' ' * node.col_offset + 'pass\n'
            changed.append(''.join([*lines[: node.lineno - 1], left_out, *lines[node.end_lineno :]]))
    return [
        each
        for each in dict.fromkeys(changed)
        if not re.search(r'"XX[A-Z]|XX"', describe(text, each)[1]) and _first_difference(text, each) not in names_only
    ]


def _first_difference(text, changed):
    """Return the number of the first line that differs."""
    pairs = zip(text.splitlines(), changed.splitlines(), strict=False)
    return next((number for number, (before, after) in enumerate(pairs, 1) if before != after), None)


def describe(text, changed):
    """Return the changed lines of a file, before and after, each as one line."""
    before, after = [], []
    for line in difflib.ndiff(text.splitlines(), changed.splitlines()):
        if line[0] in '-+':
            (before if line[0] == '-' else after).append(line[2:].strip())
    return ' '.join(before), ' '.join(after)


def _pass(scratch, root, paths):
    """Return whether all tests pass. They run in a fork of this process, which has imported their modules.

    :param Path root: the folder with the tests of the package and their configuration
    """
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

            options = pytest_options(root, scratch / 'pytest.ini')
            code = pytest.main([*options, '-x', '--tb=no', '--hypothesis-profile=few', *map(str, paths)])
            os._exit(int(code))
        finally:
            os._exit(9)
    return os.waitpid(child, 0)[1] == 0


def find_imports(text):
    """Return the dotted names that a module imports, of modules and of what is in them."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update({node.module, *(f'{node.module}.{alias.name}' for alias in node.names)})
    return names


def find_survivors(path):
    """Try each change of a file.

    :param str path: the path of the file, relative to the checkout
    :return: the number of changes, and those that no test noticed, as ``(before, after)``
    """
    package = path.split('/')[0]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        # Copies all packages, because they import each other.
        for each in (*plain_packages(), f'tests/{package}'):
            shutil.copytree(CHECKOUT / each, scratch / each, ignore=shutil.ignore_patterns('__pycache__'))
        # pytest warns that it cannot rewrite assertions of modules that are already imported.
        (scratch / 'pytest.ini').write_text('[pytest]\nfilterwarnings =\n error\n ignore:Module already imported\n')
        tests = scratch / 'tests' / package
        # Runs the tests that import the file first: they notice almost everything, and fast.
        module = path.removesuffix('.py').removesuffix('/__init__').replace('/', '.')
        every = sorted(tests.rglob('test_*.py'))
        near = [each for each in every if module in find_imports(each.read_text())]
        groups = [near, [each for each in every if each not in near]]

        def passes():
            return all(_pass(scratch, tests, paths) for paths in groups if paths)

        if not passes():
            raise CommandError("The tests fail before anything is changed; run `make test PART=unit`.")
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
    """Return the rows of SURVIVORS, each as a regular expression for ``file, before, after`` on three lines."""
    page = SURVIVORS.read_text().replace('\\|', '|')
    return [
        re.compile('\n'.join(re.escape(row[name]).replace('…', '.*') for name in ('file', 'before', 'after')))
        for row in ROW.finditer(page)
    ]


def find_files(named):
    """Return the paths, relative to the checkout, of the modules in folders and files.

    :raises CommandError: for a path that is not in a package without Odoo
    """
    found = []
    for name in named:
        path = Path(name)
        if path.parts[0] not in plain_packages() or not (CHECKOUT / path).exists():
            raise CommandError(f"{name} is not in a package without Odoo; choose among {', '.join(plain_packages())}.")
        found += (
            [path] if path.suffix else [each.relative_to(CHECKOUT) for each in sorted((CHECKOUT / path).rglob('*.py'))]
        )
    return [str(path) for path in found]


def main():
    enter('dev.mutation', 'test')
    _need_mutmut()
    # Imported once, for all forks of this process.
    sys.dont_write_bytecode = True
    for module in ('pytest', 'hypothesis', 'passlib.context', 'passlib.handlers.pbkdf2'):
        importlib.import_module(module)
    reasons = read_reasons()
    rows, unexplained = [], 0
    for path in find_files(sys.argv[1:] or COVERED):
        started = time.monotonic()
        number, survivors = find_survivors(path)
        missing = [
            survivor
            for survivor in survivors
            if not any(reason.fullmatch('\n'.join((path, *survivor))) for reason in reasons)
        ]
        unexplained += len(missing)
        rows.append((path, number, number - len(survivors), len(survivors) - len(missing), len(missing)))
        show(
            f'{path}: {number} changes, {len(survivors)} not noticed, {len(missing)} of them without a reason, '
            f'{time.monotonic() - started:.0f} s'
        )
        for before, after in missing:
            show(f'  `` {before} `` → `` {after} ``')
    rows.append(('all', *(sum(row[column] for row in rows) for column in range(1, 5))))
    changes, noticed = rows[-1][1:3]
    share = 100 * noticed / changes if changes else 100
    show(f'{noticed} of {changes} changes are noticed, {share:.1f} %; at least {LEAST} % must be.')
    if not sys.argv[1:]:
        table = ''.join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
        PAGE.write_text(
            COUNTS.sub(
                lambda match: (
                    f'{match[1]}| File | Changes | Noticed | Explained | Neither |\n'
                    f'|---|---:|---:|---:|---:|\n{table}{match[2]}'
                ),
                PAGE.read_text(),
            )
        )
    return 1 if unexplained or share < LEAST else 0


if __name__ == '__main__':
    run_command(main)
