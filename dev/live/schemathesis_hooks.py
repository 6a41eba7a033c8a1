"""What schemathesis must know about the records API beyond the types in its document.

schemathesis generates arbitrary texts as filters and cursors. For requests that are meant to be valid, this module
substitutes a valid filter, a cursor from an earlier response, and an order that names no field twice.
"""

import collections
import functools
import json
import os
import random
import urllib.parse

import requests
import schemathesis

EQUALITY = ('eq', 'ne')
ORDER = (*EQUALITY, 'gt', 'ge', 'lt', 'le')
TEXT = (*EQUALITY, 'co', 'sw', 'ew')

#: The operators of each field type, and values to compare with.
COMPARISONS = {
    'boolean': (EQUALITY, (True, False)),
    'integer': (ORDER, (0, 1, -7, 2**31 - 1)),
    'float': (ORDER, (0, 1.5, -1e9)),
    'monetary': (ORDER, (0, 12.34)),
    'char': (TEXT, ('', 'a', 'Azure', '50%', "O'Brien", 'é_')),
    'text': (TEXT, ('a', '\\', '"')),
    'html': (TEXT, ('a', '<p>')),
    'date': (ORDER, ('2026-02-28', '1970-01-01')),
    'datetime': (ORDER, ('2026-02-28T12:00:00Z', '2026-02-28T12:00:00+02:00')),
    'many2one': (EQUALITY, (1, 2**31 - 1)),
    'one2many': (EQUALITY, (1,)),
    'many2many': (EQUALITY, (1, 3)),
}

#: The longest query to send, in bytes. Odoo's HTTP server itself answers 414 to a request line of more than 64 KiB, and
#: logs an error. A text of `maxLength` characters that are percent-encoded can be that long.
MAX_QUERY = 60_000

#: By path: the parameters of a search, with the cursor from its response.
pages = collections.defaultdict(list)


@functools.cache
def find_fields(address):
    """Return the fields of a model that can be searched: tuples of name, operators and values."""
    answer = requests.get(address, headers={'Authorization': f"Bearer {os.environ['ACCESS_TOKEN']}"}, timeout=60)
    fields = sorted(answer.json()['fields'].items())
    return [
        (name, *COMPARISONS[field['type']])
        for name, field in fields
        if field['searchable'] and field['type'] in COMPARISONS
    ]


def write_filter(fields, choice, depth=2):
    """Return a valid filter."""
    kind = choice.random()
    if depth and kind < 0.2:
        return f'not ({write_filter(fields, choice, depth - 1)})'
    if depth and kind < 0.6:
        operator = choice.choice([' and ', ' or '])
        return f"({operator.join(write_filter(fields, choice, depth - 1) for _part in range(choice.randint(2, 3)))})"
    name, operators, values = choice.choice(fields)
    operator = choice.choice(operators)
    return f'{name} {operator} {json.dumps(choice.choice(values))}'


@schemathesis.hook
def filter_case(context, case):
    """Leave out a request that Odoo's HTTP server refuses before this addon sees it."""
    return len(urllib.parse.urlencode(case.query or {}, doseq=True, errors='replace')) <= MAX_QUERY


@schemathesis.hook
def before_call(context, case, kwargs):
    """Make a request that is meant to be valid really valid."""
    if not case.meta or not case.meta.generation.mode.is_positive or not case.query:
        return
    if 'filter' in case.query:
        model = case.path.rpartition('/')[2]
        fields = find_fields(f'{case.operation.base_url.rstrip("/")}/orestapi/1/models/{model}')
        case.query['filter'] = write_filter(fields, random.Random(repr(sorted(case.query.items()))))
    if 'order' in case.query:
        # JSON Schema cannot simply express that a field excludes its descending form.
        by_field = {name.removeprefix('-'): name for name in case.query['order']}
        case.query['order'] = list(by_field.values())
    if case.query.pop('cursor', None) and (known := pages[case.path]):
        case.query.clear()
        case.query.update(known[len(known) // 2])


@schemathesis.hook
def after_call(context, case, response):
    """Store cursors from responses."""
    if response.status_code == 200 and '/records/' in case.path and case.query:
        if cursor := json.loads(response.content).get('next_cursor'):
            pages[case.path].append({**case.query, 'cursor': cursor})
