"""Writes docs/security-cases.md: each numbered case, and the tests that prove it.

The commands:

    python -m dev.cases            write the file
    python -m dev.cases --check    fail when it is out of date
"""

import ast
import re
import sys

from .cache import CHECKOUT

PAGE = CHECKOUT / 'docs' / 'security-cases.md'
DECISIONS = CHECKOUT / 'docs' / 'security-cases.decided.md'
NAME = re.compile(r'test_(n\d{3}(?:_n\d{3})*)_?(.*)')

HEAD = """# The security cases

Each numbered case is a bad request, or a rule that a bad one would break. A test is named after the number of the case
that it proves: `test_n113_…` proves N113. This page is made from the tests by `python -m dev.cases`; what was decided
otherwise, or does not apply, stands in [security-cases.decided.md](security-cases.decided.md).

| Case | What was done | Where |
|---|---|---|
"""


def find_tests():
    """Return {case: [(what the test shows, its module, its name)]}."""
    found = {}
    for path in sorted([*(CHECKOUT / 'tests').glob('test_*.py'), *(CHECKOUT / 'dev' / 'live').glob('test_*.py')]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith('test_'):
                documented = (ast.get_docstring(node) or '').partition('\n')[0]
                cases = re.findall(r'n\d{3}', match[1]) if (match := NAME.fullmatch(node.name)) else []
                # A live test stands for its whole race; the cases it proves open its docstring.
                cases += re.findall(r'N\d{3}(?=[,:])', documented)
                for case in dict.fromkeys(case.upper() for case in cases):
                    what = match[2].replace('_', ' ') if match else documented.partition(': ')[2].rstrip('.')
                    found.setdefault(case, []).append((what, path.relative_to(CHECKOUT), node.name))
    return found


def read_decisions():
    """Return {case: text} of the cases that no test proves as they were written."""
    return dict(re.findall(r'^\| (N\d{3}) \| (.*) \|$', DECISIONS.read_text(), re.MULTILINE))


def render():
    """Return the text of the page."""
    tests, decisions = find_tests(), read_decisions()
    rows = []
    for case in sorted({*tests, *decisions}):
        what = [f'proven: {text}' for text, _path, _name in tests.get(case, ())]
        if case in decisions:
            what.append(decisions[case])
        where = [f'[`{name}`](../{path})' for _text, path, name in tests.get(case, ())]
        rows.append(f"| {case} | {'<br>'.join(what)} | {'<br>'.join(where)} |\n")
    return HEAD + ''.join(rows)


def main():
    page = render()
    if '--check' in sys.argv:
        if not PAGE.exists() or PAGE.read_text() != page:
            sys.exit("docs/security-cases.md is out of date; run: python -m dev.cases")
        return
    PAGE.write_text(page)


if __name__ == '__main__':
    main()
