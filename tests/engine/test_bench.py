"""`bench engine`, small: the figures it promises, and what it says of peers that are not installed."""

from pathlib import Path

import pytest

from lineshaft.engine.bench import bench

FIGURES = {
    "overhead_s",
    "fresh_import_s",
    "peers",
    "ls_s",
    "summary_s",
    "runs",
    "peak_mb",
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
