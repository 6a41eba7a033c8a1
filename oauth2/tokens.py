"""Authorization codes, access tokens and refresh tokens as strings.

A token names its kind, the row that it belongs to, and a secret of 256 random
bits. The prefix lets secret scanners find a token that leaked into a
repository; the row makes every lookup one read by primary key; only the SHA-256
digest of the secret is stored, which needs no salt and no slow hash because the
secret cannot be guessed (RFC 6749 §10.10, RFC 6819 §5.1.4.1.3).

A refresh token also carries the number of the refresh that it came from and a
MAC. The server thus recognises every refresh token that it has ever issued without
keeping a row for each, and can tell a stolen one that was already used from a
made-up string (RFC 9700 §4.14.2).
"""

import base64
import dataclasses
import hashlib
import hmac
import re
import secrets

PREFIX = 'orestapi'

AUTHORIZATION_CODE = 'ac'
ACCESS_TOKEN = 'at'
REFRESH_TOKEN = 'rt'
CLIENT_SECRET = 'cs'

#: The largest row id in PostgreSQL has 10 digits.
TOKEN = re.compile(r'orestapi_(ac|at)_([1-9][0-9]{0,9})_([A-Za-z0-9_-]{43})', re.ASCII)
REFRESH = re.compile(
    r'orestapi_rt_([1-9][0-9]{0,9})_(0|[1-9][0-9]{0,9})_([A-Za-z0-9_-]{43})_([A-Za-z0-9_-]{43})',
    re.ASCII,
)
MAX_ID = 2**31 - 1

#: Characters that need no escaping anywhere in the protocol.
CLIENT_ID = re.compile(r'[A-Za-z0-9._~-]{8,128}', re.ASCII)


@dataclasses.dataclass(frozen=True, repr=False)
class Token:
    """A parsed token. It has no `repr`, so that no log line can show the secret.

    :ivar str kind: one of `AUTHORIZATION_CODE`, `ACCESS_TOKEN`, `REFRESH_TOKEN`
    :ivar int row_id: the database row that the token belongs to
    :ivar str secret: the random part
    :ivar int generation: of a refresh token: how many refreshes came before it
    :ivar str mac: of a refresh token: see `is_genuine`
    """

    kind: str
    row_id: int
    secret: str
    generation: int | None = None
    mac: str | None = None


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode('ascii')


def generate_secret():
    """Return 256 random bits as 43 characters."""
    return secrets.token_urlsafe(32)


def generate_client_id():
    """Return a client id: random, so that ids of other applications cannot be guessed."""
    return secrets.token_hex(16)


def generate_client_secret():
    """Return a client secret with the prefix that secret scanners look for."""
    return f'{PREFIX}_{CLIENT_SECRET}_{generate_secret()}'


def compute_digest(secret):
    """Return the SHA-256 digest of a secret in hexadecimal, which is what the database stores."""
    return hashlib.sha256(secret.encode()).hexdigest()


def has_digest(secret, digest):
    """Return, in constant time, whether a stored digest is that of `secret`."""
    return hmac.compare_digest(compute_digest(secret), digest or '')


def render(kind, row_id, secret):
    """Return the string of an authorization code or access token."""
    return f'{PREFIX}_{kind}_{row_id}_{secret}'


def render_refresh_token(key, row_id, generation, secret):
    """Return the string of a refresh token.

    :param bytes key: the key of the MAC
    """
    mac = _compute_mac(key, row_id, generation, secret)
    return f'{PREFIX}_{REFRESH_TOKEN}_{row_id}_{generation}_{secret}_{mac}'


def parse(string):
    """Parse a token.

    :param string: the value that a client sent
    :return: a `Token`, or None when this server cannot have issued it
    """
    if match := TOKEN.fullmatch(string):
        kind, row_id, secret = match.groups()
        token = Token(kind, int(row_id), secret)
    elif match := REFRESH.fullmatch(string):
        row_id, generation, secret, mac = match.groups()
        token = Token(REFRESH_TOKEN, int(row_id), secret, int(generation), mac)
    else:
        return None
    return token if token.row_id <= MAX_ID else None


def has_token_form(string):
    """Return whether a credential has the form of a token of this server.

    The whole form counts, because a person may have chosen a password that only begins
    like a token.

    :param string: the value sent as a password or token; over RPC it may not be a text
    """
    return isinstance(string, str) and parse(string) is not None


def _compute_mac(key, row_id, generation, secret):
    message = f'{row_id}:{generation}:{secret}'.encode()
    return _encode(hmac.digest(key, message, hashlib.sha256))


def is_genuine(key, token):
    """Return whether this server issued the refresh token, however long ago.

    :param bytes key: the key of the MAC
    :param Token token: a parsed refresh token
    """
    return hmac.compare_digest(_compute_mac(key, token.row_id, token.generation, token.secret), token.mac)


def derive_secret(secret, salt, kind):
    """Derive the secret of a successor, for applications with a grace period.

    A client that lost the response to its refresh presents the same refresh token
    again, and must get the same tokens: two responses with different pairs would
    leave one pair that nobody accounts for. The server stores no tokens that it could
    repeat, so within the grace period it computes them from the presented token and
    a random salt of the row. Neither of the two is enough alone.

    :param str secret: the secret of the presented refresh token
    :param str salt: the salt of the row, random for each refresh
    :param str kind: `ACCESS_TOKEN` or `REFRESH_TOKEN`
    :return: the secret of the successor
    """
    return _encode(hmac.digest(secret.encode(), f'{kind}:{salt}'.encode(), hashlib.sha256))
