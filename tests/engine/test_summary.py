"""Summaries with known answers: groups, intervals, tuning, what is missing and what diverged."""

import csv
import io
import json
import math
from pathlib import Path

import pytest
from finished import NAN, V2, WALK, finished, grid_of, put, redescribe, toy_with
from scipy import stats as scipy_stats

from benchmarks import finished as bench_runs
from lineshaft.engine import RequestError
from lineshaft.engine.table.columns import varying
from lineshaft.engine.table.pair import chosen, compare
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.stats import QUANTILES, mean_interval, quantile
from lineshaft.engine.table.summary import summaries, summarise

WITHOUT = WALK.with_name("needy.py")


def summary(runs, **request):
    (found,) = summaries(runs, **request)
    return found


def measured(group, metric="val/x"):
    m = group.measure(metric)
    return round(m.mean, 6), round(m.low, 6), round(m.high, 6), m.n


def test_intervals_are_those_of_scipy():
    values = [1.0, 2.0, 4.0, 7.0]
    low, high = scipy_stats.t.interval(0.95, 3, 3.5, scipy_stats.sem(values))
    assert mean_interval(values) == pytest.approx((3.5, low, high))
    for freedom in (*range(1, len(QUANTILES) + 1), 30, 1000):
        assert quantile(freedom) == pytest.approx(scipy_stats.t.ppf(0.975, freedom), rel=1e-12)
    assert math.isnan(mean_interval([3.0])[1])
    assert all(map(math.isnan, mean_interval([])))


def test_equal_values_have_no_spread_however_their_sum_rounds():
    assert mean_interval([0.1] * 10) == (0.1, 0.1, 0.1)


def test_an_exploded_metric_has_a_wide_interval_and_stops_nothing(tmp_path, lineshaft):
    mean, low, high = mean_interval([1e200, 3e200])
    assert (mean, high - mean, mean - low) == pytest.approx((2e200, quantile(1) * 1e200, quantile(1) * 1e200))
    assert mean_interval([1.7e308, -1.7e308]) == (0.0, -math.inf, math.inf)
    assert mean_interval([1.7e308, 1.7e308])[0] == math.inf
    grid_of(tmp_path / "runs", {0.1: [1e200, 3e200], 0.2: [1.7e308, -1.7e308], 0.3: [1.7e308, 1.7e308]})
    for words in (["summary"], ["summary", "--json"], ["report"]):
        done = lineshaft(*words)
        assert done.returncode == 0, done.stderr


def test_groups_are_what_varies_less_the_seed_and_the_best_comes_first(tmp_path):
    grid_of(tmp_path, {0.1: [1, 2, 3], 0.2: [4, 5, 6]})
    found = summary(tmp_path)
    assert (found.keys, found.metrics) == (["lr"], ["val/x", "test/x"])
    assert [g.keys["lr"] for g in found.groups] == [0.2, 0.1]
    half = 4.302653 / math.sqrt(3)
    assert measured(found.groups[0]) == pytest.approx((5, 5 - half, 5 + half, 3), abs=1e-5)
    assert measured(found.groups[1], "test/x")[0] == 3


def test_an_objective_to_be_minimised_ranks_the_least_first(tmp_path):
    grid_of(tmp_path, {0.1: [1, 2], 0.2: [4, 5]})
    ranked = summarise(rows(tmp_path), ("val/x", "min"))
    assert [g.keys["lr"] for g in ranked.groups] == [0.1, 0.2]
    tuned = summarise(rows(tmp_path), ("val/x", "min"), tune=["lr"])
    assert tuned.groups[0].tuned == {"lr": 0.1}


def test_a_diverged_seed_leaves_no_mean_and_ranks_worst(tmp_path):
    grid_of(tmp_path, {0.1: [1, 2, 3], 0.2: [100, NAN, 100]})
    worst = summary(tmp_path).groups[-1]
    assert (worst.keys["lr"], worst.diverged) == (0.2, 1)
    measure = worst.measure("val/x")
    assert (math.isnan(measure.mean), measure.n, measure.diverged) == (True, 3, 1)


