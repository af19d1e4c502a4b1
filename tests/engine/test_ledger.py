"""The ledger: every claim is there from the start, and none has a value that no run backs."""

import json

import pytest

from lineshaft.engine.claims import ledger
from lineshaft.engine.claims.claim import Claim, Evidence
from lineshaft.engine.claims.overhead import gaps, median_interval, zero
from lineshaft.engine.run.store import Folder

ROWS = {
    "plasma": "speed fluid coupling rare rollout",
    "recommend": "cold guest warm graph encoder private",
    "continual": "knn probe couple ssl real nlp",
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
    assert set(rows[0]) == {"id", "claim", "how", "value", "low", "high", "verdict", "runs", "reason"}
    assert rows[0]["value"] is None


def test_the_table_shows_every_claim_and_its_reason(lineshaft):
    text = lineshaft("claims").stdout
    assert all(text.count(name) >= 2 for name in IDS)


def claim(measure):
    return Claim("toy.claim", "it works", "by looking", "toy.walk", measure)


def test_only_done_runs_of_the_experiment_are_measured(tmp_path):
    runs = [Folder(tmp_path / "toy.walk/seed=0"), Folder(tmp_path / "toy.other/seed=0")]
    row = ledger.row(
        claim(lambda r: Evidence(len(r), 0.5, float("nan"), "reproduced", [f.id for f in r])), runs
    )
    assert (row.value, row.low, row.high) == (1, 0.5, None)
    assert row.runs == ["toy.walk/seed=0"]


def test_a_measure_that_lacks_an_extra_names_it():
    def needs(runs):
        raise ModuleNotFoundError("No module named 'numba'", name="numba")

    row = ledger.row(claim(needs), [])
    assert row.verdict == "not yet measured"
    assert row.reason == "measuring it needs numba: pip install 'lineshaft[toy]'"


def test_a_measure_that_raises_is_told():
    row = ledger.row(claim(lambda runs: 1 / 0), [])
    assert row.verdict == "not yet measured" and "ZeroDivisionError" in row.reason


def test_gaps_follow_the_places_of_a_launcher():
    two_places = [(0.0, 1.0), (0.0, 3.0), (1.5, 2.0), (2.1, 5.0), (3.2, 4.0)]
    assert gaps(two_places) == pytest.approx([0.5, 0.1, 0.2])


def test_the_median_has_its_order_statistics():
    assert median_interval([float(i) for i in range(1, 11)]) == (5.5, 2.0, 9.0)


@pytest.mark.parametrize(("gap", "verdict"), [(0.05, "reproduced"), (0.5, "partly"), (5.0, "not reproduced")])
def test_overhead_is_computed_from_provenance(tmp_path, gap, verdict):
    runs = [swept(tmp_path / "toy.walk" / f"seed={i}", start=i * (1 + gap), seconds=1) for i in range(10)]
    evidence = zero(runs)
    assert evidence is not None and evidence.value == pytest.approx(gap, abs=2e-3)
    assert evidence.verdict == verdict and len(evidence.runs) == 10
    assert zero(runs[:5]) is None


def test_a_quick_sweep_hides_no_slow_one(tmp_path):
    def sweep(host, gap, count):
        home = tmp_path / "toy.walk"
        return [swept(home / f"{host}{i}", i * (1 + gap), seconds=1, host=host) for i in range(count)]

    evidence = zero([*sweep("quick", 0.01, 40), *sweep("slow", 0.5, 10)])
    assert evidence is not None and evidence.verdict == "partly"
    assert evidence.value == pytest.approx(0.5, abs=2e-3)


def swept(directory, start, seconds, host="n"):
    """A done run whose provenance says when it started and ended."""
    stamps = [f"2026-01-01T00:00:{t:06.3f}+00:00" for t in (start, start + seconds)]
    common = {"command": "lineshaft sweep", "host": host, "commit": "c", "outcome": "done"}
    directory.mkdir(parents=True)
    entry = [{**common, "start": stamps[0], "end": stamps[1]}]
    (directory / "provenance.json").write_text(json.dumps(entry))
    (directory / "config.json").write_text("{}")
    return Folder(directory)
