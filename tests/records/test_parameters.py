import pytest

from oauth2.parameters import Parameters
from records import parameters
from records.problem import InvalidRequest


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
    with pytest.raises(InvalidRequest):
        parse(text)


@pytest.mark.parametrize(
    ('pairs', 'sentence'),
    [
        ([('limits', '1')], "There is an unknown parameter. Those of this address: limit, order."),
        ([('limit', '1'), ('limits', '')], "There is an unknown parameter. Those of this address: limit, order."),
        ([('limit', '')], "The parameter limit is empty."),
        ([('order', 'name'), ('limit', '')], "The parameter limit is empty."),
        ([('limit', '1'), ('limit', '1')], "A parameter is sent more than once."),
        ([('limit', '1'), ('limit', '')], "A parameter is sent more than once."),
    ],
)
def test_unknown_repeated_and_empty(pairs, sentence):
    with pytest.raises(InvalidRequest) as caught:
        parameters.require_known(Parameters(pairs), ('limit', 'order'))
    assert caught.value.description == sentence
    assert caught.value.status == 400


def test_address_without_parameters():
    parameters.require_known(Parameters([]), ())
    with pytest.raises(InvalidRequest, match="Those of this address: none"):
        parameters.require_known(Parameters([('limit', '1')]), ())
