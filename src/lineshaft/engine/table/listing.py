"""What `ls` says of each run: its state, its attempts, whether its code is stale, how far it is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.run.store import STATES
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.row import Row, executions
from lineshaft.engine.table.stale import is_stale

MARKS = ("diverged", "stale", "mixed")


@dataclass(frozen=True)
class Line:
    """One run. `note` is the progress of a running one, the last line of a failed one's error, or a fault."""

    row: Row
    attempts: int
    is_stale: bool
    start: str | None
    end: str | None
    note: str

    @property
    def marks(self) -> list[str]:
        return [m for m, holds in zip(MARKS, (self.row.diverged, self.is_stale, self.is_mixed)) if holds]

    @property
    def is_mixed(self) -> bool:
        """Whether it was resumed under other code than it began with."""
        return len(self.row.codes) > 1

    @property
    def seconds(self) -> float | None:
        """Age: since its end, or since its start where it has not ended."""
        stamp = self.end or self.start
        return (datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds() if stamp else None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.row.id,
            "experiment": self.row.folder.experiment,
            "name": self.row.folder.name,
            "state": self.row.state,
            "diverged": self.row.diverged,
            "stale": self.is_stale,
            "mixed": self.is_mixed,
            "attempts": self.attempts,
            "start": self.start,
            "end": self.end,
            "note": self.note,
        }


def listing(
    runs: Path, experiment: str | None = None, states: Sequence[str] = (), where: Sequence[str] = ()
) -> list[Line]:
    """The runs in any of the states (marks count as states), in the order of names."""
    for state in states:
        if state not in (*STATES, *MARKS):
            raise RequestError(f"no state {state[:40]}{nearest(state, (*STATES, *MARKS))}")
    lines = map(line, rows(runs, experiment, where))
    return [each for each in lines if not states or {each.row.state, *each.marks} & set(states)]


def line(row: Row) -> Line:
    entries = executions(row.folder)
    last = entries[-1] if entries else {}
    return Line(
        row,
        len(entries),
        row.state == "done" and is_stale(row.description),
        stamp(last.get("start")),
        stamp(last.get("end")),
        row.fault or note(row),
    )


def stamp(text: Any) -> str | None:
    """A time as provenance holds it, None for anything else."""
    try:
        return str(text) if datetime.fromisoformat(text).tzinfo else None
    except (TypeError, ValueError):
        return None


def note(row: Row) -> str:
    """How far a running one is, why a failed one failed."""
    if row.state == "running":
        return progress(row.folder.dir / "progress.json")
    if row.state != "failed":
        return ""
    try:
        return row.folder.error().strip().rpartition("\n")[2][:200]
    except OSError as error:
        return str(error)


def progress(file: Path) -> str:
    try:
        return str(json.loads(file.read_bytes())["text"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""
