"""The header `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6749 §5.2, RFC 6750 §3)."""

REALM = 'orestapi'

BASIC = f'Basic realm="{REALM}", charset="UTF-8"'


def get_bearer(error=None):
    """Return the challenge of a protected resource.

    :param error: an `OAuth2Error`; `Unauthorized`, or None, for a request
        without credentials, which gets no error code (RFC 6750 §3.1)
    """
    parts = [f'realm="{REALM}"']
    if error is not None and error.error:
        parts += [f'error="{error.error}"', f'error_description="{error.description}"']
        if scope := getattr(error, 'scope', None):
            parts.append(f'scope="{scope}"')
    return f'Bearer {", ".join(parts)}'
