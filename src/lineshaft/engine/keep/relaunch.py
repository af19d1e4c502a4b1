"""The best checkpoints of finished runs started again: with other parameters, or as another experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lineshaft.engine.errors import RequestError, counted
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.config import Config, Parent
from lineshaft.engine.spec.experiment import Experiment, find
from lineshaft.engine.spec.grid import grid, grid_over, split
from lineshaft.engine.spec.names import name
from lineshaft.engine.spec.words import validated
from lineshaft.engine.table.columns import varying
from lineshaft.engine.table.completion import address, completed
from lineshaft.engine.table.grouping import Group
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.summary import summarise
from lineshaft.engine.table.tuning import spelled
from lineshaft.engine.table.where import parsed

CHECKPOINTS = ("best.pt", "last.pt", "previous.pt")


@dataclass(frozen=True)
class Choice:
    """The runs to start from, their experiment and that of the new ones, and what a person should know."""

    origin: Experiment
    target: Experiment
    parents: list[Row]
    notes: list[str]


def choose(
    runs: Path,
    experiment: str | None,
    where: Sequence[str],
    tune: Sequence[str],
    best: bool,
    to: str | None = None,
) -> Choice:
    """All seeds of the rows of a summary: of the best one, or with `tune` of the best of each group.

    Without either, every run that meets the conditions.
    """
    table = rows(runs, experiment, where)
    names = list(dict.fromkeys(row.folder.experiment for row in table))
    if len(names) != 1:
        raise RequestError(
            f"name one experiment: {', '.join(names[:20])}" if names else f"no runs below {runs}"
        )
    origin = find(address(table, experiment))
    target = find(to) if to else origin
    table, notes = of_version_now(table, origin)
    if target.name == origin.name and not any(on_parent(word) for word in where):
        table, more = not_relaunched(table, origin)
        notes += more
    completed(table, experiment)
    if best and not tune:
        tune = varying([row for row in table if not row.fault])
    summary = summarise(table, origin.config.objective, tune=tune)
    parents = [row for group in summary.groups for row in group.done if not row.diverged]
    if not parents:
        raise RequestError(f"of {counted(len(table), 'run')} of {names[0]} none is done and finite")
    return Choice(
        origin, target, parents, [*notes, *(note for group in summary.groups for note in remarks(group))]
    )


def of_version_now(table: Sequence[Row], origin: Experiment) -> tuple[list[Row], list[str]]:
    """The runs of the current version; those of another version mean something else."""
    now = origin.config.version
    kept = [row for row in table if row.version == now]
    if not kept:
        raise RequestError(f"no run of {origin.name} was computed by version {now}, as its code is now")
    left = len(table) - len(kept)
    return kept, [f"{counted(left, 'run')} of another version than {now} left out"] if left else []


def not_relaunched(table: Sequence[Row], origin: Experiment) -> tuple[list[Row], list[str]]:
    """Leave out the runs that the same command made before."""
    kept = [row for row in table if row.values.get("parent") != origin.name]
    if not kept:
        raise RequestError(
            f"all of these runs were relaunched; --where parent={origin.name} goes on from them"
        )
    left = len(table) - len(kept)
    return kept, [
        f"{counted(left, 'relaunched run')} left out; --where parent={origin.name} takes them"
    ] if left else []


def on_parent(condition: str) -> bool:
    return parsed(condition).key.partition(".")[0] == "parent"


def remarks(group: Group) -> list[str]:
    """What was chosen at the edge of a grid, and which of its seeds are left out."""
    label = spelled({**group.keys, **group.tuned}) or "the only row"
    found = [f"{label}: {key} is the least or greatest value tried" for key in group.edges]
    if left := len(group.runs) - sum(not row.diverged for row in group.done):
        found.append(
            f"{label}: {left} of {counted(len(group.runs), 'seed')} left out ({', '.join(group.faults())})"
        )
    return found


def children(choice: Choice, words: Sequence[str]) -> list[tuple[str, Config]]:
    """The configurations to launch, each with its parent.

    In the same experiment they keep the parent's values, in another one its seed alone.
    """
    cells = [c for row in choice.parents for c in offspring(row, choice.origin, choice.target, words)]
    return [(choice.target.address, cell) for cell in cells]


def offspring(row: Row, origin: Experiment, target: Experiment, words: Sequence[str]) -> list[Config]:
    """The cells of the words around one parent."""
    config = checked(row, origin)
    parent = Parent(experiment=origin.address, version=config.version, config=row.config)
    if target.name == origin.name:
        cells = grid_over(config, words)
    else:
        is_seeded = any(split(word)[0] == "seed" for word in words)
        cells = grid(target.config, words if is_seeded else [*words, f"seed={config.seed}"])
    return [cell.model_copy(update={"parent": parent}) for cell in cells]


def checked(row: Row, origin: Experiment) -> Config:
    """The parent's configuration; refused where its folder would not be found, or holds no checkpoint."""
    config = validated(origin.config, row.config)
    if name(config) != row.folder.name:
        raise RequestError(
            f"{row.id} would now be called {name(config)}: a default changed since; "
            "`lineshaft rename` gives it its new name"
        )
    if not has_checkpoint(row.folder):
        raise RequestError(
            f"{row.id} kept no checkpoint to start from: its experiment must call run.checkpoint, "
            "and `lineshaft du --prune none` must not have removed it"
        )
    return config


def has_checkpoint(folder: Folder) -> bool:
    return any((folder.dir / "checkpoints" / each).exists() for each in CHECKPOINTS)
