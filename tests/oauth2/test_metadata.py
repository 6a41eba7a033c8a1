"""RFC 8414: the metadata agrees with the other modules."""

import pytest

from oauth2 import authorization_request, client_authentication, metadata, pkce
from oauth2.client import CONFIDENTIAL, Client
from oauth2.errors import InvalidRequest, UnsupportedGrantType, UnsupportedResponseType
from oauth2.grants import GRANTS
from oauth2.grants import validate as validate_token_request
from oauth2.parameters import Parameters

ISSUER = 'https://odoo.example'
DOCUMENT = metadata.build(ISSUER, {'rpc', 'read'})
CLIENT = Client(
    id=1,
    client_id='app',
    client_type=CONFIDENTIAL,
    redirect_uris=('https://app.example/callback',),
    scope=frozenset({'read'}),
    default_scope=frozenset({'read'}),
    grant_types=frozenset(GRANTS),
)


def test_members_required_by_rfc_8414_2():
    """N215; RFC 8414 §2, RFC 9207 §3."""
    assert DOCUMENT['issuer'] == ISSUER
    assert DOCUMENT['scopes_supported'] == ['read', 'rpc']
    assert DOCUMENT['authorization_response_iss_parameter_supported'] is True
    assert DOCUMENT['response_modes_supported'] == ['query']
    assert {DOCUMENT[f'{name}_endpoint'] for name in ('authorization', 'token', 'revocation', 'introspection')} == {
        f'{ISSUER}/oauth2/{name}' for name in ('authorize', 'token', 'revoke', 'introspect')
    }
    assert metadata.WELL_KNOWN == '/.well-known/oauth-authorization-server'


@pytest.mark.parametrize('response_type', ['code', 'token', 'id_token', 'code token', 'none'])
def test_response_types(response_type):
    """N216, N040; RFC 9700 §2.1.2: exactly the advertised response types are accepted."""
    challenge = pkce.compute_challenge('v' * 43)
    sent = {'response_type': response_type, 'code_challenge': challenge, 'code_challenge_method': 'S256'}
    parameters = Parameters(sent.items())
    if response_type in DOCUMENT['response_types_supported']:
        assert authorization_request.validate(parameters, CLIENT, CLIENT.redirect_uris[0])
    else:
        with pytest.raises(UnsupportedResponseType):
            authorization_request.validate(parameters, CLIENT, CLIENT.redirect_uris[0])


@pytest.mark.parametrize('method', ['S256', 'plain', 'S512'])
def test_challenge_methods(method):
    """N216; RFC 8414 §2: code_challenge_methods_supported."""
    if method in DOCUMENT['code_challenge_methods_supported']:
        pkce.check_challenge('c' * 43, method, required=True)
    else:
        with pytest.raises(InvalidRequest):
            pkce.check_challenge('c' * 43, method, required=True)


@pytest.mark.parametrize(
    'grant',
    [
        'authorization_code',
        'refresh_token',
        'client_credentials',
        'password',
        'implicit',
        'urn:ietf:params:oauth:grant-type:device_code',
    ],
)
def test_grant_types(grant):
    """N216, N087; RFC 8414 §2: grant_types_supported."""
    parameters = Parameters({'grant_type': grant, 'code': 'c', 'refresh_token': 'r'}.items())
    if grant in DOCUMENT['grant_types_supported']:
        found, _request = validate_token_request(parameters, CLIENT)
        assert grant == found.NAME
    else:
        with pytest.raises(UnsupportedGrantType):
            validate_token_request(parameters, CLIENT)


def test_authentication_methods():
    """RFC 8414 §2; RFC 7662 §2.1: introspection is never open to a client without a secret."""
    methods = {client_authentication.BASIC, client_authentication.POST, client_authentication.NONE}
    assert set(DOCUMENT['token_endpoint_auth_methods_supported']) == methods
    assert set(DOCUMENT['revocation_endpoint_auth_methods_supported']) == methods
    assert set(DOCUMENT['introspection_endpoint_auth_methods_supported']) == methods - {'none'}
