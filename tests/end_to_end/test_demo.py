"""The demo: one launch for all systems, a row each, the page's path last; the second time nothing is left."""

from pathlib import Path

import pytest

from lineshaft.cli.tour import EMBEDDED, REAL, Step, check_data, label, row, tasks_of, tour
from lineshaft.engine.errors import RequestError

TOYS = Path(__file__).parents[1] / "engine/toys"
WALK, GALLERY = str(TOYS / "walk.py"), str(TOYS / "gallery.py")
STEPS = (
    Step(WALK, ("lr=0.1 steps=3", "lr=0.2 steps=3"), ("val/x",), "lr"),
    Step(GALLERY, metrics=("val/score", "test/score")),
)


def test_it_computes_what_is_left_and_ends_with_the_page(tmp_path, capfd):
    assert tour(STEPS, tmp_path / "runs") == 0
    out, err = capfd.readouterr()
    assert "3 of 3 runs of 2 systems to do" in err
    assert err.count("\ndone ") == 3
    assert "val/x: 0.1 " in " ".join(out.split()) and "test/score 0" in " ".join(out.split())
    last = Path(out.splitlines()[-1])
    assert last.is_absolute() and "<h2>gallery</h2>" in last.read_text()

    assert tour(STEPS, tmp_path / "runs") == 0
    out, err = capfd.readouterr()
    assert "0 of 3 runs of 2 systems to do" in err
    assert out.splitlines()[-1] == str(last)


def test_a_failure_is_reported_and_does_not_hide_the_rest(tmp_path, capfd):
    assert tour((Step(WALK, ("fail=true,false",), ("val/x",)),), tmp_path) == 1
    out, err = capfd.readouterr()
    assert "failed" in err and "1 of 2 failed" in " ".join(out.split())
    assert Path(out.splitlines()[-1]).is_file()


def test_missing_data_are_listed_for_all_systems_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setenv("LINESHAFT_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(RequestError) as error:
        tour(REAL, tmp_path / "runs")
    for file in ("recommend/citeulike-a", "continual/cifar10", "dialogue/woz2", "dialogue/xrisawoz"):
        assert str(tmp_path / "nothing" / file) in str(error.value)
    assert not (tmp_path / "runs").exists()


def test_runs_of_a_step_are_labelled_by_what_tells_them_apart(tmp_path):
    folders = [each.folder for each in tasks_of(STEPS[0], tmp_path)]
    assert row(STEPS[0], folders)[2] == "", "nothing came of runs that are not done"
    tour(STEPS, tmp_path)
    assert [label(folder, "lr") for folder in folders] == ["0.1", "0.2"]
    assert label(folders[0], "seed") == "seed 0"


@pytest.mark.parametrize("steps", [EMBEDDED, REAL], ids=["embedded", "real"])
def test_each_system_has_a_step_whose_words_are_valid(steps, tmp_path):
    assert sorted({step.system for step in steps}) == ["continual", "dialogue", "plasma", "recommend"]
    for step in steps:
        assert tasks_of(step, tmp_path)


@pytest.mark.data
def test_real_data_are_where_the_demo_looks(data_root):
    check_data(REAL)


def test_the_four_systems_run(tmp_path, capfd):
    assert tour(EMBEDDED, tmp_path / "runs") == 0
    out, _ = capfd.readouterr()
    assert "\na guest who likes " in out and " is recommended:\n  " in out
    text = Path(out.splitlines()[-1]).read_text()
    for step in EMBEDDED:
        assert f"<h2>{step.experiment}</h2>" in text
        assert all(metric in out for metric in step.metrics), step
    assert "could not be drawn" not in text and text.count("data:image/png") >= 8
