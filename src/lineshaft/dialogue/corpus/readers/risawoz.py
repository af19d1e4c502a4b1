"""The original form of RiSAWOZ and X-RiSAWOZ: utterances with spans, belief states, acts, alignments."""

from __future__ import annotations

from typing import Any

from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, Turn, Value
from lineshaft.dialogue.corpus.faults import Reading, RecordError


def recognises(data: Any) -> bool:
    first = data[0] if isinstance(data, list) and data else None
    return isinstance(first, dict) and isinstance(first.get("dialogue"), list) and "dialogue_id" in first


def read(data: Any, reading: Reading, language: str = "und") -> None:
    """All dialogues; the agent's acts of a turn are those of the one before, as seen by the user."""
    for number, record in enumerate(data, 1):
        name = str(record.get("dialogue_id", ""))
        try:
            reading.add(_dialogue(name, record["dialogue"], language))
        except (RecordError, LookupError, TypeError, AttributeError, ValueError) as error:
            reading.fault(number, _cause(error), name)


def _dialogue(name: str, turns: list[dict[str, Any]], language: str) -> Dialogue:
    numbers = [turn["turn_id"] for turn in turns]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise RecordError(f"turns are missing or out of order: {numbers[:12]}")
    found: list[Turn] = []
    acts: tuple[Act, ...] = ()
    said = None
    for turn in turns:
        values = turn["belief_state"]["inform slot-values"]
        state = {slot(*key.split("-", 1)): Value((value,)) for key, value in values.items() if value}
        aligned = {
            key: value[0] if isinstance(value, list) else value
            for key, value in turn.get("alignment", {}).items()
        }
        found.append(Turn(_text(turn["user_utterance"]), state, acts, agent=said, alignment=aligned))
        acts = tuple(_act(act) for act in turn["system_actions"])
        said = _text(turn["system_utterance"])
    return Dialogue(name, tuple(found), language)


def slot(domain: str, name: str) -> Slot:
    return Slot(domain.lower(), name.lower().replace(" ", "_"))


def _text(utterance: Any) -> str:
    return str(utterance[0] if isinstance(utterance, list) else utterance)


def _act(act: list[str]) -> Act:
    name, domain, key, value = act
    known = slot(domain, key)
    if not key:
        return Act(known.domain, name.lower())
    return Act(known.domain, name.lower(), known.name, Value((value,)) if value else None)


def _cause(error: Exception) -> str:
    return f"missing {error}" if isinstance(error, LookupError) else str(error)