def test_missing_and_unfinished_seeds_are_counted_and_rank_below_complete_groups(tmp_path):
    grid_of(tmp_path, {0.1: [1, 2, 3], 0.2: [100, 100, None], 0.4: [50]})
    finished(tmp_path, state="failed", lr=0.4, seed=1)
    finished(tmp_path, state="paused", lr=0.4, seed=2)
    best, missing, failed = summary(tmp_path).groups
    assert (best.keys["lr"], best.missing) == (0.1, [])
    assert (missing.keys["lr"], missing.missing, missing.measure("val/x").n) == (0.2, [(2,)], 2)
    assert (failed.keys["lr"], failed.unfinished) == (0.4, {"failed": 1, "paused": 1})


def test_tuning_takes_the_best_mean_of_the_objective_for_each_group(tmp_path):
    for steps, means in {3: {0.1: 1, 0.2: 5, 0.4: 2}, 6: {0.1: 9, 0.2: 5, 0.4: 2}}.items():
        for lr, mean in means.items():
            for seed, noise in enumerate((-1, 0, 1)):
                finished(tmp_path, mean + noise, lr=lr, steps=steps, seed=seed)
    found = summary(tmp_path, tune=["lr"])
    assert found.keys == ["steps"]
    assert [(g.keys["steps"], g.tuned, g.edges) for g in found.groups] == [
        (6, {"lr": 0.1}, ["lr"]),
        (3, {"lr": 0.2}, []),
    ]
    assert [row.values["lr"] for row in found.groups[1].runs] == [0.2] * 3
    both = summary(tmp_path, tune=["lr", "steps"])
    assert [(g.keys, g.tuned) for g in both.groups] == [({}, {"lr": 0.1, "steps": 6})]


def test_tuning_never_prefers_the_survivors_of_a_diverged_or_failed_value(tmp_path):
    grid_of(tmp_path, {0.1: [1, 1, 1], 0.2: [9, NAN, 9], 0.4: [8, 8]})
    finished(tmp_path, state="failed", lr=0.4, seed=2)
    (group,) = summary(tmp_path, tune=["lr"]).groups
    assert group.tuned == {"lr": 0.1}
    assert group.passed_over == ["lr=0.4 (1 failed)", "lr=0.2 (1 diverged)"]


def test_one_lucky_extra_value_or_seed_decides_nothing(tmp_path):
    grid_of(tmp_path, {0.1: [1, 1, 1], 0.2: [2, 2, 2], 0.3: [3, 3, 3, -90, -90], 0.4: [100]})
    (group,) = summary(tmp_path, tune=["lr"]).groups
    assert group.tuned == {"lr": 0.3}
    assert group.passed_over == ["lr=0.4 (2 missing)"]
    assert len(group.runs) == 5, "what is shown of the chosen value are all its seeds"


def test_tuning_before_any_result_chooses_nothing(tmp_path):
    finished(tmp_path, state="new", lr=0.1)
    finished(tmp_path, state="paused", lr=0.2)
    (group,) = summary(tmp_path, tune=["lr"]).groups
    assert (group.tuned, group.unfinished) == ({}, {"new": 1, "paused": 1})


def test_tuning_needs_an_objective(tmp_path):
    for seed in (0, 1):
        finished(tmp_path, 1.0, toy=WITHOUT, data=False, seed=seed)
    with pytest.raises(RequestError, match=r"needy has no objective.*validation metric"):
        summaries(tmp_path, tune=["data"])
    assert summary(tmp_path).objective is None


def test_parameters_of_a_variant_vary_only_within_it(tmp_path):
    home = tmp_path.with_name("gridded.py")
    home.write_bytes(Path(bench_runs.__file__).read_bytes())
    for method in ({"name": "plain"}, {"name": "replay", "alpha": 0.2}):
        for seed in (0, 1):
            finished(tmp_path, 1.0, toy=home, method=method, seed=seed)
    assert varying(rows(tmp_path)) == ["method"]
    for row in rows(tmp_path):
        if row.values["method"] == "plain":
            put(row.folder, "config.json", row.config | {"method": {"name": "plain", "alpha": 9}})
    assert varying(rows(tmp_path)) == ["method"], "each variant has one alpha, its own"
    finished(tmp_path, 1.0, toy=home, method={"name": "replay", "alpha": 0.5})
    assert varying(rows(tmp_path)) == ["method", "method.alpha"]


