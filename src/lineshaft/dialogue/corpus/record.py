"""A dialogue as a line of JSON (docs/dialogue.md), its turns, states and values: read and written.

What cannot be used raises RecordError with the cause; what can be mended is mended and noted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from lineshaft.dialogue.corpus.dialogue import RELATIONS, Act, Dialogue, Slot, State, Turn, Value
from lineshaft.dialogue.corpus.faults import RecordError
from lineshaft.dialogue.corpus.text import invisible, plain
from lineshaft.engine.errors import nearest

Note = Callable[[str], None]
"""Called with what was found in a turn and mended."""
TURN_KEYS = frozenset(
    [
        "dialogue",
        "turn",
        "user",
        "agent",
        "acts",
        "state",
        "translation",
        "alignment",
        "provenance",
        "score",
        "confidence",
        "language",
    ]
)
EXAMPLE = '{"hotel": {"area": "north"}}'


def dialogue_record(dialogue: Dialogue) -> dict[str, Any]:
    """A dialogue as it stands in a line."""
    turns = [_turn_record(turn) for turn in dialogue.turns]
    return {"dialogue": dialogue.id, "language": dialogue.language, "turns": turns}


def state_record(state: State) -> dict[str, dict[str, Any]]:
    """A state as it stands in a line: domain -> slot -> value, values or relation with values."""
    found: dict[str, dict[str, Any]] = {}
    for slot, value in sorted(state.items()):
        found.setdefault(slot.domain, {})[slot.name] = _value_record(value)
    return found


def read_state(found: Any, turn: int = 0) -> State:
    """The state that a value of a line writes; raises RecordError with the cause."""
    state = _state(found, turn, lambda cause: None)
    if state is None:
        raise RecordError(f"turn {turn}: `state` must be domain -> slot -> value")
    return state


def _value_record(value: Value) -> Any:
    if value.relation != "equal_to":
        return {"relation": value.relation, "values": list(value.values)}
    return value.values[0] if len(value.values) == 1 else list(value.values)


def _turn_record(turn: Turn) -> dict[str, Any]:
    values: dict[str, Any] = {"user": turn.user if turn.original is None else turn.original}
    if turn.agent is not None:
        values["agent"] = turn.agent
    if turn.acts:
        values["acts"] = [_act_record(act) for act in turn.acts]
    if turn.state is not None:
        values["state"] = state_record(turn.state)
    if turn.original is not None:
        values["translation"] = turn.user
    if turn.alignment:
        values["alignment"] = dict(turn.alignment)
    if turn.provenance != "gold":
        values["provenance"] = turn.provenance
    if turn.score is not None:
        values["score"] = round(turn.score, 6)
    if turn.confidence:
        found: dict[str, dict[str, float]] = {}
        for slot, chance in sorted(turn.confidence.items()):
            found.setdefault(slot.domain, {})[slot.name] = round(float(chance), 6)
        values["confidence"] = found
    return values


def _act_record(act: Act) -> list[Any]:
    parts: list[Any] = [act.domain, act.name]
    if act.slot is not None or act.value is not None:
        parts.append(act.slot)
    if act.value is not None:
        parts.append(_value_record(act.value))
    return parts


def read_turn(found: dict[str, Any], place: int, note: Note) -> Turn:
    """Turn `place` of a dialogue."""
    user = found.get("user")
    if not isinstance(user, str):
        near = "" if "user" in found else nearest("user", found)
        raise RecordError(f"turn {place}: `user` must be text, this is {_kind(user)}{near}")
    if not user.strip():
        note(f"turn {place}: the user says nothing")
    if hidden := invisible(user):
        note(f"turn {place}: the text holds {', '.join(hidden)}; ignored in comparisons")
    for key in ("translation", "agent"):
        if not isinstance(found.get(key), str | None):
            raise RecordError(f"turn {place}: `{key}` must be text, this is {_kind(found[key])}")
    translation, score = found.get("translation"), found.get("score")
    if score is not None and not _is_number(score):
        raise RecordError(f"turn {place}: `score` must be a number, this is {score!r}")
    state = _state(found.get("state"), place, note)
    provenance = found.get("provenance", "gold")
    if provenance not in ("gold", "projected", "auto"):
        raise RecordError(f"turn {place}: provenance {provenance!r} is none of gold, projected, auto")
    acts = found.get("acts") or ()
    if not isinstance(acts, list | tuple):
        raise RecordError(f"turn {place}: `acts` must be a list, this is {_kind(acts)}")
    return Turn(
        user if translation is None else translation,
        state,
        tuple(_act(act, place, note) for act in acts),
        provenance,
        score,
        found.get("agent"),
        None if translation is None else user,
        _alignment(found.get("alignment"), place),
        _confidence(found.get("confidence"), place),
    )


def _state(found: Any, place: int, note: Note) -> State | None:
    if found is None:
        return None
    if not isinstance(found, Mapping) or not all(isinstance(slots, Mapping) for slots in found.values()):
        raise RecordError(f"turn {place}: `state` must be domain -> slot -> value, as {EXAMPLE}")
    state: State = {}
    folded: dict[tuple[str, str], Slot] = {}
    for domain, slots in found.items():
        for name, value in slots.items():
            slot = Slot(_name(domain, place), _name(name, place))
            twin = folded.setdefault((plain(domain), plain(name)), slot)
            if twin != slot:
                raise RecordError(f"turn {place}: slots {twin} and {slot} differ by case or spacing alone")
            read = _value(value, f"turn {place}: {slot}", note)
            if read is not None:
                state[slot] = read
    return state


def _name(name: Any, place: int) -> str:
    if not isinstance(name, str) or not name.strip():
        raise RecordError(f"turn {place}: {name!r} cannot name a domain or slot")
    if hidden := invisible(name):
        raise RecordError(f"turn {place}: the name {name!r} holds {', '.join(hidden)}")
    return name.strip()


def _value(found: Any, where: str, note: Note) -> Value | None:
    """A value; a null is none, a number becomes its text."""
    if isinstance(found, Mapping):
        if found.keys() - {"relation", "values"} or "values" not in found:
            raise RecordError(f"{where}: a value as an object needs `values` and may have `relation`")
        relation = found.get("relation", "equal_to")
        if relation not in RELATIONS:
            raise RecordError(f"{where}: unknown relation {relation!r}{nearest(str(relation), RELATIONS)}")
        values = found["values"] if isinstance(found["values"], list) else [found["values"]]
    else:
        relation, values = "equal_to", found if isinstance(found, list) else [found]
    names = [name for each in values if (name := _text(each, where, note)) is not None]
    if not names:
        return None
    return Value(tuple(dict.fromkeys(names)), relation)


def _text(found: Any, where: str, note: Note) -> str | None:
    if found is None or found == "":
        note(f"{where}: {'null' if found is None else 'an empty text'} is not a value; the slot is left out")
        return None
    if isinstance(found, float) and not math.isfinite(found):
        note(f"{where}: {found} is not a value; the slot is left out")
        return None
    if isinstance(found, bool):
        note(f"{where}: {found} is read as the text {'true' if found else 'false'!r}")
        return "true" if found else "false"
    if isinstance(found, int | float):
        note(f"{where}: the number {found} is read as the text {str(found)!r}")
        return str(found)
    if not isinstance(found, str):
        raise RecordError(f"{where}: a value must be text, this is {_kind(found)}")
    return found.strip()


def _act(found: Any, place: int, note: Note) -> Act:
    if not isinstance(found, list) or not 2 <= len(found) <= 4:
        raise RecordError(
            f"turn {place}: an act is [domain, act], [.., slot] or [.., slot, value]: {found!r}"
        )
    domain, name, slot, value = (*found, None, None)[:4]
    if not all(isinstance(each, str) for each in (domain, name)) or not isinstance(slot, str | None):
        raise RecordError(f"turn {place}: domain, act and slot must be text: {found!r}")
    read = None if value is None else _value(value, f"turn {place}: act {name}", note)
    return Act(domain.strip(), name.strip(), slot.strip() if slot else None, read)


def _alignment(found: Any, place: int) -> dict[str, str]:
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not all(isinstance(each, str) for each in found.values()):
        raise RecordError(f"turn {place}: `alignment` must map values to their translations")
    return {str(key): value for key, value in found.items()}


def _confidence(found: Any, place: int) -> dict[Slot, float]:
    if found is None:
        return {}
    try:
        chances = {
            Slot(domain, name): float(c) for domain, slots in found.items() for name, c in slots.items()
        }
        if not all(map(_is_number, chances.values())):
            raise ValueError
        return chances
    except (AttributeError, TypeError, ValueError):
        raise RecordError(f"turn {place}: `confidence` must be domain -> slot -> number") from None


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)


def _kind(found: Any) -> str:
    return "missing or null" if found is None else type(found).__name__
