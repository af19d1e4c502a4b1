"""Two rows of a summary compared seed by seed: differences within a seed, not between means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.table.columns import Key, unit
from lineshaft.engine.table.grouping import Group
from lineshaft.engine.table.objective import Objective
from lineshaft.engine.table.stats import paired_interval
from lineshaft.engine.table.summary import Summary
from lineshaft.engine.table.tuning import spelled
from lineshaft.engine.table.where import parsed


@dataclass(frozen=True)
class Comparison:
    """Mean of first - second over `n` pairs, its 95 % interval; `unpaired` seeds are in one row alone."""

    metric: str
    mean: float
    low: float
    high: float
    n: int
    unpaired: int
    verdict: str


def chosen(summary: Summary, words: Sequence[str]) -> Group:
    """The one row that meets all the words."""
    conditions = [parsed(word) for word in words]
    known = [*summary.keys, *summary.tuned]
    for condition in conditions:
        if condition.key not in known:
            raise RequestError(
                f"{condition.key[:80]} is not a column of the summary{nearest(condition.key, known)}"
            )
    fitting = [g for g in summary.groups if all(c.holds({**g.keys, **g.tuned}) for c in conditions)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise RequestError(f"no row of the summary meets {' '.join(words)[:200]!r}")
    names = "; ".join(spelled({**g.keys, **g.tuned}) for g in fitting[:3])
    raise RequestError(
        f"{' '.join(words)[:200]!r} fits {len(fitting)} rows ({names}{', ...' if len(fitting) > 3 else ''}); "
        "say more, or tune what may be chosen"
    )


def compare(first: Group, second: Group, metric: str, objective: Objective | None) -> Comparison:
    """Pairs are runs with the same seed that both have the metric; a diverged one leaves no mean."""
    a, b = by_seed(first, metric), by_seed(second, metric)
    seeds = [seed for seed in a if seed in b]
    mean, low, high = paired_interval([a[s] for s in seeds], [b[s] for s in seeds])
    if not math.isfinite(mean):
        mean = low = high = math.nan
    unpaired = len(a.keys() ^ b.keys())
    sense = objective[1] if objective and objective[0] == metric else ""
    return Comparison(
        metric, mean, low, high, len(seeds), unpaired, verdict(mean, low, high, len(seeds), sense)
    )


def by_seed(group: Group, metric: str) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for row in group.done:
        if metric in row.result:
            if unit(row) in found:
                raise RequestError(
                    f"{spelled(group.keys) or 'the row'} has two runs of one seed: group by what differs"
                )
            found[unit(row)] = row.result[metric]
    return found


def verdict(mean: float, low: float, high: float, n: int, sense: str) -> str:
    """In words; which side is better is said of the objective alone, whose direction is known."""
    if n == 0:
        return "no seed in common"
    if math.isnan(mean):
        return "a seed diverged: no mean"
    if math.isnan(low):
        return "one pair: no interval"
    if low <= 0 <= high:
        return "no significant difference"
    side = "higher" if low > 0 else "lower"
    better = {"max": low > 0, "min": high < 0}.get(sense)
    return f"first is {side}" + ("" if better is None else " (better)" if better else " (worse)")
