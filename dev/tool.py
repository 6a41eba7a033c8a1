"""`python3 -m dev.tool NAME …`: a program of the virtual environment, which is made first where there is none."""

import os
import sys
from pathlib import Path

from .workbench.cache import Problem, end_with_sentence
from .workbench.environment import enter


def main():
    enter('dev.tool', 'test')
    if len(sys.argv) < 2:
        raise Problem("Name a program of the virtual environment, for instance `python3 -m dev.tool ruff check`.")
    program = Path(sys.executable).parent / sys.argv[1]
    if not program.exists():
        raise Problem(f"{program.name} is not among the packages of dev/requirements/test.in.")
    os.execv(program, [str(program), *sys.argv[2:]])


if __name__ == '__main__':
    end_with_sentence(main)
