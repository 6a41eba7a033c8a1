from oauth2 import grant_type


def test_no_grant_that_rfc_9700_forbids():
    """N087; RFC 9700 §2.4 (password) and §2.1.2 (implicit)."""
    assert set(grant_type.ALL) == {'authorization_code', 'refresh_token', 'client_credentials'}