def test_runs_from_before_a_parameter_was_added_have_its_default(tmp_path):
    for seed in (0, 1):
        old = finished(tmp_path, 1.0, seed=seed)
        put(old, "config.json", {k: v for k, v in old.config().items() if k != "sleep"})
        finished(tmp_path, 2.0, seed=seed + 2)
    assert [g.keys for g in summary(tmp_path).groups] == [{}], "the same cell, four seeds"
    finished(tmp_path, 3.0, sleep=0.5)
    assert [g.keys for g in summary(tmp_path).groups] == [{"sleep": 0}, {"sleep": 0.5}]


@pytest.mark.parametrize("where", ["sleep=0", "sleep<0.2", "sleep!=0.5", "sleep=0,0.1"])
def test_conditions_on_a_parameter_added_later_take_older_runs_too(tmp_path, where):
    for seed in range(3):
        old = finished(tmp_path, 1.0, seed=seed)
        put(old, "config.json", {k: v for k, v in old.config().items() if k != "sleep"})
    finished(tmp_path, 3.0, seed=3)
    finished(tmp_path, 9.0, sleep=0.5)
    (finished(tmp_path, 9.0, lr=0.7).dir / "config.json").write_text("{")
    (group,) = summary(tmp_path, where=[where]).groups
    assert (len(group.done), group.measure("val/x").mean) == (4, 1.5)


@pytest.mark.parametrize(
    ("where", "seeds"),
    [
        ("fail=True", [1]),
        ("fail=TRUE", [1]),
        ("fail=true,false", [0, 1]),
        ("fail=False", [0]),
        ("fail!=False", [1]),
        ("fail!=True", [0]),
        ("fail=maybe", []),
    ],
)
def test_truths_in_conditions_are_read_as_python_writes_them_too(tmp_path, where, seeds):
    finished(tmp_path, 1.0, seed=0)
    finished(tmp_path, 1.0, seed=1, fail=True)
    assert sorted(row.values["seed"] for row in rows(tmp_path, where=[where])) == seeds


def test_versions_of_the_code_are_never_pooled(tmp_path):
    runs, new = tmp_path / "runs", toy_with(tmp_path, *V2)
    for seed in range(3):
        finished(runs, 1.0 + seed, seed=seed)
        finished(runs, 5.0 + seed, seed=seed, toy=new)
    found = summary(runs)
    assert [(g.keys, measured(g)[0]) for g in found.groups] == [({"version": 2}, 6), ({"version": 1}, 2)]
    difference = compare(*(chosen(found, [f"version={v}"]) for v in (2, 1)), "val/x", found.objective)
    assert (difference.mean, difference.n) == (4, 3)
    assert len(rows(runs, where=["version=2"])) == 3
    assert summary(runs, by=["lr"]).keys == ["lr", "code"], "another version is other code"
    for parent, score in ((1, 1.0), (2, 2.0)):
        start = {"experiment": str(new), "version": parent, "config": {"lr": 0.1}}
        finished(runs, score, steps=9, parent=start, toy=new)
    children = summary(runs, where=["parent=walk"])
    assert [g.keys for g in children.groups] == [{"parent.version": 2}, {"parent.version": 1}]


