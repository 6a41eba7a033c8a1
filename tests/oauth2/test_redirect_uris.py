"""RFC 6749 §3.1.2, RFC 8252 §7 and §8.3, RFC 9700 §2.1 and §4.1.3."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oauth2 import redirect_uris
from oauth2.redirect_uris import Defect, Difference

URI = 'https://app.example/cb?a=1&b=2'
LOOPBACK = 'http://127.0.0.1:8080/cb?a=1'

REGISTERED = [
    URI,
    'https://app.example/cb',
    'https://app.example',
    'https://app.example:8443/cb',
    'http://intranet/cb',
    LOOPBACK,
    'http://127.0.0.1/cb',
    'http://127.0.0.1',
    'http://[::1]:8080/cb',
    'http://[::1]?a',
    'http://localhost/cb',
    'com.example.app:/cb',
    'com.example.app://cb/x',
]

#: Printable ASCII, and characters that parsers disagree about.
CHARACTERS = ''.join(map(chr, range(0x20, 0x7F))) + '\t\r\n\0\\\x7f\xad\u3002\uff0e\u2028\u0130\ud800'

#: An independent reading of the one exception, RFC 8252 §7.3.
_LOOPBACK = re.compile(r'(http://(?:127\.0\.0\.1|\[::1\]))(?::\d+)?(.*)', re.DOTALL)


def _without_port(uri):
    match = _LOOPBACK.fullmatch(uri)
    return match and match.groups()


registered_uris = st.sampled_from(REGISTERED)


@st.composite
def mutations(draw, uri):
    """A URI with up to three pieces inserted, replaced or removed."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(uri)))
        length = draw(st.integers(0, 3))
        piece = draw(
            st.one_of(
                st.text(CHARACTERS, max_size=3),
                st.sampled_from([
                    '%2e',
                    '%63',
                    '%2563b',
                    '/../',
                    '//',
                    '@evil.example',
                    ':443',
                    ':80',
                    ':1',
                    '.',
                    '\\@',
                ]),
            )
        )
        uri = uri[:start] + piece + uri[start + length :]
    return uri


# -- matching -----------------------------------------------------------------


@given(registered_uris.flatmap(lambda uri: st.tuples(st.just(uri), st.one_of(mutations(uri), registered_uris))))
def test_nothing_but_the_exact_string_or_a_loopback_port_matches(pair):
    """N010-N037; RFC 9700 §4.1.3, RFC 8252 §7.3."""
    registered, requested = pair
    if requested == registered:
        assert redirect_uris.find([registered], requested) == requested
    elif redirect_uris.matches(registered, requested) or redirect_uris.find([registered], requested):
        assert _without_port(registered) is not None
        assert _without_port(registered) == _without_port(requested)
        assert urlsplit(requested).hostname == urlsplit(registered).hostname


@given(
    st.sampled_from([uri for uri in REGISTERED if not _without_port(uri)]).flatmap(
        lambda uri: st.tuples(st.just(uri), mutations(uri))
    )
)
def test_no_mutation_matches(pair):
    """N011-N031: there is no exception except for loopback addresses."""
    registered, requested = pair
    assume(registered != requested)
    assert not redirect_uris.matches(registered, requested)
    assert redirect_uris.find([registered], requested) is None


@given(registered_uris, st.text())
def test_find_answers_for_any_text(registered, requested):
    """N024-N026: no text from a stranger causes an internal error."""
    assert redirect_uris.find([registered], requested) in (None, registered)


