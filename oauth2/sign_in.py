"""Stored rows as the protocol sees them: a sign-in and a code."""

import dataclasses
from datetime import datetime, timedelta

from . import lifetime, scopes, tokens
from .client import Client


@dataclasses.dataclass(frozen=True, repr=False)
class AccessToken:
    """An access token as its row stores it.

    :ivar digest: of its secret, or None if there is no token
    :ivar scope: the scope tokens as a text, or None
    :ivar expires_at: when it was issued to expire (UTC), or None
    """

    digest: str | None
    scope: str | None
    expires_at: datetime | None


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class SignIn:
    """One device or browser on which an application acts for a user; OAuth's token family.

    :ivar int id: its row
    :ivar Client client: the application, with its current settings
    :ivar int user_id: the user
    :ivar str username: the login of the user
    :ivar bool is_service: whether the application acts on its own and nobody signed in (RFC 6749 §4.4)
    :ivar frozenset scope: the scope that the user allowed
    :ivar AccessToken access: the current access token
    :ivar AccessToken previous_access: the previous access token, which works until it expires
    :ivar refresh_digest: of the current refresh token, or None
    :ivar refresh_salt: see `tokens.derive_secret`, or None
    :ivar int generation: how many times it was refreshed
    :ivar datetime signed_in_at: UTC
    :ivar datetime refreshed_at: UTC; None for a service
    :ivar datetime last_used_at: UTC, to within ten minutes
    :ivar revoked_at: when it was ended (UTC), or None
    :ivar bool user_active: whether the user is not archived
    :ivar bool user_allowed: whether the user is active and may (still) use the application
    """

    id: int
    client: Client
    user_id: int
    username: str
    is_service: bool
    scope: frozenset
    access: AccessToken
    previous_access: AccessToken
    refresh_digest: str | None
    refresh_salt: str | None
    generation: int
    signed_in_at: datetime
    refreshed_at: datetime | None
    last_used_at: datetime
    revoked_at: datetime | None
    user_active: bool
    user_allowed: bool

    @property
    def ends_at(self):
        """When none of its tokens works any more (UTC), or None for never."""
        return get_end(self.is_service, self.signed_in_at, self.refreshed_at, self.access.expires_at, self.client)

    def get_access_end(self, access):
        """Return when one of its access tokens stops working (UTC).

        :param AccessToken access: the current or the previous one
        """
        return get_access_end(self.signed_in_at, self.refreshed_at, access.expires_at, self.client, self.ends_at)

    @property
    def is_alive(self):
        """Whether nothing but time can have ended it."""
        return not self.revoked_at and self.client.active and self.user_allowed

    def is_expired(self, now):
        """Return whether the user must sign in again."""
        return (ends_at := self.ends_at) is not None and ends_at <= now

    def find_access(self, secret, now):
        """Return the `ActiveToken` of an access token that works now, or None.

        An access token ends with the sign-in, also when a limit was shortened after the
        token was issued.

        :param str secret: of the presented token
        :param datetime now: UTC
        """
        if not self.is_alive:
            return None
        for access in (self.access, self.previous_access):
            if tokens.has_digest(secret, access.digest):
                expires_at = self.get_access_end(access)
                if expires_at <= now:
                    return None
                return ActiveToken(self, scopes.parse(access.scope) & self.client.scope, expires_at)
        return None

    def find_refresh(self, token, is_genuine, now):
        """Return the `ActiveToken` of a refresh token that would be exchanged now, or None.

        :param Token token: the presented token, parsed
        :param bool is_genuine: whether its MAC is right
        :param datetime now: UTC
        """
        if (
            self.is_alive
            and is_genuine
            and not self.is_expired(now)
            and token.generation == self.generation
            and tokens.has_digest(token.secret, self.refresh_digest)
        ):
            return ActiveToken(self, self.scope & self.client.scope, self.ends_at)
        return None


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class ActiveToken:
    """An access or refresh token that works now.

    :ivar SignIn sign_in: the sign-in that it belongs to
    :ivar frozenset scope: the scope that it may be used for
    :ivar expires_at: UTC; None for never
    """

    sign_in: SignIn
    scope: frozenset
    expires_at: datetime | None


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Code:
    """An authorization code (RFC 6749 §4.1.2).

    :ivar int id: its row
    :ivar str digest: of its secret
    :ivar int application_id: the application that it was issued to
    :ivar int user_id: the user who allowed it
    :ivar str redirect_uri: the URI that it was sent to
    :ivar bool redirect_uri_sent: whether the authorization request had named it
    :ivar code_challenge: the S256 challenge, or None
    :ivar str scope: the scope that the user allowed
    :ivar datetime expires_at: UTC
    :ivar datetime created_at: UTC
    :ivar bool at_legacy_address: whether it was issued at, and must be redeemed at, the older endpoints
    :ivar used_at: when it was redeemed (UTC), or None
    :ivar int verifier_failures: how often it was presented with a wrong verifier
    :ivar bool revoked: whether it became worthless when sign-ins of the user were ended
    :ivar bool user_active: whether the user is not archived
    :ivar bool user_allowed: whether the user may (still) use the application
    :ivar opened_token_id: the row of the sign-in that it opened, or None
    :ivar nonce: of an authentication request, for the ID token, or None
    """

    id: int
    digest: str
    application_id: int
    user_id: int
    redirect_uri: str
    redirect_uri_sent: bool
    code_challenge: str | None
    scope: str
    expires_at: datetime
    created_at: datetime
    at_legacy_address: bool
    used_at: datetime | None
    verifier_failures: int
    revoked: bool
    user_active: bool
    user_allowed: bool
    opened_token_id: int | None
    nonce: str | None


