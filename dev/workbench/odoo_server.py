"""Databases with the addon, and Odoo servers on free ports. Used by run, test and the live tests.

For example:

    with Workbench() as bench, bench.database('mine') as database, bench.serve(database, workers=2) as server:
        requests.get(f'{server.url}/web/health')
"""

import ast
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.error
import urllib.request
import uuid
import xmlrpc.client
from pathlib import Path

from psycopg2 import sql

from .cache import CHECKOUT, CommandError, Progress, cache_directory, digest, locked
from .odoo_source import addons_folders, odoo_folder
from .postgres import Postgres

MODULE = 'orestapi'
HOST = '127.0.0.1'
LOGIN = PASSWORD = 'admin'  # the administrator of a new database
START_TIMEOUT = 120  # seconds
STOP_TIMEOUT = 15  # seconds before a server that does not stop is killed


def checkout_digest():
    """Return a digest of the addon's files, without the workbench, tests and documents."""
    parts = []
    for folder, folders, files in os.walk(CHECKOUT):
        if Path(folder) == CHECKOUT:
            folders[:] = [name for name in folders if name not in ('dev', 'dist', 'tests', 'docs', 'examples')]
        folders[:] = sorted(name for name in folders if not name.startswith('.') and name != '__pycache__')
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix not in ('.md', '.pyc') and not name.startswith('.'):
                parts += [str(path.relative_to(CHECKOUT)), path.read_bytes()]
    return digest(*parts)


def free_port():
    """Return a TCP port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def check_port(port):
    """Raise a ``CommandError`` when ``port`` is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise CommandError(
                f"Port {port} may not be used by an ordinary user; choose one from 1024 on with PORT=."
            ) from error
        except OSError as error:
            raise CommandError(
                f"Port {port} on {HOST} is taken; choose another with PORT=, "
                f"for instance 'make run PORT={free_port()} DB={MODULE}2'."
            ) from error


class Server:
    """A running Odoo.

    :ivar url: its URL, without a slash at the end
    :ivar port: its TCP port
    :ivar database: the name of its database
    :ivar log: the path of its log file
    :ivar process: its main process (``subprocess.Popen``)
    """

    def __init__(self, process, port, database, log):
        self.process = process
        self.port = port
        self.database = database
        self.log = log
        self.url = f'http://{HOST}:{port}'
        self._user_ids = {}

    def wait_until_ready(self):
        """Return once the server answers requests, or raise a ``CommandError``."""
        end = time.monotonic() + START_TIMEOUT
        # Bypasses the machine's proxy, because the server is local.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            if self.process.poll() is not None:
                sys.stderr.write(_end_of(self.log))
                raise CommandError(f"Odoo stopped while starting (the end of {self.log} is above).")
            try:
                # Checks the log too, because another server may have taken the port a moment earlier.
                if f'running on {HOST}:{self.port}' in self.log.read_text(errors='replace'):
                    with opener.open(f'{self.url}/web/health', timeout=5):
                        return
                raise ConnectionRefusedError
            except (urllib.error.URLError, OSError):
                if time.monotonic() > end:
                    sys.stderr.write(_end_of(self.log))
                    raise CommandError(
                        f"Odoo did not answer within {START_TIMEOUT} s (the end of {self.log} is above)."
                    ) from None
                time.sleep(0.1)

    def stop(self):
        """End the server and all its workers."""
        stop_group(self.process)

    def call(self, model, method, *arguments, login=LOGIN, password=PASSWORD, **keywords):
        """Call a public model method over XML-RPC and return what it returns."""
        if login not in self._user_ids:
            # Logs in once, because Odoo's password hash takes a third of a second.
            common = xmlrpc.client.ServerProxy(f'{self.url}/xmlrpc/2/common')
            user_id = common.authenticate(self.database, login, password, {})
            if not user_id:
                raise CommandError(
                    f"The password of {login!r} in the database {self.database} is no longer {password!r}; "
                    "use another database with DB=."
                )
            self._user_ids[login] = user_id
        models = xmlrpc.client.ServerProxy(f'{self.url}/xmlrpc/2/object', allow_none=True)
        return models.execute_kw(
            self.database, self._user_ids[login], password, model, method, list(arguments), keywords
        )

    def find_id(self, xmlid):
        """Return the id of the record of a complete XML id."""
        module, name = xmlid.split('.')
        domain = [('module', '=', module), ('name', '=', name)]
        [record] = self.call('ir.model.data', 'search_read', domain, ['res_id'])
        return record['res_id']


