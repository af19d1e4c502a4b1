"""Two rows of a table, each at its best rate: what is counted, and the difference paired over seeds."""

from lineshaft.engine.claims.verdict import Verdict
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.table import Interval, Table

FEWEST_SEEDS = 3
Pair = tuple[Table, Table, Interval]
ILL_TUNED = 0.5
"""Share of runs above which an evaluation whose own rates ended too early decides nothing."""


def compared(ours: Table, theirs: Table, metric: str) -> Pair | None:
    """Both at the rate that is best for them on validation; the difference on test, paired over seeds."""
    a, b = tuned(ours, metric).shared(tuned(theirs, metric))
    if len(a) < FEWEST_SEEDS:
        return None
    return a, b, a.paired(b, f"test/{metric}")


def tuned(runs: Table, metric: str) -> Table:
    """The runs at the rate that is best on validation; how else they were evaluated does not matter."""
    return counted(runs, metric).best(f"val/{metric}", free=("seed", "evaluate"))


def counted(runs: Table, metric: str) -> Table:
    """The runs that have the metric, each configuration and seed once: the one that started first.

    Few-shot adaptation counts only where its own rate was followed beyond the grid it began with.
    """
    needed = f"fewshot/{metric.removeprefix('fewshot_')}_at_edge" if metric.startswith("fewshot") else ""
    found: dict[tuple[str, object], Row] = {}
    for run in sorted(runs, key=started):
        if f"test/{metric}" in run.result and (not needed or needed in run.result):
            rest = {k: v for k, v in run.values.items() if not k.startswith("evaluate") and k != "seed"}
            found.setdefault((str(sorted(rest.items())), run.values.get("seed")), run)
    return Table(list(found.values()))


def started(run: Row) -> str:
    return next((str(entry.get("start", "")) for entry in run.executions()), "")


def best_allowed(runs: Table, metric: str) -> tuple[Verdict, str]:
    """The best verdict that a metric allows, and why; few-shot adaptation has a rate of its own to tune."""
    if not metric.startswith("fewshot") or not len(runs):
        return "exceeded", ""
    key = f"fewshot/{metric.removeprefix('fewshot_')}_at_edge"
    share = sum(run.result.get(key, 0.0) for run in runs) / len(runs)
    if share <= ILL_TUNED:
        return "exceeded", ""
    return (
        "not yet measured",
        f"; the evaluation's own rate lies at the end of its grid in {share:.0%} of the runs",
    )


def told(pair: Pair) -> str:
    """The difference, what it starts from, seeds and rates."""
    ours, theirs, interval = pair
    return f"{interval} (lr {rate(ours):g} and {rate(theirs):g}, {len(ours)} seeds)"


def rate(runs: Table) -> float:
    return float(runs[0].values["schedule.lr"])


def edge(tried: Table, chosen: Table) -> str:
    """A warning where the chosen learning rate is the first or last that was tried."""
    rates = list(tried.by("schedule.lr"))
    return " (edge of its grid)" if rate(chosen) in (rates[0], rates[-1]) else ""
