"""RFC 6749 §2.3 and §3.2.1, RFC 7617."""

import base64
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import client_authentication
from oauth2.errors import InvalidClient, InvalidRequest, OAuth2Error
from oauth2.parameters import Parameters

text = st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']), max_size=40)


def _basic(client_id, client_secret, quote_via=quote_plus, scheme='Basic'):
    joined = f"{quote_via(client_id, safe='')}:{quote_via(client_secret, safe='')}"
    return f'{scheme} {_base64(joined.encode())}'


def _base64(data):
    return base64.b64encode(data).decode('ascii')


def _parse(authorization, **parameters):
    return client_authentication.parse(authorization, Parameters(parameters.items()))


@given(text.filter(bool), text, st.sampled_from([quote, quote_plus]), st.sampled_from(['Basic', 'basic', 'BASIC']))
def test_basic_round_trip(client_id, client_secret, quote_via, scheme):
    """N095, N096; RFC 6749 §2.3.1: both parts are form-encoded before they are joined."""
    credentials = _parse(_basic(client_id, client_secret, quote_via, scheme))
    method = 'client_secret_basic' if client_secret else 'none'
    assert credentials == client_authentication.Credentials(client_id, client_secret or None, method)


@given(
    st.one_of(
        st.none(),
        st.text(),
        st.text().map('Basic {}'.format),
        st.binary().map(_base64).map('Basic {}'.format),
        st.text(':%aF0+\0é').map(str.encode).map(_base64).map('Basic {}'.format),
    ),
    st.dictionaries(st.sampled_from(['client_id', 'client_secret']), text),
)
def test_nothing_but_our_errors_is_raised(authorization, parameters):
    """N094: for any header."""
    try:
        credentials = _parse(authorization, **parameters)
    except OAuth2Error as error:
        assert error.error in ('invalid_client', 'invalid_request')
    else:
        assert credentials.client_id
        assert '\0' not in credentials.client_id + (credentials.client_secret or '')


@pytest.mark.parametrize(
    'authorization',
    [
        '',
        'Basic',
        'Basic ',
        'Basic ???',
        'Basic YTp',
        'Basic YT pi',
        'Basic YTpi,YTpi',
        'Basic \xe9',
        'Basic\tYTpi',
        'Bearer YTpi',
        'OAuth YTpi',
        'YTpi',
        'BasicYTpi',
        pytest.param(f"Basic {_base64(b'app')}", id='no colon'),
        pytest.param(f"Basic {_base64(b':secret')}", id='empty id'),
        pytest.param(f"Basic {_base64(b':')}", id='nothing but a colon'),
        pytest.param(f"Basic {_base64(b'app:' + bytes([255, 254]))}", id='not UTF-8'),
        pytest.param(f"Basic {_base64(b'app:%ff%fe')}", id='not UTF-8 after decoding'),
        pytest.param(f"Basic {_base64(b'app:%00')}", id='NUL after decoding'),
        pytest.param(f"Basic {_base64(b'a%00:x')}", id='NUL in the id'),
        pytest.param(f"Basic {_base64(b'app:' + b'x' * 3069)}", id='more than 4096 characters'),
    ],
)
def test_malformed_header(authorization):
    """N094, N191; RFC 6749 §5.2: invalid_client."""
    with pytest.raises(InvalidClient):
        _parse(authorization)


def test_longest_credentials_fit():
    """RFC 6749 §A.1-A.2: ids and secrets are VSCHAR; the longest ones, all percent-encoded."""
    credentials = _parse(_basic('a' * 32, '%' * 256))
    assert credentials.client_secret == '%' * 256
    assert _parse(f"Basic {_base64(b'app:' + b'x' * 3068)}").client_secret == 'x' * 3068


