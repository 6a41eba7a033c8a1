import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import filters
from records.filters import Combination, Condition, Negation
from records.problem import InvalidParameter


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('name pr', Condition(('name',), 'pr')),
        ('name EQ "a \\"b\\""', Condition(('name',), 'eq', 'a "b"')),
        ('a.b.c ge -1.5e2', Condition(('a', 'b', 'c'), 'ge', -150.0)),
        *(
            (f'a {operator} 1', Condition(('a',), operator, 1))
            for operator in ('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le')
        ),
        ('a eq null', Condition(('a',), 'eq', None)),
        ('a eq true', Condition(('a',), 'eq', True)),
        ('a eq false', Condition(('a',), 'eq', False)),
        ('not (a pr)', Negation(Condition(('a',), 'pr'))),
        # `and` binds more tightly than `or` (RFC 7644 §3.4.2.2).
        (
            'a pr or b pr and c pr',
            Combination(
                'or', (Condition(('a',), 'pr'), Combination('and', (Condition(('b',), 'pr'), Condition(('c',), 'pr'))))
            ),
        ),
        (
            '(a pr or b pr) and c pr',
            Combination(
                'and', (Combination('or', (Condition(('a',), 'pr'), Condition(('b',), 'pr'))), Condition(('c',), 'pr'))
            ),
        ),
    ],
)
def test_parse(text, expected):
    assert filters.parse(text) == expected


@pytest.mark.parametrize(
    'text',
    [
        '',
        ' ',
        '(',
        '(a pr',
        'a',
        'a eq',
        'a eq "x',
        'a eq 01',
        'a eq NaN',
        'a eq True',
        'a xx 1',
        'a pr b',
        'a pr)',
        'not a pr',
        'a[b eq 1]',
        'a eq "\\u0000"',
        'a eq "\\ud800"',
        'a eq "\n"',
        '"a" eq 1',
        'a..b pr',
        'a eq b',
        'é pr',
        'a.b.c.d.e pr',
        'a pr ' + 'or a pr ' * 50,
        '(' * 11 + 'a pr' + ')' * 11,
        'a eq "' + 'x' * 4096 + '"',
    ],
)
def test_refused(text):
    with pytest.raises(InvalidParameter):
        filters.parse(text)


@given(st.text())
def test_anything_is_parsed_or_refused(text):
    try:
        filters.parse(text)
    except InvalidParameter as error:
        assert error.description
