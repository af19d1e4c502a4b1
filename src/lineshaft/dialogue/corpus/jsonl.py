"""One's own dialogues: a line of JSON each, read and written.

    {"dialogue": "d1", "language": "zh", "turns": [
      {"user": "我想找便宜的酒店", "agent": "您好", "acts": [["hotel", "request", "area"]],
       "state": {"hotel": {"price": "cheap", "area": ["north", "centre"],
                           "stars": {"relation": "at_least", "values": ["4"]}}},
       "translation": "i want a cheap hotel", "alignment": {"便宜": "cheap"}}]}

Only `dialogue`, `turns` and `user` are needed. A turn holds what the agent did (`agent` as text, `acts` as
[domain, act], [domain, act, slot] or [domain, act, slot, value]), then what the user said, then the state
after both. A turn without `state` (or with `"state": null`) is unlabelled; `{}` is a state without
constraints. `translation` is `user` in the language to be learnt, `alignment` maps values of the state to
their translations. Models add `provenance`, `score` and `confidence` (domain -> slot -> chance of being
right). A line may also hold one turn: {"dialogue": "d1", "turn": 0, "user": ...}; turns are counted from 0 or
1 and put in order.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lineshaft.dialogue.corpus.dialogue import RELATIONS, Act, Dialogue, Slot, State, Turn, Value
from lineshaft.dialogue.corpus.faults import Reading, RecordError
from lineshaft.dialogue.corpus.text import invisible, plain
from lineshaft.engine import RequestError
from lineshaft.engine.errors import nearest

DIALOGUE_KEYS = frozenset(("dialogue", "language", "turns"))
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
MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def read(path: Path) -> Reading:
    """The dialogues of a .jsonl or .jsonl.xz file, with all that was wrong in it."""
    reading = Reading(path)
    loose: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    last = None
    for line, record in _records(path, reading):
        if "turns" in record:
            _whole(reading, line, record)
            continue
        name = str(record.get("dialogue", ""))
        if not name or "user" not in record:
            missing = "turns" if name else "dialogue"
            reading.fault(line, f"no `{missing}`{nearest(missing, record)}", name)
            continue
        if name in loose and name != last:
            reading.fault(
                line, "turns of several dialogues are interleaved; put together", name, dropped=False
            )
        loose.setdefault(name, []).append((line, record))
        last = name
    for name, records in loose.items():
        _whole(reading, records[0][0], {"dialogue": name, "turns": records}, loose=True)
    _twins(reading)
    return reading


def write(path: Path, dialogues: Iterable[Dialogue]) -> None:
    """Dialogues as lines of a .jsonl file, written whole."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8") as file:
        for dialogue in dialogues:
            file.write(json.dumps(record(dialogue), ensure_ascii=False) + "\n")
    temporary.replace(path)


def record(dialogue: Dialogue) -> dict[str, Any]:
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


