"""Days and moments in a filter, in the form of RFC 3339 that records show too."""

import re
from datetime import date, datetime, time, timedelta, timezone

from .problem import InvalidParameter

# Stricter than `datetime.fromisoformat`, which accepts more in each version of Python: weeks, days without dashes.
PATTERN = re.compile(
    r'(?P<day>\d{4}-\d\d-\d\d)'
    r'(?P<time>[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?'
    r'(?:[Zz]|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3]):?(?P<minutes>[0-5]\d))?)?',
    re.ASCII,
)


def parse(text):
    """Return a day as a `date`, and a moment as a `datetime` in UTC without a time zone.

    A moment without an offset is one in UTC, as in Odoo.

    :param str text: for example `2026-11-25`, `2026-11-25T10:00:00Z` or `2026-11-25T12:00:00+02:00`
    :raise InvalidParameter: for anything else, and for a fraction of a second, which would be cut off silently
    """
    match = PATTERN.fullmatch(text)
    try:
        if not match:
            raise ValueError
        day = date.fromisoformat(match['day'])
        if not match['time']:
            return day
        offset = timedelta(hours=int(match['hours'] or 0), minutes=int(match['minutes'] or 0))
        moment = datetime.combine(
            day,
            time(int(match['hour']), int(match['minute']), int(match['second'] or 0)),
            timezone(-offset if match['sign'] == '-' else offset),
        )
        # Odoo's domains take moments without a time zone.
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise InvalidParameter(
            "Write a day as 2026-11-25, and a moment as 2026-11-25T10:00:00Z or with an offset such as +02:00. In a "
            "URL, write the plus sign as %2B."
        ) from None
    if (match['fraction'] or '').strip('0'):
        raise InvalidParameter("Moments are kept in whole seconds: leave out the fraction of a second.")
    return moment
