"""The table of one experiment: its runs grouped by what varies, the best first."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.table.columns import cell, checked, natural, varying
from lineshaft.engine.table.completion import by_experiment, completed
from lineshaft.engine.table.grouping import Group, grouped, note_missing
from lineshaft.engine.table.objective import Objective, objective_of
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.tuning import tuned


@dataclass(frozen=True)
class Summary:
    """The table of one experiment: groups best first. `mixed` names parameters that vary within groups."""

    experiment: str
    keys: list[str]
    tuned: list[str]
    metrics: list[str]
    objective: Objective | None
    groups: list[Group]
    mixed: list[str]
    faults: list[str]


def summaries(
    runs: Path,
    experiment: str | None = None,
    where: Sequence[str] = (),
    by: Sequence[str] = (),
    tune: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> list[Summary]:
    """A summary of each experiment below `runs`, or of the one named."""
    found = []
    for table in by_experiment(rows(runs, experiment, where)).values():
        completed(table, experiment)
        found.append(summarise(table, objective_of(table), by, tune, metrics))
    return found


def summarise(
    table: Sequence[Row],
    objective: Objective | None = None,
    by: Sequence[str] = (),
    tune: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> Summary:
    """Group by all varying parameters or those given; where some are tuned, keep the best value of each.

    Raises RequestError for parameters and metrics that no run has, and for tuning without an objective.
    """
    sound = [row for row in table if not row.fault]
    known = list(dict.fromkeys(key for row in sound for key in row.values))
    vary = varying(sound)
    checked(tune, known, "parameter")
    keys = [k for k in checked(by, known, "parameter") or vary if k not in tune]
    keys = by_code_too(sound, keys)
    groups = grouped(sound, keys)
    if tune:
        groups = [tuned(group, tune, needed(table, objective)) for group in groups]
    note_missing(groups)
    groups.sort(key=lambda g: (g.rank, g.score(objective), natural(tuple(g.keys.values()))))
    names = list(dict.fromkeys(name for group in groups for row in group.done for name in row.result))
    return Summary(
        table[0].folder.experiment if table else "",
        keys,
        list(tune),
        checked(metrics, names, "metric") or names,
        objective,
        groups,
        [k for k in vary if k not in (*keys, *tune) and any(within(group, k) for group in groups)],
        [row.fault for row in table if row.fault],
    )


def by_code_too(sound: Sequence[Row], keys: Sequence[str]) -> list[str]:
    """The keys, and the code where runs of one group were computed by several: never one mean of both."""
    if all(len(codes(group)) < 2 for group in grouped(sound, keys)):
        return list(keys)
    key = "code" if not any("code" in row.values for row in sound) else "code.hash"
    for row in sound:
        row.values = row.values | {key: row.code}
    return [*keys, key]


def codes(group: Group) -> set[str]:
    """What computed a group; a run that has not begun has no code yet."""
    return {row.code for row in group.runs if row.codes or row.state == "done"}


def needed(table: Sequence[Row], objective: Objective | None) -> Objective:
    if objective is None:
        name = table[0].folder.experiment if table else "this experiment"
        raise RequestError(
            f"{name} has no objective (or cannot be imported), so there is nothing to choose by: its Config "
            "needs objective = (metric, 'max' or 'min'), a validation metric"
        )
    return objective


def within(group: Group, key: str) -> bool:
    return len({cell(row, key) for row in group.runs}) > 1