def _records(path: Path, reading: Reading) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of each readable line."""
    for number, raw in enumerate(_bytes(path).split(b"\n"), 1):
        line = raw.strip()
        if not line:
            continue
        try:
            found = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            cause = f"byte {error.start + 1} is not UTF-8: convert the file, as by iconv -f latin1 -t utf-8"
            reading.fault(number, cause)
        except ValueError as error:
            reading.fault(number, f"no JSON: {error}")
        else:
            if isinstance(found, dict):
                yield number, found
            else:
                reading.fault(number, f"an object is needed, this is a {type(found).__name__}")


def _bytes(path: Path) -> bytes:
    try:
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise RequestError(f"{path} cannot be read: {error}") from error
    if data[:2] in MARKS:
        raise RequestError(f"{path} is {MARKS[data[:2]]}, not UTF-8: iconv -f UTF-16 -t UTF-8 {path.name}")
    return data.removeprefix(b"\xef\xbb\xbf")


def _whole(reading: Reading, line: int, found: dict[str, Any], loose: bool = False) -> None:
    """Add a dialogue, or say why it cannot be used."""
    name = str(found.get("dialogue", ""))
    try:
        if not name:
            raise RecordError(f"no `dialogue` (its name){nearest('dialogue', found)}")
        numbered = found["turns"] if loose else _listed(found["turns"], line)
        _foreign(reading, line, name, () if loose else found, DIALOGUE_KEYS)
        ordered = _ordered(reading, name, numbered)
        turns = [_turn(reading, at, name, place, each) for place, (at, each) in enumerate(ordered)]
        language = found.get("language") or (numbered[0][1].get("language") if loose else None) or "und"
        reading.add(Dialogue(name, tuple(turns), str(language)))
    except RecordError as error:
        reading.fault(line, str(error), name)


def _listed(turns: Any, line: int) -> list[tuple[int, dict[str, Any]]]:
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, dict) for turn in turns):
        raise RecordError("`turns` must be a list of at least one object")
    return [(line, turn) for turn in turns]


Numbered = list[tuple[int, dict[str, Any]]]


def _ordered(reading: Reading, name: str, turns: Numbered) -> Numbered:
    """Turns by their numbers, where they have some; no number may be missing or stand twice."""
    given = [turn.get("turn") for _, turn in turns]
    if all(number is None for number in given):
        return turns
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in given):
        raise RecordError(f"`turn` must be a whole number in every turn or in none: {given[:8]}")
    order = sorted(range(len(given)), key=lambda place: given[place])  # type: ignore[arg-type,return-value]
    numbers = [given[place] for place in order]
    first = numbers[0]
    assert first is not None
    wanted = list(range(first, first + len(numbers)))
    if numbers != wanted or first not in (0, 1):
        missing = sorted(set(range(min(first, 1), wanted[-1] + 1)) - set(numbers))
        twice = sorted({number for number in numbers if numbers.count(number) > 1})  # type: ignore[type-var]
        raise RecordError(f"turns are missing {missing[:8]} or stand twice {twice[:8]}: {given[:8]}")
    if order != sorted(order):
        reading.fault(turns[0][0], "turns are out of order; sorted by number", name, dropped=False)
    return [turns[place] for place in order]


def _turn(reading: Reading, line: int, name: str, place: int, found: dict[str, Any]) -> Turn:
    def note(cause: str) -> None:
        reading.fault(line, cause, name, place, dropped=False)

    _foreign(reading, line, name, found, TURN_KEYS)
    user = found.get("user")
    if not isinstance(user, str):
        raise RecordError(f"turn {place}: `user` must be text, this is {_kind(user)}{nearest('user', found)}")
    if not user.strip():
        note(f"turn {place}: the user says nothing")
    if hidden := invisible(user):
        note(f"turn {place}: the text holds {', '.join(hidden)}; ignored in comparisons")
    translation = found.get("translation")
    if translation is not None and not isinstance(translation, str):
        raise RecordError(f"turn {place}: `translation` must be text, this is {_kind(translation)}")
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
        found.get("score"),
        found.get("agent"),
        None if translation is None else user,
        _alignment(found.get("alignment"), place),
        _confidence(found.get("confidence"), place),
    )


def _state(found: Any, place: int, note: Any) -> State | None:
    if found is None:
        return None
    if not isinstance(found, Mapping) or not all(isinstance(slots, Mapping) for slots in found.values()):
        raise RecordError(f"turn {place}: `state` must be domain -> slot -> value")
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


def _value(found: Any, where: str, note: Any) -> Value | None:
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


def _text(found: Any, where: str, note: Any) -> str | None:
    if found is None or found == "":
        note(f"{where}: {'null' if found is None else 'an empty text'} is not a value; the slot is left out")
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


def _act(found: Any, place: int, note: Any) -> Act:
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
        return {Slot(domain, name): float(c) for domain, slots in found.items() for name, c in slots.items()}
    except (AttributeError, TypeError, ValueError):
        raise RecordError(f"turn {place}: `confidence` must be domain -> slot -> number") from None


def _foreign(reading: Reading, line: int, name: str, found: Iterable[str], known: frozenset[str]) -> None:
    for key in sorted(set(found) - known):
        reading.fault(line, f"unknown key `{key}`{nearest(key, known)}; ignored", name, dropped=False)


def _twins(reading: Reading) -> None:
    """Slots that differ by case or spacing alone in different turns: one meant by two names."""
    seen: dict[tuple[str, str], Slot] = {}
    told = set()
    for dialogue in reading.dialogues:
        for turn in dialogue.turns:
            for slot in turn.state or ():
                twin = seen.setdefault((plain(slot.domain), plain(slot.name)), slot)
                if twin != slot and slot not in told:
                    told.add(slot)
                    cause = f"slots {twin} and {slot} differ by case or spacing alone and are kept apart"
                    reading.fault(0, cause, dialogue.id, dropped=False)


def _kind(found: Any) -> str:
    return "missing" if found is None else type(found).__name__
