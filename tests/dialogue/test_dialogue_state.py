"""Lines read back as what was written, for every value; updates and states convert into each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.dialogue.corpus.dialogue import Act, Slot, Value
from lineshaft.dialogue.corpus.state import (
    HEARD,
    StateSyntaxError,
    Update,
    apply,
    diff,
    parse,
    parse_acts,
    parse_update,
    read,
    render,
    render_acts,
    render_update,
)

NAMES = st.from_regex(r'[^\s()",|]{1,12}', fullmatch=True)
NASTY = st.sampled_from(
    ['"', " | ", "( hotel )", " , ", "\n", "\\", "null", "removed", "", " ", "\u2028", "苏州", "🏨"]
)
TEXTS = st.one_of(st.text(max_size=12), st.lists(NASTY, max_size=5).map("".join))
VALUES = st.builds(
    Value,
    st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["equal_to", "not", "less_than", "at_least", "one_of"]),
)
SLOTS = st.builds(Slot, NAMES, NAMES)
STATES = st.dictionaries(SLOTS, VALUES, max_size=5)
ACTS = st.one_of(
    st.builds(Act, NAMES, NAMES),
    st.builds(Act, NAMES, NAMES, NAMES),
    st.builds(Act, NAMES, NAMES, NAMES, VALUES),
)


@given(STATES)
def test_a_state_reads_back(state):
    assert parse(render(state)) == state


@given(STATES, st.frozensets(SLOTS, max_size=3))
def test_an_update_reads_back(assigned, removed):
    update = Update(assigned, removed - assigned.keys())
    assert parse_update(render_update(update)) == update


@given(st.lists(ACTS, max_size=4))
def test_acts_read_back(acts):
    read = parse_acts(render_acts(acts))
    assert sorted(map(repr, read)) == sorted(map(repr, acts))


@given(STATES, STATES)
def test_applying_a_difference_gives_the_state(previous, state):
    assert apply(previous, diff(previous, state)) == state


@given(STATES, STATES, st.data())
def test_the_difference_of_an_applied_update_is_that_update(previous, other, data):
    assigned = {slot: value for slot, value in other.items() if previous.get(slot) != value}
    removable = sorted(previous.keys() - assigned.keys())
    removed = frozenset(data.draw(st.sets(st.sampled_from(removable))) if removable else ())
    update = Update(assigned, removed)
    assert diff(previous, apply(previous, update)) == update


def test_lines_are_sorted_and_empty_is_null():
    state = {Slot("train", "day"): Value(("Monday",)), Slot("hotel", "stars"): Value(("4", "5"), "one_of")}
    assert render(state) == '( hotel ) stars one_of " 4 | 5 " ( train ) day equal_to " Monday "'
    assert render(state, HEARD) == '( hotel ) stars one_of " 4 | 5 " , ( train ) day equal_to " Monday "'
    assert render({}) == "null"
    assert parse("null") == {}


def test_published_text_reads():
    text = '( pc ) size equal_to " 15" screen " , ( hospital ) name equal_to " Municipal (East Branch) "'
    assert parse(text) == {
        Slot("pc", "size"): Value(('15" screen',)),
        Slot("hospital", "name"): Value(("Municipal (East Branch)",)),
    }
    assert parse_acts("( attraction ) greeting , request area") == (
        Act("attraction", "greeting"),
        Act("attraction", "request", "area"),
    )
    assert parse_acts("( train )") == ()


@pytest.mark.parametrize(
    "text",
    ["", "( hotel", "hotel area", "( hotel ) area", '( hotel ) area like " x "', "( hotel ) area removed"],
)
def test_what_is_no_state_is_refused(text):
    with pytest.raises(StateSyntaxError):
        parse(text)


def test_names_that_would_break_a_line_are_refused():
    with pytest.raises(ValueError, match="cannot name"):
        render({Slot("inn", "price range"): Value(("y",))})


def test_a_slot_cannot_be_assigned_and_removed():
    slot = Slot("hotel", "area")
    with pytest.raises(ValueError, match="hotel-area"):
        render_update(Update({slot: Value(("x",))}, frozenset((slot,))))


def test_bitods_lines_read():
    text = (
        '( restaurants booking ) date #unknown , time equal_to " 4:50 pm " ( hotels search ) stars not " 3 "'
    )
    state = parse(text)
    assert state == {
        Slot("restaurants booking", "time"): Value(("4:50 pm",)),
        Slot("hotels search", "stars"): Value(("3",), "not"),
    }
    assert parse(render(state)) == state


def test_a_slot_written_twice_is_refused_or_told():
    text = '( hotel ) area equal_to " x " , area equal_to " y "'
    with pytest.raises(StateSyntaxError, match="hotel-area is written twice"):
        parse(text)
    update, faults = read(text)
    assert update.assigned == {Slot("hotel", "area"): Value(("y",))}
    assert faults == ["slot hotel-area is written twice"]
    assert parse('( hotel ) area equal_to " x " , area equal_to " x "')


@pytest.mark.parametrize(
    ("text", "slots", "faults"),
    [
        ('( hotel ) area equal_to " x " , stars foo , name equal_to " y "', {"area", "name"}, 1),
        ('( hotel ) area equal_to " x " , stars equal_to " 4', {"area"}, 1),
        ("I think the hotel is nice", set(), 1),
        ("", set(), 1),
        ('( hotel ) area equal_to " x "', {"area"}, 0),
    ],
)
def test_of_a_models_line_what_can_be_read_is_kept(text, slots, faults):
    update, found = read(text)
    assert {slot.name for slot in update.assigned} == slots
    assert (len(found) >= 1) == bool(faults)


@given(st.text(max_size=60))
def test_no_line_of_a_model_is_too_broken_to_read(text):
    read(text)


@pytest.mark.data
@pytest.mark.parametrize("language", ["en", "zh", "ko", "hi", "fr"])
def test_public_lines_are_written_as_they_were_published(language, data_root):
    import json
    import lzma

    with lzma.open(data_root / f"dialogue/xrisawoz/valid/dst_{language}.json.xz", "rt") as file:
        lines = {record["output"] for record in json.load(file)}
    assert len(lines) > 1300
    assert [line for line in sorted(lines) if render(parse(line)) != line] == []
