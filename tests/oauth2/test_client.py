"""RFC 6749 §2.1 and RFC 9700 §2.1.1."""

import dataclasses

import pytest

from oauth2.client import CONFIDENTIAL, PUBLIC, Client


@pytest.mark.parametrize(
    ('client_type', 'require_pkce', 'must_use_pkce'),
    [
        ('public', True, True),
        pytest.param(PUBLIC, False, True, id='RFC 9700 2.1.1: public clients must, whatever the setting'),
        (CONFIDENTIAL, True, True),
        (CONFIDENTIAL, False, False),
    ],
)
def test_who_must_use_pkce(client_type, require_pkce, must_use_pkce):
    """N047; RFC 9700 §2.1.1."""
    client = Client(id=1, client_id='app', client_type=client_type, require_pkce=require_pkce)
    assert client.must_use_pkce is must_use_pkce
    assert client.is_public is (client_type == 'public')


def test_nothing_is_allowed_unless_said():
    """Least privilege: a client without settings may do nothing, must use PKCE, and has the lifetimes of a new one."""
    assert dataclasses.asdict(Client(id=1, client_id='app', client_type=CONFIDENTIAL)) == {
        'id': 1,
        'client_id': 'app',
        'client_type': 'confidential',
        'active': False,
        'redirect_uris': (),
        'scope': frozenset(),
        'default_scope': frozenset(),
        'grant_types': frozenset(),
        'require_pkce': True,
        'legacy_connector': False,
        'at_legacy_address': False,
        'native_application': False,
        'resource_server': False,
        'allowed_origins': (),
        'authorization_code_expiry': 600,
        'access_token_expiry': 3600,
        'refresh_token_expiry': 0,
        'refresh_token_grace': 0,
        'sign_in_expiry': 0,
        'nonce_replaces_pkce': False,
        'id_token_signed_response_alg': 'RS256',
        'id_token_expiry': 3600,
        'pairwise_subject': False,
        'claims_in_id_token': False,
        'addresses_verified': False,
        'group_claims': (),
        'defined_claims': (),
        'post_logout_redirect_uris': (),
        'backchannel_logout_uri': None,
        'group_ids': frozenset(),
        'service_user_id': None,
        'model_scheme_id': None,
    }


def test_settings_are_for_all_requests():
    """The cache hands the same object to every thread."""
    client = Client(id=1, client_id='app', client_type=PUBLIC)
    with pytest.raises(dataclasses.FrozenInstanceError):
        client.client_type = CONFIDENTIAL
