"""Values that a word counts out: `0..4`, `0..20..5`, `0.1..0.5..0.1`, and log-spaced `log(1e-4,1e-1,4)`."""

import math
import re
from decimal import Decimal

from lineshaft.engine.errors import RequestError

NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
RANGE = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})")
STEPS = re.compile(rf"({NUMBER})\.\.({NUMBER})\.\.({NUMBER})")
LOG = re.compile(rf"log\(\s*({NUMBER})\s*,\s*({NUMBER})\s*,\s*(\d{{1,9}})\s*\)")
MOST = 100_000


def series(key: str, item: str) -> list[str] | None:
    """The values that an item of a word counts out, None where it is a plain value."""
    if found := RANGE.fullmatch(item):
        return integers(key, int(found[1]), int(found[2]))
    if found := STEPS.fullmatch(item):
        return steps(key, item, *(Decimal(text) for text in found.groups()))
    if found := LOG.fullmatch(item):
        return logarithmic(key, item, float(found[1]), float(found[2]), int(found[3]))
    return None


def integers(key: str, first: int, last: int) -> list[str]:
    """All integers from the first to the last, both included."""
    if last < first:
        raise RequestError(f"{key}={first}..{last} is an empty range; write {last}..{first}")
    few_enough(f"{key}={first}..{last}", last - first + 1)
    return [str(i) for i in range(first, last + 1)]


def steps(key: str, item: str, first: Decimal, last: Decimal, step: Decimal) -> list[str]:
    """From the first in equal steps, up or down, not beyond the last; decimal, so that 0.1 adds up."""
    if not step or (last - first) / step < 0:
        raise RequestError(f"{key}={item[:80]} never gets from {first} to {last} in steps of {step}")
    count = int((last - first) / step) + 1
    few_enough(f"{key}={item[:80]}", count)
    return [f"{(first + i * step).normalize():f}" for i in range(count)]


def logarithmic(key: str, item: str, first: float, last: float, count: int) -> list[str]:
    """`count` values from the first to the last, each the same multiple of the one before; 12 digits."""
    if first <= 0 or last <= 0 or count < 2:
        raise RequestError(
            f"{key}={item[:80]}: log(FIRST,LAST,COUNT) needs two positive values and 2 or more"
        )
    few_enough(f"{key}={item[:80]}", count)
    low, high = math.log10(first), math.log10(last)
    inner = [10 ** (low + (high - low) * i / (count - 1)) for i in range(1, count - 1)]
    return [f"{value:.12g}" for value in (first, *inner, last)]


def few_enough(word: str, count: int) -> None:
    if count > MOST:
        raise RequestError(f"{word} has {count:,} values; at most {MOST:,}")
