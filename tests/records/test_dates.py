from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import dates
from records.problem import InvalidParameter


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('2026-11-25', '2026-11-25'),
        ('0001-01-01', '0001-01-01'),
        ('9999-12-31', '9999-12-31'),
        ('2026-11-25T10:00:00Z', '2026-11-25T10:00:00'),
        ('2026-11-25t10:00:00z', '2026-11-25T10:00:00'),
        ('2026-11-25 10:00', '2026-11-25T10:00:00'),
        ('2026-11-25T00:00:00', '2026-11-25T00:00:00'),
        ('2026-11-25T10:00:00.000Z', '2026-11-25T10:00:00'),
        ('2026-11-25T10:00:00,0000000+00:00', '2026-11-25T10:00:00'),
        ('2026-11-25T01:00:00+02:00', '2026-11-24T23:00:00'),
        ('2026-11-25T23:30:00-0530', '2026-11-26T05:00:00'),
    ],
)
def test_r01_dates(text, expected):
    parsed = dates.parse(text)
    # Without a time zone, as Odoo requires.
    assert parsed.isoformat() == expected
    assert isinstance(parsed, datetime) is ('T' in expected)


@pytest.mark.parametrize(
    'text',
    [
        '', 'yesterday', '20261125', '2026-W48-3', '2026-330', '2026-11', '2026-11-31', '0000-01-01', '10000-01-01',
        '2026-11-25T', '2026-11-25T10', '2026-11-25T24:00:00', '2026-11-25T10:60:00', '2026-11-25T10:00:60',
        '2026-11-25T10:00:00+24:00', '2026-11-25T10:00:00+01:60', '2026-11-25T10:00:00 02:00', '2026-11-25Z',
        '2026-11-25T10:00:00.Z', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-01:00', '٢٠٢٦-11-25', '2026-11-25\n',
        '2026-11-25T10:00:00[UTC]',
    ],
)  # fmt: skip
def test_r01_no_dates(text):
    with pytest.raises(InvalidParameter, match="Write a day as"):
        dates.parse(text)


@pytest.mark.parametrize('fraction', ['5', '123', '000001', '999999999'])
def test_r01_fraction_of_a_second(fraction):
    """Odoo would cut it off silently."""
    with pytest.raises(InvalidParameter, match="whole seconds"):
        dates.parse(f'2026-11-25T10:00:00.{fraction}Z')


@given(st.text())
def test_r01_anything_is_a_date_or_refused(text):
    try:
        assert isinstance(dates.parse(text), date)
    except InvalidParameter as error:
        assert error.description