def get_end(is_service, signed_in_at, refreshed_at, access_expires_at, settings):
    """Return when none of the tokens of a sign-in works any more (UTC), or None for never.

    :param bool is_service: whether nobody signed in: without a refresh token, only the limit
        of the access token applies
    :param datetime signed_in_at: UTC
    :param refreshed_at: the last refresh (UTC), or None
    :param datetime access_expires_at: the expiry of the access token that the application was told, UTC
    :param settings: an object with the three expiry settings of an application, in seconds
    """
    if is_service:
        return lifetime.get_access_token_expiry(
            signed_in_at, access_token_expiry=settings.access_token_expiry, promised=access_expires_at
        )
    return lifetime.get_expiry(
        signed_in_at,
        refreshed_at or signed_in_at,
        refresh_token_expiry=settings.refresh_token_expiry,
        sign_in_expiry=settings.sign_in_expiry,
    )


def get_access_end(signed_in_at, refreshed_at, expires_at, settings, end):
    """Return when an access token stops working: at the earliest of its limits (UTC).

    :param expires_at: the expiry that its application was told, or None for a token issued now
    :param end: when the sign-in ends, or None for never
    """
    return lifetime.get_access_token_expiry(
        # The previous token was issued even earlier, but its date of issue is not stored.
        refreshed_at or signed_in_at,
        access_token_expiry=settings.access_token_expiry,
        sign_in_expires_at=end,
        promised=expires_at,
    )


def get_new_access_end(signed_in_at, settings, now):
    """Return when an access token that is issued now with a refresh token stops working (UTC)."""
    end = get_end(False, signed_in_at, now, None, settings)
    return get_access_end(signed_in_at, now, None, settings, end)


def get_code_expiry(expires_at, created_at, expiry):
    """Return until when a code can be redeemed: the earlier of its stored expiry and the current setting.

    :param datetime expires_at: the expiry that it was issued with, UTC
    :param datetime created_at: UTC
    :param int expiry: the setting of the application, in seconds
    """
    return min(expires_at, created_at + timedelta(seconds=expiry))
