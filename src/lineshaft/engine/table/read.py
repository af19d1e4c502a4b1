"""Reading runs: every folder below one place, and every file of kept runs beside them, as rows.

Reads stored files alone, so that runs can be listed and summarised where their experiment cannot be imported.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.run.description import description
from lineshaft.engine.run.queue import queued
from lineshaft.engine.run.store import Folder, folders
from lineshaft.engine.spec.names import name_of
from lineshaft.engine.table.archive import kept
from lineshaft.engine.table.completion import by_experiment, completed
from lineshaft.engine.table.row import UNREADABLE, Row, fault_of
from lineshaft.engine.table.where import Condition, parsed


def rows(runs: Path, experiment: str | None = None, where: Sequence[str] = ()) -> list[Row]:
    """Every run below `runs` that meets all conditions, by name; those that cannot be read have a fault."""
    conditions = [parsed(word) for word in where]
    asked, experiment = experiment, experiment and name_of(experiment)
    found = [row for folder in everything(runs, experiment) if (row := read(folder)) is not None]
    if experiment is not None and not found:
        raise RequestError(
            f"no runs of {experiment[:80]} below {runs}{nearest(experiment, experiments(runs))}"
        )
    fill_in(conditions, found, asked)
    check_keys(conditions, found)
    return [row for row in with_queue(found) if meets(row, conditions)]


def everything(runs: Path, experiment: str | None = None) -> Iterator[Folder]:
    """The runs that have a folder, then those that a file keeps and that have none, each by name."""
    known = set()
    for folder in folders(runs, experiment):
        known.add(folder.id)
        yield folder
    yield from (each for each in kept(runs, experiment) if each.id not in known)


def experiments(runs: Path) -> list[str]:
    """The names of the experiments that have runs."""
    return list(dict.fromkeys(folder.experiment for folder in everything(runs)))


def read(folder: Folder) -> Row | None:
    """A row from files; None for a folder that is not a run, or not yet."""
    try:
        names = folder.names()
        if "config.json" not in names:
            return None
        row = Row(folder, folder.state_of(names))
        row.description = description(folder) if "run.json" in names else {}
        row.config = folder.config()
        row.flatten(row.config)
        row.result = folder.result() if row.state == "done" else {}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UNREADABLE as error:
        return Row(
            folder, folder.state() if readable(folder.dir) else "failed", fault=fault_of(folder, error)
        )
    return row


def readable(directory: Path) -> bool:
    return os.access(directory, os.R_OK | os.X_OK)


def fill_in(conditions: Sequence[Condition], found: Sequence[Row], asked: str | None) -> None:
    """Complete the runs that lack what a condition asks for: they may be from before it was a parameter."""
    keys = {condition.key for condition in conditions}
    for table in by_experiment(found).values() if keys else ():
        if any(not keys <= row.values.keys() for row in table):
            completed(table, asked)


def check_keys(conditions: Iterable[Condition], found: Sequence[Row]) -> None:
    """A condition on a parameter that no run has is a slip of the pen."""
    known = {key for row in found for key in row.values}
    for condition in conditions:
        if found and condition.key not in known:
            raise RequestError(f"no run has a parameter {condition.key[:80]}{nearest(condition.key, known)}")


def meets(row: Row, conditions: Sequence[Condition]) -> bool:
    """Keep an unreadable run where no condition was given, so that it is reported."""
    return not conditions or (not row.fault and all(c.holds(row.values) for c in conditions))


def with_queue(found: Sequence[Row]) -> Sequence[Row]:
    """Runs that Slurm has yet to start or end become queued; it is asked only where a run was given to it."""
    given = [r for r in found if r.state in ("new", "paused", "failed") and has_ticket(r.folder)]
    if given:
        waiting = queued([row.folder for row in given])
        for row in given:
            row.state = "queued" if row.id in waiting else row.state
    return found


def has_ticket(folder: Folder) -> bool:
    return os.access(folder.dir / "job.json", os.F_OK)
