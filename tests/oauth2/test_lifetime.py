from datetime import datetime, timedelta

import pytest

from oauth2 import lifetime

START = datetime(2026, 1, 1)


def after(seconds):
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ('refresh_token_expiry', 'sign_in_expiry', 'expected'),
    [(0, 0, None), (600, 0, 700), (0, 900, 900), (600, 900, 700), (600, 650, 650), (800, 900, 900)],
)
def test_expiry(refresh_token_expiry, sign_in_expiry, expected):
    expires_at = lifetime.get_expiry(
        START, after(100), refresh_token_expiry=refresh_token_expiry, sign_in_expiry=sign_in_expiry
    )
    assert expires_at == (expected and after(expected))


@pytest.mark.parametrize(
    ('sign_in_expires_at', 'promised', 'expected'),
    [
        (None, None, 3600),
        (after(3601), None, 3600),
        (after(10), None, 10),
        (None, after(20), 20),
        (after(10), after(20), 10),
        (after(5000), after(4000), 3600),
    ],
)
def test_a16_access_token_expiry(sign_in_expires_at, promised, expected):
    """The earliest limit applies; a longer setting gives no more time than was promised."""
    assert lifetime.get_access_token_expiry(
        START, access_token_expiry=3600, sign_in_expires_at=sign_in_expires_at, promised=promised
    ) == after(expected)


def test_seconds():
    assert lifetime.get_seconds(START, after(60)) == 60
    assert lifetime.get_seconds(after(60), START) == 0
