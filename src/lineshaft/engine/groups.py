"""Runs that differ in nothing but the seed, and their metrics as mean and 95 % half width."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lineshaft.engine.errors import RequestError
from lineshaft.engine.stats import mean_interval
from lineshaft.engine.store import Folder

SEED = re.compile(r",?seed=\d+(~[0-9a-f]{8})?$")


@dataclass(frozen=True)
class Group:
    """One row of a summary: the runs of one configuration over its seeds, in the order of the seeds."""

    runs: tuple[Folder, ...]

    @cached_property
    def label(self) -> str:
        """The non-default words without the seed, as the folders spell them."""
        return SEED.sub("", self.runs[0].name) or "defaults"

    @cached_property
    def done(self) -> list[Folder]:
        return [folder for folder in self.runs if (folder.dir / "result.json").exists()]

    @cached_property
    def results(self) -> list[dict[str, float]]:
        return [folder.result() for folder in self.done]

    @cached_property
    def metrics(self) -> list[str]:
        """Names in the order in which the runs returned them."""
        return list(dict.fromkeys(name for result in self.results for name in result))

    def values(self, metric: str) -> list[float]:
        return [result[metric] for result in self.results if metric in result]

    def cell(self, metric: str) -> str:
        """`88.1 ± 1.2`; a diverged seed is told, never averaged away with the survivors."""
        values = self.values(metric)
        bad = sum(not math.isfinite(v) for v in values)
        if not values or bad:
            return f"{bad} of {len(values)} diverged" if values else ""
        mean, low, high = mean_interval(values)
        return spelled(mean, (high - low) / 2)

    def score(self, objective: tuple[str, str] | None) -> float:
        """Higher is better; minus infinity without a finite value of the objective."""
        values = self.values(objective[0]) if objective else []
        if objective is None or not values or not all(math.isfinite(v) for v in values):
            return -math.inf
        return (1 if objective[1] == "max" else -1) * sum(values) / len(values)


def spelled(mean: float, half: float) -> str:
    """The uncertainty with two digits and the mean to the same place; four digits where there is none.

    >>> spelled(88.1234, 1.234), spelled(0.5, float("nan")), spelled(123456.0, float("nan"))
    ('88.1 ± 1.2', '0.5', '1.235e+05')
    """
    if not math.isfinite(half) or half == 0:
        return f"{mean:.4g}" + (" ± 0" if half == 0 else "")
    places = 1 - math.floor(math.log10(half))
    if -3 < places < 7:
        return f"{mean:.{max(places, 0)}f} ± {half:.{max(places, 0)}f}"
    return f"{mean:.4g} ± {half:.2g}"


def grouped(runs: Iterable[Folder]) -> tuple[list[Group], list[str]]:
    """Groups in the order of names, and what cannot be read."""
    found: dict[str, list[tuple[int, Folder]]] = {}
    faults = []
    for folder in runs:
        try:
            config = folder.config()
            folder.result(), folder.provenance()
        except RequestError as error:
            faults.append(str(error))
            continue
        seed = config.pop("seed", 0)
        found.setdefault(json.dumps(config, sort_keys=True), []).append((seed, folder))
    return [Group(tuple(f for _, f in sorted(g, key=lambda p: p[0]))) for g in found.values()], faults


def headline(metrics: Sequence[str], objective: tuple[str, str] | None, most: int) -> list[str]:
    """The metrics to show first: the objective, those that measure the same elsewhere, then the others.

    >>> headline(["a", "test/knn", "val/knn", "val/x"], ("val/knn", "max"), 3)
    ['val/knn', 'test/knn', 'a']
    """
    if objective is None:
        return list(metrics[:most])
    last = objective[0].rpartition("/")[2]
    bounds = ("_low", "_high")
    return sorted(
        metrics, key=lambda m: (m != objective[0], m.rpartition("/")[2] != last, m.endswith(bounds))
    )[:most]
