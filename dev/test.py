"""`make test`: runs all tests. The last line is `N passed, N failed`, the sum over all parts.

`make check` is its short form between two edits: the style of changed files, the unit tests, and the Odoo tests that
`dev/workbench/changes.py` finds for the changes.
"""

import concurrent.futures
import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from .workbench.apt import need
from .workbench.cache import CHECKOUT, CommandError, cache_directory, run_command, show
from .workbench.environment import enter
from .workbench.pytest_command import plain_packages, pytest_environment, pytest_options

#: `package` runs the tests of `odoo` from the wheel instead of the checkout, so a full run needs only one of them.
PARTS = ('lint', 'unit', 'odoo', 'package', 'live', 'check')
SLOWEST = 12  # rows of the table of the slowest tests
BROWSERS = ('google-chrome', 'chromium', 'chromium-browser', 'google-chrome-stable')  # those that Odoo looks for


def _read_cpu(process):
    """Return the CPU seconds of a process and its children; the process may have ended, but not be waited for."""
    fields = Path(f'/proc/{process.pid}/stat').read_text().rpartition(')')[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf('SC_CLK_TCK')


class Outcome:
    """How many tests passed and failed in each part; failures are printed at once."""

    def __init__(self):
        self.started = time.monotonic()
        self.parts = []
        self.durations = {}

    def add(self, part, passed, failed, seconds, durations=(), cpu=None):
        """
        :param durations: the ``{name: seconds}`` of the tests of the part
        :param float cpu: the CPU seconds, if known, without those of PostgreSQL
        """
        self.parts.append((part, passed, failed, seconds, cpu))
        for name, spent in dict(durations).items():
            self.durations[f'{part}: {name}'] = spent

    def show(self):
        """Print the slowest tests, the parts and, as the last line, their sum; return the exit code."""
        slowest = sorted(self.durations.items(), key=lambda each: -each[1])[:SLOWEST]
        if slowest:
            show(f'\nWhere the time goes ({len(slowest)} of {len(self.durations)}):')
            for name, spent in slowest:
                show(f'{spent:8.0f} s  {name}')
        load = ', '.join(f'{each:.1f}' for each in os.getloadavg())
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        show(
            f'All took {time.monotonic() - self.started:.0f} s on {os.cpu_count()} cores, and '
            f'{used.ru_utime + used.ru_stime:.0f} s of CPU; load {load}.\n'
        )
        for part, passed, failed, seconds, cpu in self.parts:
            used = '' if cpu is None else f' {cpu:6.0f} s of CPU'
            show(f'{part:>24} {passed:5} passed {failed:5} failed {seconds:6.0f} s{used}')
        passed = sum(part[1] for part in self.parts)
        failed = sum(part[2] for part in self.parts)
        if not passed and not failed:
            show('no test ran, which counts as a failure')
            failed = 1
        show(f'{passed} passed, {failed} failed')
        return 1 if failed else 0


def _run_hooks(outcome, files=None):
    """Run the hooks of .pre-commit-config.yaml.

    :param files: the files to check; by default all files that git knows
    """
    started = time.monotonic()
    if not (CHECKOUT / '.git').exists():
        raise CommandError("The style check needs git's list of files, but this is not a clone; clone the repository.")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '/usr/bin:/bin')])
    hooks = subprocess.run(
        [
            sys.executable,
            '-m',
            'pre_commit',
            'run',
            '--color',
            'never',
            *(['--files', *files] if files else ['--all-files']),
        ],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, 'PATH': path, 'PRE_COMMIT_HOME': str(cache_directory() / 'pre-commit')},
    )
    show(hooks.stdout.rstrip())
    passed, failed = (len(re.findall(rf'(?m)\.{word}$', hooks.stdout)) for word in ('Passed', 'Failed'))
    outcome.add('hooks', passed, failed or int(bool(hooks.returncode)), time.monotonic() - started)


