"""RFC 6750 §2.1."""

import pytest

from oauth2 import bearer
from oauth2.errors import InvalidRequest, Unauthorized


@pytest.mark.parametrize('header', ['Bearer abc', 'bearer abc', 'BEARER  abc'])
def test_token(header):
    assert bearer.get_token(header) == 'abc'


@pytest.mark.parametrize('header', [None, '', 'Basic abc', 'OAuth abc', 'Token abc', 'Bearerabc'])
def test_no_token(header):
    with pytest.raises(Unauthorized):
        bearer.get_token(header)


@pytest.mark.parametrize(
    'header',
    ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,Bearer b', 'Bearer\tabc', 'Bearer a"b', 'Bearer é', 'Bearer abc\n'],
)
def test_malformed(header):
    with pytest.raises(InvalidRequest):
        bearer.get_token(header)


@pytest.mark.parametrize('header', ['Bearer abc ', ' Bearer abc', 'Bearer abc\t', '\t Bearer abc \t'])
def test_p07_blanks_around_the_header(header):
    """RFC 9110 §5.5: spaces around a field value are not part of it."""
    assert bearer.get_token(header) == 'abc'


def test_two_places():
    """N187: header and query."""
    with pytest.raises(InvalidRequest):
        bearer.get_token('Bearer abc', ['access_token'])