@pytest.mark.parametrize(
    ('registered', 'requested'),
    [
        *(
            (URI, requested)
            for requested in (
                # N011
                'https://app.example/cb/x?a=1&b=2',
                'https://app.example/c?a=1&b=2',
                # N012
                'https://app.example/cb/?a=1&b=2',
                # N013
                'https://app.example/CB?a=1&b=2',
                'https://APP.example/cb?a=1&b=2',
                'HTTPS://app.example/cb?a=1&b=2',
                # N014
                'http://app.example/cb?a=1&b=2',
                # N015
                'https://app.example:443/cb?a=1&b=2',
                'https://app.example:8443/cb?a=1&b=2',
                # N016
                URI + '&c=3',
                'https://app.example/cb?b=2&a=1',
                'https://app.example/cb?a=1&b=3',
                'https://app.example/cb',
                'https://app.example/cb?a=1',
                # N017
                URI + '#x',
                URI + '#',
                # N018
                'https://app.example@evil.example/cb?a=1&b=2',
                'https://evil@app.example/cb?a=1&b=2',
                # N019
                'https://app.example.evil.example/cb?a=1&b=2',
                'https://evilapp.example/cb?a=1&b=2',
                'https://app.example./cb?a=1&b=2',
                # N020
                'https://app.example/x/../cb?a=1&b=2',
                'https://app.example/x/%2e%2e/cb?a=1&b=2',
                'https://app.example//cb?a=1&b=2',
                'https://app.example/./cb?a=1&b=2',
                # N021
                'https://app.example/%63b?a=1&b=2',
                'https://app.example/%2563b?a=1&b=2',
                # N022
                'https://app.example\\@evil.example/cb?a=1&b=2',
                'https://app.exa\tmple/cb?a=1&b=2',
                # N023
                f' {URI}',
                f'{URI} ',
                f'{URI}%20',
                # N024
                f'{URI}\r\n',
                f'{URI}%0d%0a',
                # N025
                f'{URI}\0',
                f'{URI}%00',
                # N027
                'https://\u0430pp.example/cb?a=1&b=2',
                'https://app\uff0eexample/cb?a=1&b=2',
                # N028
                'javascript:alert(1)',
                'data:text/html,x',
                # N029
                '/cb?a=1&b=2',
                '//app.example/cb?a=1&b=2',
                # N031
                'https://*.example/cb?a=1&b=2',
            )
        ),
        *(
            (LOOPBACK, requested)
            for requested in (
                # N034
                'http://localhost:8080/cb?a=1',
                # N035
                'http://[::1]:8080/cb?a=1',
                'http://127.0.0.2:8080/cb?a=1',
                'http://127.1:8080/cb?a=1',
                'http://0x7f.1:8080/cb?a=1',
                'http://2130706433:8080/cb?a=1',
                # N036
                'http://127.0.0.1:1/cb/?a=1',
                'http://127.0.0.1:1/cb?a=2',
                'http://127.0.0.1:1/cb',
                'https://127.0.0.1:8080/cb?a=1',
                'http://a@127.0.0.1:1/cb?a=1',
                'http://a:1@127.0.0.1:1/cb?a=1',
                # N037
                'http://127.0.0.1.evil.example/cb?a=1',
                'http://127.0.0.1@evil.example/cb?a=1',
                'http://127.0.0.1:1@evil.example/cb?a=1',
                'http://127.0.0.1:1\\@evil.example/cb?a=1',
                # N036
                'http://127.0.0.1:0/cb?a=1',
                'http://127.0.0.1:65536/cb?a=1',
                'http://127.0.0.1:/cb?a=1',
                'http://127.0.0.1:080/cb?a=1',
                'http://127.0.0.1:\u0661/cb?a=1',
                'http://127.0.0.1:-1/cb?a=1',
                'HTTP://127.0.0.1:1/cb?a=1',
                'http://127.0.0.1:1/cb?a=1#x',
                'http://127.0.0.1:1/cb?a=1\n',
            )
        ),
        ('http://localhost:8080/cb', 'http://127.0.0.1:8080/cb'),  # N034
        ('http://localhost:8080/cb', 'http://localhost:1/cb'),  # RFC 8252 section 8.3: not recommended
        ('http://[::1]/cb', 'http://127.0.0.1/cb'),  # N035
        ('http://[::1]/cb', 'http://[0:0:0:0:0:0:0:1]/cb'),  # N035
        ('http://127.0.0.1', 'http://127.0.0.1:1/'),  # N012
        ('com.example.app:/cb', 'com.example.app:/cb/'),
    ],
)
def test_does_not_match(registered, requested):
    """N011-N037; RFC 9700 §4.1.3: simple string comparison (RFC 3986 §6.2.1)."""
    assert redirect_uris.find([registered], requested) is None


