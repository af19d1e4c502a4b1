"""The text form of X-RiSAWOZ and BiToD for sequence models: one record a turn, `<state> .. <history> ..`.

Two layouts are published: {"data": [{"dial_id", "turn_id", "input_text", "output_text", "train_target"}]}
(genienlp) and [{"dialogue", "input", "output"}]. X-RiSAWOZ writes the whole state as output, BiToD what the
turn changes; which of both a file does is told by the states that its next turns read. A record with a
`category` other than `positive` is a made-up error and is left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, State, Turn, Value
from lineshaft.dialogue.corpus.faults import Reading, RecordError
from lineshaft.dialogue.corpus.state import StateSyntaxError, Update, apply, parse_acts, parse_update

STATE = re.compile(r"<state> (.*?) <endofstate>", re.DOTALL)
HISTORY = re.compile(r"<history> (.*) <endofhistory>", re.DOTALL)
ACTS = re.compile(r"AGENT_ACTS: (.*?) ?USER: ", re.DOTALL)
LISTED = re.compile(r"^\['(.*)'\]$")


class Record(NamedTuple):
    """One readable turn: what was read before it, what was written, the words and the acts."""

    line: int
    number: int | None
    before: State
    output: Update
    user: str
    acts: tuple[Act, ...]


def recognises(data: Any) -> bool:
    records = data.get("data") if isinstance(data, dict) else data
    first = records[0] if isinstance(records, list) and records else None
    return isinstance(first, dict) and ("input_text" in first or "input" in first)


def read(data: Any, reading: Reading, language: str = "und") -> None:
    """Dialogues of the state-tracking records; others are passed over."""
    groups: dict[str, list[Record]] = defaultdict(list)
    broken, last = set(), None
    for line, record in enumerate(data["data"] if isinstance(data, dict) else data, 1):
        if record.get("train_target", "dst") != "dst" or record.get("category", "positive") != "positive":
            continue
        name = str(record.get("dial_id", record.get("dialogue", "")))
        if name in groups and name != last:
            reading.fault(
                line, "turns of several dialogues are interleaved; put together", name, dropped=False
            )
        last = name
        try:
            groups[name].append(_record(line, record))
        except RecordError as error:
            broken.add(name)
            reading.fault(line, f"{error}; its dialogue is left out", name)
    whole = _writes_states(groups.values())
    for name, records in groups.items():
        if name not in broken:
            _add(reading, name, records, whole, language)


def _record(line: int, record: dict[str, Any]) -> Record:
    text = record.get("input_text", record.get("input"))
    output = record.get("output_text", record.get("output", record.get("gold")))
    state, history = STATE.search(text or ""), HISTORY.search(text or "")
    if not (history and "USER: " in history[1] and isinstance(output, str)):
        raise RecordError("no `<history> .. USER: .. <endofhistory>` with an output")
    acts = ACTS.search(history[1])
    try:
        return Record(
            line,
            record.get("turn_id"),
            _lower(parse_update(state[1]).assigned) if state else {},
            _lowered(parse_update(output)),
            history[1].split("USER: ", 1)[1].strip(),
            tuple(clean(act) for act in parse_acts(acts[1])) if acts else (),
        )
    except StateSyntaxError as error:
        raise RecordError(str(error)) from error


def _writes_states(groups: Any) -> bool:
    """Whether outputs are states; else they are changes of the states that were read."""
    votes = kept = 0
    for records in groups:
        for one, after in pairwise(records):
            votes += (after.before == one.output.assigned) - (after.before == apply(one.before, one.output))
        kept += sum(1 if one.before.keys() <= one.output.assigned.keys() else -1 for one in records)
    return votes > 0 or (votes == 0 and kept >= 0)


def _add(reading: Reading, name: str, records: Sequence[Record], whole: bool, language: str) -> None:
    numbers = [record.number for record in records]
    if not _in_order(numbers):
        reading.fault(records[0].line, f"turns are missing or out of order: {numbers[:12]}", name)
        return
    turns: list[Turn] = []
    state: State = {}
    for place, record in enumerate(records):
        if whole and record.before != state:
            reading.fault(
                record.line, f"turn {place} does not go on from the one before: one is missing", name
            )
            return
        state = record.output.assigned if whole else apply(record.before, record.output)
        turns.append(Turn(record.user, state, record.acts))
    try:
        reading.add(Dialogue(name, tuple(turns), language))
    except RecordError as error:
        reading.fault(records[0].line, str(error), name)


def _in_order(numbers: Sequence[int | None]) -> bool:
    """Whether turns follow each other; BiToD numbers the agent's turns too, so every second is a user's."""
    given = [number for number in numbers if number is not None]
    steps = {after - before for before, after in pairwise(given)}
    return not given or (len(given) == len(numbers) and steps in (set(), {1}, {2}))


def project(dialogue: Dialogue, translate: Callable[[Slot, str], str], texts: Sequence[str]) -> Dialogue:
    """The dialogue with its values and acts put into another language and its words replaced by `texts`."""
    turns = tuple(
        Turn(
            text,
            {slot: _projected(slot, value, translate) for slot, value in (turn.state or {}).items()},
            tuple(_projected_act(act, translate) for act in turn.acts),
            "projected",
            original=turn.user,
        )
        for turn, text in zip(dialogue.turns, texts, strict=True)
    )
    return Dialogue(dialogue.id, turns, "en")


def _projected_act(act: Act, translate: Callable[[Slot, str], str]) -> Act:
    if not (act.slot and act.value):
        return act
    return Act(act.domain, act.name, act.slot, _projected(Slot(act.domain, act.slot), act.value, translate))


def _projected(slot: Slot, value: Value, translate: Callable[[Slot, str], str]) -> Value:
    return Value(tuple(translate(slot, name) for name in value.values), value.relation)


def _lowered(update: Update) -> Update:
    return Update(_lower(update.assigned), frozenset(_lower_slot(slot) for slot in update.removed))


def _lower(state: State) -> State:
    return {_lower_slot(slot): value for slot, value in state.items()}


def _lower_slot(slot: Slot) -> Slot:
    return Slot(slot.domain.lower(), slot.name.lower())


def clean(act: Act) -> Act:
    """Lower-case slots; some acts of the Chinese files write their values as Python lists."""
    value = act.value and Value(
        tuple(LISTED.sub(r"\1", name) for name in act.value.values), act.value.relation
    )
    return Act(act.domain.lower(), act.name, act.slot and act.slot.lower(), value)
