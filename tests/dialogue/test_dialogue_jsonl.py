"""One's own lines: read as written, every fault of a record found, named, and fatal for the record alone."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, Turn, Value
from lineshaft.engine import RequestError

GOOD = {"dialogue": "good", "turns": [{"user": "hello", "state": {}}]}


def read(tmp_path, *records, raw=b""):
    path = tmp_path / "corpus.jsonl"
    lines = [
        each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in (*records, GOOD)
    ]
    path.write_bytes("\n".join(lines).encode() + b"\n" + raw)
    reading = jsonl.read(path)
    assert [dialogue.id for dialogue in reading.dialogues][-1] == "good" or "good" in reading.names
    return reading


def turn(**values):
    return {"dialogue": "d", "turns": [{"user": "hi"} | values]}


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        ("{not json", "no JSON"),
        ('["a list"]', "an object is needed, this is a list"),
        ({"dialogue": "d"}, "no `turns`"),
        ({"turns": [{"user": "x"}]}, "no `dialogue`"),
        ({"dialogue": "d", "turns": []}, "`turns` must be a list of at least one object"),
        ({"dialogue": "d", "turns": "none"}, "`turns` must be a list"),
        ({"dialogue": "d", "turns": [{"text": "hi"}]}, "`user` must be text, this is missing"),
        (turn(user=3), "`user` must be text, this is int"),
        (turn(user=None), "`user` must be text, this is missing or null$"),
        (turn(agent=5), "`agent` must be text, this is int"),
        (turn(score="high"), "`score` must be a number, this is 'high'"),
        (
            '{"dialogue": "d", "turns": [{"user": "x", "score": NaN}]}',
            "`score` must be a number, this is nan",
        ),
        (turn(confidence={"hotel": {"area": float("nan")}}), "`confidence` must be"),
        ({"dialogue": {"a": 1}, "turns": [{"user": "x"}]}, "`dialogue` must be its name"),
        ({"dialogue": " ", "turns": [{"user": "x"}]}, "`dialogue` must be its name"),
        ("[" * 100_000, "brackets in brackets"),
        (turn(state=[1]), "`state` must be domain -> slot -> value"),
        (turn(state={"pc": {"CPU": "i5", "cpu": "i7"}}), "slots pc-CPU and pc-cpu differ by case"),
        (turn(state={"pc": {"": "i5"}}), "cannot name a domain or slot"),
        (turn(state={"pc": {"c\u200bpu": "i5"}}), "ZERO WIDTH SPACE"),
        (turn(state={"pc": {"cpu": {"relation": "most", "values": ["i5"]}}}), "unknown relation 'most'"),
        (turn(state={"pc": {"cpu": {"value": "i5"}}}), "needs `values`"),
        (turn(state={"pc": {"cpu": [["i5"]]}}), "a value must be text, this is list"),
        (turn(acts=[["hotel"]]), r"an act is \[domain, act\]"),
        (turn(acts="request"), "`acts` must be a list"),
        (turn(acts=[["hotel", 3]]), "domain, act and slot must be text"),
        (turn(alignment=["a"]), "`alignment` must map values"),
        (turn(confidence={"hotel": "high"}), "`confidence` must be"),
        (turn(provenance="guess"), "provenance 'guess'"),
        (
            {"dialogue": "d", "turns": [{"user": "a", "turn": 0}, {"user": "b", "turn": 2}]},
            r"turns are missing \[1\]",
        ),
        (
            {"dialogue": "d", "turns": [{"user": "a", "turn": 1}, {"user": "b", "turn": 1}]},
            r"stand twice \[1\]",
        ),
        ({"dialogue": "d", "turns": [{"user": "a", "turn": 1}, {"user": "b"}]}, "in every turn or in none"),
        (GOOD, "a dialogue of this name was read before"),
    ],
)
def test_a_bad_record_is_named_and_costs_itself_alone(tmp_path, record, cause):
    reading = read(tmp_path, record)
    assert len(reading.dialogues) == 1
    fault = next(fault for fault in reading.faults if fault.dropped)
    assert re.search(cause, fault.cause), fault.cause
    assert fault.file == "corpus.jsonl" and fault.line in (1, 2)


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        (turn(user=" "), "the user says nothing"),
        (turn(user="a\u202eb"), "RIGHT-TO-LEFT OVERRIDE"),
        (turn(state={"pc": {"price": 300}}), "the number 300 is read as the text '300'"),
        (turn(state={"pc": {"price": None}}), "null is not a value; the slot is left out"),
        (turn(state={"pc": {"wifi": True}}), "True is read as the text 'true'"),
        (
            '{"dialogue": "d", "turns": [{"user": "x", "state": {"pc": {"price": NaN}}}]}',
            "nan is not a value",
        ),
        ('{"dialogue": "d", "turns": [{"user": "\\ud83d", "state": {}}]}', "half a character"),
        (turn(stat={}), "unknown key `stat`; did you mean state"),
    ],
)
def test_what_can_be_used_is_used_and_noted(tmp_path, record, cause):
    reading = read(tmp_path, record)
    assert [dialogue.id for dialogue in reading.dialogues] == ["d", "good"]
    assert any(cause in fault.cause and not fault.dropped for fault in reading.faults)


def test_what_was_read_can_be_written(tmp_path):
    """Half a character cannot stand in a file: it is replaced when it is read; a whole one stays."""
    lines = ['{"dialogue": "d\\ud83d", "turns": [{"user": "\\ud83d \\ud83d\\ude00", "state": {}}]}']
    found = read(tmp_path, *lines).dialogues
    jsonl.write(tmp_path / "again.jsonl", found)
    again = jsonl.read(tmp_path / "again.jsonl").dialogues
    assert again == found and again[0].turns[0].user == "\ufffd \U0001f600"


@pytest.mark.parametrize("name", ["utf-16", "utf-32"])
def test_another_unicode_encoding_is_named(tmp_path, name):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(json.dumps(GOOD).encode(name))
    with pytest.raises(RequestError, match=f"is {name.upper()}, not UTF-8: iconv -f {name.upper()}"):
        jsonl.read(path)


def test_numbers_and_nulls_become_what_they_mean(tmp_path):
    state = (
        read(tmp_path, turn(state={"pc": {"price": 300, "os": None, "gpu": ["a", None]}}))
        .dialogues[0]
        .turns[0]
        .state
    )
    assert state == {Slot("pc", "price"): Value(("300",)), Slot("pc", "gpu"): Value(("a",))}


def test_names_that_collide_in_different_turns_are_noted(tmp_path):
    records = [turn(state={"pc": {"CPU": "i5"}}), {**turn(state={"pc": {"cpu": "i7"}}), "dialogue": "e"}]
    assert any("pc-CPU and pc-cpu" in fault.cause for fault in read(tmp_path, *records).faults)


def test_a_wrong_encoding_names_the_line_and_the_way_out(tmp_path):
    reading = read(tmp_path, raw='{"dialogue": "caf\xe9", "turns": []}'.encode("latin1"))
    assert "byte 18 is not UTF-8" in reading.faults[0].cause and "iconv" in reading.faults[0].cause
    (tmp_path / "wide.jsonl").write_text(json.dumps(GOOD), encoding="utf-16")
    with pytest.raises(RequestError, match="UTF-16, not UTF-8"):
        jsonl.read(tmp_path / "wide.jsonl")


def test_a_mark_at_the_start_and_empty_lines_are_nothing(tmp_path):
    path = tmp_path / "marked.jsonl"
    path.write_bytes(b"\xef\xbb\xbf\n\n" + json.dumps(GOOD).encode() + b"\r\n\n")
    reading = jsonl.read(path)
    assert len(reading.dialogues) == 1 and reading.faults == []


def test_a_file_without_a_usable_dialogue_is_an_error(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(RequestError, match=r"empty\.jsonl holds no usable dialogue"):
        jsonl.read(tmp_path / "empty.jsonl").needed()


def test_single_turns_are_put_together_and_in_order(tmp_path):
    records = [
        {"dialogue": "a", "turn": 1, "user": "two"},
        {"dialogue": "b", "turn": 0, "user": "other"},
        {"dialogue": "a", "turn": 0, "user": "one"},
    ]
    reading = read(tmp_path, *records)
    first = next(dialogue for dialogue in reading.dialogues if dialogue.id == "a")
    assert [turn.user for turn in first.turns] == ["one", "two"]
    assert any("interleaved" in fault.cause for fault in reading.faults)
    assert any("out of order" in fault.cause for fault in reading.faults)


def test_no_state_is_not_an_empty_state(tmp_path):
    turns = [{"user": "a"}, {"user": "b", "state": {}}, {"user": "c", "state": None}]
    dialogue = read(tmp_path, {"dialogue": "d", "turns": turns}).dialogues[0]
    assert [turn.state for turn in dialogue.turns] == [None, {}, None]
    assert not dialogue.labelled and not dialogue.learnable(1) and not dialogue.learnable(0)
    with pytest.raises(ValueError, match="turn 0 of dialogue d has no state"):
        dialogue.previous(1)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cf", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8)
VALUES = st.builds(
    Value,
    st.lists(TEXT, min_size=1, max_size=3, unique=True).map(tuple),
    st.sampled_from(["equal_to", "not", "one_of"]),
)
STATES = st.dictionaries(st.builds(Slot, TEXT, TEXT), VALUES, max_size=4)
ACTS = st.one_of(st.builds(Act, TEXT, TEXT), st.builds(Act, TEXT, TEXT, TEXT, st.none() | VALUES))
TURNS = st.builds(Turn, TEXT, st.none() | STATES, st.lists(ACTS, max_size=3).map(tuple))


@given(st.lists(TURNS, min_size=1, max_size=3))
def test_what_is_written_reads_back(tmp_path_factory, turns):
    from lineshaft.dialogue.corpus.text import plain

    for turn in turns:
        slots = [(plain(slot.domain), plain(slot.name)) for slot in turn.state or ()]
        if len(set(slots)) < len(slots):
            return
    path = tmp_path_factory.mktemp("jsonl") / "x.jsonl"
    dialogue = Dialogue("d", tuple(turns), "en")
    jsonl.write(path, [dialogue])
    assert jsonl.read(path).dialogues == [dialogue]


def test_translations_alignments_and_confidence_read_back(tmp_path):
    slot = Slot("inn", "area")
    turn = Turn(
        "north", {slot: Value(("north",))}, (), "auto", 0.5, "hello", "北", {"北": "north"}, {slot: 0.25}
    )
    jsonl.write(tmp_path / "x.jsonl", [Dialogue("d", (turn,), "zh")])
    assert jsonl.read(tmp_path / "x.jsonl").dialogues[0].turns == (turn,)
