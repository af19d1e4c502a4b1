"""The ledger: every claim is there from the start, and none has a value that no run backs."""

import json

import pytest

from lineshaft.engine.claims import ledger
from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.overhead import CLAIMS, gaps, median_interval, zero
from lineshaft.engine.claims.verdict import AtLeast, AtMost, Undecided, Within
from lineshaft.engine.table.table import Interval, Table

ROWS = {
    "plasma": "speed.learned speed.zones speed.rival fluid coupling rare rollout",
    "recommend": "cold guest warm graph encoder private",
    "continual": "knn probe adapt couple ssl real nlp",
    "dialogue": "gain errors distribution settings",
    "engine": "zero",
}
IDS = [f"{system}.{row}" for system, rows in ROWS.items() for row in rows.split()]


def test_every_claim_is_there_in_order():
    assert [claim.id for claim in ledger.claims()] == IDS


def test_without_runs_nothing_is_measured(tmp_path):
    for row in ledger.rows(tmp_path):
        assert row.verdict == "not yet measured" and row.value is None and row.runs == []
        assert row.claim and row.how and row.reason


def test_json_is_a_list_of_rows_and_nothing_else(lineshaft):
    done = lineshaft("claims", "--json")
    rows = json.loads(done.stdout)
    assert done.returncode == 0 and [row["id"] for row in rows] == IDS
    assert set(rows[0]) == {"id", "claim", "how", "bar", "value", "low", "high", "verdict", "runs", "reason"}
    assert rows[0]["value"] is None


def test_the_table_shows_every_claim_and_its_reason(lineshaft):
    text = lineshaft("claims").stdout
    assert all(text.count(name) >= 2 for name in IDS)


NAN = float("nan")


def claim(measure, query=lambda runs: runs):
    return Claim(
        id="toy.claim",
        text="it works",
        how="by looking",
        experiment="toy.walk",
        query=query,
        measure=measure,
        verdict=AtLeast(0.5),
    )


def planted(runs, name, result="{}", config="{}"):
    (runs / name).mkdir(parents=True)
    (runs / name / "config.json").write_text(config)
    if result is not None:
        (runs / name / "result.json").write_text(result)


def test_only_done_runs_of_the_experiment_are_measured(tmp_path):
    planted(tmp_path, "toy.walk/seed=0")
    planted(tmp_path, "toy.walk/seed=1", result=None)
    planted(tmp_path, "toy.walk/seed=2", result="[]")
    planted(tmp_path, "toy.other/seed=0")
    row = ledger.row(claim(lambda runs: Measured(Interval(len(runs), 0.5, NAN), runs)), Table.read(tmp_path))
    assert (row.value, row.low, row.high) == (1, 0.5, None)
    assert row.runs == ["toy.walk/seed=0"] and row.verdict == "reproduced" and row.bar


def test_a_query_that_no_run_meets_measures_nothing(tmp_path):
    planted(tmp_path, "toy.walk/seed=0", config='{"lr": 0.1}')
    asks = claim(lambda runs: 1 / 0, query=lambda runs: runs.where("lr>1"))
    row = ledger.row(asks, Table.read(tmp_path))
    assert row.verdict == "not yet measured" and "do not decide it" in row.reason


def test_a_measure_that_lacks_an_extra_names_it(tmp_path):
    def needs(runs):
        raise ModuleNotFoundError("No module named 'numba'", name="numba")

    planted(tmp_path, "toy.walk/seed=0")
    row = ledger.row(claim(needs), Table.read(tmp_path))
    assert row.verdict == "not yet measured"
    assert row.reason == "measuring it needs numba: pip install 'lineshaft[toy]'"


def test_a_measure_that_raises_is_reported(tmp_path):
    planted(tmp_path, "toy.walk/seed=0")
    row = ledger.row(claim(lambda runs: 1 / 0), Table.read(tmp_path))
    assert row.verdict == "not yet measured" and "ZeroDivisionError" in row.reason


