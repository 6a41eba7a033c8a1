"""The parameters of the records API."""

import re

from .problem import InvalidParameter

#: The name of a field, as Odoo accepts it: with capitals and the dollar sign too.
NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_$]*', re.ASCII)
NUMBER = re.compile(r'0|[1-9][0-9]{0,9}', re.ASCII)

#: Records of one page: default and maximum.
DEFAULT_LIMIT, MAX_LIMIT = 20, 1000
#: Characters of a text to search display names for.
MAX_SEARCH = 256
#: Bytes of a query string without a cursor. Odoo accepts a request line of 64 KiB, which must have room for the
#: cursor of the next page.
MAX_QUERY = 56_000
#: Ids in one request.
MAX_IDS = 1000
#: The largest id of a record in PostgreSQL.
MAX_ID = 2**31 - 1

BOOLEANS = {'true': True, 'false': False}


def require_known(parameters, known):
    """Refuse unknown parameters: a misspelled one would otherwise silently widen a search.

    :param Parameters parameters: of the request
    :param known: the names of the parameters that the endpoint reads
    :raise InvalidParameter: for another parameter, a repeated one, or an empty one
    """
    if parameters.repeated:
        raise InvalidParameter("A parameter is sent more than once.")
    if any(name not in known for name in parameters):
        expected = ', '.join(known) if known else "none"
        raise InvalidParameter(f"There is an unknown parameter. Known parameters: {expected}.")
    for name in parameters:
        if parameters.get(name) is None:
            raise InvalidParameter(f"The parameter {name} is empty.")


def require_room_for_cursor(query):
    """Refuse a search so long that its next page could not be requested.

    :param bytes query: the query string; a cursor in it does not count
    :raise InvalidParameter: for one that is too long
    """
    length = sum(len(field) + 1 for field in query.split(b'&') if not field.startswith(b'cursor='))
    if length > MAX_QUERY:
        raise InvalidParameter(f"The parameters have more than {MAX_QUERY} bytes: request less at once.")


def parse_names(text):
    """Return the names of a list separated by commas.

    :raise InvalidParameter: for anything else
    """
    names = text.split(',')
    if not all(NAME.fullmatch(name) for name in names):
        raise InvalidParameter("Write fields by their names, separated by commas.")
    return names


def parse_ids(text):
    """Return the ids of a list separated by commas.

    :raise InvalidParameter: for anything else
    """
    items = text.split(',')
    if not all(NUMBER.fullmatch(item) for item in items):
        raise InvalidParameter("Write ids as numbers, separated by commas.")
    return [int(item) for item in items]


def parse_number(text, name):
    """Return a number that is not negative.

    :raise InvalidParameter: for anything else
    """
    if not NUMBER.fullmatch(text):
        raise InvalidParameter(f"The parameter {name} is not a number.")
    return int(text)


def parse_boolean(text, name):
    """Return whether a parameter is true.

    :raise InvalidParameter: for anything but `true` and `false`
    """
    if text not in BOOLEANS:
        raise InvalidParameter(f"The parameter {name} must be true or false.")
    return BOOLEANS[text]
