"""`python3 -m dev.tool NAME …`: runs a program of the virtual environment, which is created if necessary."""

import os
import sys
from pathlib import Path

from .workbench.cache import CommandError, run_command
from .workbench.environment import enter


def main():
    enter('dev.tool', 'test')
    if len(sys.argv) < 2:
        raise CommandError("Name a program of the virtual environment, for instance `python3 -m dev.tool ruff check`.")
    program = Path(sys.executable).parent / sys.argv[1]
    if not program.exists():
        raise CommandError(f"{program.name} is not among the packages of dev/requirements/test.in.")
    os.execv(program, [str(program), *sys.argv[2:]])


if __name__ == '__main__':
    run_command(main)
