"""Which runs `rm` would remove, what speaks against it, and removing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.store import remove
from lineshaft.engine.table.archive import Kept
from lineshaft.engine.table.family import Family, ids
from lineshaft.engine.table.listing import listing
from lineshaft.engine.table.pick import pick
from lineshaft.engine.table.read import read, rows, with_queue
from lineshaft.engine.table.row import Row

ACTIVE = ("running", "queued")


@dataclass(frozen=True)
class Removal:
    """A run, and the runs started from it that would stay."""

    row: Row
    orphans: list[str]


def to_remove(
    runs: Path,
    texts: Sequence[str] = (),
    states: Sequence[str] = (),
    where: Sequence[str] = (),
    experiment: str | None = None,
    stale: bool = False,
) -> list[Removal]:
    """The named runs, else those that meet all conditions; RequestError where there is no condition."""
    if bool(texts) == bool(states or where or experiment or stale):
        raise RequestError(
            "say which runs: their ids, or any of --state failed, --stale, --where key=value, "
            "--experiment NAME"
        )
    listed = [] if texts else listing(runs, experiment, states, where)
    chosen = named(runs, texts) + [line.row for line in listed if line.is_stale or not stale]
    refuse_active(chosen)
    family, going = Family(rows(runs)), {row.id for row in chosen}
    return [Removal(row, [c for c in ids(family.children(row)) if c not in going]) for row in chosen]


def named(runs: Path, texts: Sequence[str]) -> list[Row]:
    """The runs named. Folders outside --runs are refused, even if they look like a run."""
    found = {folder.dir: read(folder) or Row(folder, "new") for folder in (pick(runs, t) for t in texts)}
    for home in found:
        if home.parent.resolve().parent != runs.resolve():
            raise RequestError(f"{home} is not a run below {runs}: name its folder of runs with --runs")
    return list(with_queue(list(found.values())))


def refuse_active(chosen: Sequence[Row]) -> None:
    if kept := [row.folder for row in chosen if isinstance(row.folder, Kept)]:
        raise RequestError(
            f"{kept[0].id} is kept in {kept[0].file}: `lineshaft export --where ...` writes it without"
        )
    active = [row for row in chosen if row.state in ACTIVE]
    if active:
        raise RequestError(
            f"{active[0].id} is {active[0].state}"
            + (f", and so are {len(active) - 1} more" if len(active) > 1 else "")
            + ": stop running ones first (`lineshaft stop`), take queued ones out with scancel"
        )


def carry_out(found: Sequence[Removal]) -> None:
    """Remove them one by one; one that somebody started meanwhile is refused."""
    for each in found:
        if each.row.folder.state() in ACTIVE:
            refuse_active([Row(each.row.folder, "running")])
        remove(each.row.folder)
