from datetime import datetime, timedelta

import pytest
from orestapi.openid import key_schedule
from orestapi.openid.key_schedule import ScheduledKey

START = datetime(2026, 1, 1)


def make(number, days, algorithm='RS256'):
    return ScheduledKey(number, algorithm, START + timedelta(days=days), {'kid': str(number)})


FIRST, SECOND, OTHER = make(1, 0), make(2, 90), make(3, 0, 'ES256')
KEYS = (OTHER, SECOND, FIRST)


def get_states(days):
    now = START + timedelta(days=days)
    return [key_schedule.get_state(key, KEYS, now) for key in (FIRST, SECOND, OTHER)]


def test_states_follow_each_other():
    assert get_states(89) == ['signing', 'published', 'signing']
    assert get_states(90) == ['retired', 'signing', 'signing']
    assert get_states(92.9) == ['retired', 'signing', 'signing']
    # A day for the longest token, and two days more.
    assert get_states(93) == ['gone', 'signing', 'signing']


def test_one_key_signs():
    signing = [key_schedule.find_signing(KEYS, 'RS256', START + timedelta(days=days)) for days in (0, 89.9, 90, 200)]
    assert signing == [FIRST, FIRST, SECOND, SECOND]
    assert key_schedule.find_signing(KEYS, 'RS256', START - timedelta(minutes=10)) is None
    assert key_schedule.find_signing(KEYS, 'EdDSA', START) is None


def test_published_ones_keep_their_order():
    assert key_schedule.find_published(KEYS, START + timedelta(days=90)) == [OTHER, SECOND, FIRST]
    assert key_schedule.find_published(KEYS, START + timedelta(days=94)) == [OTHER, SECOND]


@pytest.mark.parametrize(
    ('days', 'expected'),
    [
        (0, None),
        (88.9, None),
        (89, START + timedelta(days=90)),
        (89.5, START + timedelta(days=90.5)),
        # The job did not run for a while.
        (200, START + timedelta(days=201)),
    ],
)
def test_successor_is_announced_a_day_before(days, expected):
    assert key_schedule.find_next_start([FIRST], 'RS256', START + timedelta(days=days)) == expected


def test_successor_only_where_it_is_time():
    assert key_schedule.find_next_start([FIRST], 'ES256', START + timedelta(days=200)) is None
    assert key_schedule.find_next_start(KEYS, 'RS256', START + timedelta(days=100)) is None
