"""Runs of equal values grouped, their final metrics as mean and 95 % interval over seeds.

Nothing bad is averaged away: a metric that diverged in one seed has no mean, unfinished and missing seeds are
counted, and such groups rank below complete ones.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lineshaft.engine.table.columns import ABSENT, Key, key_of, natural, unit
from lineshaft.engine.table.objective import Objective
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.stats import mean_interval

COMPLETE, UNFINISHED, BAD, EMPTY = range(4)


@dataclass(frozen=True)
class Measure:
    """A metric over the seeds of a group; `mean` is NaN where a seed diverged."""

    mean: float
    low: float
    high: float
    n: int
    diverged: int


@dataclass
class Group:
    """One row of a summary: runs that share the values of `keys`; `tuned` holds what was chosen for it."""

    keys: dict[str, Any]
    runs: list[Row]
    missing: list[Key] = field(default_factory=list)
    tuned: dict[str, Any] = field(default_factory=dict)
    edges: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    @property
    def done(self) -> list[Row]:
        return [row for row in self.runs if row.state == "done"]

    @property
    def unfinished(self) -> dict[str, int]:
        """State -> count of the runs that have no result."""
        return dict(Counter(row.state for row in self.runs if row.state != "done"))

    @property
    def diverged(self) -> int:
        return sum(row.diverged for row in self.runs)

    @property
    def rank(self) -> int:
        """Complete, then unfinished, then with failed or diverged seeds, then without any result."""
        if not self.done:
            return EMPTY
        if self.diverged or "failed" in self.unfinished:
            return BAD
        return UNFINISHED if self.unfinished or self.missing else COMPLETE

    def faults(self) -> list[str]:
        """What a reader of its means must know: `2 missing`, `1 failed`, `1 diverged`."""
        found = [f"{len(self.missing)} missing"] if self.missing else []
        found += [f"{n} {state}" for state, n in self.unfinished.items()]
        found += [f"{self.diverged} diverged"] if self.diverged else []
        several = sum(len(row.codes) > 1 for row in self.runs)
        found += [f"{several} of several codes"] if several else []
        return [*found, *(f"not considered: {text}" for text in self.passed_over)]

    def measure(self, metric: str) -> Measure:
        values = [row.result[metric] for row in self.done if metric in row.result]
        bad = sum(not math.isfinite(v) for v in values)
        mean, low, high = (math.nan,) * 3 if bad else mean_interval(values)
        return Measure(mean, low, high, len(values), bad)

    def score(self, objective: Objective | None) -> float:
        """Lower is better, infinite where the objective has no mean."""
        mean = self.measure(objective[0]).mean if objective else math.nan
        return math.inf if math.isnan(mean) else mean * (-1 if objective and objective[1] == "max" else 1)


def grouped(rows: Sequence[Row], keys: Sequence[str]) -> list[Group]:
    """Rows that share the values of all keys, in the order in which they come."""
    found: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[key_of(row, keys)].append(row)
    return [
        Group({k: group[0].values.get(k, ABSENT) for k in keys}, sorted(group, key=in_order))
        for group in found.values()
    ]


def in_order(row: Row) -> Any:
    return natural(unit(row))


def note_missing(groups: Sequence[Group]) -> None:
    """Seeds that other groups have, and a group does not."""
    every = sorted({unit(row) for group in groups for row in group.runs}, key=natural)
    for group in groups:
        have = {unit(row) for row in group.runs}
        group.missing = [seed for seed in every if seed not in have]
