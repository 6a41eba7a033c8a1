"""Redirect URIs: which may be registered, and which match at the authorization endpoint.

RFC 6749 §3.1.2, RFC 8252 §7 and §8.3, RFC 9700 §2.1 and §4.1.3.
"""

import enum
import ipaddress
import re
import string
from urllib.parse import unquote, urlsplit

#: Longer than any browser needs.
MAX_LENGTH = 2000

#: The characters of RFC 3986 §2; anything else must be percent-encoded.
URI = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()+,;=%-]+", re.ASCII)
PERCENT = re.compile(r'%(?![0-9A-Fa-f]{2})')
SCHEME = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*', re.ASCII)
#: `wiki.example.com:8069/callback` has a host and a port in the place of the scheme.
PORT = re.compile(r'[0-9]+(?:/|$)', re.ASCII)
#: The text after `//`, up to the path.
AUTHORITY = re.compile(r'[^:/?#]*://(?P<authority>[^/?#]*)')
HOST_STRANGER = re.compile(r'[^A-Za-z0-9._:@*\[\]-]')
HOST = re.compile(r'[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]', re.ASCII)
#: A browser takes such a host for an IPv4 address: `0x7f.1` is 127.0.0.1 (WHATWG URL §3.5).
NUMERIC_HOST = re.compile(r'(?:.*\.)?(?:[0-9]+|0[Xx][0-9A-Fa-f]*)\.?', re.ASCII)

#: Names of the local computer in hosts files (Debian, Fedora).
LOOPBACK_NAMES = frozenset([
    'localhost', 'localhost.localdomain', 'localhost4', 'localhost4.localdomain4', 'localhost6',
    'localhost6.localdomain6', 'ip6-localhost', 'ip6-loopback', 'loopback',
])  # fmt: skip

#: URIs that match with any port: the loopback addresses, and for native applications also
#: `localhost`, which may resolve to something else (RFC 8252 §8.3, RFC 9700 §2.1, §4.1.3).
LOOPBACK = re.compile(
    r'(?P<origin>http://(?:127\.0\.0\.1|\[::1\]|(?P<localhost>localhost)))(?::[0-9]{1,5})?(?P<rest>[/?].*)?'
)


#: RFC 3986 appendix B: any text has these parts.
PARTS = re.compile(
    r'(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)'
    r'(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?',
    re.DOTALL,
)
PORT_AT_END = re.compile(r':[0-9]*\Z')


class Defect(enum.Enum):
    """Why a URI cannot be registered."""

    EMPTY = 'empty'
    TOO_LONG = 'too long'
    CHARACTERS = 'characters'
    WILDCARD = 'wildcard'
    FRAGMENT = 'fragment'
    RELATIVE = 'relative'
    SCHEME = 'scheme'
    HOST = 'host'
    HOST_CHARACTERS = 'host characters'
    USER_INFORMATION = 'user information'
    PORT = 'port'
    DOT_SEGMENTS = 'dot segments'


def repair(uri):
    """Return a URI that an administrator typed, without typing mistakes.

    Surrounding spaces come from copying. A scheme is case insensitive (RFC 3986 §3.1) but the comparison
    is not, and browsers and libraries send it in lower case.

    :param str uri: the text that was typed
    """
    uri = uri.strip(f'{string.whitespace}\u00a0\u200b\ufeff')
    scheme, colon, rest = uri.partition(':')
    return f'{scheme.lower()}{colon}{rest}' if SCHEME.fullmatch(scheme) else uri


