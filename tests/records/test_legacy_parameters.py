import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oauth2.parameters import Parameters
from records import legacy_parameters
from records.problem import InvalidParameter


def test_require():
    assert legacy_parameters.require(Parameters([('model', 'res.partner')]), 'model') == 'res.partner'


@pytest.mark.parametrize('pairs', [[], [('ids', '[]')], [('model', '')], [('model', 'a'), ('model', 'a')]])
def test_required_is_missing(pairs):
    with pytest.raises(InvalidParameter, match=r"\AThe parameter model is missing\.\Z"):
        legacy_parameters.require(Parameters(pairs), 'model')


def test_names():
    assert legacy_parameters.parse_names('["name", "x_Studio_1"]', 'fields') == ['name', 'x_Studio_1']
    assert legacy_parameters.parse_names('[]', 'fields') == []


@pytest.mark.parametrize('item', ['""', '"a b"', '"a.b"', '"1a"', '"name\\n"', '"é"', '"\\u0000"', '1', 'null', '[]'])
def test_no_name(item):
    with pytest.raises(InvalidParameter, match="The parameter fields has an item of the wrong type"):
        legacy_parameters.parse_names(f'["name", {item}]', 'fields')


def test_ids():
    assert legacy_parameters.parse_ids('[3, 1]') == [3, 1]
    assert legacy_parameters.parse_ids('[]') == []


@pytest.mark.parametrize('item', ['"1"', '1.0', '1e3', 'true', 'null', '[1]', '{}', 'NaN'])
def test_no_id(item):
    """Only Python considers `true` a number."""
    with pytest.raises(InvalidParameter, match="The parameter ids has an item of the wrong type"):
        legacy_parameters.parse_ids(f'[1, {item}]')


def test_most_items():
    assert len(legacy_parameters.parse_ids(str([1] * legacy_parameters.MAX_ITEMS))) == 1000
    # Reported before the items are checked.
    for item in (1, True):
        with pytest.raises(InvalidParameter, match="The parameter ids has more than 1000 items"):
            legacy_parameters.parse_ids(str([item] * 1001).lower())


@pytest.mark.parametrize(
    'text',
    ['', ' ', '1', '"a"', 'null', '{}', '{"a": 1}', 'a,b', "['a']", '[1', '[1,]', '[1] 2', '[' * 100_000, '1' * 5000],
)
def test_no_list(text):
    """Endless brackets and numbers that Python refuses to read give an error, not a failure."""
    for parse, name in (
        (lambda text: legacy_parameters.parse_names(text, 'fields'), 'fields'),
        (legacy_parameters.parse_ids, 'ids'),
        (legacy_parameters.parse_columns, 'data'),
    ):
        with pytest.raises(InvalidParameter, match=rf"\AThe parameter {name} is not a JSON list\.\Z"):
            parse(text)


@given(st.text())
@example('[' + '1' * 5000 + ']')
def test_any_list_is_parsed_or_refused(text):
    try:
        assert all(type(item) is int for item in legacy_parameters.parse_ids(text))
    except InvalidParameter as error:
        assert error.description


def test_columns():
    assert legacy_parameters.parse_columns('["name", "ttype"]') == ['name', 'ttype']
    assert legacy_parameters.parse_columns(json.dumps(list(legacy_parameters.COLUMNS))) == list(
        legacy_parameters.COLUMNS
    )
    assert set(legacy_parameters.DEFAULT_COLUMNS) < set(legacy_parameters.COLUMNS)


@pytest.mark.parametrize('text', [None, '[]'])
def test_default_columns(text):
    """Neither a missing parameter nor an empty list asks for no columns."""
    assert legacy_parameters.parse_columns(text) == legacy_parameters.DEFAULT_COLUMNS


@pytest.mark.parametrize('item', ['"compute"', '"Name"', '""', '"groups"'])
def test_unknown_column(item):
    with pytest.raises(InvalidParameter, match=r"unknown column\. Known columns: name, model, field_description, "):
        legacy_parameters.parse_columns(f'["name", {item}]')


def test_columns_of_another_kind():
    with pytest.raises(InvalidParameter, match="The parameter data has an item of the wrong type"):
        legacy_parameters.parse_columns('[["name"]]')


def test_number():
    assert legacy_parameters.parse_number(None, 'limit', 80) == 80
    assert legacy_parameters.parse_number('0', 'limit', 80) == 0
    assert legacy_parameters.parse_number('9999999999', 'offset', 0) == 9_999_999_999


@pytest.mark.parametrize('text', ['', '-1', '+1', '01', '1.0', '1e3', ' 1', '1\n', '٣', '10000000000', 'x'])
def test_no_number(text):
    with pytest.raises(InvalidParameter, match="The parameter limit is not a number"):
        legacy_parameters.parse_number(text, 'limit', 80)


@pytest.mark.parametrize(
    ('column', 'attribute'),
    [
        ('field_description', 'string'),
        ('ttype', 'type'),
        *((name, name) for name in ('relation', 'relation_field', 'help', 'selection', 'required', 'readonly')),
        *((name, name) for name in ('store', 'translate')),
    ],
)
def test_column_of_ir_model_fields(column, attribute):
    described = legacy_parameters.describe_field(
        'res.partner', 'country_id', {attribute: 'x'}, [*legacy_parameters.COLUMNS]
    )
    assert described == {
        **dict.fromkeys(legacy_parameters.COLUMNS, False),
        'name': 'country_id',
        'model': 'res.partner',
        column: 'x',
    }


def test_describe_field():
    field = {'type': 'many2one', 'string': "Country", 'relation': 'res.country', 'required': True, 'help': ''}
    columns = ('field_description', 'ttype', 'relation', 'required', 'readonly', 'help')
    described = {
        'name': 'country_id',
        'field_description': "Country",
        'ttype': 'many2one',
        'relation': 'res.country',
        'required': True,
        # Attributes without a value.
        'readonly': False,
        'help': False,
    }
    assert legacy_parameters.describe_field('res.partner', 'country_id', field, columns) == described
    # The name is always included; it and the model come from the request, not from the field.
    field = {'name': 'x', 'model': 'x', 'None': 'x', None: 'x'}
    assert legacy_parameters.describe_field('res.partner', 'country_id', field, ()) == {'name': 'country_id'}
    assert legacy_parameters.describe_field('res.partner', 'country_id', field, ('name', 'model')) == {
        'name': 'country_id',
        'model': 'res.partner',
    }
