"""`make shell`: opens an Odoo shell on the database of `make run`."""

import os
import signal
import subprocess

from .workbench.cache import run_command
from .workbench.environment import enter


def main():
    enter('dev.shell')
    from .workbench.odoo_server import MODULE, Workbench  # needs the environment

    database = os.environ.get('DB') or MODULE
    with Workbench() as bench:
        bench.prepare(database)
        # Ctrl-C is for the shell. The handler does nothing, but the shell would inherit an ignored signal.
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        return subprocess.run(
            bench.shell_command(database), env=bench.environment, cwd=bench.data, check=False
        ).returncode


if __name__ == '__main__':
    run_command(main)