def _end_of(log):
    lines = log.read_text(errors='replace').splitlines()[-25:] if log.exists() else []
    return '\n'.join(['', *lines, ''])


def stop_group(process, number=signal.SIGTERM):
    """End a process that leads its own process group, and the whole group."""
    if process.poll() is None:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Workbench:
    """PostgreSQL, Odoo and the linked checkout, to use inside a ``with`` block."""

    def __init__(self, postgres=None):
        """
        :param Postgres postgres: a separate server; by default the usual one
        """
        self.cache = cache_directory()
        self.odoo = odoo_folder()
        self.postgres = postgres or Postgres()
        # For Odoo, the folder's name is the module's name, so the checkout is linked in a separate folder.
        self.addons = self.cache / f'addons-{digest(str(CHECKOUT))}'
        self.addons.mkdir(exist_ok=True)
        link = self.addons / MODULE
        if not link.is_symlink():
            with contextlib.suppress(FileExistsError):
                link.symlink_to(CHECKOUT)
        # An empty file, because Odoo would otherwise read the user's own.
        self.configuration = self.cache / 'odoo.conf'
        self.configuration.write_text('[options]\n')
        self.logs = self.cache / 'log'
        self.logs.mkdir(exist_ok=True)
        self.bytecode = self.cache / 'bytecode'
        self.styles = self.cache / 'styles'
        self.styles.mkdir(exist_ok=True)
        # Folders of Python packages for addons of others.
        self.packages = []

    def __enter__(self):
        self.postgres.__enter__()
        # Another PostgreSQL server may have a database of the same name, so it gets a separate file store.
        suffix = (
            ''
            if self.postgres.private
            else '-' + digest(*(os.environ.get(name, '') for name in ('PGHOST', 'PGPORT', 'PGSERVICE')))
        )
        self.data = self.cache / f'data{suffix}'
        self.data.mkdir(exist_ok=True)
        return self

    def __exit__(self, *exception):
        # Removes the bytecode of temporary copies.
        shutil.rmtree(self.bytecode / tempfile.gettempdir().lstrip('/'), ignore_errors=True)
        self.postgres.__exit__(*exception)

    # -- Odoo's command line

    @property
    def environment(self):
        """The environment variables of Odoo's processes."""
        found = {**os.environ, **self.postgres.environment, 'PYTHONUNBUFFERED': '1'}
        found['PYTHONPATH'] = os.pathsep.join(map(str, [self.odoo, *self.packages]))
        # Without bytecode, half of each start is compiling. In the cache, because the sources may be read-only.
        found['PYTHONPYCACHEPREFIX'] = str(self.bytecode)
        found['ORESTAPI_STYLES'] = str(self.styles)
        # Removes the user's own Odoo settings.
        for name in list(found):
            if name.startswith('ODOO_') or name in ('PGDATABASE', 'OPENERP_SERVER', 'PYTHONDONTWRITEBYTECODE'):
                del found[name]
        # `which('pylint')` of test_lint, and other tools of the virtual environment
        found['PATH'] = os.pathsep.join([str(Path(sys.executable).parent), found.get('PATH', '/usr/bin:/bin')])
        return found

    def odoo_command(self, database, *options):
        """Return the command that runs Odoo on ``database`` with ``options``.

        It has no dbfilter, with which Odoo would list the databases for each request without a session.
        """
        addons = ','.join(str(path) for path in [*addons_folders(self.odoo), self.addons])
        return [
            sys.executable, str(Path(__file__).with_name('odoo_bin.py')), 'server',
            '--config', str(self.configuration),
            '--addons-path', addons,
            '--data-dir', str(self.data),
            '-d', database,
            '--http-interface', HOST,
            '--geoip-city-db', '',
            '--geoip-country-db', '',
            *options,
        ]  # fmt: skip

    def server_command(self, database, port, workers, *options):
        """Return the command of a server that answers at ``port``, with its evented server at a free one."""
        return self.odoo_command(
            database,
            '--http-port', str(port),
            '--gevent-port', str(free_port()),
            '--workers', str(workers),
            *options,
        )  # fmt: skip

    def test_command(self, database, tags, *options):
        """Return the command that installs the addon in ``database`` and runs the tests that ``tags`` choose."""
        return self.odoo_command(
            database,
            '-i', MODULE,
            '--test-tags', tags,
            '--stop-after-init',
            '--workers', '0',
            '--max-cron-threads', '0',
            '--http-port', str(free_port()),
            '--screenshots', str(self.logs / 'screenshots'),
            *options,
        )  # fmt: skip

    def shell_command(self, database):
        """Return the command of an Odoo shell."""
        command = self.odoo_command(database, '--no-http', '--log-level', 'warn')
        command[command.index('server')] = 'shell'
        return command

    def start(self, command, output, programs=()):
        """Start ``command`` in a separate process group, so that Ctrl-C reaches only this process, which then stops it.

        :param programs: folders to put on its PATH
        """
        users = self.postgres.users_file
        environment = self.environment
        path = os.pathsep.join([*programs, environment['PATH']])
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.data,
            env={**environment, 'PATH': path},
            start_new_session=True,
            pass_fds=[users.fileno()] if users else [],
        )

    def run_odoo(self, what, database, *options):
        """Run Odoo until it has finished ``options`` (install, update), and show the progress."""
        log = self.logs / f'{database}-install.log'
        progress = Progress(what)
        with log.open('w') as output:
            process = self.start(
                self.odoo_command(
                    database, '--stop-after-init', '--no-http', '--workers', '0', '--max-cron-threads', '0', *options
                ),
                output,
            )
            try:
                seen = 0
                while process.poll() is None:
                    time.sleep(0.1)
                    with log.open(errors='replace') as lines:
                        lines.seek(seen)
                        text = lines.read()
                        seen = lines.tell()
                    for module, number, total in re.findall(r'Loading module (\S+) \((\d+)/(\d+)\)', text):
                        progress.show(int(number) - 1, int(total), module)
            finally:
                stop_group(process)
        text = log.read_text(errors='replace')
        errors = [line for line in text.splitlines() if re.match(r'\S+ \S+ \d+ (ERROR|CRITICAL) ', line)]
        if process.returncode or errors:
            sys.stderr.write(_end_of(log))
            raise CommandError(f"This step failed in Odoo: {what} (the end of {log} is above).")
        progress.finish()

    # -- databases

    def exists(self, database):
        return bool(self.postgres.execute('SELECT 1 FROM pg_database WHERE datname = %s', [database]))

    def drop(self, database):
        """Remove a database and its file store."""
        self.postgres.execute(sql.SQL('DROP DATABASE IF EXISTS {} WITH (FORCE)').format(sql.Identifier(database)))
        shutil.rmtree(self.data / 'filestore' / database, ignore_errors=True)

    def create(self, database, addons=()):
        """Create ``database`` with demo data and the modules that the addon depends on, but without the addon.

        It is a copy of a template, which is created once for each version of Odoo and its packages, because installing
        takes ten times as long as copying.

        :param addons: the names of further modules of Odoo to install
        """
        manifest = ast.literal_eval((CHECKOUT / '__manifest__.py').read_text())
        modules = sorted({*manifest['depends'], *addons})
        state = digest(str(self.odoo), (self.odoo / 'odoo' / 'release.py').read_text(), 'with assets', *modules)
        template = f'{MODULE}_template_{state}'
        # One lock per template, so that a test that needs a small one does not wait for a large one.
        with locked(template):
            if not self._marked(template, 'ready'):
                self.drop(template)
                self._new(template, 'template0')
                what = f"Odoo's modules in a template database ({', '.join(modules)})"
                self.run_odoo(what, template, '-i', ','.join(modules), '--with-demo')
                # Otherwise Odoo would generate the assets of the web client in each copy.
                self.run_script(template, "env['ir.qweb']._pregenerate_assets_bundles()")
                self.mark(template, 'ready')
        self._copy(template, database)

    @contextlib.contextmanager
    def database_beside(self, purpose, addons):
        """Yield the name of a fresh database with the addon and other addons of Odoo; it is dropped at the end.

        Everything but the addon, whose code changes, comes from a template; see :meth:`create`.

        :param addons: the names of the other addons
        """
        with self.database(purpose, install=False, addons=addons) as database:
            self.run_odoo(f'Installing {MODULE} in the database {database}', database, '-i', MODULE, '--with-demo')
            yield database

    def run_script(self, database, script):
        """Run Python inside Odoo with ``env`` and a commit at the end; return the printed lines."""
        done = subprocess.run(
            self.shell_command(database),
            input=f'{textwrap.dedent(script)}\nenv.cr.commit()\nprint("finished")\n',
            env=self.environment,
            cwd=self.data,
            capture_output=True,
            text=True,
            check=False,
        )
        *lines, last = done.stdout.splitlines() or ['']
        if last != 'finished':
            sys.stderr.write(done.stderr[-1500:])
            raise CommandError(f"A script failed in the Odoo shell of the database {database} (the end is above).")
        return lines

    @contextlib.contextmanager
    def copy(self, template, purpose):
        """Yield the name of a copy of a database that is not in use; it is dropped at the end."""
        name = self._get_name(purpose)
        try:
            self._copy(template, name)
            yield name
        finally:
            self.drop(name)

    @contextlib.contextmanager
    def restored(self, backup, store, purpose):
        """Yield the name of a database restored from a backup; it is dropped at the end.

        :param Path backup: the file from :meth:`back_up`
        :param str store: the name of the database whose file store it gets
        """
        name = self._get_name(purpose)
        try:
            self._new(name, 'template0')
            self._run_client('pg_restore', '--no-owner', '--exit-on-error', '--dbname', name, backup)
            self._copy_store(store, name)
            yield name
        finally:
            self.drop(name)

    def back_up(self, database, backup):
        """Write a database without its file store to a file, with PostgreSQL's own program."""
        self._run_client('pg_dump', '--format', 'custom', '--compress', 'none', '--file', backup, database)

    def manage(self, action, *arguments):
        """Run a command of ``odoo db`` (dump, load, duplicate), as an administrator of Odoo does."""
        command = self.odoo_command('')
        # It accepts only few of the server's options, and only before the action.
        options = [
            option for name in ('--config', '--addons-path', '--data-dir') for option in self._find(command, name)
        ]
        if programs := self.postgres.environment.get('PGPATH'):
            options += ['--pg_path', programs]
        log = self.logs / f'db-{action}-{os.getpid()}.log'
        with log.open('w') as output:
            process = self.start([*command[:2], 'db', *options, action, *map(str, arguments)], output)
            try:
                process.wait()
            finally:
                stop_group(process)
        if process.returncode:
            sys.stderr.write(_end_of(log))
            raise CommandError(f"odoo db {action} failed (the end of {log} is above).")

    @staticmethod
    def _find(command, name):
        place = command.index(name)
        return command[place : place + 2]

    @contextlib.contextmanager
    def loaded(self, dump, *options):
        """Yield the name of a database that ``odoo db load`` creates from a dump; it is dropped at the end."""
        name = self._get_name('loaded')
        try:
            self.manage('load', *options, name, dump)
            yield name
        finally:
            self.drop(name)

    @contextlib.contextmanager
    def duplicated(self, database):
        """Yield the name of a duplicate from ``odoo db duplicate``; it is dropped at the end."""
        name = self._get_name('duplicate')
        try:
            self.manage('duplicate', database, name)
            yield name
        finally:
            self.drop(name)

    @contextlib.contextmanager
    def with_addon(self, folder, packages=()):
        """Take another folder of addons than that of the checkout, such as that of an earlier release.

        :param Path folder: the folder that contains the folder ``orestapi`` or that of another addon
        :param packages: folders of Python packages that it needs
        """
        before = self.addons, self.packages
        self.addons, self.packages = folder, packages
        try:
            yield
        finally:
            self.addons, self.packages = before

    def _run_client(self, program, *arguments):
        path = os.pathsep.join(filter(None, [self.postgres.environment.get('PGPATH'), self.environment['PATH']]))
        done = subprocess.run(
            [shutil.which(program, path=path) or program, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.stderr.write(done.stderr[-1500:])
            raise CommandError(f"{program} failed (see its output above).")

    def _copy(self, template, database):
        self._new(database, template)
        self._copy_store(template, database)

    def _copy_store(self, template, database):
        if (store := self.data / 'filestore' / template).exists():
            # Hard links, because Odoo only adds and removes files there and never changes them.
            shutil.copytree(store, self.data / 'filestore' / database, copy_function=os.link, dirs_exist_ok=True)

    def _get_name(self, purpose):
        return f'{MODULE}_{purpose}_{os.getpid()}_{uuid.uuid4().hex[:6]}'

    def _new(self, database, template):
        self.postgres.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
                sql.Identifier(database), sql.Identifier(template)
            )
        )

    def mark(self, database, text):
        """Store the state of the addon in the database's comment, which is dropped with the database."""
        self.postgres.execute(
            sql.SQL('COMMENT ON DATABASE {} IS {}').format(sql.Identifier(database), sql.Literal(f'{MODULE} {text}'))
        )

    def _marked(self, database, text):
        rows = self.postgres.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
        )
        return rows == [(f'{MODULE} {text}',)]

    def prepare(self, database):
        """Make sure that ``database`` exists and has the current addon of the checkout."""
        state = checkout_digest()
        if not self.exists(database):
            self.create(database)
            self.run_odoo(f'Installing {MODULE} in the database {database}', database, '-i', MODULE, '--with-demo')
        elif self._marked(database, state):
            return
        else:
            self.run_odoo(f'Updating {MODULE} in the database {database}', database, '-i', MODULE, '-u', MODULE)
        self.mark(database, state)

    @contextlib.contextmanager
    def database(self, purpose='live', *, install=True, addons=()):
        """Yield the name of a fresh database with demo data; it is dropped at the end.

        :param str purpose: a word for its name
        :param bool install: whether to install the addon, or only its dependencies
        :param addons: if it is not installed, the names of further modules of Odoo to install
        """
        self.drop_abandoned()
        name = self._get_name(purpose)
        try:
            if install:
                self.prepare(name)
            else:
                self.create(name, addons)
            yield name
        finally:
            self.drop(name)

    def drop_abandoned(self):
        """Drop the temporary databases of killed processes. Another server may have databases of other processes."""
        if not self.postgres.private:
            return
        for (name,) in self.postgres.execute('SELECT datname FROM pg_database'):
            match = re.fullmatch(rf'{MODULE}_[a-z]+_(\d+)_[0-9a-f]{{6}}', name)
            if match and not Path('/proc', match[1]).exists():
                self.drop(name)

    # -- servers

    @contextlib.contextmanager
    def serve(self, database, *options, port=None, workers=2, lean=True):
        """Run a server and yield it as :class:`Server` once it answers; it is stopped at the end.

        :param str database: a database that has the addon
        :param options: further options of Odoo's command line
        :param int port: the TCP port; by default a free one
        :param int workers: the number of worker processes; 0 for one process with threads
        :param bool lean: whether to save the time that tests do not need: without the evented server, which loads
            all of Odoo again for the websocket; without cron, unless the options ask for it; and with one round of
            password hashing instead of 600 000
        """
        if port:
            check_port(port)
        port = port or free_port()
        log = self.logs / f'{database}-{port}.log'
        if lean:
            options = ('--max-cron-threads', '0', *options, '--lean')
        with log.open('w') as output:
            server = Server(
                self.start(self.server_command(database, port, workers, *options), output), port, database, log
            )
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()
