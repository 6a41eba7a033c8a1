"""The grants of the token endpoint (RFC 6749 §1.3): one module and one row of a table for each.

A grant module has a `NAME`, the `PARAMETERS` that it reads, the reason shown to the
administrator when an application may not use it (`NOT_ALLOWED`), `parse`, which checks
the parameters, a `HANDLER` (the model and the method that carry the grant out), and
`decide`, which the handler calls. A grant outside the table does not exist: a request
for it ends in an error, never in the tokens of another grant.
"""

from ..errors import InvalidRequest, UnauthorizedClient, UnsupportedGrantType
from . import authorization_code, client_credentials, refresh_token

GRANTS = {grant.NAME: grant for grant in (authorization_code, refresh_token, client_credentials)}

#: All parameters of a token request (RFC 6749 §3.2), those of the client authentication included.
PARAMETERS = tuple(
    dict.fromkeys((
        'grant_type',
        'client_id',
        'client_secret',
        *(name for grant in GRANTS.values() for name in grant.PARAMETERS),
    ))
)


def validate(parameters, client):
    """Check a token request of an authenticated client (RFC 6749 §4.1.3, §4.4.2, §6).

    The client is authenticated first, so that a stranger learns nothing from these checks.

    :param Parameters parameters: those of the body
    :param Client client: the application
    :return: the grant, and its request as a value
    :raise InvalidRequest, UnsupportedGrantType, UnauthorizedClient, InvalidScope: RFC 6749 §5.2
    """
    parameters.require_single(PARAMETERS)
    name = parameters.require('grant_type')
    grant = GRANTS.get(name)
    if grant is None:
        raise UnsupportedGrantType(
            "The grant_type is not supported.", reason='grant_type', sent=name, expected=', '.join(GRANTS)
        )
    if name not in client.grant_types:
        raise UnauthorizedClient("The application may not use this grant_type.", reason=grant.NOT_ALLOWED, sent=name)
    return grant, grant.parse(parameters, client)
