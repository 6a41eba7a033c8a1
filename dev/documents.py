"""Checks the documents: their links, and their commands as a reader would run them.

    python -m dev.documents --check     fail for a broken link

dev/live/test_documents.py runs the commands against a live server: each fenced block of `sh` and `python`, page by
page, in one shell per page. The test fills in the values that a reader fills in, which are written with an ellipsis
(`CODE=orestapi_ac_…`). A block below the sentence `*Not tested here: …*`, which gives the reason, is skipped.
"""

import os
import re
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

from .workbench.cache import CHECKOUT, CommandError, run_command

LANGUAGES = ('sh', 'python')
FENCE = re.compile(r'^```(?P<language>\w*)\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
NOT_TESTED = re.compile(r'\*Not tested here: .+\*\s*\Z')
#: An assignment in a shell or in Python whose value the reader may have to change.
ASSIGNMENT = re.compile(r'^(?P<name>[A-Z][A-Z_]*)(?P<sign>=| = )(?P<value>.*)$')
TIMEOUT = 120  # seconds for a block


@dataclass
class Block:
    """Commands of a page.

    :ivar page: the path of the page
    :ivar line: the line where they begin
    :ivar language: ``'sh'`` or ``'python'``
    :ivar text: the commands
    """

    page: Path
    line: int
    language: str
    text: str

    def __str__(self):
        return f'{self.page.relative_to(CHECKOUT)}:{self.line}'


def pages():
    """Return the paths of all documents."""
    return sorted([*CHECKOUT.glob('*.md'), *(CHECKOUT / 'docs').rglob('*.md')])


def read_blocks(page):
    """Return the blocks of a page to be tested, in order."""
    text = page.read_text()
    return [
        Block(page, text.count('\n', 0, match.start()) + 2, match['language'], match['text'])
        for match in FENCE.finditer(text)
        if match['language'] in LANGUAGES and not NOT_TESTED.search(text[: match.start()])
    ]


class Shell:
    """A shell that runs the blocks of a page one after the other, like a reader's terminal.

    :param fill: a function that returns the reader's value for a name, or None to keep that of the page
    """

    def __init__(self, fill, environment):
        self.fill = fill
        self.output = ''
        self.process = subprocess.Popen(
            ['bash', '--noprofile', '--norc', '-s'],
            cwd=CHECKOUT,
            env={**os.environ, **environment},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        # An error response must fail the block: a reader sees it, but curl alone does not report it.
        self._send('set -eo pipefail; curl() { command curl --silent --show-error --fail-with-body "$@"; }')

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.communicate()

    def run(self, block):
        """Run a block, and return what it printed.

        :raises AssertionError: when a command of it fails
        """
        begin = len(self.output)
        if block.language == 'python':
            text = '\n'.join(self._fill_in(line, repr) for line in block.text.splitlines())
            self._send(f"{sys.executable} - <<'END-OF-PYTHON'\n{text}\nEND-OF-PYTHON", block)
        else:
            lines = []
            for line in block.text.splitlines():
                if ASSIGNMENT.match(line):
                    # A value to fill in may be the result of the lines above.
                    self._send('\n'.join(lines), block)
                    lines = []
                lines.append(self._fill_in(line, str))
            self._send('\n'.join(lines), block)
        return self.output[begin:]

    def _fill_in(self, line, render):
        match = ASSIGNMENT.match(line)
        if not match:
            return line
        value = self.fill(match['name'], self.output)
        if value is None:
            assert '…' not in match['value'], f"The test does not know the reader's value of {match['name']}."
            return line
        return f"{match['name']}{match['sign']}{render(value)}"

    def _send(self, text, block=None):
        mark = uuid.uuid4().hex
        alarm = threading.Timer(TIMEOUT, self.process.kill)
        alarm.start()
        self.process.stdin.write(f"{text}\nprintf '\\n%s\\n' {mark}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.strip() == mark:
                alarm.cancel()
                return
            self.output += line
        alarm.cancel()
        raise AssertionError(f"{block} failed:\n{text}\n{self.output[-2000:]}")


def find_broken_links():
    """Yield `page: link` of each link within the documents that leads nowhere."""
    for page in pages():
        text = FENCE.sub('', page.read_text())
        for target in re.findall(r'\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"', text):
            target = ''.join(target)
            if re.match(r'[a-z]+:', target):
                continue
            path, _sign, anchor = target.partition('#')
            path = (page.parent / path).resolve() if path else page
            if not path.exists() or (anchor and path.suffix == '.md' and anchor not in _anchors(path)):
                yield f'{page.relative_to(CHECKOUT)}: {target}'


def _anchors(page):
    """Return the anchors of the headings of a page, as the usual web front ends of git build them."""
    headings = re.findall(r'(?m)^#+ (.+)$', FENCE.sub('', page.read_text()))
    return {re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-') for heading in headings}


def main():
    if broken := list(find_broken_links()):
        raise CommandError("These links in the documents are broken:\n  " + '\n  '.join(broken))
    return 0


if __name__ == '__main__':
    run_command(main)
