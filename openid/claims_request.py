"""The parameter `claims` (Core §5.5): single claims that an application asks for."""

import dataclasses

from ..jose import encoding
from ..jose.errors import InvalidEncoding
from ..oauth2.errors import InvalidRequest

MAX_LENGTH = 4 * 1024


@dataclasses.dataclass(frozen=True)
class ClaimsRequest:
    """What the parameter asks for. It never widens what the scopes allow.

    :ivar frozenset userinfo: names of claims that UserInfo shall tell
    :ivar frozenset id_token: names of claims that the ID token shall tell
    :ivar subject: the `sub` that the user must have, or None
    :ivar acr: the values one of which the login must reach, or none
    """

    userinfo: frozenset = frozenset()
    id_token: frozenset = frozenset()
    subject: str | None = None
    acr: tuple = ()


NOTHING = ClaimsRequest()


def parse(text):
    """Parse the parameter `claims`.

    :param text: JSON, or None
    :return: a `ClaimsRequest`; unknown names are kept and have no effect
    :raise InvalidRequest: when it is not JSON of the form that Core §5.5 gives, or too long
    """
    if text is None:
        return NOTHING
    if len(text) > MAX_LENGTH:
        raise InvalidRequest("The parameter claims is too long.", reason='openid_claims')
    try:
        value = encoding.parse_object(text.encode())
    except (InvalidEncoding, UnicodeEncodeError):
        raise InvalidRequest("The parameter claims is not a JSON object.", reason='openid_claims') from None
    userinfo, id_token = _get_members(value, 'userinfo'), _get_members(value, 'id_token')
    return ClaimsRequest(
        userinfo=frozenset(userinfo),
        id_token=frozenset(id_token),
        subject=_get_subject(id_token) or _get_subject(userinfo),
        acr=_get_acr(id_token),
    )


def _get_members(value, name):
    members = value.get(name)
    if members is None:
        return {}
    if not isinstance(members, dict) or not all(
        request is None or isinstance(request, dict) for request in members.values()
    ):
        raise InvalidRequest("The parameter claims is not of the form of OpenID Connect.", reason='openid_claims')
    return members


def _get_subject(members):
    subject = (members.get('sub') or {}).get('value')
    if subject is not None and not isinstance(subject, str):
        raise InvalidRequest("The parameter claims names a sub that is not a text.", reason='openid_claims')
    return subject


def _get_acr(members):
    """Return the values of an essential `acr` (Core §5.5.1.1); a voluntary one is not a condition."""
    request = members.get('acr') or {}
    if request.get('essential') is not True:
        return ()
    values = request.get('values', [request['value']] if 'value' in request else [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidRequest("The parameter claims names an acr that is not a list of texts.", reason='openid_claims')
    return tuple(values)
