"""How much of each live check: `make live` runs the full form, `make test` a short one of the same code."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Counts:
    """
    :ivar kills: workers that are killed during code exchange and refresh
    """
    kills: int


FULL = Counts(kills=200)
SHORT = Counts(kills=12)
