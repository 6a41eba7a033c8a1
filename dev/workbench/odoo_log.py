"""Reads the log of an Odoo test run: the tests and tours that ran, failures, and unexpected lines."""

import re
from dataclasses import dataclass, field
from datetime import datetime

LINE = re.compile(
    r'(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) \d+ (?P<level>[A-Z]+) \S+ (?P<logger>[^:]+): (?P<message>.*)'
)

# Lines that Odoo itself writes on this platform, with or without the addon, as regular expressions for
# `(logger, message)`, each with its reason. A line caused by this addon never belongs here.
ALLOWED = [
    # The summary of failing tests, each of which is counted separately.
    (r'odoo\.modules\.loading', r'At least one test failed when loading the modules'),
    (r'odoo\.modules\.loading', r'Module \S+: \d+ failures, \d+ errors of \d+ tests'),
    (r'odoo\.tests\.result', r'\d+ failed, \d+ error\(s\) of \d+ tests'),
]


@dataclass
class Findings:
    """The outcome of one run; ``failed`` and ``unexpected`` hold whole log records."""

    tests: set = field(default_factory=set)
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)
    unexpected: list = field(default_factory=list)
    tours: set = field(default_factory=set)
    #: Seconds by test class, and for `before the tests`.
    durations: dict = field(default_factory=dict)

    @property
    def failures(self):
        return len(self.failed) + len(self.skipped) + len(self.unexpected)

    @property
    def passed(self):
        failed_tests = {
            match[1]
            for record in self.failed
            if (match := re.search(r'(?:FAIL|ERROR): (?:Subtest )?([\w.<>]+)', record))
        }
        return len({name for _logger, name in self.tests} - failed_tests) - len(self.skipped)


def _clock(findings, clock, line):
    """Add the time since the previous line to the running test class."""
    now = datetime.strptime(line['time'], '%Y-%m-%d %H:%M:%S,%f')  # noqa: DTZ007 - only differences are of interest
    name = clock.get('name', 'before the tests')
    spent = (now - clock.get('now', now)).total_seconds()
    findings.durations[name] = findings.durations.get(name, 0) + spent
    clock['now'] = now
    if match := re.match(r'Starting (?:\S+\.)?(\w+)\.test\w* \.\.\.', line['message']):
        clock['name'] = match[1]


def read_log(text):
    """Return the :class:`Findings` in the text of a log."""
    findings = Findings()
    records = []
    clock = {}
    for line in text.splitlines():
        if match := LINE.match(line):
            records.append((match['level'], match['logger'], [match['message']], [line]))
            _clock(findings, clock, match)
        elif records:
            records[-1][2].append(line)
            records[-1][3].append(line)
    for level, logger, message, lines in records:
        message, whole = '\n'.join(message), '\n'.join(lines)
        if match := re.match(r'Starting (\S+\.test\w*) \.\.\.', message):
            findings.tests.add((logger, match[1]))
        elif level == 'INFO' and re.match(r'skipped \S+ : ', message):
            findings.skipped.append(whole)
        elif level == 'ERROR' and re.match(r'(FAIL|ERROR): ', message):
            findings.failed.append(whole)
        elif level in ('WARNING', 'ERROR', 'CRITICAL') and not any(
            re.fullmatch(name, logger) and re.match(start, message) for name, start in ALLOWED
        ):
            findings.unexpected.append(whole)
        findings.tours.update(re.findall(r'\] Tour (\S+) → Step', message))
    return findings
