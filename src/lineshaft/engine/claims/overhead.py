"""The engine's own row of the ledger: what one more run costs besides its own computation."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median

from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import AtMost
from lineshaft.engine.table.listing import stamp
from lineshaft.engine.table.table import Interval, Table

FEWEST_GAPS = 8
NEAR_ZERO = 0.1
SMALL = 1.0


def gaps(executions: Iterable[tuple[float, float]]) -> list[float]:
    """Seconds between the end of a run and the start of the next one in its place.

    Executions (start, end) of one launch. A launcher refills the place that became free first, so starts are
    matched with earlier ends in the order of ends; a start before any end opened a place and has no gap.

    >>> gaps([(0.0, 1.0), (0.0, 2.0), (1.25, 3.0), (2.5, 4.0)])
    [0.25, 0.5]
    """
    found: list[float] = []
    free: list[float] = []
    for start, end in sorted(executions):
        if free and free[0] <= start:
            found.append(start - heapq.heappop(free))
        heapq.heappush(free, end)
    return found


def launches(runs: Table) -> dict[tuple[str, ...], list[tuple[float, float]]]:
    """Executions that ended, by what launched them: the same command on the same host at the same commit."""
    found: defaultdict[tuple[str, ...], list[tuple[float, float]]] = defaultdict(list)
    for entry in (entry for row in runs for entry in row.executions()):
        key = tuple(str(entry.get(name)) for name in ("command", "host", "commit"))
        start, end = stamp(entry.get("start")), stamp(entry.get("end"))
        if start and end and entry.get("outcome") == "done":
            found[key].append((seconds(start), seconds(end)))
    return dict(found)


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Median with its 95 % interval from order statistics; a command given again days later does no harm."""
    from scipy.stats import binom

    x, n = sorted(values), len(values)
    below = max(int(binom.ppf(0.025, n, 0.5)) - 1, 0)
    return median(x), x[below], x[n - 1 - below]


def zero(runs: Table) -> Measured | None:
    """Median gap between two runs in a place of the slowest sweep, and what else made runs cheap."""
    every = [gaps(executions) for executions in launches(runs).values()]
    sweeps = sorted((found for found in every if len(found) >= FEWEST_GAPS), key=median)
    if not sweeps:
        return None
    value, low, high = median_interval(sweeps[-1])
    reason = (
        f"median of {len(sweeps[-1])} gaps between two runs in the slowest of {len(sweeps)} sweeps, "
        f"{median(sweeps[0]):.2g} s in the quickest, at most {NEAR_ZERO:g} s wanted; "
        f"{len(runs)} done runs came from {commands(runs)} typed commands, {resumed(runs)} resumed after an "
        f"interruption, {relaunched(runs)} started from another run's best checkpoint"
    )
    return Measured(Interval(value, low, high), runs, reason)


def commands(runs: Table) -> int:
    return len({entry.get("command") for row in runs for entry in row.executions()})


def resumed(runs: Table) -> int:
    return sum(len(row.executions()) > 1 for row in runs)


def relaunched(runs: Table) -> int:
    return sum(row.values.get("parent") is not None for row in runs)


CLAIMS: list[Claim] = [
    Claim(
        id="engine.zero",
        text="the cost of one more experiment is nearly zero",
        how="seconds between the end of a run and the start of the next in its place, median of the slowest "
        "sweep, from provenance; waking a device is the run's own time; beside it the commands typed and the "
        "runs resumed and relaunched",
        experiment="",
        measure=zero,
        verdict=AtMost(NEAR_ZERO, partly=SMALL),
    )
]
