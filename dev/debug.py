"""`make debug`: runs Odoo in this terminal in one process, for debugging and for work on views."""

import os
import signal
import subprocess

from .workbench.cache import run_command, show
from .workbench.environment import enter


def main():
    enter('dev.debug')
    from .workbench.odoo_server import HOST, MODULE, Workbench, check_port  # needs the environment

    port, database = int(os.environ.get('PORT') or 8069), os.environ.get('DB') or MODULE
    check_port(port)
    with Workbench() as bench:
        bench.prepare(database)
        show(f'http://{HOST}:{port}; Ctrl-C stops it.')
        command = bench.server_command(database, port, 0, '--dev', 'xml', '--max-cron-threads', '0')
        # Ctrl-C is for Odoo. The handler does nothing, but Odoo would inherit an ignored signal.
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        # Stays in the process group of the terminal, so that the debugger can read from it.
        return subprocess.run(command, env=bench.environment, cwd=bench.data, check=False).returncode


if __name__ == '__main__':
    run_command(main)
