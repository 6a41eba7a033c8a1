"""Scopes: the `scope` parameter of RFC 6749 §3.3."""

import re

from .errors import InvalidScope

#: scope-token of RFC 6749 §3.3: printable ASCII without space, quote and backslash.
TOKEN = re.compile(r'[\x21\x23-\x5b\x5d-\x7e]+', re.ASCII)

#: Turns an authorization request into an authentication request (OpenID Connect Core §3.1.2.1).
OPENID = 'openid'
OFFLINE_ACCESS = 'offline_access'

#: Longer than any list of scopes that a person could read on the consent page.
MAX_LENGTH = 1000


def is_token(name):
    """Return whether `name` may be the name of a scope (RFC 6749 §3.3)."""
    return TOKEN.fullmatch(name) is not None


def parse(scope):
    """Parse a `scope` parameter.

    :param scope: the scope tokens separated by spaces, or None
    :return: the set of scope tokens; empty when `scope` is None or blank
    :raise InvalidScope: when the text does not follow the grammar
    """
    if scope is None:
        return frozenset()
    if len(scope) > MAX_LENGTH:
        raise InvalidScope("The scope is too long.", reason='scope_malformed', sent=scope)
    # RFC 6749 §3.3 allows a single space between tokens. Programs that join lists send
    # more, also at the ends; the meaning is the same.
    tokens = list(filter(None, scope.split(' ')))
    if not all(is_token(token) for token in tokens):
        raise InvalidScope("The scope is malformed.", reason='scope_malformed', sent=scope)
    return frozenset(tokens)


def render(tokens):
    """Return scope tokens as a `scope` parameter, in a stable order."""
    return ' '.join(sorted(tokens))


def narrow(requested, granted):
    """Return the scope that a token gets when `requested` is asked of `granted`.

    :param requested: the value of the `scope` parameter, or None for the whole
        granted scope
    :param granted: the set of scope tokens that the user allowed
    :raise InvalidScope: when the request exceeds the granted scope (RFC 6749 §6)
    """
    tokens = parse(requested) or frozenset(granted)
    if not tokens <= frozenset(granted):
        raise InvalidScope(
            "The requested scope exceeds what was granted.",
            reason='scope_exceeds',
            sent=render(tokens - frozenset(granted)),
            expected=render(granted),
        )
    return tokens
