"""`make coverage`: measures which branches of the addon the tests take, and writes docs/reports/coverage.md."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from .workbench.cache import CHECKOUT, CommandError, run_command, show
from .workbench.environment import enter
from .workbench.pytest_command import plain_packages, pytest_environment, pytest_options

FOLDERS = (
    *plain_packages(),
    *(name for name in ('dispatchers', 'models', 'controllers') if (CHECKOUT / name).is_dir()),
)
PAGE = CHECKOUT / 'docs' / 'reports' / 'coverage.md'
LEAST = 95  # percent of the branches of each folder
TABLE = re.compile(r'(?s)(<!-- table -->\n).*?(<!-- end of the table -->)')
LEFT = re.compile(r'(?s)(<!-- left -->\n).*?(<!-- end of what is left -->)')


def _run_unit(measured):
    """Run the tests that do not need Odoo."""
    for package in plain_packages():
        folder = CHECKOUT / 'tests' / package
        done = subprocess.run(
            [sys.executable, *measured, '-m', 'pytest', *pytest_options(folder), folder],
            cwd=CHECKOUT,
            check=False,
            stdin=subprocess.DEVNULL,
            env=pytest_environment(),
        )
        if done.returncode:
            raise CommandError("Tests fail, so there is nothing to measure; run `make test PART=unit`.")


def _run_odoo(measured):
    from .workbench.odoo_log import read_log  # these two need the environment
    from .workbench.odoo_server import Workbench, stop_group

    with Workbench() as bench, bench.database('test', install=False) as database:
        python, *command = bench.test_command(database, '/orestapi', '--with-demo')
        log = bench.logs / f'{database}-coverage.log'
        show(f"Odoo's tests; their log is {log}")
        with log.open('w') as output:
            process = bench.start([python, *measured, *command], output)
            try:
                process.wait()
            finally:
                stop_group(process)
        findings = read_log(log.read_text(errors='replace'))
        show(f'{findings.passed} passed, {findings.failures} failed')
        if process.returncode or findings.failures or not findings.tests:
            raise CommandError("Tests fail, so there is nothing to measure; run `make test PART=odoo`.")


def measure():
    """Run the tests and return coverage.py's report, as ``{path relative to the checkout: report}``."""
    from coverage import Coverage  # needs the environment

    with tempfile.TemporaryDirectory() as scratch:
        data, report = Path(scratch, 'data'), Path(scratch, 'report.json')
        # The arguments before the program. Odoo serves HTTP in threads of the process that runs its tests, so these
        # are measured too.
        measured = [
            '-m', 'coverage', 'run', '--branch', '--parallel-mode',
            '--rcfile', os.devnull,
            '--data-file', data,
            '--source', ','.join(str(CHECKOUT / folder) for folder in FOLDERS),
        ]  # fmt: skip
        _run_unit(measured)
        _run_odoo(measured)
        coverage = Coverage(data_file=str(data), config_file=False)
        coverage.combine([scratch])
        coverage.json_report(outfile=str(report))
        # Odoo uses the checkout through a link.
        return {
            str(Path(path).resolve().relative_to(CHECKOUT)): found
            for path, found in json.loads(report.read_text())['files'].items()
        }


def _get_share(covered, number):
    # Rounded down, so that 100 % means all.
    return int(1000 * covered / number) / 10 if number else 100.0


def render(files):
    """Return the table of the folders, the table of untaken branches, and whether each folder reaches the bar.

    :param dict files: the result of :func:`measure`
    """
    table = '| Folder | Statements | run | Branches | taken |\n|---|---:|---:|---:|---:|\n'
    enough = True
    for folder in FOLDERS:
        statements, run, branches, taken = (
            sum(report['summary'][name] for path, report in files.items() if path.startswith(f'{folder}/'))
            for name in ('num_statements', 'covered_lines', 'num_branches', 'covered_branches')
        )
        enough = enough and _get_share(taken, branches) >= LEAST
        table += (
            f'| `{folder}/` | {statements} | {_get_share(run, statements)} % '
            f'| {branches} | {_get_share(taken, branches)} % |\n'
        )
    left = '| File | Functions with a branch that was not taken |\n|---|---|\n'
    for path, report in sorted(files.items()):
        # Names, because line numbers are outdated after the next commit.
        names = [
            f'`{name}`'
            for name, function in report['functions'].items()
            if function['missing_lines'] or function['missing_branches']
        ]
        if names:
            left += f"| {path} | {', '.join(names)} |\n"
    return table, left, enough


def main():
    enter('dev.coverage', 'test')
    table, left, enough = render(measure())
    show(table + '\n' + left)
    page = TABLE.sub(lambda match: match[1] + table + match[2], PAGE.read_text())
    PAGE.write_text(LEFT.sub(lambda match: match[1] + left + match[2], page))
    if not enough:
        raise CommandError(f"Less than {LEAST} % of the branches of a folder are taken; add tests for the others.")
    return 0


if __name__ == '__main__':
    run_command(main)
