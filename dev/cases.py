"""Writes docs/security-cases.md: each numbered case, its required result, and the tests that prove it.

People write the cases in docs/cases/*.md: tables with the columns *Case*, what is done, what it must get, and the
basis. This program adds the column *Proof*.

The commands are:

    python -m dev.cases            write the page
    python -m dev.cases --check    fail when the page is out of date

Both fail for a case with neither a test nor a decision, and for a test named after a case that does not exist.
"""

import ast
import re
import sys

from .workbench.cache import CHECKOUT

SOURCES = CHECKOUT / 'docs' / 'cases'
PAGE = CHECKOUT / 'docs' / 'security-cases.md'
DECISIONS = CHECKOUT / 'docs' / 'security-cases.decided.md'
#: `N001` is a bad request; the other letters stand for faults: security, protocol, records API, administration,
#: operations.
CASE = r'N\d{3}|[SPRAO]\d{2}'
NAME = re.compile(rf'test_((?:{CASE})(?:_(?:{CASE}))*)(?:_.*)?', re.IGNORECASE)
ROW = re.compile(rf'\| ({CASE}) \|')

HEAD = """# The security cases

Each numbered case is a bad request, or a rule that a bad one would break. A test is named after the case that it
proves: `test_n113_…` proves N113, `test_s05_…` proves S05. This page is made by `python -m dev.cases` from the tables
in [cases](cases) and from the names of the tests; it fails for a case without a test. What was decided otherwise, or
does not apply, stands in [security-cases.decided.md](security-cases.decided.md).
"""


def read_sources():
    """Return the texts of docs/cases in the order of their first cases, the faults last.

    :raises SystemExit: for a row without four columns, and for a duplicate case
    """
    texts, known = [], set()
    for path in SOURCES.glob('*.md'):
        text = path.read_text()
        cases = []
        for line in text.splitlines():
            if match := ROW.match(line):
                if line.count(' | ') != 3 or not line.endswith(' |'):
                    sys.exit(f"{path.name}: the row of {match[1]} does not have four columns.")
                if match[1] in known:
                    sys.exit(f"{path.name}: {match[1]} is defined twice.")
                known.add(match[1])
                cases.append(match[1])
        if cases:
            texts.append(((not cases[0].startswith('N'), cases[0]), text))
    return [text for _key, text in sorted(texts)], known


def find_tests():
    """Return ``{case: [(path of the test, its name)]}``."""
    found = {}
    paths = [*(CHECKOUT / 'tests').rglob('test_*.py'), *(CHECKOUT / 'dev' / 'live').glob('test_*.py')]
    for path in sorted(paths):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith('test_'):
                match = NAME.fullmatch(node.name)
                cases = match[1].upper().split('_') if match else []
                # A live test stands for its whole race; the cases it proves open its docstring.
                documented = (ast.get_docstring(node) or '').partition('\n')[0]
                if match := re.match(rf'((?:{CASE})(?:, (?:{CASE}))*): ', documented):
                    cases += match[1].split(', ')
                for case in dict.fromkeys(cases):
                    found.setdefault(case, []).append((path.relative_to(CHECKOUT), node.name))
    return found


def read_decisions():
    """Return ``{case: text}`` of the cases that were decided differently than written."""
    return dict(re.findall(rf'^\| ({CASE}) \| (.*) \|$', DECISIONS.read_text(), re.MULTILINE))


def render(texts, tests, decisions):
    """Return the page: the sources, with the column *Proof* added to each table of cases."""
    lines = [HEAD]
    for text in texts:
        for line in text.splitlines():
            if match := ROW.match(line):
                proof = [f'[`{name}`](../{path})' for path, name in tests.get(match[1], ())]
                proof = [*filter(None, [decisions.get(match[1])]), *proof]
                line += f" {'<br>'.join(proof) or 'no test yet'} |"
            elif line.startswith('| Case |'):
                line += ' Proof |'
            elif line.startswith('|---|'):
                line += '---|'
            elif line.startswith('#'):
                line = f'#{line}'
            lines.append(line)
        lines.append('')
    return '\n'.join(lines).rstrip('\n') + '\n'


def main():
    texts, known = read_sources()
    tests, decisions = find_tests(), read_decisions()
    page = render(texts, tests, decisions)
    if '--check' not in sys.argv:
        PAGE.write_text(page)
    wrong = []
    if unproven := sorted(known - {*tests, *decisions}):
        wrong.append(f"Without a test or a decision: {', '.join(unproven)}.")
    if unknown := sorted({*tests, *decisions} - known):
        wrong.append(f"Not in docs/cases: {', '.join(unknown)}.")
    if not PAGE.exists() or PAGE.read_text() != page:
        wrong.append("docs/security-cases.md is out of date; run: python3 -m dev.cases")
    if wrong:
        sys.exit('\n'.join(wrong))


if __name__ == '__main__':
    main()
