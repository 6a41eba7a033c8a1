"""The order of a list of records, and the cursor that continues it (keyset paging)."""
import base64
import binascii
import hashlib
import hmac
import json
import re

from .problem import InvalidRequest

MAX_FIELDS = 5
ITEM = re.compile(r'(-?)([a-z_][a-z0-9_]*)', re.ASCII)
LEGACY_ITEM = re.compile(r'([a-z_][a-z0-9_]*)(?: +(asc|desc))?', re.ASCII | re.IGNORECASE)

#: Bytes of the MAC: enough that nobody finds one by trying.
MAC_LENGTH = 16


def parse(text):
    """Parse an order: names of fields with commas between, a minus in front for descending.

    :param str text: `name,-create_date`
    :return: list of (name of the field, whether descending)
    :raise InvalidRequest: for anything else
    """
    matches = [ITEM.fullmatch(item) for item in text.split(',')]
    return _check(matches, lambda match: (match[2], bool(match[1])))


def parse_legacy(text):
    """Parse an order as Odoo writes it: `name, create_date desc`."""
    matches = [LEGACY_ITEM.fullmatch(item.strip()) for item in text.split(',')]
    return _check(matches, lambda match: (match[1], (match[2] or '').lower() == 'desc'))


def _check(matches, convert):
    if not all(matches):
        raise InvalidRequest("The order cannot be read.")
    result = [convert(match) for match in matches]
    if len(result) > MAX_FIELDS:
        raise InvalidRequest(f"The order has more than {MAX_FIELDS} fields.")
    if len({name for name, _descending in result}) < len(result):
        raise InvalidRequest("The order names a field twice.")
    return result


def render_cursor(key, search, position):
    """Return the cursor that continues a search after a position.

    :param bytes key: the key of the MAC. Unsigned, a cursor could hold anything,
        and PostgreSQL would meet a text where it compares numbers.
    :param str search: what identifies the search: a cursor is of no use in another
    :param list position: the values by which the last record was ordered
    """
    content = json.dumps(position, separators=(',', ':')).encode()
    return base64.urlsafe_b64encode(_get_mac(key, search, content) + content).decode().rstrip('=')


def parse_cursor(key, search, cursor):
    """Return the position of a cursor; see `render_cursor`.

    :raise InvalidRequest: for a cursor that is not ours, or of another search
    """
    try:
        decoded = base64.b64decode(cursor + '=' * (-len(cursor) % 4), altchars=b'-_', validate=True)
    except (ValueError, binascii.Error):
        decoded = b''
    mac, content = decoded[:MAC_LENGTH], decoded[MAC_LENGTH:]
    if not hmac.compare_digest(mac, _get_mac(key, search, content)):
        raise InvalidRequest("The cursor is not one of this search: send it back with the same parameters.")
    return json.loads(content)


def _get_mac(key, search, content):
    return hmac.digest(key, json.dumps([search, content.decode('latin-1')]).encode(), hashlib.sha256)[:MAC_LENGTH]
