"""What a comparison found, and whether it is good enough."""

import dataclasses
import statistics


@dataclasses.dataclass
class Result:
    """One row of the table.

    :ivar str figure: what was measured
    :ivar str ours: our value, with its unit
    :ivar str theirs: what it is compared with
    :ivar str value: the number that counts, with its spread
    :ivar str bar: what it must reach
    :ivar bool met: whether it does
    """

    figure: str
    ours: str
    theirs: str
    value: str
    bar: str
    met: bool


def compare_rates(figure, ours, theirs, bar):
    """Compare two cells that ran in the same rounds.

    The ratio is taken within each round, because what else the machine did then hit both.

    :param Measurement ours: ours
    :param Measurement theirs: what it is compared with
    :param float bar: what ours / theirs must reach
    """
    failure = ours.failure or theirs.failure
    if failure:
        return Result(figure, '–', '–', f'not measured: {failure}', f'≥ {bar}', False)
    ratios = [one / other for one, other in zip(ours.rates, theirs.rates, strict=True)]
    ratio = statistics.median(ratios)
    return Result(
        figure,
        f'{statistics.median(ours.rates):.0f}/s',
        f'{statistics.median(theirs.rates):.0f}/s',
        f'{ratio:.2f} [{_get_spread(ratios)}]',
        f'≥ {bar}',
        round(ratio, 2) >= bar,
    )


def _get_spread(values):
    """Return the middle half of the values: one slice in which the machine did something else says nothing."""
    if len(values) < 4:
        return f'{min(values):.2f}–{max(values):.2f}'
    lower, _median, upper = statistics.quantiles(values, n=4)
    return f'{lower:.2f}–{upper:.2f}'
