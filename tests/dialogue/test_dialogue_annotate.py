"""One's own files in, annotated lines out."""

import json

import pytest

from lineshaft.dialogue.annotators.tracker import Scorer
from lineshaft.dialogue.corpora import sample
from lineshaft.dialogue.corpora.own import Corpus
from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.experiments import annotate, loop
from lineshaft.engine import Options, RequestError
from lineshaft.engine.run.execute import execute


@pytest.fixture
def files(tmp_path, monkeypatch):
    for name, size in {"SOURCE": 50, "UNLABELLED": 10, "TEST": 14, "VALIDATION": 16}.items():
        monkeypatch.setattr(sample, name, size)
    material, _ = sample.load(0)
    raw = [dialogue.unlabelled() for dialogue in material.target]
    for name, dialogues in {
        "source": material.source,
        "raw": raw,
        "target": material.target,
        "few": material.validation,
    }.items():
        jsonl.write(tmp_path / f"{name}.jsonl", dialogues)
    return tmp_path


def config(files, **more):
    names = {"source": "source", "target": "raw", "validation": "few"} | more
    return Corpus(**{key: str(files / f"{name}.jsonl") for key, name in names.items() if name})


def annotated(files, name="runs", **more):
    made = annotate.Config(data=config(files, **more), annotator=Scorer())
    folder, state = execute("dialogue.annotate", made, files / name, Options(threads=1))
    assert state == "done", folder.error()
    return folder


def test_raw_dialogues_get_states_confidences_and_scores(files):
    folder = annotated(files)
    reading = jsonl.read(folder.dir / "annotated.jsonl")
    assert not reading.faults and len(reading.dialogues) == 24
    for turn in (turn for dialogue in reading.dialogues for turn in dialogue.turns):
        assert turn.provenance == "auto" and 0 <= turn.score <= 1
        assert turn.confidence.keys() == turn.state.keys()
        assert all(0 <= chance <= 1 for chance in turn.confidence.values())
    assert "target/jga" not in folder.result(), "raw dialogues are not scored: they are not gold"


def test_states_of_the_target_are_scored_and_never_read(files):
    raw, labelled = annotated(files), annotated(files, "again", target="target")
    lines = [(folder.dir / "annotated.jsonl").read_bytes() for folder in (raw, labelled)]
    assert lines[0] == lines[1]
    assert labelled.result()["target/jga"] > 8, "half of the natural words were never seen"


def test_sure_values_are_right_more_often(files):
    folder = annotated(files, target="target")
    gold = {d.id: d for d in jsonl.read(files / "target.jsonl").dialogues}
    pairs = [
        (turn.confidence[slot], gold[dialogue.id].turns[i].state.get(slot) == value)
        for dialogue in jsonl.read(folder.dir / "annotated.jsonl").dialogues
        for i, turn in enumerate(dialogue.turns)
        for slot, value in turn.state.items()
    ]
    pairs.sort()
    half = len(pairs) // 2
    assert sum(right for _, right in pairs[half:]) > sum(right for _, right in pairs[:half])


def test_findings_are_listed(files):
    with (files / "raw.jsonl").open("a") as file:
        file.write("{broken\n")
    folder = annotated(files)
    faults = [json.loads(line) for line in (folder.dir / "faults.jsonl").read_text().splitlines()]
    dropped = [fault for fault in faults if fault["dropped"]]
    assert [(fault["file"], fault["line"]) for fault in dropped] == [("raw.jsonl", 25)]
    assert "no JSON" in dropped[0]["cause"]


