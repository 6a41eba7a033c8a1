"""The result of a comparison, and whether it is good enough."""

import dataclasses
import statistics


@dataclasses.dataclass
class Result:
    """One row of the table.

    :ivar str figure: the name of the figure
    :ivar str ours: this addon's value, with its unit
    :ivar str theirs: the value that it is compared with
    :ivar str value: the deciding number, with its spread
    :ivar str bar: the bar that it must reach
    :ivar bool met: whether it reaches the bar
    """

    figure: str
    ours: str
    theirs: str
    value: str
    bar: str
    met: bool


def compare_rates(figure, ours, theirs, bar):
    """Compare two measurements that ran in the same rounds.

    The ratio is computed within each round, because other load on the machine hits both.

    :param Measurement ours: that of this addon
    :param Measurement theirs: the one to compare it with
    :param float bar: the ratio that ours / theirs must reach
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
    """Return the middle half of the values, which ignores single slices with other load on the machine."""
    if len(values) < 4:
        return f'{min(values):.2f}–{max(values):.2f}'
    lower, _median, upper = statistics.quantiles(values, n=4)
    return f'{lower:.2f}–{upper:.2f}'