def _is_bare_ipv6(text):
    """Return whether a host is an IPv6 address without brackets, whose last colon looks like that of a port."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def find_defect(uri):
    """Return why a URI cannot be registered as a redirect URI.

    :param str uri: the text that the administrator typed
    :return: a `Defect`, or None for a URI that is fine
    """
    if not uri:
        return Defect.EMPTY
    if len(uri) > MAX_LENGTH:
        return Defect.TOO_LONG
    if '*' in uri:
        return Defect.WILDCARD
    if '#' in uri:
        return Defect.FRAGMENT
    if authority := AUTHORITY.match(uri):
        user, _at, host = authority['authority'].rpartition('@')
        if user:
            return Defect.USER_INFORMATION
        if not host.startswith('[') and HOST_STRANGER.search(host):
            # Checked before other characters: those of a host cannot be percent-encoded.
            return Defect.HOST_CHARACTERS
    if not URI.fullmatch(uri) or PERCENT.search(uri):
        return Defect.CHARACTERS
    scheme, colon, rest = uri.partition(':')
    if not colon or not scheme or '/' in scheme or not rest.strip('/'):
        return Defect.RELATIVE
    if not SCHEME.fullmatch(scheme):
        return Defect.SCHEME
    if scheme.lower() not in ('http', 'https') and '.' not in scheme:
        # The scheme of an application is a reversed domain name (RFC 8252 §7.1, §8.4).
        # Schemes that a browser handles itself (`javascript`, `data`, `intent`) have no
        # period, and neither has a host in place of the scheme (`localhost:8080/callback`).
        return Defect.SCHEME
    if PORT.match(rest):
        return Defect.RELATIVE
    if scheme != scheme.lower():
        # The comparison is exact, and browsers send schemes in lower case.
        return Defect.CHARACTERS
    try:
        parts = urlsplit(uri)
    except ValueError:
        return Defect.HOST
    if '@' in parts.netloc:
        return Defect.USER_INFORMATION
    if _is_bare_ipv6(parts.netloc):
        return Defect.HOST
    try:
        port = parts.port
    except ValueError:
        return Defect.PORT
    if scheme in ('http', 'https'):
        host = parts.netloc.rpartition(':')[0] if parts.netloc.endswith(f':{port}') else parts.netloc
        if not HOST.fullmatch(host):
            return Defect.PORT if ':' in parts.netloc and '[' not in parts.netloc else Defect.HOST
        if port == 0:
            return Defect.PORT
        try:
            if host.startswith('['):
                ipaddress.IPv6Address(host[1:-1])
            elif NUMERIC_HOST.fullmatch(host):
                ipaddress.IPv4Address(host)
        except ValueError:
            return Defect.HOST
    if any(segment in ('.', '..') for segment in parts.path.replace('%2e', '.').replace('%2E', '.').split('/')):
        # Browsers resolve dot segments, so that the URI would differ from the registered one.
        return Defect.DOT_SEGMENTS
    return None


class Difference(enum.Enum):
    """The only way in which a URI differs from a registered one, the most telling first."""

    BLANK = 'blank'
    CASE = 'case'
    ENCODING = 'encoding'
    SLASH = 'slash'
    SCHEME = 'scheme'
    PORT = 'port'
    WWW = 'www'
    LOOPBACK = 'loopback'
    FRAGMENT = 'fragment'
    QUERY = 'query'
    HOST = 'host'
    PATH = 'path'


def find_difference(registered, requested):
    """Return why a URI that looks right is not a registered one, for the administrator.

    :param registered: the URIs of the application
    :param str requested: the parameter `redirect_uri`
    :return: a `Difference` and the closest registered URI, or None when every
        registered URI differs in more than one way
    """
    if len(requested) > 2 * MAX_LENGTH:
        return None
    order = list(Difference)
    found = [(_compare(uri, requested), uri) for uri in registered]
    found = [(difference, uri) for difference, uri in found if difference]
    return min(found, key=lambda pair: order.index(pair[0]), default=None)


def _compare(registered, requested):
    if requested.strip() == registered:
        return Difference.BLANK
    if unquote(requested).strip() == registered:
        return Difference.ENCODING
    if requested.lower() == registered.lower():
        return Difference.CASE
    ours, theirs = PARTS.fullmatch(registered), PARTS.fullmatch(requested)
    differing = [name for name in PARTS.groupindex if ours[name] != theirs[name]]
    match differing:
        case ['scheme'] if {ours['scheme'], theirs['scheme']} == {'http', 'https'}:
            return Difference.SCHEME
        case ['authority'] if ours['authority'] and theirs['authority']:
            return _compare_authorities(ours['authority'].lower(), theirs['authority'].lower())
        case ['path'] if ours['path'].rstrip('/') == theirs['path'].rstrip('/'):
            return Difference.SLASH
        case ['path'] if unquote(ours['path']) == unquote(theirs['path']):
            return Difference.ENCODING
        case ['path'] if ours['authority']:
            return Difference.PATH
        case ['fragment']:
            return Difference.FRAGMENT
        case ['query']:
            return Difference.QUERY
    return None


def _compare_authorities(ours, theirs):
    if PORT_AT_END.sub('', ours) == PORT_AT_END.sub('', theirs):
        return Difference.PORT
    if ours.removeprefix('www.') == theirs.removeprefix('www.'):
        return Difference.WWW
    if {PORT_AT_END.sub('', ours), PORT_AT_END.sub('', theirs)} <= {'localhost', '127.0.0.1', '[::1]'}:
        return Difference.LOOPBACK
    return Difference.HOST


def is_loopback(uri):
    """Return whether the URI leads to the user's own computer (RFC 8252 §7.3), encrypted or not."""
    parts = urlsplit(uri)
    if parts.scheme not in ('http', 'https'):
        return False
    host = (parts.hostname or '').rstrip('.')
    try:
        address = ipaddress.ip_address(host)
        if address.version == 6 and address.ipv4_mapped:
            address = address.ipv4_mapped
        # All of 127.0.0.0/8, every spelling of ::1, and 0.0.0.0, which leads to the same computer.
        return address.is_loopback or address.is_unspecified
    except ValueError:
        # RFC 6761 §6.3.
        return host in LOOPBACK_NAMES or host.endswith('.localhost')