@given(
    st.sampled_from(['http://127.0.0.1', 'http://[::1]']),
    st.sampled_from(['', ':8080']),
    st.integers(1, 65535),
    st.sampled_from(['', '/', '/cb', '/cb?a=1', '?a']),
)
def test_loopback_matches_with_any_port(origin, registered_port, port, rest):
    """N032, N033; RFC 8252 §7.3 MUST: the response goes to the requested port."""
    requested = f'{origin}:{port}{rest}'
    assert redirect_uris.find([f'{origin}{registered_port}{rest}'], requested) == requested
    assert redirect_uris.find([f'{origin}{registered_port}{rest}'], origin + rest) == origin + rest


@given(
    st.sampled_from(['', ':8080']),
    st.one_of(st.just(''), st.integers(1, 65535).map(':{}'.format)),
    st.sampled_from(['', '/', '/cb', '/cb?a=1', '?a']),
)
def test_p03_localhost_of_native_applications_matches_with_any_port(registered_port, port, rest):
    """RFC 9700 §2.1, §4.1.3: only for native applications, whose libraries listen on a random port there."""
    registered, requested = f'http://localhost{registered_port}{rest}', f'http://localhost{port}{rest}'
    assert redirect_uris.find([registered], requested, is_native=True) == requested
    assert (redirect_uris.find([registered], requested) is None) == (registered != requested)


@pytest.mark.parametrize(
    'requested',
    [
        'http://127.0.0.1/cb',
        'http://[::1]:5000/cb',
        'https://localhost:5000/cb',
        'http://LOCALHOST:5000/cb',
        'http://localhost.:5000/cb',
        'http://tool.localhost:5000/cb',
        'http://localhost.evil.example:5000/cb',
        'http://localhost:5000@evil.example/cb',
        'http://localhost:0/cb',
        'http://localhost:65536/cb',
        'http://localhost:/cb',
        'http://localhost:5000/cb/',
        'http://localhost:5000/cb?a=1',
        'http://localhost:5000/CB',
        'http://localhost:5000',
        'http://localhost:5000/cb#x',
    ],
)
def test_p03_all_but_the_port_is_compared_to_the_letter(requested):
    assert redirect_uris.find(['http://localhost/cb'], requested, is_native=True) is None
    assert redirect_uris.find(['http://127.0.0.1/cb'], 'http://localhost/cb', is_native=True) is None


@pytest.mark.parametrize(
    ('registered', 'requested', 'found'),
    [
        pytest.param([URI], None, URI, id='N008 the only one'),
        pytest.param([], None, None, id='N009 none'),
        pytest.param([URI, LOOPBACK], None, None, id='N007 several'),
        ([URI, LOOPBACK], LOOPBACK, LOOPBACK),
        ([], URI, None),
        pytest.param([URI], '', None, id='empty text is not an omission here'),
        pytest.param([], '', None, id='empty text without a URI'),
    ],
)
def test_omitted(registered, requested, found):
    """RFC 6749 §3.1.2.3."""
    assert redirect_uris.find(registered, requested) == found


@pytest.mark.parametrize(
    'uri',
    [
        'javascript:alert(1)',
        'data:text/html,x',
        'vbscript:x',
        'file:///etc/passwd',
        'https://app.example/cb#x',
        'https://app.example/\r\nSet-Cookie:a=b',
        '/cb',
        '',
        'https://a@app.example/',
    ],
)
def test_a_bad_uri_that_is_stored_is_not_used(uri):
    """N028: "even if somehow stored", whether the request names it or omits it."""
    assert redirect_uris.find([uri], uri) is None
    assert redirect_uris.find([uri], None) is None


