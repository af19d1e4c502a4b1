"""`python -m benchmarks.engine`, small: its figures, and what it says of peers that are not installed."""

import json
from pathlib import Path

import pytest

from benchmarks import engine as bench
from benchmarks.figures import main

FIGURES = {
    "overhead_s",
    "fresh_import_s",
    "peers",
    "ls_s",
    "summary_s",
    "rename_s",
    "dry_run_s",
    "runs",
    "ls_mb",
    "summary_mb",
    "rename_mb",
    "dry_run_mb",
    "whole_s",
    "bar_s",
}


def test_a_peer_that_is_not_installed_has_no_figure_and_stops_nothing(monkeypatch):
    monkeypatch.setattr(bench, "installed", lambda package: False)
    assert [bench.PEERS[name](Path(), 0.0) for name in ("hydra basic", "hydra joblib")] == [None, None]


@pytest.mark.parametrize(("package", "here"), [("pydantic", True), ("hydra-of-nowhere", False)])
def test_packages_are_found_by_their_metadata(package, here):
    assert bench.installed(package) == here


def test_the_figures_of_a_small_bench(monkeypatch):
    for name, size in {
        "REPEATS": 1,
        "FINISHED": 30,
        "INSTANT": 4,
        "PEERS": {"none": lambda *_: None},
    }.items():
        monkeypatch.setattr(bench, name, size)
    found = bench.engine()
    assert found.keys() >= FIGURES
    assert 0 < found["overhead_s"] < found["whole_s"] and found["runs"] == 30
    assert found["ls_s"] > 0 and found["summary_s"] > 0 and found["peers"] == {"none": None}


def test_figures_are_printed_as_json_and_kept_with_their_origin(capsys, tmp_path):
    main(lambda say: {"a": {"b": 1.5}}, ["--json", "--out", str(tmp_path / "kept.json")])
    assert json.loads(capsys.readouterr().out) == {"a": {"b": 1.5}}
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept["a"] == {"b": 1.5} and {"command", "commit", "date", "processor", "versions"} < kept.keys()
    main(lambda say: {"a": {"b": 1.5}}, [])
    assert "a: b" in capsys.readouterr().out
