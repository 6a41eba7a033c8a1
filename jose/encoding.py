"""base64url and JSON, read strictly.

Two parsers that disagree about one token are what signature wrapping lives on
(RFC 8725 §2.4), so each value has one form and everything else is refused.
"""

import base64
import json
import math
import re

from .errors import InvalidEncoding

BASE64URL = re.compile(r'[A-Za-z0-9_-]*', re.ASCII)

#: Levels of nesting. A claim has two or three; Python's parser would take a thousand.
MAX_DEPTH = 16


def encode(data):
    """Return bytes as base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode('ascii')


def decode(text):
    """Return the bytes of base64url without padding.

    :param str text: what came in
    :raise InvalidEncoding: for any character outside of the alphabet, and for a
        text that is not the one that `encode` would write for the same bytes
    """
    if not isinstance(text, str) or not BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise InvalidEncoding("The value is not base64url.")
    data = base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
    if encode(data) != text:
        # Bits of the last character that no byte holds: a second spelling of one value.
        raise InvalidEncoding("The value is not base64url in its only form.")
    return data


def decode_integer(text, length=None):
    """Return the number of a `Base64urlUInt` (RFC 7518 §2).

    :param str text: what came in
    :param int length: how many bytes it must have; None for the fewest that hold the number
    :raise InvalidEncoding: for a number written otherwise
    """
    data = decode(text)
    if length is None:
        if not data or (data[0] == 0 and len(data) > 1):
            raise InvalidEncoding("The number is not written in the fewest bytes.")
    elif len(data) != length:
        raise InvalidEncoding("The number does not have the length that its curve demands.")
    return int.from_bytes(data, 'big')


def encode_integer(number, length=None):
    """Return a number as a `Base64urlUInt` (RFC 7518 §2).

    :param int number: not negative
    :param int length: how many bytes to write; None for the fewest
    """
    return encode(number.to_bytes(length or max(1, (number.bit_length() + 7) // 8), 'big'))


def parse_object(data):
    """Return the JSON object of some bytes.

    :param bytes data: what came in
    :raise InvalidEncoding: for anything but one object in UTF-8, for a member that
        stands there twice (RFC 8259 §4), for numbers that are not finite, for text that
        is not Unicode, and for nesting deeper than `MAX_DEPTH`
    """
    try:
        value = json.loads(
            data.decode('utf-8'),
            object_pairs_hook=_build_object,
            parse_constant=_refuse,
            parse_float=_parse_float,
        )
    except InvalidEncoding:
        raise
    except (ValueError, RecursionError):
        raise InvalidEncoding("The value is not JSON.") from None
    if not isinstance(value, dict):
        raise InvalidEncoding("The value is not a JSON object.")
    _check(value, MAX_DEPTH)
    return value


def render_object(value):
    """Return a JSON object as bytes, without blanks."""
    return json.dumps(value, separators=(',', ':'), allow_nan=False).encode()


def _build_object(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise InvalidEncoding("A member of the JSON object stands there twice.")
    return value


def _refuse(_text):
    raise InvalidEncoding("A number is not finite.")


def _parse_float(text):
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _check(value, depth):
    if not depth:
        raise InvalidEncoding("The JSON object is nested too deeply.")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            # `"\ud800"`: half of a character, which the next encoder stumbles over.
            raise InvalidEncoding("A text is not Unicode.") from None
    elif isinstance(value, dict):
        for name, member in value.items():
            _check(name, depth)
            _check(member, depth - 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, depth - 1)