def test_a_loopback_look_alike_that_is_stored_has_no_other_port():
    """N037: the host of both is evil.example."""
    assert not redirect_uris.matches('http://127.0.0.1@evil.example/cb', 'http://127.0.0.1:1@evil.example/cb')


# -- registration -------------------------------------------------------------


@pytest.mark.parametrize(
    ('uri', 'defect'),
    [
        ('', Defect.EMPTY),
        ('https://app.example/' + 'x' * (2001 - len('https://app.example/')), Defect.TOO_LONG),
        ('https://*.example/cb', Defect.WILDCARD),
        ('https://app.example/*', Defect.WILDCARD),
        ('https://app.example/#', Defect.FRAGMENT),
        ('https://app.example/#/cb', Defect.FRAGMENT),
        *(
            (f'https://app.example/{character}', Defect.CHARACTERS)
            for character in ' \t\r\n\0\\"<>^`{|}\x7f\u20ac\ud800'
        ),
        (' https://app.example/', Defect.CHARACTERS),
        ('https://app.example/\n', Defect.CHARACTERS),
        ('https://app.example/%', Defect.CHARACTERS),
        ('https://app.example/%4', Defect.CHARACTERS),
        ('https://app.example/%zz', Defect.CHARACTERS),
        ('https://app\uff0eexample/', Defect.HOST_CHARACTERS),
        ('HTTPS://app.example/', Defect.CHARACTERS),
        ('/cb', Defect.RELATIVE),
        ('//app.example/cb', Defect.RELATIVE),
        ('app.example/cb', Defect.RELATIVE),
        ('https:', Defect.RELATIVE),
        ('https://', Defect.RELATIVE),
        (':/cb', Defect.RELATIVE),
        ('1a:/cb', Defect.SCHEME),
        ('javascript:alert(1)', Defect.SCHEME),
        ('localhost:8080/cb', Defect.SCHEME),
        ('intent:x', Defect.SCHEME),
        ('myapp://cb', Defect.SCHEME),
        ('JavaScript://app.example/%0aalert(1)', Defect.SCHEME),
        ('data:text/html,x', Defect.SCHEME),
        ('vbscript:x', Defect.SCHEME),
        ('file:///etc/passwd', Defect.SCHEME),
        ('blob:https://app.example/x', Defect.SCHEME),
        ('view-source:https://app.example/', Defect.SCHEME),
        ('https:/cb', Defect.HOST),
        ('https:cb', Defect.HOST),
        ('https:///cb', Defect.HOST),
        ('https://?x', Defect.HOST),
        ('https://[::1/cb', Defect.HOST),
        ('https://[::1]x/cb', Defect.HOST),
        ('https://[1]/cb', Defect.HOST),
        ('https://[:::]/cb', Defect.HOST),
        ('https://a%2eexample/cb', Defect.HOST_CHARACTERS),
        ('https://a,b/cb', Defect.HOST_CHARACTERS),
        ('http://127.1/cb', Defect.HOST),
        ('http://0x7f.1/cb', Defect.HOST),
        ('http://2130706433/cb', Defect.HOST),
        ('http://127.0.0.01/cb', Defect.HOST),
        ('http://127.0.0.1./cb', Defect.HOST),
        ('https://user@app.example/', Defect.USER_INFORMATION),
        ('https://user:password@app.example/', Defect.USER_INFORMATION),
        ('https://@app.example/', Defect.USER_INFORMATION),
        ('com.example.app://user@app.example/', Defect.USER_INFORMATION),
        ('https://app.example:/', Defect.PORT),
        ('https://app.example:0/', Defect.PORT),
        ('https://app.example:0443/', Defect.PORT),
        ('https://app.example:65536/', Defect.PORT),
        ('https://app.example:x/', Defect.PORT),
        ('https://app.example:1:2/', Defect.PORT),
        ('https://app.example/../cb', Defect.DOT_SEGMENTS),
        ('https://app.example/./cb', Defect.DOT_SEGMENTS),
        ('https://app.example/cb/..', Defect.DOT_SEGMENTS),
        ('https://app.example/%2e%2E/cb', Defect.DOT_SEGMENTS),
        ('https://app.example/.%2e/cb', Defect.DOT_SEGMENTS),
    ],
)
def test_cannot_be_registered(uri, defect):
    """N217; RFC 6749 §3.1.2 (absolute, no fragment), RFC 9700 §4.1."""
    assert redirect_uris.find_defect(uri) is defect


