"""The token response (RFC 6749 §5.1). That of introspection is in test_sign_in.py."""

from oauth2 import responses


def test_token_response():
    assert responses.build_token_response('at', 3600, 'read rpc', 'rt') == {
        'access_token': 'at',
        'token_type': 'Bearer',
        'expires_in': 3600,
        'scope': 'read rpc',
        'refresh_token': 'rt',
    }


def test_without_a_refresh_token():
    """A service gets none (RFC 6749 §4.4.3), and no empty member either."""
    response = responses.build_token_response('at', 60, 'read')
    assert response == {'access_token': 'at', 'token_type': 'Bearer', 'expires_in': 60, 'scope': 'read'}
