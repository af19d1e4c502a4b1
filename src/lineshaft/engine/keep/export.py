"""Finished runs kept as one small file an experiment, to be committed beside the figures quoted from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.store import Folder
from lineshaft.engine.table import archive
from lineshaft.engine.table.completion import by_experiment
from lineshaft.engine.table.read import rows


@dataclass(frozen=True)
class Exported:
    """One file that was written: how many runs it keeps, and how many were left out as not done."""

    file: Path
    runs: int
    left_out: int
    arrays: list[str]
    arrays_left_out: list[str]


def export(
    runs: Path,
    out: Path,
    experiment: str | None = None,
    where: Sequence[str] = (),
    arrays: Sequence[str] = (),
    add: bool = False,
) -> list[Exported]:
    """Keep the done runs that meet all conditions, a file an experiment; with `add` beside those kept there.

    `arrays` are patterns of names: `accuracy/*`. Nothing is written where no run is done.
    """
    tables = by_experiment(rows(runs, experiment, where))
    found = {
        name: [row for row in table if row.state == "done" and not row.fault]
        for name, table in tables.items()
    }
    if not any(found.values()):
        raise RequestError(
            f"none of the {sum(map(len, tables.values()))} runs asked for below {runs} is done"
        )
    out.mkdir(parents=True, exist_ok=True)
    return [
        written(out / f"{name}{archive.SUFFIX}", [row.folder for row in done], arrays, add, len(tables[name]))
        for name, done in found.items()
        if done
    ]


def written(file: Path, done: Sequence[Folder], arrays: Sequence[str], add: bool, asked: int) -> Exported:
    """Write one file; a run that is there already is replaced by its newer self."""
    names = {folder.name for folder in done}
    before = archive.read(file) if add and file.exists() else []
    every = [*done, *(folder for folder in before if folder.name not in names)]
    archive.write(file, every, arrays)
    there = {name for folder in every for name in folder.arrays()}
    kept = {name for folder in archive.read(file) for name in folder.arrays()}
    return Exported(file, len(every), asked - len(done), sorted(kept), sorted(there - kept))
