"""`WWW-Authenticate`: RFC 9110 §11.6.1, RFC 6749 §5.2, RFC 6750 §3, RFC 7617 §2.1."""

import re

import pytest

from oauth2 import challenge
from oauth2.errors import InsufficientScope, InvalidRequest, InvalidToken

#: One challenge of RFC 9110 §11.6.1 whose parameters are quoted strings.
CHALLENGE = re.compile(r'(?P<scheme>[A-Za-z]+) (?P<parameters>[a-z_]+="[^"\\]*"(?:, [a-z_]+="[^"\\]*")*)')


def _parse(header):
    match = CHALLENGE.fullmatch(header)
    return match['scheme'], dict(re.findall(r'(\w+)="([^"]*)"', match['parameters']))


@pytest.mark.parametrize(
    ('error', 'expected'),
    [
        pytest.param(None, {}, id='N184: no error code without credentials'),
        pytest.param(InvalidToken("Text."), {'error': 'invalid_token', 'error_description': "Text."}, id='N185'),
        pytest.param(
            InvalidRequest("Text."), {'error': 'invalid_request', 'error_description': "Text."}, id='N186, N187'
        ),
        pytest.param(
            InsufficientScope("Text.", 'read rpc'),
            {'error': 'insufficient_scope', 'error_description': "Text.", 'scope': 'read rpc'},
            id='N213',
        ),
    ],
)
def test_bearer(error, expected):
    """RFC 6750 §3, §3.1."""
    assert _parse(challenge.get_bearer(error)) == ('Bearer', {'realm': 'orestapi', **expected})


def test_basic():
    """N090; RFC 6749 §5.2, RFC 7617 §2.1: UTF-8 is the only charset."""
    assert _parse(challenge.BASIC) == ('Basic', {'realm': 'orestapi', 'charset': 'UTF-8'})