class _Pytest:
    """Runs the tests of a folder outside Odoo, in parallel with the ``with`` block."""

    def __init__(self, part, folder, options=(), output=None):
        """
        :param str part: the name of the part in the outcome
        :param Path folder: the folder of the tests
        :param options: options for pytest
        :param output: a file for the output of pytest; by default the screen
        """
        self.part, self.folder, self.options, self.output = part, folder, options, output

    def __enter__(self):
        self.started = time.monotonic()
        self.scratch = tempfile.TemporaryDirectory()
        self.report = Path(self.scratch.name, 'report.xml')
        command = [
            sys.executable, '-m', 'pytest',
            *pytest_options(self.folder),
            '--junitxml', self.report,
            *self.options,
            self.folder,
        ]  # fmt: skip
        # A separate process group, so that this process forwards Ctrl-C once and fixtures can stop their servers.
        self.process = subprocess.Popen(
            command,
            cwd=self.scratch.name,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT if self.output else None,
            start_new_session=True,
            env=pytest_environment(),
        )
        return self

    def __exit__(self, *exception):
        from .workbench.odoo_server import stop_group  # needs the environment

        stop_group(self.process, signal.SIGINT)
        self.scratch.cleanup()

    def finish(self, outcome):
        """Wait for the end, and count."""
        # The CPU time can be read until the process is waited for.
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        cpu = _read_cpu(self.process)
        self.process.wait()
        seconds = time.monotonic() - self.started
        tests = failed = 0
        durations = {}
        if self.report.exists():
            for suite in ET.parse(self.report).getroot().iter('testsuite'):
                tests += int(suite.get('tests'))
                seconds = float(suite.get('time'))
                # A skipped test has proved nothing.
                failed += sum(int(suite.get(name)) for name in ('failures', 'errors', 'skipped'))
            for case in ET.parse(self.report).getroot().iter('testcase'):
                file = case.get('classname').rpartition('.')[2]
                durations[file] = durations.get(file, 0) + float(case.get('time'))
        if self.output:
            self.output.seek(0)
            show(f"\nThe tests of {self.folder.relative_to(CHECKOUT)}")
            show(self.output.read().rstrip())
        if self.process.returncode and not failed:
            show(f'pytest ended with exit code {self.process.returncode} for {self.folder}')
            failed = 1
        outcome.add(self.part, max(tests - failed, 0), failed, seconds, durations, cpu)


def _registered_tours():
    """Return the names of the tours that the addon's tests define."""
    names = set()
    for path in (CHECKOUT / 'static' / 'tests').rglob('*.js'):
        # the name is a string, which may be on the next line
        names.update(re.findall(r"""["']web_tour\.tours["']\s*\)\s*\.add\(\s*["'`]([^"'`]+)""", path.read_text()))
    return names


def _watch(bench, part, command, log, programs=(), stop=None):
    """Run Odoo with its log in a file, and show each test class that begins.

    :param threading.Event stop: ends Odoo when it is set
    :return: the exit code, the text of the log, and the CPU seconds
    """
    from .workbench.odoo_server import stop_group  # needs the environment

    with log.open('w') as output:
        process = bench.start(command, output, programs)
        shown = set()
        position = 0
        try:
            while True:
                cpu = _read_cpu(process)
                ended = process.poll() is not None
                with log.open(errors='replace') as lines:
                    lines.seek(position)
                    text = lines.read()
                    position = lines.tell()
                for name in re.findall(r'Starting \S*?(\w+)\.test\w* \.\.\.', text):
                    if name not in shown:
                        shown.add(name)
                        show(f'  {part}: {name}')
                if ended or (stop and stop.is_set()):
                    break
                time.sleep(0.2)
        finally:
            stop_group(process)
    return process.returncode, log.read_text(errors='replace'), cpu


def _report(outcome, part, findings, code, log, started, cpu, notes=()):
    for record in [*findings.failed, *findings.unexpected, *findings.skipped]:
        show('\n' + record)
    failed = findings.failures + len(notes)
    for note in notes:
        show(f'\n{part}: {note}')
    if not findings.tests:
        show(f'\n{part}: no test ran; TAGS is written as /orestapi:TestApplication or /orestapi:TestApplication.test_x')
        failed += 1
    elif code and not failed:
        show(f'\n{part}: Odoo ended with exit code {code}')
        failed += 1
    if failed:
        show(f'\nThe whole log: {log}')
    outcome.add(part, max(findings.passed, 0), failed, time.monotonic() - started, findings.durations, cpu)


def _run_odoo(outcome, bench, part, database, tags, command, stop=None):
    """Run Odoo's tests with ``command``, which installs the addon in ``database``."""
    from .workbench.odoo_log import read_log

    started = time.monotonic()
    show(f"Odoo's tests of {tags}")
    log = bench.logs / f'{database}.log'
    code, text, cpu = _watch(bench, part, command, log, stop=stop)
    findings = read_log(text)
    notes = []
    if tags == '/orestapi':
        notes = [f'the tour {name} did not run' for name in sorted(_registered_tours() - findings.tours)]
    _report(outcome, part, findings, code, log, started, cpu, notes)


def _run_package(outcome, bench, stop):
    """Install the wheel in a separate environment beside Odoo, and run all Odoo tests from there."""
    from .dist import build, install
    from .workbench.odoo_source import addons_folders

    show('The wheel, in an environment of its own')
    with tempfile.TemporaryDirectory() as scratch, bench.database('package', install=False) as database:
        _zip, wheel = build(Path(scratch), committed=False)
        command = bench.test_command(database, '/orestapi', '--with-demo', '--few-assets')
        command[0] = str(install(wheel, Path(scratch, 'venv')))
        # Only Odoo's own addons: Odoo finds this addon because pip has installed it beside them.
        command[command.index('--addons-path') + 1] = ','.join(str(path) for path in addons_folders(bench.odoo))
        _run_odoo(outcome, bench, 'package', database, '/orestapi', command, stop)


