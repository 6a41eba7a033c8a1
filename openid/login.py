"""The login that a code and a sign-in keep, for the ID tokens that tell of it."""

import dataclasses
from datetime import datetime, timezone

from . import claims, id_token


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Login:
    """How and when a user logged in, as the columns of a code and of a sign-in keep it.

    :ivar auth_time: UTC, or None where nobody remembers
    :ivar amr: the methods that were used, with blanks between, or None
    :ivar acr: how strong that was, or None
    :ivar sid: the session at this server, or None
    :ivar id_token_claims: the names of the claims that the ID token shall tell, with blanks between, or None
    """

    auth_time: datetime | None = None
    amr: str | None = None
    acr: str | None = None
    sid: str | None = None
    id_token_claims: str | None = None

    def to_authentication(self, subject, nonce=None):
        """Return the `Authentication` of an ID token.

        :param str subject: the `sub` of the user for the application
        :param nonce: that of the request, or None at a refresh (Core §12.2)
        """
        return id_token.Authentication(
            subject=subject,
            auth_time=int(self.auth_time.replace(tzinfo=timezone.utc).timestamp()) if self.auth_time else None,
            amr=tuple((self.amr or '').split()),
            acr=self.acr,
            sid=self.sid,
            nonce=nonce,
        )


#: The columns, in the order of the fields.
COLUMNS = tuple(field.name for field in dataclasses.fields(Login))


def describe(auth_time, amr, acr, sid, id_token_claims, defined=()):
    """Return the `Login` to keep.

    :param auth_time: seconds since 1970, or None
    :param amr: see `authentication.describe`, as `acr` and `sid`
    :param id_token_claims: names of claims; those that no scope carries are left out
    :param defined: the `DefinedClaim`s of the application
    """
    known = claims.get_names(claims.SCOPES) | {claim.name for claim in defined}
    return Login(
        auth_time=datetime.fromtimestamp(auth_time, timezone.utc).replace(tzinfo=None) if auth_time else None,
        amr=' '.join(amr) or None,
        acr=acr,
        sid=sid,
        id_token_claims=' '.join(sorted(known & frozenset(id_token_claims))) or None,
    )
