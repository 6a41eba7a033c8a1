"""The exceptions of the older endpoints, and for which applications they apply."""

import dataclasses

import pytest

from oauth2 import legacy
from oauth2.client import CONFIDENTIAL, Client
from oauth2.errors import InvalidClient, InvalidRequest, UnknownPath, UnsupportedMethod

CLIENT = Client(id=1, client_id='app', client_type=CONFIDENTIAL)


def test_addresses():
    """The older connector has them built in."""
    assert legacy.AUTHORIZATION_ENDPOINT == '/orestapi/oauth2/authorization'
    assert legacy.TOKEN_ENDPOINT == '/orestapi/oauth2/access_token'


def test_who_need_not_use_pkce():
    marked = dataclasses.replace(CLIENT, legacy_connector=True)
    assert legacy.relax(marked) == dataclasses.replace(marked, at_legacy_address=True)
    assert not legacy.relax(marked).must_use_pkce
    assert marked.must_use_pkce
    assert legacy.relax(CLIENT) is CLIENT
    assert legacy.relax(CLIENT).must_use_pkce


@pytest.mark.parametrize(
    ('query', 'body'),
    [
        (b'client_id=a&code=b', b''),
        (b'', b'client_id=a&code=b'),
        (b'client_id=a', b'code=b'),
    ],
)
def test_parameters_of_both(query, body):
    parameters, authorization = legacy.read(query, body, None)
    assert {name: parameters.get(name) for name in parameters} == {'client_id': 'a', 'code': 'b'}
    assert authorization is None


def test_what_stands_in_both_is_repeated():
    parameters, _authorization = legacy.read(b'client_id=a', b'client_id=a', None)
    with pytest.raises(InvalidRequest):
        parameters.require_single(['client_id'])


@pytest.mark.parametrize(
    ('grant_type', 'header', 'expected'),
    [
        ('authorization_code', 'OAuth', None),
        ('authorization_code', 'OAuth abc', None),
        ('authorization_code', 'oauth abc def', None),
        ('authorization_code', 'Basic YTpi', 'Basic YTpi'),
        ('authorization_code', 'OAuth2 abc', 'OAuth2 abc'),
        ('authorization_code', '', ''),
        ('refresh_token', 'OAuth abc', 'OAuth abc'),
        ('refresh_token', 'Basic YTpi', 'Basic YTpi'),
    ],
)
def test_header_that_says_nothing(grant_type, header, expected):
    """Only the code grant may come with `Authorization: OAuth`; client authentication judges any other header."""
    assert legacy.read(f'grant_type={grant_type}'.encode(), b'', header)[1] == expected


@pytest.mark.parametrize(
    ('error', 'path', 'code'),
    [
        (InvalidClient("Text."), '/orestapi/oauth2/access_token', 'Oauth2AccessToken-401'),
        (UnsupportedMethod("Text."), '/orestapi/record/read', 'RecordRead-405'),
        (InvalidRequest("Text."), '/orestapi/application/status', 'ApplicationStatus-400'),
        pytest.param(UnknownPath("Text."), '/orestapi/a_stranger/wrote_this', 'Address-404', id='not repeated'),
    ],
)
def test_error(error, path, code):
    assert legacy.get_error_parameters(error, path) == {'orestapi_code': code, 'orestapi_message': "Text."}