@pytest.mark.parametrize(
    'uri',
    [
        *REGISTERED,
        'https://app.example/...',
        'https://app.example/.well-known/x',
        'https://app.example/a%2Fb?x=%2e%2e',
        'https://App.Example/',
        'https://my_host-1.example./cb',
        'https://1.example/',
        'https://192.0.2.1/',
        'com.example.app:X',
        'https://[2001:db8::1]:8443/cb',
        'https://app.example/x?next=../../y',
        'https://app.example/@user',
        'https://app.example/' + 'x' * (2000 - len('https://app.example/')),
    ],
)
def test_can_be_registered(uri):
    assert redirect_uris.find_defect(uri) is None


def _read_as_browser(uri):
    """Read an http(s) URI as the WHATWG URL standard does, as far as ASCII goes.

    Tab and newline vanish, spaces are trimmed, a backslash is a slash, any
    number of slashes begins the authority, the last @ ends the user
    information, and a host whose last label is a number is an IPv4 address.
    """
    text = re.sub(r'[\t\r\n]', '', uri.strip(''.join(map(chr, range(0x21)))))
    scheme, _colon, rest = text.partition(':')
    rest, _hash, fragment = rest.partition('#')
    rest, _mark, query = rest.partition('?')
    authority, _slash, path = re.fullmatch(r'[/\\]*([^/\\]*)([/\\]?)(.*)', rest, re.DOTALL).groups()
    host_and_port = authority.rpartition('@')[2]
    host, port = re.fullmatch(r'(\[.*\]|[^:]*):?(.*)', host_and_port, re.DOTALL).groups()
    labels = host.removesuffix('.').split('.')
    if re.fullmatch(r'[0-9]+|0[xX][0-9a-fA-F]*', labels[-1]):
        numbers = [
            int(label[2:] or '0', 16) if label[:2] in ('0x', '0X') else int(label, 8 if label.startswith('0') else 10)
            for label in labels
        ]
        value = numbers.pop() + sum(number << 24 - 8 * index for index, number in enumerate(numbers))
        host = '.'.join(str(value >> shift & 255) for shift in (24, 16, 8, 0))
    path = re.split(r'[/\\]', path)
    dots = {'.', '..', '%2e', '.%2e', '%2e.', '%2e%2e'}
    path = '/' + '/'.join(path) if not any(segment.lower() in dots for segment in path) else 'resolved'
    return scheme.lower(), host.lower().strip('[]'), int(port) if port else None, path, query, fragment


@given(
    st.one_of(
        st.sampled_from([uri for uri in REGISTERED if uri.startswith('http')]).flatmap(mutations),
        st.builds(
            '{}{}{}{}{}'.format,
            st.sampled_from(['http:', 'https:']),
            st.sampled_from(['//', '/', '', '///', '/\\', '//a@']),
            st.lists(
                st.sampled_from(['1', '0x7f', '127', '0', '08', 'a', 'example', '', '[::1]', '%31']),
                max_size=5,
            ).map('.'.join),
            st.sampled_from(['', ':', ':1', ':080', ':65536', ':a', '@b', '\\@b']),
            st.sampled_from(['', '/', '?', '/a', '/..', '/.%2e/', '/a?b', '//', '#', '\\a']),
        ),
    )
)
def test_what_can_be_registered_is_read_alike_by_all(uri):
    """N018-N022, N035, RFC 9700 §4.1: all parsers see the same host, port and path."""
    if redirect_uris.find_defect(uri) is not None or redirect_uris.is_private_use(uri):
        return
    parts = urlsplit(uri)
    assert _read_as_browser(uri) == (
        parts.scheme,
        parts.hostname,
        parts.port,
        parts.path or '/',
        parts.query,
        parts.fragment,
    )
    assert parts.geturl() == uri or uri.endswith('?')
    assert parts.username is parts.password is None


