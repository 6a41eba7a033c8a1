"""How much of each live check: `make live` runs the full form, `make test` a short one of the same code."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Counts:
    """
    :ivar kills: workers that are killed during code exchange and refresh
    :ivar outages: times that PostgreSQL is stopped under load, and started again
    """
    kills: int
    outages: int


FULL = Counts(kills=200, outages=10)
SHORT = Counts(kills=12, outages=2)
