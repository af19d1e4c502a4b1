"""ConvLab-2's forms of CrossWOZ (`messages`) and MultiWOZ (`log`), in English or Chinese.

CrossWOZ keeps the state that the agent searches with before its answer (`sys_state_init`); MultiWOZ the
state after a user turn with the agent's answer (`metadata`, "semi" and "book"). Several values of a slot are
written with `|`, `>` or the word "or".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, State, Turn, Value
from lineshaft.dialogue.corpus.faults import Reading, RecordError
from lineshaft.dialogue.corpus.ontology import ABSENT
from lineshaft.dialogue.corpus.text import plain

SEVERAL = re.compile(r"\s*[|>]\s*")
NO_SLOTS = frozenset(("selectedResults", "booked", "ticket"))
NAMED = {
    "price": "pricerange",
    "dest": "destination",
    "depart": "departure",
    "leave": "leaveat",
    "arrive": "arriveby",
    "价格": "价格范围",
}
"""Slots whose names in MultiWOZ's acts differ from those of its states."""


def recognises(data: Any) -> bool:
    first = next(iter(data.values()), None) if isinstance(data, dict) else None
    return isinstance(first, dict) and ("messages" in first or "log" in first)


def read(data: Any, reading: Reading, language: str = "und") -> None:
    """All dialogues of a published file."""
    for number, (name, record) in enumerate(data.items(), 1):
        try:
            turns = _crosswoz(record["messages"]) if "messages" in record else _multiwoz(record["log"])
            reading.add(Dialogue(name, tuple(turns), language))
        except (RecordError, LookupError, TypeError, AttributeError, ValueError) as error:
            reading.fault(number, f"not in ConvLab-2's form ({error!r})", name)


def slot(domain: str, name: str) -> Slot:
    """Names without spaces, so that they can stand in a line."""
    return Slot(domain.strip().lower().replace(" ", "_"), name.strip().lower().replace(" ", "_"))


def _crosswoz(messages: list[dict[str, Any]]) -> Iterator[Turn]:
    acts: tuple[Act, ...] = ()
    said = None
    for user, agent in _paired(messages, lambda message: message["role"] == "usr"):
        found = agent.get("sys_state_init", {}) if agent else {}
        yield Turn(user["content"], _state(_pairs(found)), acts, agent=said)
        acts = tuple(_crosswoz_act(act) for act in agent["dialog_act"]) if agent else ()
        said = agent["content"] if agent else None


def _multiwoz(log: list[dict[str, Any]]) -> Iterator[Turn]:
    acts: tuple[Act, ...] = ()
    said = None
    for user, agent in _paired(log, lambda message: not message["metadata"]):
        yield Turn(user["text"], _state(_booked(agent["metadata"] if agent else {})), acts, agent=said)
        acts = tuple(_multiwoz_acts(agent["dialog_act"])) if agent else ()
        said = agent["text"] if agent else None


def _paired(
    messages: list[dict[str, Any]], by_user: Any
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """(user, agent) messages; only a user's last may go without an answer, and is left out then."""
    for place in range(0, len(messages) - 1, 2):
        user, agent = messages[place], messages[place + 1]
        if not by_user(user) or by_user(agent):
            raise RecordError(f"messages {place} and {place + 1} are not by the user and the agent in turn")
        yield user, agent


def _pairs(found: dict[str, dict[str, Any]]) -> Iterator[tuple[Slot, Any]]:
    for domain, slots in found.items():
        yield from ((slot(domain, name), value) for name, value in slots.items() if name not in NO_SLOTS)


def _booked(found: dict[str, dict[str, dict[str, Any]]]) -> Iterator[tuple[Slot, Any]]:
    for domain, parts in found.items():
        for part, prefix in (("semi", ""), ("book", "book_")):
            for name, value in parts.get(part, {}).items():
                if name not in NO_SLOTS:
                    yield slot(domain, prefix + name), value


def _state(pairs: Iterator[tuple[Slot, Any]]) -> State:
    return {key: value for key, found in pairs if (value := _value(found))}


def _value(found: Any) -> Value | None:
    texts = found if isinstance(found, list) else [found]
    names = [name.strip() for text in texts if isinstance(text, str) for name in SEVERAL.split(text)]
    kept = tuple(dict.fromkeys(name for name in names if plain(name) not in ABSENT))
    return Value(kept) if kept else None


def _crosswoz_act(act: list[str]) -> Act:
    name, domain, key, value = act
    known = slot(domain, key)
    plain_act = key in ("none", "无", "")
    return Act(
        known.domain, name.lower(), None if plain_act else known.name, None if plain_act else _value(value)
    )


def _multiwoz_acts(found: Any) -> Iterator[Act]:
    for kind, pairs in found.items() if isinstance(found, dict) else ():
        domain, _, name = kind.lower().partition("-")
        for key, value in pairs:
            known = slot(domain, NAMED.get(key.lower(), key))
            empty = key.lower() in ("none", "无")
            yield Act(
                domain, name, None if empty else known.name, None if empty or value == "?" else _value(value)
            )