def test_grouping_by_less_than_what_varies_says_so(tmp_path):
    grid_of(tmp_path, {0.1: [1, 2], 0.2: [3, 4]})
    found = summary(tmp_path, by=["steps"])
    assert ([g.keys for g in found.groups], found.mixed) == ([{"steps": 5}], ["lr"])
    assert found.groups[0].measure("val/x").n == 4


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"by": ["lrr"]}, "no run has a parameter lrr; did you mean lr?"),
        ({"tune": ["nothing"]}, "no run has a parameter nothing"),
        ({"metrics": ["val/y"]}, "no run has a metric val/y; did you mean val/x?"),
        ({"where": ["lr"]}, "'lr' is not a condition"),
        ({"where": ["lrr=1"]}, "no run has a parameter lrr; did you mean lr?"),
        ({"where": ["lr<big"]}, "compares numbers"),
        ({"experiment": "wakl"}, "no runs of wakl .*did you mean walk?"),
    ],
)
def test_what_no_run_has_is_an_error_with_the_nearest(tmp_path, request_, message):
    grid_of(tmp_path, {0.1: [1], 0.2: [2]})
    with pytest.raises(RequestError, match=message):
        summaries(tmp_path, **request_)


def test_a_pair_is_compared_seed_by_seed(tmp_path):
    grid_of(tmp_path, {0.1: [1, 5, 9, 50], 0.2: [2.5, 6, 10.5], 0.4: [1.5, 4, 9.5]})
    found = summary(tmp_path)
    a, b, c = (chosen(found, [f"lr={lr}"]) for lr in (0.2, 0.1, 0.4))
    up = compare(a, b, "val/x", found.objective)
    low, high = scipy_stats.t.interval(0.95, 2, 4 / 3, scipy_stats.sem([1.5, 1, 1.5]))
    assert (up.mean, up.low, up.high) == pytest.approx((4 / 3, low, high))
    assert (up.n, up.unpaired, up.verdict) == (3, 1, "first is higher (better)")
    assert compare(b, a, "val/x", found.objective).verdict == "first is lower (worse)"
    assert compare(a, b, "test/x", found.objective).verdict == "first is higher"
    assert compare(b, c, "val/x", found.objective).verdict == "no significant difference"


def test_a_pair_with_a_diverged_seed_or_none_in_common_has_no_mean(tmp_path):
    grid_of(tmp_path, {0.1: [1, 2], 0.2: [2, NAN], 0.4: [None, None, 3]})
    found = summary(tmp_path)
    a, b, c = (chosen(found, [f"lr={lr}"]) for lr in (0.1, 0.2, 0.4))
    assert (math.isnan(compare(a, b, "val/x", None).mean), compare(a, b, "val/x", None).verdict) == (
        True,
        "a seed diverged: no mean",
    )
    assert compare(a, c, "val/x", None).verdict == "no seed in common"


def test_words_of_a_pair_must_fit_one_row(tmp_path):
    grid_of(tmp_path, {0.1: [1], 0.2: [2]})
    found = summary(tmp_path)
    with pytest.raises(RequestError, match=r"fits 2 rows .*lr=0.2; lr=0.1"):
        chosen(found, [])
    with pytest.raises(RequestError, match=r"no row of the summary meets 'lr=0.3'"):
        chosen(found, ["lr=0.3"])
    with pytest.raises(RequestError, match="steps is not a column"):
        chosen(found, ["steps=5"])


def test_runs_can_be_summarised_where_their_code_is_gone(tmp_path):
    for seed in (0, 1):
        folder = finished(tmp_path, 1.0 + seed, seed=seed)
        redescribe(folder, address="/nowhere/walk.py")
    found = summary(tmp_path)
    assert (found.objective, measured(found.groups[0])[0]) == (("val/x", "max"), 1.5)
    assert summaries(tmp_path, tune=["lr"])[0].tuned == ["lr"]


def test_the_objective_is_what_the_runs_say_and_that_of_the_latest_where_it_changed(tmp_path):
    old = finished(tmp_path, 1.0, seed=0)
    assert summary(tmp_path).objective == ("val/x", "max")
    new = finished(tmp_path, 2.0, seed=1)
    redescribe(new, objective=["test/x", "min"])
    entry = new.provenance()[0] | {"start": "2026-01-02T10:00:00.000+00:00"}
    put(new, "provenance.json", [entry])
    assert summary(tmp_path).objective == ("test/x", "min")
    redescribe(old, objective=["broken"])
    redescribe(new, objective=None)
    assert summary(tmp_path).objective is None