def _run_core_lint(outcome, bench, database):
    from .workbench.eslint import eslint_path
    from .workbench.odoo_log import read_log

    started = time.monotonic()
    show("Odoo's test_lint for the addon")
    if not (bench.odoo / 'odoo/addons/test_lint').is_dir() and not (bench.odoo / 'addons/test_lint').is_dir():
        raise CommandError("This Odoo has no module test_lint; unset ODOO_PATH or set it to a source checkout of 19.0.")
    command = bench.odoo_command(database, '--no-http', '--workers', '0')
    command[1] = str(CHECKOUT / 'dev' / 'core_lint.py')
    command.remove('server')
    log = bench.logs / f'{database}-lint.log'
    code, text, cpu = _watch(bench, 'test_lint', command, log, eslint_path())
    _report(outcome, 'test_lint', read_log(text), code, log, started, cpu)


def _run_unit(outcome, options=()):
    # `layers` reads the imports of all folders.
    for package in ('layers', *plain_packages()):
        with _Pytest(f'unit of {package}', CHECKOUT / 'tests' / package, options) as tests:
            tests.finish(outcome)


def _run_live(outcome, alone):
    # The longest part: its slowest tests are listed at the end.
    options = ['--durations=10', '--durations-min=5', *(['--full'] if os.environ.get('FULL') else [])]
    if only := os.environ.get('ONLY'):
        if not (CHECKOUT / 'dev' / 'live' / only).is_file():
            raise CommandError(f"ONLY={only} names no file in dev/live.")
        options += ['--only', only]
    elif not alone:
        # A test often waits for a server to start or to answer. Alone, the races of the full form get both cores.
        options += ['--numprocesses=2', '--dist=loadfile']
    with contextlib.ExitStack() as stack:
        # As the only part, it may use the screen.
        output = None if alone else stack.enter_context(tempfile.TemporaryFile('w+'))
        stack.enter_context(_Pytest('live', CHECKOUT / 'dev' / 'live', options, output)).finish(outcome)


@contextlib.contextmanager
def _beside(run, *arguments):
    """Run ``run(*arguments, stop)`` in a second lane in parallel with the ``with`` block, until both have ended."""
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as lane:
        future = lane.submit(run, *arguments, stop)
        try:
            yield
            future.result()
        except BaseException:
            stop.set()
            raise


def _run_tags(outcome, bench, purpose, tags, options=('--few-assets',), stop=None):
    with bench.database(purpose, install=False) as database:
        command = bench.test_command(database, tags, '--with-demo', *options)
        _run_odoo(outcome, bench, 'odoo', database, tags, command, stop)


def _run_check(outcome):
    """Run the checks that can reveal a wrong change within a minute and a half."""
    from .workbench.changes import changed_files, find_tags
    from .workbench.odoo_server import Workbench

    files = changed_files()
    with contextlib.ExitStack() as stack:
        if tags := find_tags(files):
            bench = stack.enter_context(Workbench())
            stack.enter_context(_beside(_run_tags, outcome, bench, 'check', tags, ['--without-assets']))
        if files:
            _run_hooks(outcome, files)
        _run_unit(outcome, ['--hypothesis-profile=few'])


def _run_parts(outcome, bench, parts, tags):
    """Run the parts in two lanes of about the same length.

    Odoo's tests, one after the other, are as long as all others. Most of the live tests wait
    for a server or a browser, so that they run in two processes, see `_run_live`.
    """
    with _beside(_run_package, outcome, bench) if 'package' in parts else contextlib.nullcontext():
        if 'lint' in parts:
            _run_hooks(outcome)
        if 'odoo' in parts:
            _run_tags(outcome, bench, 'test', tags or '/orestapi')
        if 'live' in parts:
            _run_live(outcome, parts == {'live'})
        if 'unit' in parts:
            _run_unit(outcome)
        if 'lint' in parts:
            with bench.database('lint') as database:
                _run_core_lint(outcome, bench, database)


def main():
    enter('dev.test', 'test')
    from .workbench.odoo_server import Workbench  # needs the environment

    part, tags = os.environ.get('PART'), os.environ.get('TAGS')
    if part and part not in PARTS:
        raise CommandError(f"PART={part} is not a part of the tests; choose one of {', '.join(PARTS)}.")
    parts = {part} if part else {'odoo'} if tags else set(PARTS) - {'odoo', 'check'}
    outcome = Outcome()
    if parts & {'odoo', 'package', 'live'}:
        need(BROWSERS, ['chromium'], 'the browser tours')
    with contextlib.ExitStack() as stack:
        if 'check' in parts:
            _run_check(outcome)
            return outcome.show()
        bench = None
        if parts != {'unit'}:
            bench = stack.enter_context(Workbench())
            bench.drop_abandoned()
        _run_parts(outcome, bench, parts, tags)
    return outcome.show()


if __name__ == '__main__':
    run_command(main)
