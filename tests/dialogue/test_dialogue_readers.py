"""Published forms: read into dialogues, broken records found one by one."""

import json

import pytest

from lineshaft.dialogue.corpus.dialogue import Act, Slot, Value
from lineshaft.dialogue.corpus.read import FORMS, read
from lineshaft.engine import RequestError


def subtask(name, number, before, user, after, acts=""):
    text = f"DST: <state> {before} <endofstate> <history> {acts}USER: {user} <endofhistory>"
    return {
        "dial_id": name,
        "turn_id": number,
        "input_text": text,
        "output_text": after,
        "train_target": "dst",
    }


NORTH = '( inn ) area equal_to " north "'
BOTH = '( inn ) area equal_to " north " , stars equal_to " 4 "'
SUBTASK = {
    "data": [
        subtask("a", 1, "null", "go north", NORTH),
        subtask("a", 2, NORTH, "four stars", BOTH, "AGENT_ACTS: ( inn ) request stars "),
    ]
}
RISAWOZ = [
    {
        "dialogue_id": "a",
        "dialogue": [
            {
                "turn_id": 0,
                "user_utterance": ["go north", {}],
                "system_utterance": ["how many stars?", {}],
                "belief_state": {"inform slot-values": {"Inn-Area": "north"}},
                "system_actions": [["Request", "Inn", "stars", ""]],
                "alignment": {"north": ["北"]},
            },
            {
                "turn_id": 1,
                "user_utterance": ["four", {}],
                "system_utterance": ["", {}],
                "belief_state": {"inform slot-values": {"Inn-Area": "north", "Inn-stars": "4"}},
                "system_actions": [],
            },
        ],
    }
]
WOZ = [
    {
        "dialogue_idx": 7,
        "dialogue": [
            {
                "transcript": "go north",
                "system_acts": ["price range", ["food", "thai"]],
                "belief_state": [
                    {"act": "inform", "slots": [["area", "north"]]},
                    {"act": "request", "slots": [["slot", "food"]]},
                ],
            }
        ],
    }
]
EMPTY = {"selectedResults": []}
CROSSWOZ = {
    "1": {
        "messages": [
            {"role": "usr", "content": "go north"},
            {
                "role": "sys",
                "content": "ok",
                "dialog_act": [["Request", "Inn", "stars", ""], ["General", "thank", "none", "none"]],
                "sys_state_init": {"Inn": {**EMPTY, "area": "north", "name": ""}},
            },
        ]
    }
}
MULTIWOZ = {
    "1": {
        "log": [
            {"text": "north or south", "metadata": {}},
            {
                "text": "ok",
                "metadata": {
                    "inn": {
                        "semi": {"area": "north|south", "name": "not mentioned"},
                        "book": {"day": "monday", "booked": []},
                    }
                },
                "dialog_act": {"Inn-Request": [["Price", "?"]]},
            },
        ]
    }
}
BITOD = {
    "1": {
        "Events": [
            {
                "Agent": "User",
                "Text": "not north",
                "Actions": [],
                "state": {"inns_search": {"area": {"relation": "not", "value": ["north"]}}},
            },
            {"Agent": "KnowledgeBase", "Item": {}},
            {
                "Agent": "Wizard",
                "Text": "stars?",
                "active_intent": "inns_search",
                "Actions": [{"act": "request", "slot": "stars", "relation": "", "value": []}],
            },
            {
                "Agent": "User",
                "Text": "four",
                "Actions": [],
                "state": {
                    "inns_search": {
                        "stars": {"relation": "at_least", "value": ["4"]},
                        "day": {"relation": "equal_to", "value": ["#unknown"]},
                    }
                },
            },
        ]
    }
}
SAMPLES = {"subtask": SUBTASK, "risawoz": RISAWOZ, "woz": WOZ, "convlab": MULTIWOZ, "bitod": BITOD}


def opened(tmp_path, data, name="file.json"):
    (tmp_path / name).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return read(tmp_path / name)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__.rpartition(".")[2])
def test_every_form_knows_its_own_and_no_other(form):
    name = form.__name__.rpartition(".")[2]
    assert [key for key, data in SAMPLES.items() if form.recognises(data)] == [name]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_form_is_read(tmp_path, name):
    reading = opened(tmp_path, SAMPLES[name])
    assert len(reading.dialogues) == 1 and not reading.faults
    assert all(turn.state is not None and turn.user for turn in reading.dialogues[0].turns)


def test_subtask_states_and_acts(tmp_path):
    turns = opened(tmp_path, SUBTASK).dialogues[0].turns
    assert turns[1].state == {Slot("inn", "area"): Value(("north",)), Slot("inn", "stars"): Value(("4",))}
    assert turns[1].acts == (Act("inn", "request", "stars"),)


def test_outputs_that_are_changes_are_told_from_states(tmp_path):
    stars = '( inn ) stars equal_to " 4 "'
    records = [
        subtask("a", 1, "null", "n", NORTH),
        subtask("a", 2, NORTH, "s", stars),
        subtask("a", 3, BOTH, "x", "null"),
    ]
    turns = opened(tmp_path, {"data": records}).dialogues[0].turns
    assert [len(turn.state) for turn in turns] == [1, 2, 2]


