"""The filter language of searches: that of SCIM (RFC 7644 §3.4.2.2) without value paths in brackets.

For example:

    name sw "Azure" and (country_id.code eq "HU" or not (email pr))
"""

import json
import re
from dataclasses import dataclass

from .parameters import NAME
from .problem import InvalidParameter

AND = 'and'
OR = 'or'
PRESENT = 'pr'
COMPARISONS = frozenset(('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'))

MAX_LENGTH = 4096
#: Nested parentheses. Each is a step of recursion here and in Odoo.
MAX_DEPTH = 10
MAX_CONDITIONS = 50
#: Fields of a path. Each relation is a subquery.
MAX_PATH = 4

TOKEN = re.compile(
    rf"""
    \s*(?:
        (?P<parenthesis>[()])
      | (?P<string>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{{4}})*")
      | (?P<number>-?(?:0|[1-9][0-9]{{0,17}})(?:\.[0-9]{{1,18}})?(?:[eE][+-]?[0-9]{{1,2}})?(?![0-9A-Za-z_$.]))
      | (?P<word>{NAME.pattern}(?:\.{NAME.pattern})*)
    )""",
    re.ASCII | re.VERBOSE,
)

LITERALS = {'true': True, 'false': False, 'null': None}


@dataclass(frozen=True)
class Condition:
    """One comparison.

    :param tuple path: the names of the fields to follow, at least one
    :param str operator: `PRESENT` or one of `COMPARISONS`
    :param value: a string, a number, a boolean or None
    """

    path: tuple
    operator: str
    value: object = None


@dataclass(frozen=True)
class Combination:
    """Filters joined by `AND` or `OR`."""

    operator: str
    operands: tuple


@dataclass(frozen=True)
class Negation:
    """The opposite of a filter."""

    operand: object


def parse(text):
    """Parse a filter.

    :param str text: the filter as the client sent it
    :return: a `Condition`, `Combination` or `Negation`
    :raise InvalidParameter: when the text is not a filter, or too large
    """
    if len(text) > MAX_LENGTH:
        raise InvalidParameter(f"The filter has more than {MAX_LENGTH} characters.")
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text):
        self.tokens = list(self._tokenize(text))
        self.position = 0
        self.conditions = 0

    def _tokenize(self, text):
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if not match:
                raise self._get_error()
            yield match.lastgroup, match[match.lastgroup]
            position = match.end()

    def _get_error(self):
        # Without the text: a message never repeats any part of the request.
        return InvalidParameter("The filter cannot be read: write it as in RFC 7644, section 3.4.2.2.")

    def parse(self):
        result = self._parse_or(0)
        if self.position < len(self.tokens):
            raise self._get_error()
        return result

    def _next(self):
        if self.position >= len(self.tokens):
            raise self._get_error()
        self.position += 1
        return self.tokens[self.position - 1]

    def _accept(self, kind, text):
        if self.position < len(self.tokens):
            found, content = self.tokens[self.position]
            # RFC 7644: operators are case insensitive.
            if found == kind and content.lower() == text:
                self.position += 1
                return True
        return False

    def _parse_or(self, depth):
        return self._parse_list(OR, lambda: self._parse_and(depth))

    def _parse_and(self, depth):
        return self._parse_list(AND, lambda: self._parse_operand(depth))

    def _parse_list(self, operator, parse_operand):
        operands = [parse_operand()]
        while self._accept('word', operator):
            operands.append(parse_operand())
        return operands[0] if len(operands) == 1 else Combination(operator, tuple(operands))

    def _parse_operand(self, depth):
        if depth > MAX_DEPTH:
            raise InvalidParameter(f"The filter has more than {MAX_DEPTH} nested parentheses.")
        if self._accept('word', 'not'):
            if not self._accept('parenthesis', '('):
                raise self._get_error()
            return Negation(self._parse_rest_of_group(depth))
        if self._accept('parenthesis', '('):
            return self._parse_rest_of_group(depth)
        return self._parse_condition()

    def _parse_rest_of_group(self, depth):
        result = self._parse_or(depth + 1)
        if not self._accept('parenthesis', ')'):
            raise self._get_error()
        return result

    def _parse_condition(self):
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise InvalidParameter(f"The filter has more than {MAX_CONDITIONS} conditions.")
        path = tuple(self._expect('word').split('.'))
        if len(path) > MAX_PATH:
            raise InvalidParameter(f"A path of the filter has more than {MAX_PATH} fields.")
        operator = self._expect('word').lower()
        if operator == PRESENT:
            return Condition(path, operator)
        if operator not in COMPARISONS:
            raise self._get_error()
        return Condition(path, operator, self._parse_value(*self._next()))

    def _expect(self, kind):
        found, content = self._next()
        if found != kind:
            raise self._get_error()
        return content

    def _parse_value(self, kind, content):
        if kind == 'word' and content in LITERALS:
            return LITERALS[content]
        if kind not in ('string', 'number'):
            raise self._get_error()
        value = json.loads(content)
        if kind == 'string' and not is_storable(value):
            raise self._get_error()
        return value


def is_storable(text):
    """Return whether PostgreSQL can compare a text: without NUL characters and lone surrogates."""
    return '\0' not in text and not any('\ud800' <= character <= '\udfff' for character in text)