def test_unreadable_runs_are_reported_and_hide_nothing(tmp_path):
    grid_of(tmp_path, {0.1: [1, 2], 0.2: [3, 4]})
    (finished(tmp_path, 9.0, lr=0.3).dir / "config.json").write_text("{")
    (finished(tmp_path, 9.0, lr=0.4).dir / "result.json").write_text('["no", "metrics"]')
    (finished(tmp_path, 9.0, lr=0.5).dir / "config.json").write_text("[1, 2]")
    put(finished(tmp_path, 9.0, lr=0.6), "result.json", {"val/x": "high"})
    (finished(tmp_path, 9.0, lr=0.7).dir / "config.json").write_text("[" * 100_000)
    found = summary(tmp_path)
    assert [g.keys["lr"] for g in found.groups] == [0.2, 0.1]
    assert len(found.faults) == 5
    assert all("walk/lr=0." in fault for fault in found.faults)


def test_the_verb_in_all_its_formats(lineshaft, tmp_path):
    grid_of(tmp_path / "runs", {0.1: [1, 2, 3], 0.2: [4, NAN, 6]})
    text = lineshaft("summary")
    assert text.returncode == 0
    assert text.stdout.splitlines()[1].split() == ["0.1", "2.0", "±", "2.5", "3.0", "±", "2.5", "3"]
    assert "1 of 3 diverged" in text.stdout
    table = list(csv.DictReader(io.StringIO(lineshaft("summary", "walk", "--format", "csv").stdout)))
    assert (float(table[0]["val/x"]), table[0]["n"], table[1]["val/x"]) == (2.0, "3", "")
    assert (table[1]["val/x.diverged"], table[1]["note"]) == ("1", "1 diverged")
    assert lineshaft("summary", "--format", "markdown").stdout.startswith(
        "| lr | val/x | test/x | n | note |"
    )
    data = json.loads(lineshaft("summary", "--json", "--pair", "lr=0.1", "lr=0.2").stdout)
    assert data[0]["groups"][0]["metrics"]["val/x"]["mean"] == 2.0
    assert data[0]["groups"][1]["metrics"]["val/x"]["mean"] is None
    assert data[0]["comparisons"][0]["verdict"] == "a seed diverged: no mean"
    assert lineshaft("summary", "--format", "excel").returncode == 2


def test_the_verb_marks_the_edge_of_a_grid(lineshaft, tmp_path):
    grid_of(tmp_path / "runs", {0.1: [1, 2], 0.2: [3, 4], 0.4: [5, 6]})
    done = lineshaft("summary", "--tune", "lr")
    assert "0.4*" in done.stdout
    assert "widen the grid of lr" in done.stdout


def test_the_verb_shows_hostile_values_without_obeying_them(lineshaft, tmp_path):
    for seed, text in enumerate(["\x1b[2Ja|b", "line\nbreak", "../../x", "-rf", "'; rm -rf ~", "é" * 5000]):
        finished(tmp_path / "runs", 1.0, text=text, seed=seed)
    for style in ("terminal", "markdown", "csv"):
        done = lineshaft("summary", "--format", style)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout
    assert "line\\nbreak" in lineshaft("summary").stdout
    texts = [g["values"]["text"] for g in json.loads(lineshaft("summary", "--json").stdout)[0]["groups"]]
    assert "\x1b[2Ja|b" in texts


def test_an_empty_folder_is_no_error(lineshaft, tmp_path):
    done = lineshaft("summary")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(lineshaft("summary", "--json").stdout) == []


def test_several_experiments_need_a_name_where_columns_are_chosen(lineshaft, tmp_path):
    finished(tmp_path / "runs", 1.0)
    finished(tmp_path / "runs", 1.0, toy=WITHOUT, data=False)
    assert lineshaft("summary").stdout.splitlines()[0] == "needy"
    wrong = lineshaft("summary", "--by", "lr")
    assert (wrong.returncode, "name one experiment: needy, walk" in wrong.stderr) == (2, True)