@pytest.mark.parametrize(
    ("threshold", "value", "low", "high", "verdict"),
    [
        (AtLeast(8, partly=1, exceeded=12), 13, 12, 14, "exceeded"),
        (AtLeast(8, partly=1, exceeded=12), 13, 8, 14, "reproduced"),
        (AtLeast(8, partly=1), 13, 7, 19, "partly"),
        (AtLeast(8, partly=1), 13, 1, 25, "not reproduced"),
        (AtLeast(8), 13, NAN, NAN, "not reproduced"),
        (AtMost(0.1, partly=1), 0.05, 0.0, 0.1, "reproduced"),
        (AtMost(0.1, partly=1, exceeded=0.05), 0.02, 0.0, 0.05, "exceeded"),
        (AtMost(0.1, partly=1), 0.05, 0.0, 0.9, "partly"),
        (AtMost(0.1, partly=1), NAN, NAN, NAN, "not reproduced"),
        (Within(0.1, 0.5), 0.2, 0.1, 0.5, "reproduced"),
        (Within(0.1, 0.5), 0.2, 0.0, 0.5, "partly"),
        (Within(0.1, 0.5), 0.7, 0.3, 0.9, "not reproduced"),
        (Undecided(), 1, 1, 1, "not yet measured"),
    ],
)
def test_thresholds_look_at_the_whole_interval(threshold, value, low, high, verdict):
    assert threshold(Interval(value, low, high)) == verdict


def test_a_measure_may_allow_less_than_its_thresholds_say():
    judge = claim(None).judged
    found = Interval(1, 1, 1)
    assert judge(Measured(found, Table(), at_most="partly")) == "partly"
    assert judge(Measured(Interval(0, 0, 0), Table(), at_most="partly")) == "not reproduced"


def test_gaps_follow_the_places_of_a_launcher():
    two_places = [(0.0, 1.0), (0.0, 3.0), (1.5, 2.0), (2.1, 5.0), (3.2, 4.0)]
    assert gaps(two_places) == pytest.approx([0.5, 0.1, 0.2])


def test_the_median_has_its_order_statistics():
    assert median_interval([float(i) for i in range(1, 11)]) == (5.5, 2.0, 9.0)


@pytest.mark.parametrize(("gap", "verdict"), [(0.05, "reproduced"), (0.5, "partly"), (5.0, "not reproduced")])
def test_overhead_is_computed_from_provenance(tmp_path, gap, verdict):
    for i in range(10):
        swept(tmp_path / "toy.walk" / f"seed={i}", start=i * (1 + gap), seconds=1)
    runs = Table.read(tmp_path)
    found = CLAIMS[0].evidence(runs)
    assert found is not None and found.interval.value == pytest.approx(gap, abs=2e-3)
    assert CLAIMS[0].judged(found) == verdict and len(found.runs) == 10
    assert zero(runs[:5]) is None


def test_a_quick_sweep_hides_no_slow_one(tmp_path):
    for host, gap, count in (("quick", 0.01, 40), ("slow", 0.5, 10)):
        for i in range(count):
            swept(tmp_path / "toy.walk" / f"{host}{i}", i * (1 + gap), seconds=1, host=host)
    found = zero(Table.read(tmp_path))
    assert found is not None and found.interval.value == pytest.approx(0.5, abs=2e-3)


def test_provenance_that_lacks_something_hides_no_other(tmp_path):
    for i in range(10):
        swept(tmp_path / "toy.walk" / f"seed={i}", start=i * 1.05, seconds=1)
    expected = zero(Table.read(tmp_path))
    planted(tmp_path, "toy.walk/old")
    (tmp_path / "toy.walk/old/provenance.json").write_text('[{"end": "yesterday", "outcome": "done"}]')
    found = zero(Table.read(tmp_path))
    assert found.interval == expected.interval and len(found.runs) == 11


def swept(directory, start, seconds, host="n"):
    """A done run whose provenance says when it started and ended."""
    stamps = [f"2026-01-01T00:00:{t:06.3f}+00:00" for t in (start, start + seconds)]
    common = {"command": "lineshaft sweep", "host": host, "commit": "c", "outcome": "done"}
    planted(directory.parent, directory.name)
    entry = [{**common, "start": stamps[0], "end": stamps[1]}]
    (directory / "provenance.json").write_text(json.dumps(entry))
