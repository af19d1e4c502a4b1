"""The commands of docs/dialogue.md on the small corpus in examples/dialogue, one after the other."""

import shutil
from pathlib import Path

import pytest

from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.experiments import loop
from lineshaft.engine import Options
from lineshaft.engine.run.execute import execute
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.grid import grid

HOME = Path(__file__).parents[2]


@pytest.fixture
def at_home(monkeypatch):
    monkeypatch.chdir(HOME)


def run(tmp_path, experiment, *words):
    config = grid(find(experiment).config, list(words))[0]
    folder, state = execute(experiment, config, tmp_path / "runs", Options(threads=1))
    assert state == "done", folder.error()
    return folder


def test_translate_annotate_analyse_review_and_the_loop(at_home, tmp_path):
    mine = "examples/dialogue"
    translated = run(
        tmp_path,
        "dialogue.translate",
        f"source={mine}/source.zh.jsonl",
        f"translator.file={mine}/translations.json",
        f"alignment={mine}/values.zh-en.json",
        f"ontology={mine}/ontology.json",
    )
    assert translated.result()["findings"] == 0 and translated.result()["missing"] == 0
    copied = shutil.copy(translated.dir / "translated.jsonl", tmp_path)
    data = [
        "data=corpus",
        f"data.source={copied}",
        f"data.validation={mine}/few.en.jsonl",
        f"data.ontology={mine}/ontology.json",
    ]
    raw = run(tmp_path, "dialogue.annotate", *data, f"data.target={mine}/raw.en.jsonl")
    written = jsonl.read(raw.dir / "annotated.jsonl")
    assert len(written.dialogues) == 12 and not written.faults
    page = run(tmp_path, "dialogue.review", f"annotated={shutil.copy(raw.dir / 'annotated.jsonl', tmp_path)}")
    assert (page.dir / "review.html").stat().st_size > 10_000
    words = [*data, f"data.target={mine}/test.en.jsonl", "annotator=scorer"]
    study = run(tmp_path, "dialogue.analyse", *words)
    assert (study.dir / "errors.json").exists()
    result = run(tmp_path, "dialogue.loop", *words).result()
    assert result["lower/jga"] > 50 and result["gold/jga"] > result["empty/jga"]


def test_a_filter_of_ones_own_stands_in_the_table_with_its_control(at_home, tmp_path):
    folder = run(tmp_path, "examples/dialogue/own_filter.py", "annotator=scorer")
    result = folder.result()
    assert {"short/gain", "short/over_random", "random_short/jga", "stacked/over_random"} <= result.keys()
    assert "short" in loop.overview(result)


def test_an_annotator_of_ones_own_writes_what_the_built_in_ones_write(at_home, tmp_path):
    folder = run(tmp_path, "examples/dialogue/own_annotator.py")
    written = jsonl.read(folder.dir / "annotated.jsonl")
    assert not written.faults and folder.result()["target/jga"] > 0
    assert any(turn.confidence for dialogue in written.dialogues for turn in dialogue.turns)


def test_a_translator_of_ones_own_translates_the_file_that_it_is_given(at_home, tmp_path):
    source = tmp_path / "it.jsonl"
    source.write_text('{"dialogue": "d", "turns": [{"user": "un albergo nel centro", "state": {}}]}\n')
    folder = run(tmp_path, "examples/dialogue/own_translator.py", f"source={source}")
    turn = jsonl.read(folder.dir / "translated.jsonl").dialogues[0].turns[0]
    assert (turn.user, turn.original) == ("a hotel in the centre", "un albergo nel centro")
