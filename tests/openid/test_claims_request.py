import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orestapi.oauth2.errors import InvalidRequest
from orestapi.openid import claims_request


def test_none():
    assert claims_request.parse(None) == claims_request.NOTHING


def test_core_5_5_example():
    request = claims_request.parse(
        """{"userinfo": {"given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
            "picture": null, "http://example.info/claims/groups": null},
            "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}}}"""
    )
    assert 'email' in request.userinfo and 'http://example.info/claims/groups' in request.userinfo
    assert request.id_token == {'auth_time', 'acr'}
    assert request.acr == ()  # wished, not essential
    assert request.subject is None


def test_essential_acr():
    assert claims_request.parse('{"id_token": {"acr": {"essential": true, "values": ["a", "b"]}}}').acr == ('a', 'b')
    assert claims_request.parse('{"id_token": {"acr": {"essential": true, "value": "a"}}}').acr == ('a',)
    assert claims_request.parse('{"id_token": {"acr": {"essential": true}}}').acr == ()


@pytest.mark.parametrize('member', ['id_token', 'userinfo'])
def test_n315_subject(member):
    assert claims_request.parse(f'{{"{member}": {{"sub": {{"value": "x"}}}}}}').subject == 'x'


@pytest.mark.parametrize(
    'text',
    [
        'x',
        '[]',
        'null',
        '{"userinfo": []}',
        '{"userinfo": {"name": true}}',
        '{"id_token": {"name": "x"}}',
        '{"id_token": {"sub": {"value": 1}}}',
        '{"id_token": {"acr": {"essential": true, "values": "a"}}}',
        '{"id_token": {"acr": {"essential": true, "values": [1]}}}',
        '{"a": 1, "a": 2}',
        '"' + 'x' * 5000 + '"',
        '{"a": "\ud800"}',
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_n315_refused(text):
    with pytest.raises(InvalidRequest):
        claims_request.parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(['sub', 'acr', 'value', 'values', 'x']), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(['userinfo', 'id_token', 'x']), JSON))
def test_any_json_is_read_or_refused(value):
    with contextlib.suppress(InvalidRequest):
        claims_request.parse(json.dumps(value))
