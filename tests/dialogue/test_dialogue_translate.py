"""Translators, alignment and checks, on cases whose answer is known."""

import json
import shutil
import stat
import subprocess
from dataclasses import replace

import pytest

from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, Turn, Value
from lineshaft.dialogue.corpus.ontology import Ontology, surfaces
from lineshaft.dialogue.experiments import translate
from lineshaft.dialogue.translate.align import align
from lineshaft.dialogue.translate.checks import checked
from lineshaft.dialogue.translate.replay import Database, read_database, replay
from lineshaft.dialogue.translate.translators import Apertium, HuggingFace, Table
from lineshaft.engine import RequestError, testing

AREA, STARS, NAME = Slot("inn", "area"), Slot("inn", "stars"), Slot("inn", "name")
ONTOLOGY = Ontology(surfaces([(AREA, "north", ["up town"]), (AREA, "south", []), (STARS, "4", ["four"])]), {})


def turn(user, original="去北边四星", **state):
    values = {Slot("inn", name): Value((value,)) for name, value in state.items()}
    return Turn(user, values, original=original)


def findings(*turns, ontology=ONTOLOGY):
    return [(each.check, each.turn) for each in checked([Dialogue("d", turns)], ontology)]


@pytest.mark.parametrize(
    ("text", "value", "where"),
    [
        ("go north now", "north", "north"),
        ("it is in Up Town", "north", "Up Town"),
        ("the northe side", "north", "northe"),
        ("hôtel à l\u2019Opéra", "opéra", "Opéra"),
        ("somewhere else", "north", None),
        ("", "north", None),
    ],
)
def test_a_value_is_aligned_by_all_its_wordings(text, value, where):
    span = align(text, AREA, value, ONTOLOGY)
    assert (span and text[span.start : span.end]) == where


def test_a_good_translation_has_no_findings():
    assert findings(turn("north please", area="north"), turn("and four stars", area="north", stars="4")) == []


@pytest.mark.parametrize(
    ("bad", "check"),
    [
        (turn("go there please", area="north"), "value"),
        (turn("go 北边 north", area="north"), "untranslated"),
        (turn("去北边四星"), "same"),
        (turn("", original="去"), "empty"),
        (turn("at noon", original="在 11:45 走"), "number"),
        (turn("at noon", original="在１１点"), "number"),
    ],
)
def test_every_check_finds_what_it_is_for(bad, check):
    found = checked([Dialogue("d", (bad,))], ONTOLOGY)
    assert [each.check for each in found] == [check]
    assert found[0].cause and found[0].fix and found[0].dialogue == "d"


def test_values_of_the_agent_carried_over_or_silent_are_no_findings():
    acts = (Act("inn", "recommend", "name", Value(("Hilton",))),)
    offered = Turn("good", {NAME: Value(("Hilton",)), Slot("inn", "wifi"): Value(("yes",))}, acts)
    assert findings(offered) == []


def test_odd_lengths_are_found_against_the_corpus():
    usual = [turn(f"go to number {i} please", original="去第几号地方吧") for i in range(30)]
    odd = turn("go " * 60, original="去第几号地方吧")
    assert findings(*usual, odd) == [("length", 30)]


def test_waived_findings_are_left_out():
    bad = Dialogue("d", (turn("go there please", area="north"),))
    assert checked([bad], ONTOLOGY, [("value", "d", 0)]) == []


ROWS = {
    "inn": [{"name": "Hilton", "area": "North", "stars": 4}, {"name": "Ritz", "area": "South", "stars": 5}]
}


def searched(**state):
    after = Turn("ok", {}, (Act("inn", "recommend", "name", Value(("Hilton",))),))
    return Dialogue("d", (turn("x", **state), after))


def test_a_search_is_run_again():
    database = Database(ROWS, ONTOLOGY)
    assert database.count("inn", {AREA: Value(("up town",))}) == 1
    assert database.count("inn", {AREA: Value(("north",)), STARS: Value(("5",))}) == 0
    assert database.count("inn", {AREA: Value(("dontcare",))}) == 2
    assert replay([searched(area="north", stars="four")], database) == []
    unknown, clash = replay(
        [searched(area="nort"), replace(searched(area="north", stars="5"), id="e")], database
    )
    assert "area is never 'nort'" in unknown.cause and "did you mean north" in unknown.fix
    assert "exclude each other" in clash.cause and clash.dialogue == "e"


def test_a_database_is_a_folder_of_lists(tmp_path):
    (tmp_path / "inn_en.json").write_text(json.dumps(ROWS["inn"]))
    assert read_database(tmp_path).count("inn", {}) == 2
    (tmp_path / "inn_en.json").write_text("{}")
    with pytest.raises(RequestError, match="must be a list of rows"):
        read_database(tmp_path)
    with pytest.raises(RequestError, match=r"holds no DOMAIN\.json"):
        read_database(tmp_path / "nowhere")


