"""The order of a list of records, and the cursor that continues it (keyset paging)."""

import base64
import binascii
import json
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .parameters import NAME
from .problem import InvalidParameter

MAX_FIELDS = 5
ITEM = re.compile(rf'(-?)({NAME.pattern})', re.ASCII)
LEGACY_ITEM = re.compile(rf'({NAME.pattern})(?: +(asc|desc))?', re.ASCII | re.IGNORECASE)

#: Characters of a text that a cursor holds. A text of this length is compared by its beginning.
PREFIX_LENGTH = 200
#: Characters of a cursor: enough for `MAX_FIELDS` such texts, even if JSON needs six characters for each.
MAX_CURSOR = 8192

#: Bytes of the nonce of a cursor (NIST SP 800-38D §8.2).
NONCE_LENGTH = 12


def parse(text):
    """Parse an order: field names separated by commas, a minus sign in front for descending.

    :param str text: `name,-create_date`
    :return: list of (name of the field, whether descending)
    :raise InvalidParameter: for anything else
    """
    matches = [ITEM.fullmatch(item) for item in text.split(',')]
    return _check(matches, lambda match: (match[2], bool(match[1])))


def parse_legacy(text):
    """Parse an order as Odoo writes it: `name, create_date desc`.

    :return: as `parse`
    :raise InvalidParameter: for anything else
    """
    matches = [LEGACY_ITEM.fullmatch(item.strip()) for item in text.split(',')]
    return _check(matches, lambda match: (match[1], (match[2] or '').lower() == 'desc'))


def _check(matches, convert):
    if not all(matches):
        raise InvalidParameter("The order cannot be read.")
    result = [convert(match) for match in matches]
    if len(result) > MAX_FIELDS:
        raise InvalidParameter(f"The order has more than {MAX_FIELDS} fields.")
    if len({name for name, _descending in result}) < len(result):
        raise InvalidParameter("The order names a field twice.")
    return result


def render_cursor(key, search, position):
    """Return the cursor that continues a search after a position.

    A cursor is encrypted because it contains stored values by which records are ordered,
    and a model may show others in their place: a calendar hides the names of private
    events. It is authenticated because PostgreSQL would fail on a text where it compares
    numbers.

    :param bytes key: 32 bytes
    :param str search: identifies the search: the cursor is of no use in another
    :param list position: the values by which the last record was ordered, with no text
        longer than `PREFIX_LENGTH`
    :return: the cursor, of at most `MAX_CURSOR` characters
    """
    content = json.dumps(position, separators=(',', ':'), ensure_ascii=False).encode()
    nonce = secrets.token_bytes(NONCE_LENGTH)
    sealed = AESGCM(key).encrypt(nonce, content, search.encode())
    return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip('=')


def parse_cursor(key, search, cursor):
    """Return the position of a cursor; see `render_cursor`.

    :raise InvalidParameter: for a cursor that this server did not issue, or of another search
    """
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError
        decoded = base64.b64decode(cursor + '=' * (-len(cursor) % 4), altchars=b'-_', validate=True)
        content = AESGCM(key).decrypt(decoded[:NONCE_LENGTH], decoded[NONCE_LENGTH:], search.encode())
    except (ValueError, binascii.Error, InvalidTag):
        raise InvalidParameter("The cursor does not belong to this search: send it with the same parameters.") from None
    return json.loads(content)
