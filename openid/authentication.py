"""How strongly a user logged in: `acr` and `amr` (Core §2, RFC 8176)."""

#: Authentication context classes, the weakest first.
ONE_FACTOR = 'urn:orestapi:acr:1fa'
TWO_FACTORS = 'urn:orestapi:acr:2fa'
CLASSES = (ONE_FACTOR, TWO_FACTORS)

PASSWORD, ONE_TIME_PASSWORD, HARDWARE_KEY, MULTIPLE = 'pwd', 'otp', 'hwk', 'mfa'
#: A credential that RFC 8176 has no word for, such as the answer of another provider. `amr` does not name it.
OTHER = 'other'


def get_methods(credentials):
    """Return `amr`: the methods that were really used (RFC 8176 §2).

    :param credentials: the kinds of credential that the user gave, of the three above
    """
    methods = [method for method in (PASSWORD, ONE_TIME_PASSWORD, HARDWARE_KEY) if method in credentials]
    return [*methods, MULTIPLE] if len(methods) > 1 else methods


def get_class(credentials):
    """Return `acr`. A passkey is something one has, unlocked by something one is or knows: two factors."""
    factors = set(credentials) - {OTHER}
    return TWO_FACTORS if len(factors) > 1 or HARDWARE_KEY in factors else ONE_FACTOR


def is_met(achieved, demanded):
    """Return whether a login reaches one of the classes that an application demands.

    :param str achieved: of `CLASSES`
    :param demanded: the values of an essential `acr`; none demands nothing
    """
    if not demanded:
        return True
    return any(value in CLASSES and CLASSES.index(value) <= CLASSES.index(achieved) for value in demanded)


def record(remembered, uid, method, now, new_sid):
    """Return what a session remembers after a user has given a credential.

    :param remembered: what it remembered before, or None
    :param int uid: the user
    :param method: of the three above, or `OTHER`
    :param float now: seconds since 1970
    :param str new_sid: a random id, for a session that has none yet
    """
    remembered = begin(remembered, uid, new_sid)
    return {**remembered, 'credentials': {**remembered['credentials'], method: now}}


def begin(remembered, uid, new_sid):
    """Return what a session remembers of a user, with an id of its own for this session.

    :param remembered: what it remembered before, or None
    :param int uid: the user
    :param str new_sid: a random id, for a session that has none yet
    """
    if remembered and remembered['uid'] == uid:
        return remembered
    return {'uid': uid, 'sid': new_sid, 'credentials': {}}


def publish(remembered, identifier):
    """Return what a session remembers once an application knows its id.

    :param remembered: what it remembered before
    :param str identifier: Odoo's own name of the session, which changes when the user logs in again
    """
    return {**remembered, 'identifier': identifier}


def find_missing(remembered, uid, since, has_second_factor):
    """Return the credential that is missing for a whole login, or None.

    :param remembered: what the session remembers, or None
    :param int uid: the user
    :param float since: only credentials that were given at this time or later count
    :param bool has_second_factor: whether the login of the user needs one besides a password
    :return: `PASSWORD`, which stands for any first factor, or `ONE_TIME_PASSWORD`
    """
    given = _find_credentials(remembered, uid, since)
    if HARDWARE_KEY in given:
        return None
    if PASSWORD not in given and OTHER not in given:
        return PASSWORD
    return ONE_TIME_PASSWORD if has_second_factor and ONE_TIME_PASSWORD not in given else None


def _find_credentials(remembered, uid, since):
    if not remembered or remembered['uid'] != uid:
        return {}
    return {
        method: given_at for method, given_at in remembered['credentials'].items() if since is None or given_at >= since
    }


def describe(remembered, uid, since=None):
    """Return how and when a user logged in.

    `auth_time` is that of the oldest credential that `amr` names, so that both are true
    together: a password that was confirmed a minute ago does not make the second factor
    of this morning a fresh one.

    :param remembered: what the session remembers, or None
    :param int uid: the user
    :param since: only credentials that were given at this time or later count, in seconds
        since 1970; None for all
    :return: `auth_time`, `amr`, `acr` and `sid`; the first three None, empty and None where
        nothing is known, as in a session that is older than the addon
    """
    if not remembered or remembered['uid'] != uid:
        return None, (), None, None
    credentials = _find_credentials(remembered, uid, since)
    if not credentials:
        return None, (), None, remembered['sid']
    return int(min(credentials.values())), tuple(get_methods(credentials)), get_class(credentials), remembered['sid']
