"""What runs take on the disk, and which checkpoints of finished runs can go."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.store import Folder
from lineshaft.engine.table.completion import by_experiment
from lineshaft.engine.table.family import Family
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.row import Row

KEPT = {
    "best": (("best.pt", "best.json"), ("last.pt",), ("previous.pt",)),
    "last": (("last.pt",), ("previous.pt",), ("best.pt", "best.json")),
    "none": ((),),
}
"""What to keep -> files in the order of preference: the first that exist stay."""


@dataclass(frozen=True)
class Usage:
    """Bytes on the disk of one experiment's runs, and how much of it is checkpoints."""

    experiment: str
    runs: int
    total: int
    checkpoints: int


@dataclass(frozen=True)
class Pruning:
    """Checkpoint files of one done run that would go, and the bytes that this frees."""

    row: Row
    files: list[Path]
    freed: int


def usage(table: Sequence[Row]) -> list[Usage]:
    """One line an experiment, the largest first."""
    lines = [
        Usage(
            name,
            len(group),
            sum(size(files_below(row.folder.dir)) for row in group),
            sum(size(files_below(row.folder.dir / "checkpoints")) for row in group),
        )
        for name, group in by_experiment(table).items()
    ]
    return sorted(lines, key=lambda line: -line.total)


def files_below(directory: Path) -> Iterator[Path]:
    for home, _, names in os.walk(directory):
        yield from (Path(home, name) for name in names)


def size(files: Iterator[Path] | Sequence[Path]) -> int:
    """Bytes on the disk; several names of one file (last and best are often one) count once."""
    blocks: dict[tuple[int, int], int] = {}
    for file in files:
        try:
            status = file.lstat()
        except OSError:
            continue
        blocks[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(blocks.values())


def prunings(
    runs: Path, keep: str, experiment: str | None = None, where: Sequence[str] = ()
) -> list[Pruning]:
    """The checkpoints of done runs that are not kept, less those that a child has still to start from."""
    if keep not in KEPT:
        raise RequestError(f"--prune {keep[:40]} is not one of {', '.join(KEPT)}")
    family = Family(rows(runs))
    done = [row for row in rows(runs, experiment, where) if row.state == "done" and not row.fault]
    free = [row for row in done if all(child.state == "done" for child in family.children(row))]
    return [pruning for row in free if (pruning := pruned(row, keep)).files]


def pruned(row: Row, keep: str) -> Pruning:
    home = row.folder.dir / "checkpoints"
    there = {file.name: file for file in files_below(home)}
    kept = next((names for names in KEPT[keep] if not names or names[0] in there), ())
    going = [file for name, file in there.items() if name not in kept]
    staying = [file for name, file in there.items() if name in kept]
    return Pruning(row, going, size([*going, *staying]) - size(staying))


def apply(found: Sequence[Pruning]) -> None:
    """Remove the files of runs that are still done."""
    for each in found:
        if Folder(each.row.folder.dir).state() == "done":
            for file in each.files:
                file.unlink(missing_ok=True)
