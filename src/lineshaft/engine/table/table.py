"""The table of runs as a thing to ask: what claims, and a person at a prompt, want of many runs at once.

table = Table.read(Path("runs"))
tuned = table.like(Config(data="cifar10"), free=("schedule", "seed")).best("val/knn_task")
tuned.interval("test/knn_task"), tuned.ids
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

from pydantic import ValidationError

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.config import Config, as_json
from lineshaft.engine.spec.experiment import address_of
from lineshaft.engine.spec.names import name_of
from lineshaft.engine.table.columns import ABSENT, Key, cell, natural, unit
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.row import Row, flattened
from lineshaft.engine.table.stats import mean_interval, paired_interval
from lineshaft.engine.table.where import parsed


class Interval(NamedTuple):
    """A mean and its 95 % interval; an interval of NaN over a single run, all NaN where one diverged."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


class Table(Sequence[Row]):
    """Some runs, in the order of names; every question returns a smaller table or a number."""

    def __init__(self, found: Sequence[Row] = ()) -> None:
        self.rows = list(found)

    @classmethod
    def read(cls, runs: Path, experiment: str | None = None, where: Sequence[str] = ()) -> "Table":
        """Every run below a folder, or those of one experiment that meet conditions."""
        return cls(rows(runs, experiment, where))

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> "Table": ...
    def __getitem__(self, place: int | slice) -> "Row | Table":
        return Table(self.rows[place]) if isinstance(place, slice) else self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __add__(self, other: "Table") -> "Table":
        known = {row.id for row in self}
        return Table([*self.rows, *(row for row in other if row.id not in known)])

    def __repr__(self) -> str:
        return f"Table of {len(self)} runs"

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self]

    @property
    def done(self) -> "Table":
        """The runs that finished and can be read; a diverged one is among them, its metrics NaN."""
        return Table([row for row in self if row.state == "done" and not row.fault])

    def of(self, experiment: str) -> "Table":
        """The runs of an experiment; of all where it is empty."""
        return Table([row for row in self if experiment in ("", row.folder.experiment)])

    def where(self, *words: str) -> "Table":
        """The runs that meet all conditions, written as for `--where`: `"lr<0.1"`, `"data=a,b"`."""
        conditions = [parsed(word) for word in words]
        return Table([row for row in self if all(c.holds(row.values) for c in conditions)])

    def like(self, config: Config, free: Sequence[str] = ("seed",)) -> "Table":
        """The runs of this configuration's experiment and version that differ from it in `free` alone.

        `free` names parameters, whole choices too: "schedule" frees `schedule.lr` with it. Parameters added
        since a run was computed count at their defaults; a run with one that was removed is never like it.
        """
        experiment, wanted = name_of(address_of(config)), fixed(flattened(as_json(config)), free)
        found = []
        for row in self.of(experiment):
            values = completed_values(row, type(config))
            if values is not None and fixed(values, free) == wanted:
                row.values = {**values, "version": row.values["version"]}
                found.append(row)
        return Table(found)

    def apart(self, *free: str) -> "list[Table]":
        """Groups of runs equal but for the parameters in `free` (default: the seed), the largest first."""
        groups: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self:
            same = {key: cell(row, key) for key in row.values}
            groups[str(sorted(fixed(same, free or ("seed",)).items()))].append(row)
        found = [Table(sorted(group, key=lambda row: natural(unit(row)))) for group in groups.values()]
        return sorted(found, key=len, reverse=True)

    def by(self, key: str) -> "dict[Any, Table]":
        """The runs by the value of one parameter, in its natural order; those without it are left out."""
        groups: defaultdict[Any, list[Row]] = defaultdict(list)
        for row in self:
            if (value := cell(row, key)) != ABSENT:
                groups[value].append(row)
        return {value: Table(groups[value]) for value in sorted(groups, key=lambda v: natural((v,)))}

    def best(self, metric: str, direction: str = "max", free: Sequence[str] = ("seed",)) -> "Table":
        """The group (`apart`) with the best mean of a validation metric; a diverged one is never it.

        As in `summary --tune`, groups are compared on the seeds that more than half of them have, and one
        that lacks such a seed does not take part: a lucky seed wins nothing.
        """
        groups = self.apart(*free)
        count = Counter(seed for group in groups for seed in {unit(row) for row in group})
        seeds = {seed for seed, n in count.items() if 2 * n > len(groups)}
        full = [group for group in groups if seeds <= {unit(row) for row in group}]
        sign = 1 if direction == "max" else -1

        def score(group: Table) -> float:
            compared = Table([row for row in group if unit(row) in seeds] or group.rows)
            mean = compared.interval(metric).value
            return -math.inf if math.isnan(mean) else sign * mean

        return max(full, key=score, default=Table())

    def by_seed(self) -> dict[Key, Row]:
        """The runs by what a seed is; RequestError where two have the same."""
        found: dict[Key, Row] = {}
        for row in self:
            if (other := found.setdefault(unit(row), row)) is not row:
                raise RequestError(f"{row.id} and {other.id} have one seed: they differ in something else")
        return found

    def values(self, metric: str) -> list[float]:
        """The final metric of every run; KeyError where one lacks it."""
        return [row.result[metric] for row in self]

    def interval(self, metric: str) -> Interval:
        """Mean of a final metric over the runs with its 95 % t interval."""
        return Interval(*mean_interval(self.values(metric)))

    def paired(self, other: "Table", metric: str) -> Interval:
        """Mean of this minus the other over the seeds that both have, with its 95 % t interval."""
        ours, theirs = self.by_seed(), other.by_seed()
        seeds = [seed for seed in ours if seed in theirs]
        a, b = ([side[seed].result[metric] for seed in seeds] for side in (ours, theirs))
        return Interval(*paired_interval(a, b))

    def shared(self, other: "Table") -> "tuple[Table, Table]":
        """Both tables with the seeds that both have, in one order: pairs for comparisons item by item."""
        ours, theirs = self.by_seed(), other.by_seed()
        seeds = [seed for seed in ours if seed in theirs]
        return Table([ours[seed] for seed in seeds]), Table([theirs[seed] for seed in seeds])


def fixed(values: Mapping[str, Any], free: Sequence[str]) -> dict[str, Any]:
    """The values less those of the free parameters and of their parts."""
    return {k: v for k, v in values.items() if not any(k == f or k.startswith(f"{f}.") for f in free)}


def completed_values(row: Row, model: type[Config]) -> dict[str, Any] | None:
    """A run's values, those added since at their defaults; None where it is of another version or time."""
    if row.values.get("version") != model.version:
        return None
    try:
        return flattened(as_json(model.model_validate(row.config)))
    except (ValidationError, ValueError):
        return None
