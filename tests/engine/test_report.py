"""The report: whatever lies in the runs, a page is made, and every word of it is text."""

import json
import re
from pathlib import Path

import pytest
from finished import redescribe

from lineshaft.engine.errors import RequestError
from lineshaft.engine.report.curves import Axis, plots, points, read
from lineshaft.engine.report.page import write_report
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.table.cells import headline, label, spelled
from lineshaft.engine.table.summary import summaries

NAN = float("nan")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&"


@pytest.fixture
def gallery(toy, tmp_path):
    """Makes runs of the toy with pictures and returns the folder they are in."""

    def make(*configs: dict[str, object]) -> Path:
        model = find(toy("gallery")).config
        for values in configs:
            execute(toy("gallery"), model(**values), tmp_path / "runs")
        return tmp_path / "runs"

    return make


def page(runs: Path, *names: str) -> str:
    return write_report(runs, names, runs / "report.html").read_text()


def test_a_page_has_tables_curves_pictures_provenance_and_claims(gallery):
    html = page(gallery({"seed": 0}, {"seed": 1}, {"lr": 0.3}))
    assert "1 experiment, 3 runs" in html
    assert "<polyline" in html and '<polygon class="band' in html
    assert html.count('src="data:image/png;base64,') == 4
    assert "engine.zero" in html and "Provenance" in html
    assert " ± " in html


def test_four_small_sets_of_pictures_are_all_shown(gallery):
    """A system's test cases must not crowd out the case they are about."""
    html = page(gallery({}, {"lr": 0.3}, {"lr": 0.2}, {"lr": 0.01}))
    assert html.count('src="data:image/png;base64,') == 8


def test_nothing_on_the_page_asks_for_anything_outside_it(gallery):
    html = page(gallery({}))
    assert re.findall(r"(?:src|href)=\"(?!data:|#)", html) == []
    assert "<script" not in html and "url(" not in html and "@import" not in html
    assert "default-src 'none'" in html


def test_hostile_words_are_text(gallery):
    html = page(gallery({"text": HOSTILE}))
    assert "<script" not in html and "<img src=x" not in html
    assert "says &lt;b&gt;nothing&lt;/b&gt;" in html
    assert "A &lt;b&gt;bold&lt;/b&gt; title" in html


def test_a_figure_that_raises_is_reported_and_the_others_are_kept(gallery):
    html = page(gallery({"broken": True}))
    assert "ValueError: no ink left" in html
    assert html.count("data:image/png") == 2


def test_failed_and_diverged_runs_are_shown(toy, tmp_path):
    walk = find(toy("walk")).config
    for config in (walk(fail=True), walk(diverge=True), walk(diverge=True, seed=1)):
        execute(toy("walk"), config, tmp_path)
    html = page(tmp_path)
    assert "1 failed" in html and "2 of 2 diverged" in html
    assert "fail=true" in html


def test_unreadable_files_become_notes(gallery):
    runs = gallery(*({"seed": seed} for seed in range(6)))
    home = runs / "gallery"
    (home / "seed=0/config.json").write_text("{")
    (home / "seed=1/metrics.jsonl").write_text("no json\n")
    (home / "seed=2/metrics.jsonl").write_text('{"step": 0, "train/loss": null}\n')
    retold(home / "seed=3", start="yesterday", command=["a", "list"], versions=None)
    (home / "seed=4/provenance.json").write_text("{}")
    html = page(runs)
    assert "config.json is not JSON" in html and "5 done" in html
    assert "left out of the learning curves" in html and "<polyline" in html
    assert "seed=1/metrics.jsonl:1 is not JSON" in html
    assert "seed=2/metrics.jsonl:1 holds no number" in html
    assert "seed=3/provenance.json: &#39;yesterday&#39; is not a time" in html
    assert "seed=4/provenance.json is not a JSON list" in html
    assert "Provenance</h3>" in html


def retold(run: Path, **values: object) -> None:
    """Change what the last execution of a run tells of itself."""
    entries = json.loads((run / "provenance.json").read_text())
    entries[-1] |= values
    (run / "provenance.json").write_text(json.dumps(entries))


def test_code_that_is_gone_costs_the_pictures_alone(gallery):
    runs = gallery({"seed": 0})
    redescribe(Folder(runs / "gallery/seed=0"), address="/nowhere/gallery.py")
    html = page(runs)
    assert "The code of gallery cannot be used" in html and "val/" in html


