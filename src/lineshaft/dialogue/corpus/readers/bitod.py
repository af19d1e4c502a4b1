"""BiToD's event form (Lin et al. 2021), also written by X-RiSAWOZ's converter.

{"d1": {"Scenario": .., "Events": [{"Agent": "User", "Text": .., "Actions": [{"act", "domain"?, "slot",
"relation", "value": [..]}], "state": {domain: {slot: {"relation", "value": [..]}}}}, {"Agent": "Wizard", ..},
{"Agent": "KnowledgeBase", ..}]}}, or a list of such dialogues with `Dialogue_id`.
"""

from __future__ import annotations

from typing import Any

from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, State, Turn, Value
from lineshaft.dialogue.corpus.faults import Reading, RecordError


def recognises(data: Any) -> bool:
    records = data if isinstance(data, list) else list(data.values()) if isinstance(data, dict) else []
    return bool(records) and isinstance(records[0], dict) and "Events" in records[0]


def read(data: Any, reading: Reading, language: str = "und") -> None:
    """All dialogues of a file."""
    if isinstance(data, list):
        named = [(str(record.get("Dialogue_id", number)), record) for number, record in enumerate(data)]
    else:
        named = [(str(name), record) for name, record in data.items()]
    for number, (name, record) in enumerate(named, 1):
        try:
            reading.add(Dialogue(name, tuple(_turns(record["Events"])), language))
        except (RecordError, LookupError, TypeError, AttributeError, ValueError) as error:
            reading.fault(number, f"not in BiToD's form ({error!r})", name)


def _turns(events: list[dict[str, Any]]) -> list[Turn]:
    turns: list[Turn] = []
    acts: tuple[Act, ...] = ()
    said = None
    for event in events:
        if event["Agent"] == "User":
            turns.append(Turn(event["Text"], _state(event["state"]), acts, agent=said))
            acts, said = (), None
        elif event["Agent"] == "Wizard" and event.get("Text"):
            domain = str(event.get("active_intent", "general")).replace("_", " ")
            acts = tuple(_act(action, domain) for action in event["Actions"])
            said = event["Text"]
    if not turns:
        raise RecordError("no event by the user")
    return turns


def _state(found: dict[str, dict[str, Any]]) -> State:
    pairs = (
        (Slot(domain.replace("_", " "), name), value)
        for domain, slots in found.items()
        for name, value in slots.items()
    )
    return {
        key: Value(_names(value), value.get("relation", "equal_to")) for key, value in pairs if _names(value)
    }


def _act(action: dict[str, Any], domain: str) -> Act:
    names = _names(action)
    value = Value(names, action.get("relation") or "equal_to") if names else None
    return Act(str(action.get("domain") or domain), action["act"], action.get("slot") or None, value)


def _names(found: dict[str, Any]) -> tuple[str, ...]:
    values = found.get("value") or ()
    return tuple(
        str(value) for value in ([values] if isinstance(values, str) else values) if value != "#unknown"
    )
