"""A reviewer's decisions as lines that can be applied again.

    {"dialogue": "d1", "turn": 3, "action": "edit", "was": {"hotel": {"area": "north"}},
     "state": {"hotel": {"area": "south"}}}

`accept` makes the annotation gold, `edit` puts `state` in its place, `reject` takes it away, so that the turn
is unlabelled. Applying a patch twice changes nothing more. `was` is the annotation that the reviewer saw: if
another one stands there now, accepting and rejecting it is refused and named, while an edit, which says what
is right, still holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lineshaft.dialogue.corpus.dialogue import Dialogue, Turn
from lineshaft.dialogue.corpus.faults import RecordError
from lineshaft.dialogue.corpus.record import read_state, state_record
from lineshaft.engine import RequestError
from lineshaft.engine.errors import nearest

ACTIONS = ("accept", "edit", "reject")


@dataclass(frozen=True)
class Decision:
    """What a reviewer said of one turn."""

    dialogue: str
    turn: int
    action: str
    was: Any = None
    state: Any = None


def read_patch(path: Path) -> list[Decision]:
    """The decisions of a file; a line that is none is an error that names it."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path} cannot be read: {error}") from error
    return [_decision(f"{path.name}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()]


def _decision(where: str, line: str) -> Decision:
    try:
        found = Decision(**json.loads(line))
        if found.action not in ACTIONS:
            raise RecordError(f"unknown action {found.action!r}{nearest(str(found.action), ACTIONS)}")
        if found.action == "edit":
            read_state(found.state if found.state is not None else [], found.turn)
    except (TypeError, ValueError) as error:
        raise RequestError(f"{where}: no decision: {error}") from error
    return found


def applied(dialogues: Sequence[Dialogue], decisions: Iterable[Decision]) -> tuple[list[Dialogue], list[str]]:
    """The dialogues after a review, and decisions that do not fit them."""
    turns = {dialogue.id: list(dialogue.turns) for dialogue in dialogues}
    unfit = []
    for each in decisions:
        there = turns.get(each.dialogue)
        if there is None or not 0 <= each.turn < len(there):
            unfit.append(f"{each.dialogue} turn {each.turn}: there is no such turn")
        elif each.action != "edit" and not _fits(there[each.turn], each):
            unfit.append(
                f"{each.dialogue} turn {each.turn}: the annotation is another one now; review it again"
            )
        else:
            there[each.turn] = _after(there[each.turn], each)
    return [replace(dialogue, turns=tuple(turns[dialogue.id])) for dialogue in dialogues], unfit


def _fits(turn: Turn, decision: Decision) -> bool:
    """Whether the turn is as the reviewer saw it, or as this decision leaves it."""
    if turn.state is None:
        return decision.action == "reject"
    return decision.was is None or state_record(turn.state) == decision.was


def _after(turn: Turn, decision: Decision) -> Turn:
    if decision.action == "reject":
        return replace(turn, state=None, provenance="gold", score=None, confidence={})
    state = turn.state if decision.action == "accept" else read_state(decision.state, decision.turn)
    return replace(turn, state=state, provenance="gold", score=None, confidence={})