def test_requests_that_are_wrong_make_nothing(gallery, tmp_path):
    with pytest.raises(RequestError, match="no runs in"):
        write_report(tmp_path / "empty", [], tmp_path / "report.html")
    runs = gallery({})
    with pytest.raises(RequestError, match="did you mean gallery"):
        write_report(runs, ["galery"], tmp_path / "report.html")
    with pytest.raises(RequestError, match="is not a folder"):
        write_report(runs, [], tmp_path / "no/report.html")
    assert not (tmp_path / "report.html").exists()


def test_only_the_experiments_asked_for(gallery, toy):
    runs = gallery({})
    execute(toy("walk"), find(toy("walk")).config(), runs)
    assert "<h2>walk</h2>" not in page(runs, "gallery")
    assert "<h2>walk</h2>" in page(runs)


def test_groups_are_all_but_the_seed_and_the_best_comes_first(gallery):
    runs = gallery({"seed": 0, "lr": 0.01}, {"seed": 1, "lr": 0.01}, {"seed": 0}, {"seed": 1})
    [summary] = summaries(runs)
    assert [label(group) for group in summary.groups] == ["defaults", "lr=0.01"]
    html = page(runs)
    assert html.index('class="label">defaults') < html.index('class="label">lr=0.01')


def test_headline_puts_the_objective_first():
    metrics = ["val/a", "guest/knn_low", "val/knn", "test/knn"]
    assert headline(metrics, ("val/knn", "max"), 3) == ["val/knn", "test/knn", "val/a"]
    assert headline(metrics, None, 1) == ["val/a"]


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (88.123, 1.234, "88.1 ± 1.2"),
        (0.83412, 0.00123, "0.8341 ± 0.0012"),
        (12345.6, 234.5, "12346 ± 234"),
        (0.5, float("nan"), "0.5"),
        (3.0, 0.0, "3 ± 0"),
    ],
)
def test_a_mean_is_rounded_to_the_place_of_its_uncertainty(mean, half, text):
    assert spelled(mean, half) == text


def test_curves_are_means_over_seeds_with_their_range(gallery):
    [summary] = summaries(gallery({"seed": 0}, {"seed": 1}, {"seed": 0, "lr": 0.5}))
    drawn = plots(read(summary.groups)[0], summary.objective)
    assert [plot.metric for plot in drawn] == ["val/score", "train/loss"]
    bands = {bool(curve.band) for curve in drawn[0].curves}
    assert bands == {True, False}, "two seeds have a range, one has none"


def logged(*values: float) -> list[dict[str, float]]:
    return [{"step": step, "x": value} for step, value in enumerate(values)]


@pytest.mark.parametrize(
    ("seeds", "means"),
    [
        ([logged(1, 2, 3), logged(3, 4, 5)], [2, 3, 4]),
        ([logged(1, 2, 3, 4), logged(3, 4)], [2, 3]),
        ([logged(1, 2, NAN, 4), logged(9, 9, 9, 9)], [5, 5.5]),
        ([logged(1, 2, 1e308), logged(9, 9, 9)], [5, 5.5]),
        ([logged(NAN, 2, 3), logged(9, 9, 9)], [5.5, 6]),
        ([logged(NAN, NAN), logged(9, 9)], []),
        ([logged(1, 2), [{"step": 0, "y": 1}], []], [1, 2]),
    ],
)
def test_a_line_ends_where_a_seed_stops_or_diverges(seeds, means):
    """A mean over the survivors would jump."""
    assert [mean for _, mean, _, _ in points(seeds, "x")] == means


def test_a_metric_that_explodes_in_every_seed_still_has_a_frame():
    huge = [logged(1, 2, 3, 4, sign * 1.7e308) for sign in (1, -1)]
    (drawn,) = plots([huge, [logged(*[NAN] * 5)], []], None)
    assert (drawn.metric, len(drawn.curves)) == ("x", 1)


@pytest.mark.parametrize("is_log", [False, True])
def test_ticks_are_round_and_inside(is_log):
    ticks = Axis(0.002, 730.0, 0, 100, is_log).ticks(4)
    assert 2 <= len(ticks) <= 6 and all(0 <= tick.at <= 100 for tick in ticks)
    assert {tick.text.strip("0.").rstrip("0") for tick in ticks} <= {"", "1", "2", "4", "6", "1e-0"}


def test_an_axis_without_extent_still_has_one():
    axis = Axis(5.0, 5.0, 0, 100)
    assert axis(5.0) == 50 and axis.ticks(3)
