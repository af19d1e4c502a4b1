"""Many runs as one table: a row a run, its configuration flattened with dots, its final metrics.

Reads stored files alone, so that runs can be listed and summarised where their experiment cannot be imported.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.run.store import Folder, folders, told
from lineshaft.engine.spec.names import name_of, version_of
from lineshaft.engine.table.completion import completed
from lineshaft.engine.table.where import Condition, parsed

if TYPE_CHECKING:
    import numpy as np

UNREADABLE = (RequestError, OSError, ValueError, TypeError, AttributeError, RecursionError)


@dataclass(slots=True)
class Row:
    """One run: what its config.json holds, the same flattened, the final metrics, what is unreadable."""

    folder: Folder
    state: str
    config: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    result: dict[str, float] = field(default_factory=dict)
    fault: str = ""

    @property
    def id(self) -> str:
        return self.folder.id

    @property
    def diverged(self) -> bool:
        """Done, with a final metric that is no finite number."""
        return not all(map(math.isfinite, self.result.values()))

    def flatten(self, config: dict[str, Any]) -> None:
        """Take these values, nested ones under names with dots; the version of the code is one of them."""
        self.values = {**flattened(config), "version": version_of(self.folder.name)}

    def executions(self) -> list[dict[str, Any]]:
        """Provenance, one entry an execution, oldest first; empty where it cannot be read."""
        return executions(self.folder)

    def last(self) -> dict[str, Any]:
        """The provenance of its last execution, empty where there is none or it cannot be read."""
        entries = self.executions()
        return entries[-1] if entries else {}

    def array(self, name: str) -> "np.ndarray[Any, Any]":
        """An array that the run saved: values of single items, for paired comparisons and figures."""
        return self.folder.array(name)


def rows(runs: Path, experiment: str | None = None, where: Sequence[str] = ()) -> list[Row]:
    """Every run below `runs` that meets all conditions, by name; those that cannot be read have a fault."""
    conditions = [parsed(word) for word in where]
    asked, experiment = experiment, experiment and name_of(experiment)
    found = [row for folder in folders(runs, experiment) if (row := read(folder)) is not None]
    if experiment is not None and not found:
        raise RequestError(
            f"no runs of {experiment[:80]} below {runs}{nearest(experiment, experiments(runs))}"
        )
    fill_in(conditions, found, asked)
    check_keys(conditions, found)
    return [row for row in with_queue(found) if meets(row, conditions)]


def by_experiment(table: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table:
        found.setdefault(row.folder.experiment, []).append(row)
    return found


def experiments(runs: Path) -> list[str]:
    """The names of the experiments that have a folder."""
    return list(dict.fromkeys(folder.experiment for folder in folders(runs)))


def read(folder: Folder) -> Row | None:
    """A row from files; None for a folder that is no run, or not yet one."""
    try:
        names = set(os.listdir(folder.dir))
        if "config.json" not in names:
            return None
        row = Row(folder, told(folder.dir, names))
        row.config = folder.config()
        row.flatten(row.config)
        row.result = folder.result() if row.state == "done" else {}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UNREADABLE as error:
        return Row(folder, folder.state() if readable(folder.dir) else "failed", fault=said(folder, error))
    return row


def readable(directory: Path) -> bool:
    return os.access(directory, os.R_OK | os.X_OK)


def said(folder: Folder, error: Exception) -> str:
    """A fault in one line that names the file."""
    return str(error) if isinstance(error, RequestError) else f"{folder.dir}: {error or type(error).__name__}"


def executions(folder: Folder) -> list[dict[str, Any]]:
    try:
        return [entry for entry in folder.provenance() if isinstance(entry, dict)]
    except UNREADABLE:
        return []


def flattened(config: dict[str, Any]) -> dict[str, Any]:
    """`{"method": {"name": "der", "alpha": 1}}` -> `{"method": "der", "method.alpha": 1}`.

    Several variants are joined as on the command line: `method` is `si+der`, then `method.der.alpha`.
    A parent is named by its experiment, its version and parameters follow as `parent.lr`.
    """
    return dict(pairs("", config))


def pairs(prefix: str, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        path = f"{prefix}{key}"
        if key == "parent" and isinstance(value, dict) and isinstance(value.get("config"), dict):
            yield path, name_of(str(value.get("experiment")))
            yield f"{path}.version", value.get("version", 1)
            yield from pairs(f"{path}.", value["config"])
        elif isinstance(value, dict):
            yield from part(path, value)
        elif isinstance(value, list) and value and all(is_variant(v) for v in value):
            yield path, "+".join(v["name"] for v in value)
            for v in value:
                yield from pairs(f"{path}.{v['name']}.", without_name(v))
        else:
            yield path, value


def part(path: str, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if is_variant(value):
        yield path, value["name"]
        value = without_name(value)
    yield from pairs(f"{path}.", value)


def is_variant(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def without_name(value: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in value.items() if k != "name"}


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
    """An unreadable run is kept where nothing is asked of it, so that it is told about."""
    return not conditions or (not row.fault and all(c.holds(row.values) for c in conditions))


def with_queue(found: Sequence[Row]) -> Sequence[Row]:
    """Runs that Slurm has yet to start or end become queued; it is asked only where a run was given to it."""
    given = [r for r in found if r.state in ("new", "paused", "failed") and has_ticket(r.folder)]
    if given:
        from lineshaft.engine.launch.slurm.submission import queued

        waiting = queued([row.folder for row in given])
        for row in given:
            row.state = "queued" if row.id in waiting else row.state
    return found


def has_ticket(folder: Folder) -> bool:
    return os.access(folder.dir / "job.json", os.F_OK)


def text_of(value: Any) -> str:
    """A value as a person writes it in a word."""
    if value is None:
        return "none"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
