"""Thresholds of a verdict, applied to a value and its 95 % interval."""

from dataclasses import dataclass
from typing import Literal

from lineshaft.engine.table.table import Interval

Verdict = Literal["reproduced", "exceeded", "partly", "not reproduced", "not yet measured"]
WORST_FIRST: tuple[Verdict, ...] = (
    "not yet measured",
    "not reproduced",
    "partly",
    "reproduced",
    "exceeded",
)


def worse(first: Verdict, second: Verdict) -> Verdict:
    return min(first, second, key=WORST_FIRST.index)


@dataclass(frozen=True)
class Undecided:
    """A claim without thresholds is never more than not yet measured."""

    def __call__(self, found: Interval) -> Verdict:
        return "not yet measured"

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class AtLeast:
    """Reproduced where the whole interval lies at `bar` or above, exceeded where at `exceeded` or above.

    Partly where it lies above `partly`, usually the value of no effect at all: 0 for a gain, 1 for a ratio.
    """

    bar: float
    partly: float | None = None
    exceeded: float | None = None

    def __call__(self, found: Interval) -> Verdict:
        low = found.low
        if self.exceeded is not None and low >= self.exceeded:
            return "exceeded"
        if low >= self.bar:
            return "reproduced"
        return "partly" if self.partly is not None and low > self.partly else "not reproduced"

    def __str__(self) -> str:
        more = f", exceeded from {self.exceeded:g}" if self.exceeded is not None else ""
        less = f", partly above {self.partly:g}" if self.partly is not None else ""
        return f"reproduced from {self.bar:g}{more}{less}"


@dataclass(frozen=True)
class AtMost:
    """Reproduced where the whole interval lies at `bar` or below, partly where below `partly`."""

    bar: float
    partly: float | None = None
    exceeded: float | None = None

    def __call__(self, found: Interval) -> Verdict:
        high = found.high
        if self.exceeded is not None and high <= self.exceeded:
            return "exceeded"
        if high <= self.bar:
            return "reproduced"
        return "partly" if self.partly is not None and high < self.partly else "not reproduced"

    def __str__(self) -> str:
        more = f", exceeded up to {self.exceeded:g}" if self.exceeded is not None else ""
        less = f", partly below {self.partly:g}" if self.partly is not None else ""
        return f"reproduced up to {self.bar:g}{more}{less}"


@dataclass(frozen=True)
class Within:
    """Reproduced where the whole interval lies in the band, partly where the value alone does."""

    least: float
    greatest: float

    def __call__(self, found: Interval) -> Verdict:
        inside = [self.least <= end <= self.greatest for end in (found.low, found.value, found.high)]
        return "reproduced" if all(inside) else "partly" if inside[1] else "not reproduced"

    def __str__(self) -> str:
        return f"reproduced within {self.least:g} to {self.greatest:g}"
