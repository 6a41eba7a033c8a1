"""How a client identifies itself at the token, revocation and introspection endpoints.

RFC 6749 §2.3 and §3.2.1. `models/` decides whether the secret is right.
"""

import base64
import binascii
import dataclasses
from urllib.parse import unquote_plus

from .errors import InvalidClient, InvalidRequest

BASIC = 'client_secret_basic'
POST = 'client_secret_post'
NONE = 'none'

#: Maximum header length: fits the longest client id and secret, form-encoded.
MAX_LENGTH = 4096


@dataclasses.dataclass(frozen=True, repr=False)
class Credentials:
    """The credentials that a client sent. It has no `repr`, to keep secrets out of logs.

    :ivar str client_id:
    :ivar client_secret: None when the client sent none
    :ivar str method: `client_secret_basic`, `client_secret_post` or `none`
        (the names of RFC 8414 and RFC 7591)
    """

    client_id: str
    client_secret: str | None
    method: str


def _form_decode(text):
    # RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    return unquote_plus(text, encoding='utf-8', errors='strict')


def _parse_basic(encoded):
    try:
        if len(encoded) > MAX_LENGTH:
            raise ValueError
        decoded = base64.b64decode(encoded, validate=True).decode('utf-8')
        client_id, colon, client_secret = decoded.partition(':')
        client_id, client_secret = _form_decode(client_id), _form_decode(client_secret)
    except (binascii.Error, ValueError):
        raise InvalidClient("The Authorization header is malformed.", reason='header_malformed') from None
    if not colon or not client_id or '\0' in client_id + client_secret:
        raise InvalidClient("The Authorization header is malformed.", reason='header_malformed')
    # RFC 6749 §2.3.1: a client omits an empty secret. Many libraries put one into the
    # header of a public client; in the body, an empty parameter reads as absent too.
    return client_id, client_secret or None


def parse(header, parameters):
    """Read the client's credentials from a request.

    :param header: the value of the `Authorization` header, or None
    :param Parameters parameters: those of the body
    :return: `Credentials`
    :raise InvalidRequest: for two methods at once (RFC 6749 §2.3), two
        different client ids (RFC 7521 §4.2), or a repeat (RFC 6749 §3.2)
    :raise InvalidClient: when there are no credentials or they are malformed
    """
    # A repeated secret reads as absent, and would pass for a public client.
    parameters.require_single(('client_id', 'client_secret'))
    client_id = parameters.get('client_id')
    client_secret = parameters.get('client_secret')
    if header is not None:
        # RFC 9110 §5.5: white space around a field value is not part of it.
        scheme, _blank, encoded = header.strip(' \t').partition(' ')
        if scheme.lower() != 'basic':
            raise InvalidClient("The client must authenticate with HTTP Basic or in the body.", reason='header_scheme')
        basic_id, basic_secret = _parse_basic(encoded.strip(' '))
        if basic_secret is not None and client_secret is not None:
            raise InvalidRequest("The client must use one authentication method only.", reason='methods')
        if client_id is not None and client_id != basic_id:
            raise InvalidRequest("The client_id differs from the Authorization header.", reason='client_ids')
        if basic_secret is not None:
            return Credentials(basic_id, basic_secret, BASIC)
        client_id = basic_id
    if client_id is None:
        raise InvalidClient("The client did not authenticate.", reason='credentials_missing')
    if client_secret is None:
        return Credentials(client_id, None, NONE)
    return Credentials(client_id, client_secret, POST)
