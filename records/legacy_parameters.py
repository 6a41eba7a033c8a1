"""The parameters of the older connector, with lists as JSON text, and its description of a field."""

import json

from . import parameters
from .problem import InvalidParameter

#: Items of one list; checked before anything is looked up.
MAX_ITEMS = 1000

#: Columns of `ir.model.fields`, each with its name in `fields_get`.
COLUMNS = {
    'name': None,
    'model': None,
    'field_description': 'string',
    'ttype': 'type',
    'relation': 'relation',
    'relation_field': 'relation_field',
    'help': 'help',
    'selection': 'selection',
    'required': 'required',
    'readonly': 'readonly',
    'store': 'store',
    'translate': 'translate',
}
DEFAULT_COLUMNS = ('name', 'field_description', 'ttype', 'relation', 'required', 'readonly', 'help')


def require(sent, name):
    """Return a parameter.

    :raise InvalidParameter: when it is missing
    """
    value = sent.get(name)
    if value is None:
        raise InvalidParameter(f"The parameter {name} is missing.")
    return value


def _parse_list(text, name, accept):
    try:
        items = json.loads(text)
    # `[[[[…` raises RecursionError.
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list):
        raise InvalidParameter(f"The parameter {name} is not a JSON list.")
    if len(items) > MAX_ITEMS:
        raise InvalidParameter(f"The parameter {name} has more than {MAX_ITEMS} items.")
    if not all(accept(item) for item in items):
        raise InvalidParameter(f"The parameter {name} has an item of the wrong type.")
    return items


def parse_names(text, name):
    """Return the field names of a list; an empty list stands for all.

    :raise InvalidParameter: for anything but a JSON list of names
    """
    return _parse_list(text, name, lambda item: isinstance(item, str) and bool(parameters.NAME.fullmatch(item)))


def parse_ids(text):
    """Return the ids of a list of records.

    :raise InvalidParameter: for anything but a JSON list of numbers
    """
    return _parse_list(text, 'ids', lambda item: type(item) is int)


def parse_columns(text):
    """Return the requested columns of `ir.model.fields`.

    :raise InvalidParameter: for anything but a JSON list of `COLUMNS`
    """
    columns = _parse_list(text, 'data', lambda item: isinstance(item, str)) if text is not None else DEFAULT_COLUMNS
    if not COLUMNS.keys() >= set(columns):
        raise InvalidParameter(f"The parameter data has an unknown column. Known columns: {', '.join(COLUMNS)}.")
    return columns or DEFAULT_COLUMNS


def parse_number(text, name, default):
    """Return a number that is not negative, or the default if the parameter is missing.

    :raise InvalidParameter: for anything else
    """
    return default if text is None else parameters.parse_number(text, name)


def describe_field(model, name, field, columns):
    """Describe a field as a row of `ir.model.fields`.

    :param dict field: its definition, as `fields_get` returns it
    :return: `name` and the columns; `False` for an empty one
    """
    known = {'name': name, 'model': model}
    return {
        'name': name,
        **{column: known[column] if column in known else field.get(COLUMNS[column]) or False for column in columns},
    }
