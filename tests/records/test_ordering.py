import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import ordering
from records.problem import InvalidParameter

KEY, OTHER_KEY = b'k' * 32, b'o' * 32


def test_parse():
    assert ordering.parse('name,-create_date') == [('name', False), ('create_date', True)]
    assert ordering.parse_legacy('name, create_date desc,x ASC') == [
        ('name', False),
        ('create_date', True),
        ('x', False),
    ]


@pytest.mark.parametrize('text', ['', 'a,', 'a b', '--a', 'a,a', 'a,-a', 'a,b,c,d,e,f', 'a;b'])
def test_refused(text):
    with pytest.raises(InvalidParameter):
        ordering.parse(text)


@pytest.mark.parametrize('text', ['', 'a,', 'a b', 'a desc desc', 'a,a desc', 'a;b'])
def test_legacy_refused(text):
    with pytest.raises(InvalidParameter):
        ordering.parse_legacy(text)


@given(st.lists(st.none() | st.text() | st.integers() | st.booleans() | st.floats(allow_nan=False), min_size=1))
def test_cursor(position):
    cursor = ordering.render_cursor(KEY, 'search', position)
    assert ordering.parse_cursor(KEY, 'search', cursor) == position
    for key, search, changed in (
        (OTHER_KEY, 'search', cursor),
        (KEY, 'other', cursor),
        (KEY, 'search', cursor[:-2]),
        (KEY, 'search', 'A' + cursor),
    ):
        with pytest.raises(InvalidParameter):
            ordering.parse_cursor(key, search, changed)


def test_r03_longest_cursor():
    """Every cursor that is issued is accepted."""
    position = [True, *['\x01' * ordering.PREFIX_LENGTH] * ordering.MAX_FIELDS, 2**31 - 1]
    cursor = ordering.render_cursor(KEY, 'search', position)
    assert len(cursor) <= ordering.MAX_CURSOR
    assert ordering.parse_cursor(KEY, 'search', cursor) == position
    with pytest.raises(InvalidParameter):
        ordering.parse_cursor(KEY, 'search', ordering.render_cursor(KEY, 'search', ['x' * 8000]))


def test_cursor_hides_the_position():
    cursor = ordering.render_cursor(KEY, 'search', ['a private event', 7])
    assert b'private' not in base64.urlsafe_b64decode(cursor + '=' * (-len(cursor) % 4))
    assert cursor != ordering.render_cursor(KEY, 'search', ['a private event', 7])


@given(st.text())
def test_any_cursor_is_refused(text):
    with pytest.raises(InvalidParameter):
        ordering.parse_cursor(KEY, 'search', text)
