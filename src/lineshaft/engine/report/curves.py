"""Learning curves as geometry: what a template draws as one small vector picture a metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lineshaft.engine.errors import RequestError
from lineshaft.engine.table.grouping import Group

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 18, 8, 26
MOST_CURVES = 6
MOST_METRICS = 6
MOST_POINTS = 240
FEWEST = 4
NOT_METRICS = ("step", "task", "epoch", "time", "seconds")

LARGEST = 1e300

Log = Sequence[dict[str, float]]
"""The rows of one run."""


@dataclass(frozen=True)
class Curve:
    """One group: a line through the means over its seeds, and the outline of the range of the seeds."""

    colour: int
    line: str
    band: str


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Plot:
    metric: str
    curves: list[Curve]
    across: list[Tick]
    up: list[Tick]
    is_log: bool


def read(groups: Sequence[Group]) -> tuple[list[list[Log]], list[str]]:
    """What the runs of each group logged, and a note on each run that cannot be read."""
    logs: list[list[Log]] = []
    faults = []
    for group in groups[:MOST_CURVES]:
        logs.append([])
        for row in group.runs:
            try:
                logs[-1].append(row.folder.metrics())
            except RequestError as error:
                faults.append(f"A run is left out of the learning curves: {error}")
    return logs, faults


def plots(logs: Sequence[Sequence[Log]], objective: tuple[str, str] | None) -> list[Plot]:
    """The objective and the losses, one curve a group, for at most MOST_METRICS metrics."""
    metrics = chosen([rows for group in logs for rows in group], objective)
    return [plot(metric, [points(group, metric) for group in logs]) for metric in metrics]


def chosen(logs: Sequence[Log], objective: tuple[str, str] | None) -> list[str]:
    """Metrics that move within a run; the objective first, then losses, then the others."""
    names = dict.fromkeys(key for rows in logs for row in rows for key in row)
    moving = [n for n in names if n.rpartition("/")[2] not in NOT_METRICS and any(moves(r, n) for r in logs)]
    first = objective[0] if objective else ""
    return sorted(moving, key=lambda m: (m != first, "loss" not in m))[:MOST_METRICS]


def moves(rows: Log, metric: str) -> bool:
    return len({row[metric] for row in rows if metric in row}) >= FEWEST


Point = tuple[float, float, float, float]
"""Step, mean over seeds, least, greatest."""


def points(logs: Sequence[Log], metric: str) -> list[Point]:
    """Mean and range over the runs of a group at each step, thinned to what a small picture can show.

    Only the steps that all its seeds span: where one stops or diverges, a mean over the others would jump.
    """
    seeds = [sound(rows, metric) for rows in logs if any(metric in row for row in rows)]
    if not all(seeds):
        return []
    first, last = max(map(min, seeds), default=0), min(map(max, seeds), default=0)
    at: dict[float, list[float]] = {}
    for seed in seeds:
        for step, value in seed.items():
            if first <= step <= last:
                at.setdefault(step, []).append(value)
    steps = sorted(at)
    kept = steps[:: max(1, math.ceil(len(steps) / MOST_POINTS))]
    kept += steps[-1:] if kept and kept[-1] != steps[-1] else []
    return [(s, sum(at[s]) / len(at[s]), min(at[s]), max(at[s])) for s in kept]


def sound(rows: Log, metric: str) -> dict[float, float]:
    """Step -> value of one seed, from its first number up to where it diverges."""
    found: dict[float, float] = {}
    for row in rows:
        if metric in row and abs(row[metric]) < LARGEST:
            found[row["step"]] = row[metric]
        elif metric in row and found:
            break
    return found


def plot(metric: str, series: Sequence[Sequence[Point]]) -> Plot:
    """All curves of one metric in one frame; logarithmic where positive values span two decades."""
    every = [p for s in series for p in s]
    low, high = min((p[2] for p in every), default=0.0), max((p[3] for p in every), default=1.0)
    is_log = low > 0 and high / low > 100
    across = Axis(
        min((p[0] for p in every), default=0), max((p[0] for p in every), default=1), LEFT, WIDTH - RIGHT
    )
    up = Axis(low, high, HEIGHT - BOTTOM, TOP, is_log)
    curves = [curve(i, s, across, up) for i, s in enumerate(series) if s]
    return Plot(metric, curves, across.ticks(5), up.ticks(4), is_log)


def curve(colour: int, series: Sequence[Point], across: "Axis", up: "Axis") -> Curve:
    line = " ".join(f"{across(s):.1f},{up(mean):.1f}" for s, mean, _, _ in series)
    edge = [*((s, high) for s, _, _, high in series), *((s, low) for s, _, low, _ in reversed(series))]
    is_wide = any(low < high for _, _, low, high in series)
    return Curve(colour, line, " ".join(f"{across(s):.1f},{up(v):.1f}" for s, v in edge) if is_wide else "")


class Axis:
    """Data to pixels, with ticks at round numbers."""

    def __init__(self, low: float, high: float, start: float, end: float, is_log: bool = False) -> None:
        self.is_log, self.start, self.end = is_log, start, end
        self.low, self.high = (math.log10(low), math.log10(high)) if is_log else (low, high)
        if self.high <= self.low:
            margin = abs(self.low) * 0.1 or 0.5
            self.low, self.high = self.low - margin, self.high + margin

    def __call__(self, value: float) -> float:
        place = math.log10(value) if self.is_log else value
        return self.start + (place - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int) -> list[Tick]:
        """Round values inside the range: decades, or steps of 1, 2 or 5 times a power of ten."""
        if self.is_log:
            powers = range(math.ceil(self.low), math.floor(self.high) + 1)
            return [Tick(self(10.0**p), f"{10.0**p:g}") for p in powers][
                :: max(1, math.ceil(len(powers) / most))
            ]
        rough = (self.high - self.low) / most
        unit = 10 ** math.floor(math.log10(rough))
        step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= rough)
        first = math.ceil(self.low / step - 1e-9)
        values = [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]
        return [Tick(self(v), f"{0.0 if abs(v) < step / 1e3 else v:.6g}") for v in values]
