"""The commands of docs/dialogue.md on the small corpus in examples/dialogue, one after the other."""

import shutil
from pathlib import Path

import pytest

from lineshaft.dialogue.corpus import jsonl
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
