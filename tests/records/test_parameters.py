import pytest

from records import parameters
from records.problem import InvalidRequest, render


class Sent(dict):
    repeated = ()

    def get(self, name):
        return super().get(name) or None


def test_values():
    assert parameters.parse_names('a,b') == ['a', 'b']
    assert parameters.parse_ids('1,20') == [1, 20]
    assert parameters.parse_number('0', 'limit') == 0
    assert parameters.parse_boolean('true', 'count') is True
    parameters.require_known(Sent(limit='1'), ('limit',))


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


def test_unknown_repeated_and_empty():
    repeated = Sent(limit='1')
    repeated.repeated = {'limit'}
    for sent in (Sent(limits='1'), Sent(limit=''), repeated):
        with pytest.raises(InvalidRequest) as caught:
            parameters.require_known(sent, ('limit',))
    assert render(caught.value)['status'] == 400