def test_the_loop_runs_on_own_files_and_leaves_out_bounds_that_need_more_gold(files):
    lines = [(files / f"{name}.jsonl").read_text().splitlines() for name in ("raw", "target")]
    (files / "mixed.jsonl").write_text("\n".join(lines[0][:10] + lines[1][10:]) + "\n")
    made = loop.Config(data=config(files, target="mixed"), annotator=Scorer())
    folder, state = execute("dialogue.loop", made, files / "runs", Options(threads=1))
    assert state == "done", folder.error()
    result = folder.result()
    assert result["all/jga"] > result["empty/jga"] and "gold/jga" not in result


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ({"source": "", "target": ""}, "name both files"),
        ({"source": "missing"}, "missing.jsonl is not a file"),
        ({"source": "raw"}, "no turn has a state"),
    ],
)
def test_what_cannot_be_annotated_is_said_before_work_starts(files, data, cause):
    made = annotate.Config(data=config(files, **data), annotator=Scorer())
    with pytest.raises(RequestError, match=cause):
        execute("dialogue.annotate", made, files / "runs", Options(threads=1))


def test_a_loop_without_labelled_target_dialogues_points_to_annotate(files):
    made = loop.Config(data=config(files), annotator=Scorer())
    with pytest.raises(RequestError, match=r"dialogue\.annotate"):
        execute("dialogue.loop", made, files / "runs", Options(threads=1))


def test_files_that_changed_since_the_run_began_are_refused(files):
    from types import SimpleNamespace

    run = SimpleNamespace(dir=files)
    config(files).open(run)
    (files / "few.jsonl").write_text((files / "few.jsonl").read_text() + "\n")
    with pytest.raises(RequestError, match=r"few\.jsonl changed since this run began"):
        config(files).open(run)


def test_own_ontology_and_alignment(files):
    line = {
        "dialogue": "z",
        "turns": [
            {
                "user": "我想住在北边",
                "translation": "i want the north",
                "state": {"inn": {"area": "北边", "prices": "便宜"}},
                "alignment": {"北边": "north"},
            }
        ],
    }
    (files / "zh.jsonl").write_text(json.dumps(line))
    (files / "map.json").write_text(json.dumps({"inn": {"area": {"南": "south"}}}))
    (files / "values.json").write_text(json.dumps({"inn": {"area": ["north", "south"], "price": ["cheap"]}}))
    from types import SimpleNamespace

    data = Corpus(
        source=str(files / "zh.jsonl"),
        target=str(files / "raw.jsonl"),
        ontology=str(files / "values.json"),
        alignment=str(files / "map.json"),
    )
    opened = data.open(SimpleNamespace(dir=files))
    turn = opened.source[0].turns[0]
    assert turn.user == "i want the north" and turn.original == "我想住在北边"
    assert {str(slot): value.values for slot, value in turn.state.items()} == {
        "inn-area": ("north",),
        "inn-prices": ("便宜",),
    }
    causes = [json.loads(each)["cause"] for each in (files / "faults.jsonl").read_text().splitlines()]
    assert any("have no translation and stay: inn-prices='便宜'" in cause for cause in causes)
    assert any("unknown slot inn-prices; did you mean price?" in cause for cause in causes)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "must be an object"),
        ('{"inn": {"area": {"a": ""}}}', "has no translation"),
        ('{"inn": 3}', "must map to a translation"),
    ],
)
def test_a_bad_map_is_named(tmp_path, content, cause):
    from lineshaft.dialogue.corpus.alignment import read_alignment

    (tmp_path / "map.json").write_text(content)
    with pytest.raises(RequestError, match=cause):
        read_alignment(tmp_path / "map.json")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("{", "cannot be read as JSON"),
        ('{"inn": []}', "must map domains"),
        ('{"inn": {"area": {"value": []}}}', "unknown key 'value'"),
        ('{"inn": {"area": [3]}}', "needs `values`"),
        ('{"inn": {"area": {"values": {"a": "b"}}}}', "synonyms of 'a'"),
    ],
)
def test_a_bad_ontology_is_named(tmp_path, content, cause):
    from lineshaft.dialogue.corpus.ontology_file import read_ontology

    (tmp_path / "values.json").write_text(content)
    with pytest.raises(RequestError, match=cause):
        read_ontology(tmp_path / "values.json")
