"""RFC 6749 §2.1 and RFC 9700 §2.1.1."""

import dataclasses

import pytest

from oauth2.client import CONFIDENTIAL, PUBLIC, Client


@pytest.mark.parametrize(('client_type', 'require_pkce', 'must_use_pkce'), [
    (PUBLIC, True, True),
    pytest.param(PUBLIC, False, True, id='RFC 9700 2.1.1: public clients must, whatever the setting'),
    (CONFIDENTIAL, True, True),
    (CONFIDENTIAL, False, False),
])
def test_who_must_use_pkce(client_type, require_pkce, must_use_pkce):
    """N047; RFC 9700 §2.1.1."""
    client = Client(id=1, client_id='app', client_type=client_type, require_pkce=require_pkce)
    assert client.must_use_pkce is must_use_pkce
    assert client.is_public is (client_type == PUBLIC)


def test_nothing_is_allowed_unless_said():
    """Least privilege: a client without settings may do nothing, and must use PKCE."""
    client = Client(id=1, client_id='app', client_type=CONFIDENTIAL)
    assert not (client.redirect_uris or client.scope or client.default_scope or client.grant_types)
    assert client.must_use_pkce
    with pytest.raises(dataclasses.FrozenInstanceError):
        client.client_type = PUBLIC
