"""RFC 6749 §3.1, §3.2 and appendix B."""

import collections
import re
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2 import parameters, redirect_uris
from oauth2.errors import InvalidRequest

# Any UTF-8 text without the character that PostgreSQL cannot store.
text = st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']), max_size=30)
pairs = st.lists(st.tuples(text, text), max_size=20)


def _encode(pairs, quote_via=quote_plus):
    return urlencode(pairs, quote_via=quote_via, safe='').encode('ascii')


@given(pairs, st.sampled_from([quote, quote_plus]))
def test_round_trip_and_repeats(pairs, quote_via):
    """N005, N041, N060, N084; RFC 6749 §3.1: repeats read as absent, and so do empty values."""
    parsed = parameters.parse(_encode(pairs, quote_via))
    count = collections.Counter(name for name, _value in pairs)
    assert set(parsed) == set(count)
    assert parsed.repeated == {name for name in count if count[name] > 1}
    for name, value in pairs:
        assert name in parsed
        assert parsed.get(name) == ((value or None) if count[name] == 1 else None)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text('%&=+;[]aF0 \0', max_size=60).map(str.encode),
        st.binary(max_size=60).map(quote).map(str.encode),
    )
)
def test_nothing_but_invalid_request_is_raised(encoded):
    """N025, N026, N105: for any bytes."""
    try:
        parsed = parameters.parse(encoded)
    except InvalidRequest:
        return
    for name in parsed:
        value = parsed.get(name) or ''
        assert '\0' not in name + value
        (name + value).encode()


@pytest.mark.parametrize(
    'encoded',
    [
        b'client_id=%ff%fe',
        b'%ff=x',
        b'client_id=%c0%80',
        b'client_id=%ed%a0%80',
        b'client_id=\xc3\xa9',
        pytest.param(b'client_id=a%00b', id='N025 NUL in a value'),
        pytest.param(b'a%00b=x', id='N025 NUL in a name'),
        pytest.param(b'client_id=a\0b', id='N025 bare NUL'),
    ],
)
def test_not_utf_8_or_nul(encoded):
    """N025, N026, N105; RFC 6749 appendix B."""
    with pytest.raises(InvalidRequest):
        parameters.parse(encoded)


def test_number_of_parameters():
    """N038: 10 000 parameters."""
    parameters.parse(b'&'.join([b'a=b'] * 100))
    for number in (101, 10_000):
        with pytest.raises(InvalidRequest):
            parameters.parse(b'&'.join([b'a=b'] * number))


@pytest.mark.parametrize(
    ('encoded', 'value'),
    [
        (b'state=a+b%20c', 'a b c'),
        (b'state=a%2Bb', 'a+b'),
        (b'state=100%', '100%'),
        (b'state=a;state=b', 'a;state=b'),
        (b'state=a=b', 'a=b'),
        (b'state= a ', ' a '),
        (b'state=%E2%82%AC', '\u20ac'),
        pytest.param(b'state=', None, id='N060 empty'),
        pytest.param(b'state', None, id='N060 without a value'),
        pytest.param(b'State=a', None, id='names are case-sensitive'),
        pytest.param(b'state=a&state=a', None, id='repeated with the same value'),
        pytest.param(b'state=&state=a', None, id='repeated after an empty value'),
        pytest.param(b'state=a&st%61te=b', None, id='repeated in another encoding'),
    ],
)
def test_get(encoded, value):
    """RFC 6749 §3.1, appendix B."""
    assert parameters.parse(encoded).get('state') == value


@pytest.mark.parametrize(
    'encoded',
    [
        b'scope=a&scope=b',
        b'scope=&scope=',
        b'scope=a&sc%6Fpe=b',
        b'scope[]=a',
        b'scope[a]=b',
        b'scope%5B%5D=a',
        b'scope=a&scope[]=b',
        b'scope[=b',
        b'x=1&scope=a&y=2&scope=a',
    ],
)
def test_require_single_refuses(encoded):
    """N006, N030, N041, N046, N084, N170; RFC 6749 §3.1."""
    parsed = parameters.parse(encoded)
    with pytest.raises(InvalidRequest):
        parsed.require_single(['client_id', 'scope'])