@pytest.mark.data
def test_the_public_database_answers(data_root, tmp_path):
    import tarfile

    with tarfile.open(data_root / "dialogue/xrisawoz/database_en_zh.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    database = read_database(tmp_path / "database/db_en")
    assert len(database.columns) == 12
    state = {Slot("hotel", "star"): Value(("5",))}
    assert 0 < database.count("hotel", state) < database.count("hotel", {})


def test_a_table_translates_and_names_what_it_lacks(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps({"去北边": "go north"}))
    assert Table(file=str(tmp_path / "t.json")).translate(["去 北边", ""]) == ["go north", ""]
    with pytest.raises(RequestError, match=r"1 of 2 texts have no translation, the first is '去南边'"):
        Table(file=str(tmp_path / "t.json")).translate(["去北边", "去南边"])
    assert Table(file=str(tmp_path / "t.json"), missing="keep").translate(["去南边"]) == ["去南边"]
    (tmp_path / "t.tsv").write_text("a\tb\nc\n")
    with pytest.raises(RequestError, match=r"t\.tsv:2: one tab is needed"):
        Table(file=str(tmp_path / "t.tsv")).translate(["a"])
    with pytest.raises(RequestError, match="not a table of translations"):
        Table(file=str(tmp_path / "none.json")).translate(["a"])


def test_apertium_is_called_line_by_line_and_its_absence_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RequestError, match="apertium is not installed"):
        Apertium().translate(["hola"])
    program = tmp_path / "apertium"
    program.write_text("#!/bin/sh\n/usr/bin/tr a-z A-Z\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    assert Apertium(pairs=("ita-spa", "spa-eng")).translate(["ciao\nbella", "sì"]) == [
        "CIAO BELLA",
        "Sì".upper()[0] + "ì",
    ]
    program.write_text("#!/bin/sh\necho 'no such pair' >&2; exit 1\n")
    with pytest.raises(RequestError, match="apertium spa-eng failed: no such pair"):
        Apertium().translate(["hola"])


@pytest.mark.apertium
def test_apertium_translates_spanish_line_by_line():
    if shutil.which("apertium") is None or "spa-eng" not in _installed():
        pytest.skip("Apertium with spa-eng is not here: apt-get install apertium apertium-eng-spa")
    spoken = ["Buenos días", "", "un restaurante\nbarato\n\nen el centro", "12:30 [x] {y} ^algo@raro$ / <b>"]
    written = Apertium().translate(spoken)
    assert written[:3] == ["Good morning", "", "A cheap restaurant in the centre"]
    assert all(mark in written[3] for mark in ("12:30", "[x]", "^algo@raro$", "/ <b>"))
    with pytest.raises(RequestError, match="Mode xxx-yyy does not exist"):
        Apertium(pairs=("xxx-yyy",)).translate(["hola"])


def _installed() -> list[str]:
    listed = subprocess.run(["apertium", "-l"], capture_output=True, text=True, check=True)
    return listed.stdout.split()


def test_a_model_that_is_not_there_is_said():
    with pytest.raises(RequestError, match="name a model"):
        HuggingFace().translate(["x"])
    with pytest.raises(RequestError, match="no sequence-to-sequence model"):
        HuggingFace(model="/nowhere/at/all").translate(["x"])


def test_the_experiment_translates_projects_and_checks(tmp_path):
    lines = [Dialogue("d", (Turn("去北边", {AREA: Value(("北边",)), STARS: Value(("四",))}),), "zh")]
    jsonl.write(tmp_path / "zh.jsonl", lines)
    (tmp_path / "t.json").write_text(json.dumps({"去北边": "go up town"}))
    (tmp_path / "map.json").write_text(json.dumps({"inn": {"area": {"北边": "north"}}}))
    (tmp_path / "values.json").write_text(json.dumps({"inn": {"area": {"values": {"north": ["up town"]}}}}))
    config = translate.Config(
        source=str(tmp_path / "zh.jsonl"),
        translator=Table(file=str(tmp_path / "t.json")),
        alignment=str(tmp_path / "map.json"),
        ontology=str(tmp_path / "values.json"),
    )
    result = translate.run(config, testing.FakeRun(tmp_path / "run"))
    assert (result["missing"], result["findings/value"]) == (1, 1)
    turn = jsonl.read(tmp_path / "run/translated.jsonl").dialogues[0].turns[0]
    assert (turn.user, turn.original, turn.provenance) == ("go up town", "去北边", "projected")
    assert turn.state[AREA] == Value(("north",)) and turn.state[STARS] == Value(("四",))
    waived = translate.Config(**{**dict(config), "waived": str(tmp_path / "run/findings.jsonl")})
    assert translate.run(waived, testing.FakeRun(tmp_path / "again"))["findings"] == 0
