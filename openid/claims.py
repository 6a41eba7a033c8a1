"""Which claims a scope carries (Core §5.4), and which of them an application gets."""

#: The claims of each scope. `groups` has no standard; every product calls it so.
SCOPES = {
    'openid': ('sub',),
    'profile': ('name', 'preferred_username', 'picture', 'locale', 'zoneinfo', 'updated_at'),
    'email': ('email', 'email_verified'),
    'phone': ('phone_number',),
    'groups': ('groups',),
}

#: Claims that the server says of the token itself; nobody may define one of that name.
RESERVED = frozenset({
    'acr', 'amr', 'at_hash', 'aud', 'auth_time', 'azp', 'c_hash', 'cnf', 'events', 'exp', 'iat', 'iss', 'jti', 'nbf',
    'nonce', 'sid', 'sub', 'typ',
})  # fmt: skip


def get_names(scope):
    """Return the names of the claims that some scopes carry.

    :param scope: scope tokens
    """
    return frozenset(name for token in scope for name in SCOPES.get(token, ()))


def select(values, names):
    """Return the claims to tell.

    :param dict values: what is known of the user
    :param names: the names that the scopes allow
    :return: those that have a value: a claim is left out rather than null (Core §5.3.2)
    """
    return {name: values[name] for name in sorted(names) if values.get(name) not in (None, '', [])}