@pytest.mark.parametrize(
    ("records", "cause"),
    [
        (
            [
                subtask("b", 1, "null", "x", NORTH),
                subtask("b", 3, NORTH, "y", BOTH),
                subtask("b", 4, BOTH, "z", BOTH),
            ],
            "missing or out of order",
        ),
        ([subtask("b", 2, "null", "x", NORTH), subtask("b", 1, NORTH, "y", BOTH)], "missing or out of order"),
        ([{**subtask("b", None, BOTH, "y", BOTH)}], "does not go on from the one before"),
        ([subtask("b", 1, "null", "x", "( inn ) area")], "neither a value"),
        ([subtask("b", 1, "null", "x", "( inn ) area equal_to")], "unreadable|neither"),
        ([{**subtask("b", 1, "null", "x", NORTH), "input_text": "hi"}], "no `<history>"),
    ],
)
def test_a_broken_subtask_dialogue_is_left_out_and_named(tmp_path, records, cause):
    import re

    reading = opened(tmp_path, {"data": [*SUBTASK["data"], *records]})
    assert [dialogue.id for dialogue in reading.dialogues] == ["a"]
    assert any(re.search(cause, fault.cause) and fault.dialogue == "b" for fault in reading.faults)


def test_interleaved_dialogues_are_put_together(tmp_path):
    first, second = SUBTASK["data"]
    reading = opened(tmp_path, {"data": [first, subtask("b", 1, "null", "x", NORTH), second]})
    assert [len(dialogue.turns) for dialogue in reading.dialogues] == [2, 1]
    assert any("interleaved" in fault.cause for fault in reading.faults)


def test_made_up_errors_are_no_dialogues(tmp_path):
    wrong = {**SUBTASK["data"][1], "output_text": NORTH, "category": "remove_slot"}
    assert len(opened(tmp_path, {"data": [*SUBTASK["data"], wrong]}).dialogues[0].turns) == 2


def test_risawoz_gives_alignments_and_the_agents_acts_one_turn_later(tmp_path):
    first, second = opened(tmp_path, RISAWOZ).dialogues[0].turns
    assert first.alignment == {"north": "北"} and first.acts == ()
    assert second.acts == (Act("inn", "request", "stars"),) and second.agent == "how many stars?"


def test_woz_requests_and_confirmations(tmp_path):
    turn = opened(tmp_path, WOZ).dialogues[0].turns[0]
    assert turn.acts == (
        Act("restaurant", "request", "price_range"),
        Act("restaurant", "confirm", "food", Value(("thai",))),
    )
    assert turn.state == {Slot("restaurant", "area"): Value(("north",))}


def test_crosswoz_and_multiwoz(tmp_path):
    assert opened(tmp_path, CROSSWOZ).dialogues[0].turns[0].state == {Slot("inn", "area"): Value(("north",))}
    state = opened(tmp_path, MULTIWOZ).dialogues[0].turns[0].state
    assert state == {
        Slot("inn", "area"): Value(("north", "south")),
        Slot("inn", "book_day"): Value(("monday",)),
    }


def test_messages_that_are_not_in_turn_are_a_fault(tmp_path):
    messages = [{"role": "usr", "content": "a"}, {"role": "usr", "content": "b"}]
    reading = opened(tmp_path, {**CROSSWOZ, "2": {"messages": messages}})
    assert len(reading.dialogues) == 1 and "not by the user and the agent in turn" in reading.faults[0].cause


def test_bitod_relations_and_unknown_slots(tmp_path):
    first, second = opened(tmp_path, BITOD).dialogues[0].turns
    assert first.state == {Slot("inns search", "area"): Value(("north",), "not")}
    assert second.state == {Slot("inns search", "stars"): Value(("4",), "at_least")}
    assert second.acts == (Act("inns search", "request", "stars"),)


@pytest.mark.data
def test_the_six_published_bitod_lines_read(data_root):
    reading = read(data_root / "dialogue/anchors/genienlp_bitod_error_train.json")
    states = [turn.state for turn in reading.dialogues[0].turns]
    assert len(states) == 3
    assert states[0][Slot("restaurants search", "cuisine")] == Value(("Steakhouse",), "not")
    assert Slot("restaurants booking", "number_of_people") not in states[2]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "dialogues", "turns"),
    [
        ("xrisawoz/fewshot_original/hi_fewshot.json.xz", 100, 659),
        ("xrisawoz/fewshot_processed/zh_fewshot.json.xz", 100, 659),
        ("xrisawoz/valid/dst_ko.json.xz", 600, 4058),
        ("woz2/woz_validate_de_en.json.xz", 200, 830),
        ("crosswoz/crosswoz_en_human_val.json.zip", 250, 2094),
        ("multiwoz21/multiwoz_zh_human_val.json.zip", 250, 1823),
    ],
)
def test_published_files_are_read_whole(name, dialogues, turns, data_root):
    reading = read(data_root / "dialogue" / name)
    assert (len(reading.dialogues), sum(len(d.turns) for d in reading.dialogues)) == (dialogues, turns)
    assert reading.faults == []


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("a.json", b"{", "cannot be read as JSON"),
        ("a.json", b'{"x": 1}', "none of the known forms"),
        ("a.json", '{"x": "é"}'.encode("latin1"), "is not UTF-8"),
        ("a.json.xz", b"no", "cannot be read"),
        ("a.zip", b"no", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, cause):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=cause):
        read(tmp_path / name)


def test_a_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "mine.jsonl").write_text("{}")
    with pytest.raises(RequestError, match=r"there are mine\.jsonl"):
        read(tmp_path / "main.jsonl")
