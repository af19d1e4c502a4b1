"""New names for old runs: after a default changed, a run's stored configuration spells another name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.description import FILE
from lineshaft.engine.run.store import write_json
from lineshaft.engine.spec.experiment import Experiment, find
from lineshaft.engine.spec.names import name, placeless
from lineshaft.engine.spec.spelling import words
from lineshaft.engine.spec.words import validated
from lineshaft.engine.table.archive import Kept
from lineshaft.engine.table.completion import address, by_experiment
from lineshaft.engine.table.family import needed_by
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.row import Row, executions


@dataclass(frozen=True)
class Move:
    """A run with the name and the words that its configuration has now; `obstacle` says why it must stay."""

    row: Row
    name: str
    obstacle: str = ""
    words: tuple[str, ...] = ()

    @property
    def target(self) -> Path:
        return self.row.folder.dir.with_name(self.name)


def moves(runs: Path, experiment: str | None = None) -> list[Move]:
    """What renaming would do, in an order in which every target is free when its turn comes."""
    tables = by_experiment(rows(runs, experiment))
    return [move for table in tables.values() for move in of_experiment(table, experiment)]


def of_experiment(table: Sequence[Row], asked: str | None) -> list[Move]:
    try:
        found = find(address(table, asked))
    except (RequestError, ImportError) as error:
        return [Move(table[0], table[0].folder.name, f"{table[0].folder.experiment}: {error}")]
    wanted = [move for row in table if (move := wish(row, found))]
    return ordered(wanted)


def wish(row: Row, experiment: Experiment) -> Move | None:
    """None where the name is right, or belongs to another version of the code."""
    if row.fault:
        return Move(row, row.folder.name, row.fault)
    if row.version != experiment.config.version:
        return None
    try:
        config = validated(experiment.config, row.config)
    except RequestError as error:
        return Move(row, row.folder.name, f"its configuration is no longer valid: {error}")
    now, new = name(config), tuple(words(placeless(config)))
    if now == row.folder.name:
        return None
    if isinstance(row.folder, Kept):
        return Move(row, now, f"{row.folder.file} keeps it: compute and export it again")
    return Move(row, now, f"it is {row.state}" if row.state in ("running", "queued") else "", new)


def ordered(wanted: Sequence[Move]) -> list[Move]:
    """Each move after the one that frees its target; those that collide come last, with the obstacle."""
    claims = Counter(move.name for move in wanted if not move.obstacle)
    stuck = [blocked(m, "several runs would have it") if claims[m.name] > 1 else m for m in wanted]
    waiting = [m for m in stuck if not m.obstacle]
    going: list[Move] = []
    left: set[str] = set()
    while ready := [m for m in waiting if m.name in left or not m.target.exists()]:
        going += ready
        left |= {m.row.folder.name for m in ready}
        waiting = [m for m in waiting if m not in ready]
    return [*going, *(blocked(m, "another run has it") for m in waiting), *(m for m in stuck if m.obstacle)]


def blocked(move: Move, why: str) -> Move:
    return replace(move, obstacle=move.obstacle or why)


def apply(runs: Path, planned: Sequence[Move]) -> None:
    """Rename in the order planned, then tell the runs that needed them; nothing in a run is lost."""
    renamed = {}
    for move in planned:
        if not move.obstacle:
            if move.target.exists():
                raise RequestError(f"{move.target} appeared meanwhile; give the same command again")
            move.row.folder.dir.rename(move.target)
            if move.row.description:
                write_json(move.target / FILE, move.row.description | {"words": list(move.words)})
            renamed[move.row.id] = f"{move.row.folder.experiment}/{move.name}"
    if renamed:
        tell_children(runs, renamed)


def tell_children(runs: Path, renamed: Mapping[str, str]) -> None:
    """Provenance names the runs that a run needed; it follows them."""
    for row in (row for row in rows(runs) if row.state != "running" and not isinstance(row.folder, Kept)):
        entries = executions(row.folder)
        named = set(needed_by(row))
        if named & renamed.keys():
            for entry in entries:
                entry["parents"] = [renamed.get(str(p), p) for p in entry.get("parents") or []]
            write_json(row.folder.dir / "provenance.json", entries)