@pytest.mark.parametrize('encoded', [b'', b'scope=a', b'x=1&x=2', b'x[]=1', b'[scope]=a', b'scopes[]=a', b'&&&'])
def test_require_single_looks_at_known_parameters_only(encoded):
    """N059; RFC 6749 §3.1: unrecognised parameters must be ignored."""
    parameters.parse(encoded).require_single(('client_id', 'scope'))


# -- add_to_uri ---------------------------------------------------------------

hosts = st.sampled_from([
    'https://app.example',
    'https://app.example/cb',
    'http://127.0.0.1:53219/cb',
    'http://[::1]/cb',
    'com.example.app:/cb',
    'com.example.app://cb',
    'com.example.app:///cb',
    'com.example.app:cb',
])
fields = st.text("abs0.~-_%41=+/?:;", min_size=1, max_size=12)
queries = st.lists(fields, max_size=5).map('&'.join)
all_uris = st.tuples(hosts, queries).map(lambda pair: f'{pair[0]}?{pair[1]}' if pair[1] else pair[0])
uris = all_uris.filter(lambda uri: redirect_uris.find_defect(uri) is None)
responses = st.dictionaries(st.sampled_from(['code', 'state', 'iss', 'error', 'a', 's']), text, min_size=1)


@given(uris, responses)
def test_add_to_uri(uri, response):
    """N061, N062, N064; RFC 6749 §3.1.2, §4.1.2.

    The URI is kept exactly, each response parameter is there once and
    decodes to the exact value, and no character can split a header.
    """
    result = parameters.add_to_uri(uri, response)
    base, _mark, query = uri.partition('?')
    result_base, mark, result_query = result.partition('?')
    assert (result_base, mark) == (base, '?')
    # The registered query need not be UTF-8, but the parameters that the server adds are.
    decoded = parse_qsl(result_query, keep_blank_values=True)
    for name, value in response.items():
        assert [sent for sent_name, sent in decoded if sent_name == name] == [value]
    kept = [field for field in query.split('&') if field]
    kept = [field for field in kept if parse_qsl(field, keep_blank_values=True)[0][0] not in response]
    assert result_query.split('&')[: len(kept)] == kept
    assert len(decoded) == len(kept) + len(response)
    assert re.fullmatch(r'[\x21-\x7e]+', result)
    assert '#' not in result


@pytest.mark.parametrize(
    ('uri', 'expected'),
    [
        ('https://app.example/cb', 'https://app.example/cb?code=c&state=%26+%25'),
        ('https://app.example', 'https://app.example?code=c&state=%26+%25'),
        ('https://app.example/cb?', 'https://app.example/cb?code=c&state=%26+%25'),
        ('https://app.example/cb?x=%7e&y', 'https://app.example/cb?x=%7e&y&code=c&state=%26+%25'),
        pytest.param(
            'https://app.example/cb?state=fixed&x=1', 'https://app.example/cb?x=1&code=c&state=%26+%25', id='N061'
        ),
        pytest.param(
            'https://app.example/cb?st%61te=fixed', 'https://app.example/cb?code=c&state=%26+%25', id='N061 encoded'
        ),
        pytest.param(
            'com.example.app:///cb', 'com.example.app:///cb?code=c&state=%26+%25', id='empty authority is kept'
        ),
    ],
)
def test_add_to_uri_examples(uri, expected):
    """N061; RFC 6749 §3.1.2: the query must be retained when adding parameters."""
    assert parameters.add_to_uri(uri, {'code': 'c', 'state': '& %', 'scope': None}) == expected


@pytest.mark.parametrize('state', ['\r\nSet-Cookie: a=b', '&code=evil', '#x', '\u20ac\U0001f600', '%00', 'x' * 8192])
def test_state_comes_back_exactly(state):
    """N062; RFC 6749 §4.1.2: the exact value received from the client."""
    received = parameters.parse(_encode([('state', state)])).get('state')
    result = parameters.add_to_uri('https://app.example/cb', {'code': 'c', 'state': received})
    assert parse_qsl(result.partition('?')[2]) == [('code', 'c'), ('state', state)]
    assert not set('\r\n#') & set(result)