@given(st.text(CHARACTERS))
def test_find_defect_answers_for_any_text(uri):
    defect = redirect_uris.find_defect(uri)
    assert defect is None or isinstance(defect, Defect)


# -- texts of the form and the consent page ----------------------------------


@pytest.mark.parametrize(
    ('uri', 'loopback', 'private_use', 'plain_http', 'destination'),
    [
        ('https://app.example:8443/cb', False, False, False, 'app.example:8443'),
        ('http://intranet/cb', False, False, True, 'intranet'),
        ('http://127.0.0.1:1/cb', True, False, False, '127.0.0.1:1'),
        ('http://[::1]/cb', True, False, False, '[::1]'),
        ('http://localhost/cb', True, False, False, 'localhost'),
        ('http://127.0.0.2:1/cb', True, False, False, '127.0.0.2:1'),
        ('http://[0:0:0:0:0:0:0:1]/cb', True, False, False, '[0:0:0:0:0:0:0:1]'),
        ('http://localhost./cb', True, False, False, 'localhost.'),
        ('http://tool.localhost/cb', True, False, False, 'tool.localhost'),
        ('com.example.app://localhost/cb', False, True, False, 'com.example.app:'),
        ('https://localhost/cb', True, False, False, 'localhost'),
        ('https://127.0.0.1:3000/cb', True, False, False, '127.0.0.1:3000'),
        ('http://0.0.0.0:8080/cb', True, False, False, '0.0.0.0:8080'),
        ('http://[::]/cb', True, False, False, '[::]'),
        ('http://[::ffff:127.0.0.1]/cb', True, False, False, '[::ffff:127.0.0.1]'),
        *(
            (f'http://{name}/cb', True, False, False, name)
            for name in ('localhost.localdomain', 'localhost4', 'localhost6.localdomain6', 'ip6-localhost', 'loopback')
        ),
        ('https://localhost.example/cb', False, False, False, 'localhost.example'),
        ('http://localhost.example/cb', False, False, True, 'localhost.example'),
        ('http://127.0.0.1.example/cb', False, False, True, '127.0.0.1.example'),
        ('com.example.app:/cb', False, True, False, 'com.example.app:'),
        ('com.example.app://bank.example/cb', False, True, False, 'com.example.app:'),
    ],
)
def test_s11_kind(uri, loopback, private_use, plain_http, destination):
    """RFC 8252 §7.1, §7.3, §8.6; RFC 9700 §2.6."""
    assert redirect_uris.find_defect(uri) is None
    assert redirect_uris.is_loopback(uri) is loopback
    assert redirect_uris.is_private_use(uri) is private_use
    assert redirect_uris.is_identity_assured(uri) is not (loopback or private_use)
    assert redirect_uris.is_plain_http(uri) is plain_http
    assert redirect_uris.get_destination(uri) == destination


