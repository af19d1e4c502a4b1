"""Choosing the value of tuned parameters by the objective, a validation metric and no other.

Candidates are compared on the seeds that more than half of them have, so that one more seed of a lucky value
decides nothing. One that lacks such a seed, failed or diverged ranks below those that did not.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lineshaft.engine.table.columns import ABSENT, Key, natural, unit
from lineshaft.engine.table.grouping import COMPLETE, EMPTY, Group, grouped
from lineshaft.engine.table.objective import Objective
from lineshaft.engine.table.row import text_of


def tuned(group: Group, keys: Sequence[str], objective: Objective) -> Group:
    """The runs with the best values of `keys`; all of them, with nothing chosen, where none has a result."""
    candidates = grouped(group.runs, keys)
    seeds = shared_seeds(candidates)
    compared = [on_seeds(candidate, seeds) for candidate in candidates]
    ranked = sorted(
        zip(compared, candidates),
        key=lambda p: (p[0].rank, p[0].score(objective), natural(tuple(p[0].keys.values()))),
    )
    if ranked[0][0].rank == EMPTY:
        return group
    best = ranked[0][1]
    return replace(
        group,
        runs=best.runs,
        tuned=best.keys,
        edges=[key for key in keys if at_edge(best.keys[key], [c.keys[key] for c in candidates])],
        passed_over=[reason(c) for c, _ in ranked[1:] if c.rank != COMPLETE],
    )


def shared_seeds(candidates: Sequence[Group]) -> set[Key]:
    """Those that more than half of the candidates have; empty where they share none."""
    count = Counter(seed for c in candidates for seed in {unit(row) for row in c.runs})
    return {seed for seed, n in count.items() if 2 * n > len(candidates)}


def on_seeds(candidate: Group, seeds: set[Key]) -> Group:
    """The candidate as it is compared: on the shared seeds where there are any."""
    if not seeds:
        return candidate
    have = {unit(row) for row in candidate.runs}
    kept = [row for row in candidate.runs if unit(row) in seeds]
    return replace(candidate, runs=kept, missing=list(seeds - have))


def at_edge(value: Any, tried: Sequence[Any]) -> bool:
    """Whether a chosen number is the least or the greatest of several tried ones."""
    numbers = {v for v in tried if isinstance(v, int | float) and not isinstance(v, bool)}
    return len(numbers) > 1 and value in (min(numbers), max(numbers))


def reason(candidate: Group) -> str:
    """Why a candidate ranks below complete ones: `lr=0.3 (2 failed, 1 diverged)`."""
    return f"{spelled(candidate.keys)} ({', '.join(candidate.faults())})"


def spelled(values: Mapping[str, Any]) -> str:
    """`method=der lr=0.3`, without what is absent."""
    return " ".join(f"{k}={text_of(v)}" for k, v in values.items() if v != ABSENT)
