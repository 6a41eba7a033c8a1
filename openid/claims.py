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


def get_scope(names):
    """Return the scope tokens that carry some claims.

    :param names: names of claims; those that no scope carries mean nothing
    """
    return frozenset(token for token, carried in SCOPES.items() if not names.isdisjoint(carried))


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
