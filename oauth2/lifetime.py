"""When tokens stop working: the earliest of several limits.

The current settings apply, also to tokens issued before a change: a shorter limit
takes effect at once. A longer limit gives an access token no more time than it was
issued with, because its application was told when it ends.

All times are `datetime`, all settings seconds. For a refresh token and for a sign-in,
0 seconds mean no limit.
"""

from datetime import timedelta


def get_expiry(signed_in_at, refreshed_at, *, refresh_token_expiry, sign_in_expiry):
    """Return when a sign-in of a user ends, or None for never.

    It ends with its refresh token, and no access token outlives it.

    :param datetime signed_in_at: when the user signed in
    :param datetime refreshed_at: when the refresh token was issued
    """
    limits = []
    if refresh_token_expiry:
        limits.append(refreshed_at + timedelta(seconds=refresh_token_expiry))
    if sign_in_expiry:
        limits.append(signed_in_at + timedelta(seconds=sign_in_expiry))
    return min(limits, default=None)


def get_access_token_expiry(issued_at, *, access_token_expiry, sign_in_expires_at=None, promised=None):
    """Return when an access token ends: at the earliest of its limits.

    :param datetime issued_at: when it was issued, at the latest
    :param sign_in_expires_at: when the sign-in ends, or None for never
    :param promised: the expiry that its application was told, or None for a token issued now
    """
    limits = (issued_at + timedelta(seconds=access_token_expiry), sign_in_expires_at, promised)
    return min(limit for limit in limits if limit)


def get_seconds(now, expires_at):
    """Return `expires_in` of a token response (RFC 6749 §5.1)."""
    return max(0, int((expires_at - now).total_seconds()))
