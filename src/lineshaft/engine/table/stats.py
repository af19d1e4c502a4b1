"""Means over seeds with their uncertainty."""

import functools
import math
from collections.abc import Sequence


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % t interval; an interval of NaN for a single value, all NaN for none.

    Values up to the largest number a computer holds have a width: `hypot` squares none of them.
    """
    n = len(values)
    if not n:
        return math.nan, math.nan, math.nan
    mean = sum(values) / n
    if n < 2 or not math.isfinite(mean):
        return float(mean), math.nan, math.nan
    if min(values) == max(values):  # their sum may round, but they have no spread
        return float(values[0]), float(values[0]), float(values[0])
    deviation = math.hypot(*(x - mean for x in values)) / math.sqrt(n - 1)
    half = quantile(n - 1) * deviation / math.sqrt(n)
    return float(mean), float(mean - half), float(mean + half)


def paired_interval(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """Mean of a - b over pairs (same seed) and its 95 % t interval."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values cannot be paired with {len(b)}")
    return mean_interval([x - y for x, y in zip(a, b)])


QUANTILES = (
    12.706204736174694,
    4.302652729749462,
    3.1824463052837078,
    2.7764451051977934,
    2.5705818356363146,
    2.4469118511449786,
    2.364624251592784,
    2.306004135204166,
    2.262157162798205,
    2.228138851986274,
    2.200985160091639,
    2.1788128296672284,
    2.1603686564627913,
    2.144786687917804,
    2.131449545559776,
    2.1199052992212546,
    2.1098155778333156,
    2.1009220402410382,
    2.0930240544083087,
    2.085963447265864,
    2.0796138447276795,
    2.0738730679040254,
    2.0686576104190486,
    2.0638985616280245,
)
"""97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom: importing scipy takes 0.3 s."""


@functools.cache
def quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t."""
    if freedom <= len(QUANTILES):
        return QUANTILES[freedom - 1]
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
