import pytest

from oauth2.parameters import Parameters
from records import filters, ordering, parameters
from records.problem import InvalidParameter


def test_values():
    assert parameters.parse_names('a,b') == ['a', 'b']
    assert parameters.parse_ids('1,20') == [1, 20]
    assert parameters.parse_number('0', 'limit') == 0
    assert parameters.parse_boolean('true', 'count') is True
    assert parameters.parse_boolean('false', 'count') is False
    parameters.require_known(Parameters([('limit', '1')]), ('limit', 'order'))


@pytest.mark.parametrize(
    ('parse', 'text'),
    [
        (parameters.parse_names, 'a,'),
        (parameters.parse_names, 'a.b'),
        (parameters.parse_names, 'a b'),
        (parameters.parse_ids, ''),
        (parameters.parse_ids, '1,x'),
        (parameters.parse_ids, '-1'),
        (parameters.parse_ids, '٣'),
        (parameters.parse_ids, '01'),
        (lambda text: parameters.parse_number(text, 'limit'), '1.0'),
        (lambda text: parameters.parse_number(text, 'limit'), '99999999999'),
        (lambda text: parameters.parse_boolean(text, 'count'), 'yes'),
    ],
)
def test_refused(parse, text):
    with pytest.raises(InvalidParameter):
        parse(text)


@pytest.mark.parametrize(
    ('pairs', 'sentence'),
    [
        ([('limits', '1')], "There is an unknown parameter. Known parameters: limit, order."),
        ([('limit', '1'), ('limits', '')], "There is an unknown parameter. Known parameters: limit, order."),
        ([('limit', '')], "The parameter limit is empty."),
        ([('order', 'name'), ('limit', '')], "The parameter limit is empty."),
        ([('limit', '1'), ('limit', '1')], "A parameter is sent more than once."),
        ([('limit', '1'), ('limit', '')], "A parameter is sent more than once."),
    ],
)
def test_unknown_repeated_and_empty(pairs, sentence):
    with pytest.raises(InvalidParameter) as caught:
        parameters.require_known(Parameters(pairs), ('limit', 'order'))
    assert caught.value.description == sentence
    assert caught.value.status == 400


def test_address_without_parameters():
    parameters.require_known(Parameters([]), ())
    with pytest.raises(InvalidParameter, match="Known parameters: none"):
        parameters.require_known(Parameters([('limit', '1')]), ())


def test_r03_room_for_the_cursor():
    parameters.require_room_for_cursor(b'search=' + b'x' * (parameters.MAX_QUERY - 8))
    parameters.require_room_for_cursor(b'search=x&cursor=' + b'x' * parameters.MAX_QUERY)
    for query in (b'filter=' + b'x' * parameters.MAX_QUERY, b'ids=' + b'1%2C' * 20_000, b'&' * 70_000):
        with pytest.raises(InvalidParameter, match="request less at once"):
            parameters.require_room_for_cursor(query)


@pytest.mark.parametrize('name', ['x_MixedCase', 'x_studio_Field_1', 'X', '_a', 'x_a$b'])
def test_r04_names(name):
    """One rule for names: every field that can be read can be used to filter and order."""
    assert parameters.parse_names(name) == [name]
    assert ordering.parse(f'-{name}') == [(name, True)]
    assert ordering.parse_legacy(f'{name} DESC') == [(name, True)]
    assert filters.parse(f'{name}.{name} pr').path == (name, name)


@pytest.mark.parametrize('name', ['1a', 'a-b', 'é', '$a', '', 'a b', "a'"])
def test_r04_no_names(name):
    for parse, text in (
        (parameters.parse_names, name),
        (ordering.parse, name),
        (ordering.parse_legacy, name),
        (filters.parse, f'{name} pr'),
    ):
        with pytest.raises(InvalidParameter):
            parse(text)
