"""Which claims a scope carries (Core §5.4), and which of them an application gets."""

import dataclasses

from ..oauth2 import scopes

#: The claims of each scope. `groups` has no standard; every product calls it so.
SCOPES = {
    'openid': ('sub',),
    'profile': ('name', 'preferred_username', 'picture', 'locale', 'zoneinfo', 'updated_at'),
    'email': ('email', 'email_verified'),
    'phone': ('phone_number',),
    'groups': ('groups',),
}

#: Claims that nobody may define: what the server says of a token (RFC 7519 §4.1, Core §2, RFC 7800, RFC 8417,
#: RFC 8693, RFC 9068), what it would vouch for, and what has another form than a value (Core §5.1.1, §5.6.2).
RESERVED = frozenset({
    '_claim_names', '_claim_sources', 'acr', 'act', 'active', 'address', 'amr', 'at_hash', 'aud', 'auth_time', 'azp',
    'c_hash', 'client_id', 'cnf', 'events', 'exp', 'iat', 'iss', 'jti', 'may_act', 'nbf', 'nonce',
    'phone_number_verified', 's_hash', 'scope', 'sid', 'sub', 'sub_id', 'sub_jwk', 'token_type', 'typ',
})  # fmt: skip

#: Characters of the name of a claim: enough for a URL, which Core §5.1.2 recommends where names could collide.
MAX_NAME = 200
#: Characters of a text that a claim tells. A longer one is left out: ID tokens travel in URLs, as hints.
MAX_TEXT = 1000


@dataclasses.dataclass(frozen=True)
class DefinedClaim:
    """A claim that an administrator has defined.

    :ivar int id: the row
    :ivar str name: of the claim
    :ivar str path: whose field it tells, and which, for example `partner.function`
    :ivar str scope: the scope token that carries it
    """

    id: int
    name: str
    path: str
    scope: str


def may_define(name):
    """Return whether a claim of this name may be defined.

    It is one word of ASCII characters, and no claim that has a meaning here. Libraries that
    ignore case (encoding/json of Go is one) would take `SUB` for `sub`.

    :param str name: of the claim
    """
    known = {standard for carried in SCOPES.values() for standard in carried} | RESERVED
    return scopes.is_token(name) and len(name) <= MAX_NAME and name.lower() not in known


def get_names(scope, defined=()):
    """Return the names of the claims that some scopes carry.

    :param scope: scope tokens
    :param defined: the `DefinedClaim`s of the application
    """
    standard = {name for token in scope for name in SCOPES.get(token, ())}
    return frozenset(standard | {claim.name for claim in defined if claim.scope in scope})


def select(values, names):
    """Return the claims to tell.

    :param dict values: what is known of the user
    :param names: the names that the scopes allow
    :return: those that have a value: a claim is left out rather than null (Core §5.3.2)
    """
    return {name: values[name] for name in sorted(names) if values.get(name) not in (None, '', [])}


def get_scope(names, defined=()):
    """Return the scope tokens that carry some claims.

    :param names: names of claims; those that no scope carries mean nothing
    :param defined: the `DefinedClaim`s of the application
    """
    standard = {token for token, carried in SCOPES.items() if not names.isdisjoint(carried)}
    return frozenset(standard | {claim.scope for claim in defined if claim.name in names})


def is_verified(email, login, is_external):
    """Return whether an address may be called verified, where the administrator vouches for logins (Core §5.7).

    Users can change their own address in their preferences, and an application that finds
    people by their address would then take one for another. Their login only an
    administrator changes. A portal user may have chosen it themselves when they signed up.

    :param str email: the address
    :param str login: of the user
    :param bool is_external: whether the user is not an internal user
    """
    return not is_external and email.strip().lower() == login.strip().lower()