def is_private_use(uri):
    """Return whether an application on the device receives the URI (RFC 8252 §7.1)."""
    return urlsplit(uri).scheme not in ('http', 'https')


def is_identity_assured(uri):
    """Return whether a code that is sent to the URI can reach only the application that registered it.

    Any program on the device can claim a loopback port or a private-use scheme, so users are
    asked each time about an application that receives its code there (RFC 8252 §8.6). That
    includes confidential ones: anyone who has a program also has the secret inside it (§8.5).

    :param str uri: one without a defect, see `find_defect`
    """
    return not (is_loopback(uri) or is_private_use(uri))


def is_plain_http(uri):
    """Return whether the response would cross a network unencrypted (RFC 9700 §2.6)."""
    return urlsplit(uri).scheme == 'http' and not is_loopback(uri)


def is_localhost(uri):
    """Return whether the URI names `localhost`, where native applications may use any port (see `matches`)."""
    match = LOOPBACK.fullmatch(uri)
    return bool(match and match['localhost'])


def matches(registered, requested, is_native=False):
    """Compare a requested redirect URI with a registered one.

    The comparison is simple string comparison (RFC 3986 §6.2.1, RFC 9700
    §4.1.3). The only exception is the port of a loopback address, which the operating
    system assigns to a native application (RFC 8252 §7.3), and of `localhost` where the
    application is known to be native: libraries of several languages listen there on a
    random port (RFC 9700 §4.1.3).

    :param str registered: a URI that the administrator registered
    :param str requested: the parameter `redirect_uri`
    :param bool is_native: whether the application runs on the user's device
    """
    if registered == requested:
        return True
    registered_loopback = LOOPBACK.fullmatch(registered)
    requested_loopback = LOOPBACK.fullmatch(requested)
    if not registered_loopback or not requested_loopback:
        return False
    return (
        registered_loopback['origin'] == requested_loopback['origin']
        and registered_loopback['rest'] == requested_loopback['rest']
        and (is_native or not requested_loopback['localhost'])
        # The registered URI has passed `find_defect`; the requested one is a stranger's text.
        and URI.fullmatch(requested) is not None
    )


def find(registered, requested, is_native=False):
    """Find the redirect URI of an authorization request (RFC 6749 §3.1.2.3).

    :param registered: the URIs of the application
    :param requested: the parameter `redirect_uri`, or None
    :param bool is_native: see `matches`
    :return: the URI to redirect to, or None when none can be trusted
    """
    if requested is None:
        if len(registered) != 1:
            return None
        requested = registered[0]
    # Checked again, because a URI may have got into the database without the form.
    if any(matches(uri, requested, is_native) for uri in registered) and find_defect(requested) is None:
        return requested
    return None


def get_destination(uri):
    """Return the part of a redirect URI that a person recognises: its host or its scheme.

    The consent page shows it as the place that the browser goes to next.
    """
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in ('http', 'https') else f'{parts.scheme}:'