@pytest.mark.parametrize(
    ('authorization', 'parameters', 'expected'),
    [
        (None, {'client_id': 'app'}, ('app', None, 'none')),
        (None, {'client_id': 'app', 'client_secret': 's'}, ('app', 's', 'client_secret_post')),
        (_basic('app', 's'), {'client_id': 'app'}, ('app', 's', 'client_secret_basic')),
        pytest.param(_basic('app', 'a:b'), {}, ('app', 'a:b', 'client_secret_basic'), id='N096 colon'),
        pytest.param(f"Basic {_base64(b'app:a:b')}", {}, ('app', 'a:b', 'client_secret_basic'), id='RFC 7617 2'),
        pytest.param(
            f"Basic {_base64(b'app:a+b')}", {}, ('app', 'a b', 'client_secret_basic'), id='N096 form-encoding'
        ),
        pytest.param(f"Basic {_base64(b'_app:s')}", {}, ('_app', 's', 'client_secret_basic'), id='begins with an X'),
        pytest.param(
            f"Basic   {_base64(b'app:s')} ", {}, ('app', 's', 'client_secret_basic'), id='RFC 9110 11.4: 1*SP'
        ),
        pytest.param(
            None, {'client_id': 'app', 'client_secret': ''}, ('app', None, 'none'), id='N060 empty is omitted'
        ),
    ],
)
def test_method(authorization, parameters, expected):
    """RFC 6749 §2.3.1, §3.2.1; RFC 7591 §2 names the methods."""
    credentials = _parse(authorization, **parameters)
    assert (credentials.client_id, credentials.client_secret, credentials.method) == expected


@pytest.mark.parametrize(
    ('authorization', 'parameters', 'expected'),
    [
        (_basic('app', ''), {}, ('app', None, 'none')),
        (_basic('app', ''), {'client_id': 'app'}, ('app', None, 'none')),
        (_basic('app', ''), {'client_secret': ''}, ('app', None, 'none')),
        (_basic('app', ''), {'client_id': 'app', 'client_secret': ''}, ('app', None, 'none')),
        (_basic('app', ''), {'client_secret': 's'}, ('app', 's', 'client_secret_post')),
        (_basic('app', 's'), {'client_secret': ''}, ('app', 's', 'client_secret_basic')),
        (_basic('app', ' '), {}, ('app', ' ', 'client_secret_basic')),
    ],
)
def test_p01_empty_secret_is_none(authorization, parameters, expected):
    """RFC 6749 §2.3.1: a client omits an empty secret, and both places mean the same."""
    credentials = _parse(authorization, **parameters)
    assert (credentials.client_id, credentials.client_secret, credentials.method) == expected


@pytest.mark.parametrize('authorization', [' {} ', '{}\t', '\t {} \t'])
def test_p07_blanks_around_the_header(authorization):
    """RFC 9110 §5.5: spaces around a field value are not part of it."""
    credentials = _parse(authorization.format(_basic('app', 's')))
    assert (credentials.client_id, credentials.client_secret) == ('app', 's')


@pytest.mark.parametrize(
    ('authorization', 'pairs'),
    [
        pytest.param(_basic('app', 's'), [('client_secret', 's')], id='N092 two methods'),
        pytest.param(_basic('app', 's'), [('client_id', 'app'), ('client_secret', 's')], id='N092 with the id'),
        pytest.param(_basic('app', 's'), [('client_id', 'other')], id='N093 two ids'),
        pytest.param(None, [('client_id', 'app'), ('client_id', 'app')], id='N084 id twice'),
        pytest.param(
            None, [('client_id', 'app'), ('client_secret', 's'), ('client_secret', 't')], id='N084 secret twice'
        ),
        pytest.param(_basic('app', 's'), [('client_secret', 's'), ('client_secret', 's')], id='N084, N092'),
        pytest.param(None, [('client_id', 'app'), ('client_secret[]', 's')], id='N105 array'),
    ],
)
def test_ambiguous_credentials(authorization, pairs):
    """RFC 6749 §2.3: one method only; §3.2: no repeats; RFC 7521 §4.2."""
    with pytest.raises(InvalidRequest):
        client_authentication.parse(authorization, Parameters(pairs))


@pytest.mark.parametrize('parameters', [{}, {'client_secret': 's'}, {'client_id': ''}])
def test_no_client(parameters):
    """N089."""
    with pytest.raises(InvalidClient):
        _parse(None, **parameters)


def test_secret_is_in_no_repr():
    """N109; RFC 6819 §4.6.7."""
    assert 'hunter2' not in repr(_parse(_basic('app', 'hunter2')))
