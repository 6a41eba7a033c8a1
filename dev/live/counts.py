"""The extent of each live check: `make live` runs the full form, `make test` a short form of the same code."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Counts:
    """How often or how long each check runs.

    :ivar kills: workers to kill during code exchange and refresh
    :ivar outages: how often PostgreSQL is stopped under load and started again
    :ivar malformed: requests of the fuzzer
    :ivar seeds: runs of schemathesis, each with its own seed
    :ivar examples: maximum number of its generated requests for each operation and phase. Generating more takes long;
        other seeds give new requests faster
    :ivar load: seconds of mixed load
    :ivar workers: the workers of the server under mixed load
    :ivar share: the share of the conditions that the fuzzer of the records API tries beside real apps
    """

    kills: int
    outages: int
    malformed: int
    seeds: int
    examples: int
    load: int
    workers: int
    share: float


FULL = Counts(kills=200, outages=10, malformed=100_000, seeds=8, examples=30, load=180, workers=4, share=1)
SHORT = Counts(kills=12, outages=2, malformed=1_000, seeds=1, examples=12, load=9, workers=2, share=0.02)
