"""What is wrong with the records of a corpus: named one by one, fatal for the record alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.engine import RequestError

SHOWN = 5


@dataclass(frozen=True)
class Fault:
    """One finding: where it is, what it is; `dropped` says that the record was left out."""

    file: str
    line: int
    cause: str
    dialogue: str = ""
    turn: int | None = None
    dropped: bool = True

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" + (f" ({self.dialogue})" if self.dialogue else "")
        return f"{where}: {self.cause}" + ("; left out" if self.dropped else "")

    def record(self) -> dict[str, object]:
        return asdict(self)


class RecordError(ValueError):
    """A record that cannot be used; its message is the cause of a `Fault`."""


@dataclass
class Reading:
    """Dialogues of a file and what was wrong in it."""

    path: Path
    dialogues: list[Dialogue] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(self, dialogue: Dialogue) -> None:
        """One more dialogue; its name must be new."""
        if dialogue.id in self.names:
            raise RecordError("a dialogue of this name was read before")
        self.names.add(dialogue.id)
        self.dialogues.append(dialogue)

    def fault(
        self, line: int, cause: str, dialogue: str = "", turn: int | None = None, dropped: bool = True
    ) -> None:
        """Note what is wrong with a record; line 0 stands for the whole file."""
        self.faults.append(Fault(self.path.name, line, cause, dialogue, turn, dropped))

    def needed(self) -> list[Dialogue]:
        """The dialogues; a file of which nothing is usable is an error."""
        if not self.dialogues:
            first = f": {self.faults[0]}" if self.faults else " (it is empty)"
            raise RequestError(f"{self.path} holds no usable dialogue{first}. The format: docs/dialogue.md")
        return self.dialogues


def summary(readings: Sequence[Reading]) -> str:
    """Lines for the log: how many dialogues, how many findings, the first few."""
    lines = []
    for reading in readings:
        turns = sum(len(dialogue.turns) for dialogue in reading.dialogues)
        lines.append(
            f"{reading.path.name}: {len(reading.dialogues)} dialogues, {turns} turns, "
            f"{len(reading.faults)} findings"
        )
        lines += [f"  {fault}" for fault in reading.faults[:SHOWN]]
        if len(reading.faults) > SHOWN:
            lines.append(f"  and {len(reading.faults) - SHOWN} more, all in faults.jsonl")
    return "\n".join(lines)
