"""WOZ 2.0 (Mrksic et al., ACL 2017): restaurants, a list of beliefs and of agent acts a turn."""

from __future__ import annotations

from typing import Any

from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, State, Turn, Value
from lineshaft.dialogue.corpus.faults import Reading, RecordError

DOMAIN = "restaurant"


def recognises(data: Any) -> bool:
    first = data[0] if isinstance(data, list) and data else None
    return isinstance(first, dict) and "dialogue_idx" in first


def read(data: Any, reading: Reading, language: str = "und") -> None:
    """All dialogues of a published file."""
    for number, record in enumerate(data, 1):
        name = str(record.get("dialogue_idx", ""))
        try:
            reading.add(Dialogue(name, tuple(_turn(turn) for turn in record["dialogue"]), language))
        except (RecordError, LookupError, TypeError, AttributeError, ValueError) as error:
            reading.fault(number, f"not in the form of WOZ 2.0 ({error!r})", name)


def slot(name: str) -> Slot:
    return Slot(DOMAIN, name.replace(" ", "_"))


def _turn(turn: dict[str, Any]) -> Turn:
    acts = tuple(_act(act) for act in turn["system_acts"])
    return Turn(turn["transcript"], _state(turn["belief_state"]), acts, agent=turn.get("system_transcript"))


def _state(beliefs: list[dict[str, Any]]) -> State:
    informed = (pair for belief in beliefs if belief["act"] == "inform" for pair in belief["slots"])
    return {slot(name): Value((value,)) for name, value in informed}


def _act(act: str | list[str]) -> Act:
    """The files write a request as a name and a confirmation as a pair."""
    if isinstance(act, str):
        return Act(DOMAIN, "request", slot(act).name)
    return Act(DOMAIN, "confirm", slot(act[0]).name, Value((act[1],)))
