import pytest
from hypothesis import given
from hypothesis import strategies as st

from jose import encoding
from jose.errors import InvalidEncoding


@given(st.binary(max_size=100))
def test_base64url_round_trip(data):
    assert encoding.decode(encoding.encode(data)) == data


@given(st.integers(min_value=0, max_value=2**300))
def test_integer_round_trip(number):
    assert encoding.decode_integer(encoding.encode_integer(number)) == number


@pytest.mark.parametrize(
    'text',
    ['YQ==', 'YQ=', 'Y', 'YR', 'Y Q', 'YQ\n', '+_8', '/_8', 'ä', 'YQ.YQ', None, b'YQ', 1],
    ids=repr,
)
def test_base64url_has_one_form(text):
    """Padding, the other alphabet, blanks, stray bits at the end (`YR` decodes to what `YQ` does)."""
    with pytest.raises(InvalidEncoding):
        encoding.decode(text)


@pytest.mark.parametrize(('text', 'length'), [('', None), ('AAE', None), ('AQ', 2), ('AAAB', 2)])
def test_integer_has_one_length(text, length):
    with pytest.raises(InvalidEncoding):
        encoding.decode_integer(text, length)


def test_zero():
    assert encoding.encode_integer(0) == 'AA'
    assert encoding.decode_integer('AA') == 0


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'[]',
        b'"text"',
        b'null',
        b'1',
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"a": ["\\udfff"]}',
        b'{"a": 1} x',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode('utf-16'),
        b'{"a": ' + b'[' * 100_000 + b']' * 100_000 + b'}',
        b'{"a": ' * 20 + b'1' + b'}' * 20,
        b'{"a": ' + b'9' * 5000 + b'}',
    ],
    ids=lambda data: repr(data[:24]),
)
def test_json_that_somebody_reads_otherwise(data):
    with pytest.raises(InvalidEncoding):
        encoding.parse_object(data)


@pytest.mark.parametrize(
    ('data', 'value'),
    [
        (b'{}', {}),
        (b' {"a": 1}\n', {'a': 1}),
        (b'{"a": [1, -2.5, true, null, {"b": "\xc3\xa9\\u00e9"}]}', {'a': [1, -2.5, True, None, {'b': "éé"}]}),
    ],
)
def test_json(data, value):
    assert encoding.parse_object(data) == value


def test_depth_that_is_allowed():
    data = b'{"a": ' * (encoding.MAX_DEPTH - 1) + b'1' + b'}' * (encoding.MAX_DEPTH - 1)
    assert encoding.parse_object(data)


def test_render_refuses_what_is_no_json():
    with pytest.raises(ValueError, match='JSON'):
        encoding.render_object({'a': float('nan')})