@pytest.mark.parametrize(
    ('uri', 'defect'),
    [
        # Percent-encoding would not help, so the remedy is a different one.
        ('https://b\u00fccher.example/cb', Defect.HOST_CHARACTERS),
        ('https://b%C3%BCcher.example/cb', Defect.HOST_CHARACTERS),
        ('HTTPS://B\u00dcCHER.example:8443/cb?x=\u00fc', Defect.HOST_CHARACTERS),
        ('https://my wiki.example/cb', Defect.HOST_CHARACTERS),
        ('https://wiki"s.example/cb', Defect.HOST_CHARACTERS),
        ('com.example.app://b\u00fccher/cb', Defect.HOST_CHARACTERS),
        ('https://\u00fc:\u00fc@wiki.example/cb', Defect.USER_INFORMATION),
        ('https://wiki.example/b\u00fccher', Defect.CHARACTERS),
        # It has a scheme, but not a valid one.
        ('my_app.example:/cb', Defect.SCHEME),
        ('1password.example:/cb', Defect.SCHEME),
        # It has no port that could be corrected.
        ('http://::1/cb', Defect.HOST),
        ('http://fe80::1:8080/cb', Defect.HOST),
        # It would be read as the scheme `wiki.example`.
        ('wiki.example:8069/cb', Defect.RELATIVE),
        ('wiki.example:8069', Defect.RELATIVE),
    ],
)
def test_a18_remedy_does_not_lead_to_the_next_problem(uri, defect):
    assert redirect_uris.find_defect(uri) is defect


@pytest.mark.parametrize(
    ('typed', 'repaired'),
    [
        ('https://wiki.example/cb ', 'https://wiki.example/cb'),
        ('\u00a0\thttps://wiki.example/cb\r\n', 'https://wiki.example/cb'),
        ('\u200bhttps://wiki.example/cb\ufeff', 'https://wiki.example/cb'),
        ('HTTPS://wiki.example/CB', 'https://wiki.example/CB'),
        ('Com.Example.App:/CB', 'com.example.app:/CB'),
        # Anything that may be intended is kept, because the comparison is exact.
        ('https://Wiki.example/cb/', 'https://Wiki.example/cb/'),
        ('https://wiki.example/a b', 'https://wiki.example/a b'),
        ('Wiki.example/cb', 'Wiki.example/cb'),
        ('', ''),
    ],
)
def test_a20_repair(typed, repaired):
    assert redirect_uris.repair(typed) == repaired
    assert redirect_uris.repair(repaired) == repaired


@pytest.mark.parametrize(
    ('requested', 'difference'),
    [
        ('https://app.example/cb/', Difference.SLASH),
        ('http://app.example/cb', Difference.SCHEME),
        ('https://app.example/CB', Difference.CASE),
        ('HTTPS://app.example/cb', Difference.CASE),
        ('https://App.example/cb', Difference.CASE),
        ('https://app.example:443/cb', Difference.PORT),
        ('https://www.app.example/cb', Difference.WWW),
        ('https://app.example/cb ', Difference.BLANK),
        ('https://app.example/cb\n', Difference.BLANK),
        ('https%3A%2F%2Fapp.example%2Fcb', Difference.ENCODING),
        ('https://app.example/%63b', Difference.ENCODING),
        ('https://app.example/cb?a=1', Difference.QUERY),
        ('https://app.example/cb#a', Difference.FRAGMENT),
        ('https://evil.example/cb', Difference.HOST),
        ('https://app.example/callback', Difference.PATH),
        ('http://app.example/cb/', None),
        ('https://evil.example/x', None),
        ('https://[', None),
        ('', None),
        ('x' * 100_000, None),
    ],
)
def test_difference(requested, difference):
    registered = ['https://other.example/x/y/z', 'https://app.example/cb']
    found = redirect_uris.find_difference(registered, requested)
    assert found == (difference and (difference, 'https://app.example/cb'))


def test_difference_of_loopback():
    assert redirect_uris.find_difference(['http://127.0.0.1/cb'], 'http://localhost:8000/cb')[0] is Difference.LOOPBACK
    assert redirect_uris.find_difference(['http://localhost:3000/cb'], 'http://localhost/cb')[0] is Difference.PORT


def test_nearest_of_several():
    registered = ['https://app.example/callback', 'https://app.example/cb']
    assert redirect_uris.find_difference(registered, 'https://app.example/cb/') == (Difference.SLASH, registered[1])


@given(st.text(CHARACTERS, max_size=60))
def test_difference_of_any_text(requested):
    redirect_uris.find_difference(REGISTERED, requested)
