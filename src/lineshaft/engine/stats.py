"""Means over seeds with their uncertainty."""

import functools
import math
from collections.abc import Sequence


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % t interval; an interval of NaN for a single value, all NaN for none."""
    n = len(values)
    if not n:
        return math.nan, math.nan, math.nan
    mean = sum(values) / n
    if n < 2:
        return float(mean), math.nan, math.nan
    deviation = math.sqrt(sum((x - mean) ** 2 for x in values) / (n - 1))
    half = quantile(n - 1) * deviation / math.sqrt(n)
    return float(mean), float(mean - half), float(mean + half)


def paired_interval(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """Mean of a - b over pairs (same seed) and its 95 % t interval."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values cannot be paired with {len(b)}")
    return mean_interval([x - y for x, y in zip(a, b)])


@functools.cache
def quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t; scipy.special is loaded three times faster than scipy.stats."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
