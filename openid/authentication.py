"""How strongly a user logged in: `acr` and `amr` (Core §2, RFC 8176)."""

#: Authentication context classes, the weakest first.
ONE_FACTOR = 'urn:orestapi:acr:1fa'
TWO_FACTORS = 'urn:orestapi:acr:2fa'
CLASSES = (ONE_FACTOR, TWO_FACTORS)

PASSWORD, ONE_TIME_PASSWORD, HARDWARE_KEY, MULTIPLE = 'pwd', 'otp', 'hwk', 'mfa'


def get_methods(credentials):
    """Return `amr`: the methods that were really used (RFC 8176 §2).

    :param credentials: the kinds of credential that the user gave, of the three above
    """
    methods = [method for method in (PASSWORD, ONE_TIME_PASSWORD, HARDWARE_KEY) if method in credentials]
    return [*methods, MULTIPLE] if len(methods) > 1 else methods


def get_class(credentials):
    """Return `acr`. A passkey is something one has, unlocked by something one is or knows: two factors."""
    return TWO_FACTORS if len(set(credentials)) > 1 or HARDWARE_KEY in credentials else ONE_FACTOR


def is_met(achieved, demanded):
    """Return whether a login reaches one of the classes that an application demands.

    :param str achieved: of `CLASSES`
    :param demanded: the values of an essential `acr`; none demands nothing
    """
    if not demanded:
        return True
    return any(value in CLASSES and CLASSES.index(value) <= CLASSES.index(achieved) for value in demanded)
