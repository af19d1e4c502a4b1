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
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, Turn
from lineshaft.dialogue.corpus.faults import Reading, RecordError
from lineshaft.dialogue.corpus.record import TURN_KEYS, dialogue_record, read_turn
from lineshaft.dialogue.corpus.text import plain
from lineshaft.engine import RequestError
from lineshaft.engine.errors import nearest

DIALOGUE_KEYS = frozenset(("dialogue", "language", "turns"))

MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""How a file begins that is not UTF-8; the longer marks first."""
HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escape that may be half a character."""


def read(path: Path) -> Reading:
    """The dialogues of a .jsonl or .jsonl.xz file, with all that was wrong in it."""
    reading = Reading(path)
    loose: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    last = None
    for line, record in _records(path, reading):
        if "turns" in record:
            _whole(reading, line, record)
            continue
        name = _dialogue_name(record)
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
            file.write(json.dumps(dialogue_record(dialogue), ensure_ascii=False) + "\n")
    temporary.replace(path)


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
        except RecursionError:
            reading.fault(number, "no JSON that can be read: brackets in brackets beyond all depth")
        else:
            if isinstance(found, dict):
                halves: list[str] = []
                found = _whole_characters(found, halves) if HALF.search(line) else found
                for half in halves:
                    reading.fault(number, f"half a character in {half} is replaced", dropped=False)
                yield number, found
            else:
                reading.fault(number, f"an object is needed, this is a {type(found).__name__}")


def _whole_characters(found: Any, halves: list[str]) -> Any:
    """A value without halves of characters (lone surrogates), which no file can hold; `halves` names them."""
    if isinstance(found, str):
        whole = found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if whole != found:
            halves.append(ascii(found[:40]))
        return whole
    if isinstance(found, dict):
        return {
            _whole_characters(key, halves): _whole_characters(value, halves) for key, value in found.items()
        }
    return [_whole_characters(each, halves) for each in found] if isinstance(found, list) else found


def _bytes(path: Path) -> bytes:
    try:
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise RequestError(f"{path} cannot be read: {error}") from error
    for mark, name in MARKS.items():
        if data.startswith(mark):
            raise RequestError(f"{path} is {name}, not UTF-8: iconv -f {name} -t UTF-8 {path.name}")
    return data.removeprefix(b"\xef\xbb\xbf")


def _whole(reading: Reading, line: int, found: dict[str, Any], loose: bool = False) -> None:
    """Add a dialogue, or say why it cannot be used."""
    name = _dialogue_name(found)
    try:
        if not name:
            if "dialogue" in found:
                raise RecordError(f"`dialogue` must be its name, not {str(found['dialogue'])[:40]!r}")
            raise RecordError(f"no `dialogue` (its name){nearest('dialogue', found)}")
        numbered = found["turns"] if loose else _listed(found["turns"], line)
        _foreign(reading, line, name, () if loose else found, DIALOGUE_KEYS)
        ordered = _ordered(reading, name, numbered)
        turns = [_turn(reading, at, name, place, each) for place, (at, each) in enumerate(ordered)]
        language = found.get("language") or (numbered[0][1].get("language") if loose else None) or "und"
        reading.add(Dialogue(name, tuple(turns), str(language)))
    except RecordError as error:
        reading.fault(line, str(error), name)


def _dialogue_name(found: Mapping[str, Any]) -> str:
    """The name of a dialogue, "" where there is none: a number is read as its text."""
    name = found.get("dialogue")
    return str(name).strip() if isinstance(name, str | int) and not isinstance(name, bool) else ""


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
    _foreign(reading, line, name, found, TURN_KEYS)
    return read_turn(found, place, lambda cause: reading.fault(line, cause, name, place, dropped=False))


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
