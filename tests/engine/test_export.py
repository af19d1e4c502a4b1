"""Kept runs: one file an experiment, read as if its runs were folders."""

import json
import subprocess
from pathlib import Path

import numpy as np
import polars
import pytest

from lineshaft.engine.errors import RequestError
from lineshaft.engine.keep.export import export
from lineshaft.engine.report.page import page
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.table.archive import SUFFIX
from lineshaft.engine.table.frame import frame
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import finished


@pytest.fixture
def runs(toy, tmp_path) -> Path:
    """Six finished walks with arrays, a diverged one among them, and one that is not done."""
    walk = find(toy("walk")).config
    for lr in (0.1, 0.2):
        for seed in range(3):
            metrics = {"val/x": lr * seed if (lr, seed) != (0.2, 2) else float("nan"), "test/x": 1 / 3}
            arrays = {"per/item": np.arange(4) / 3 + seed, "large": np.zeros(9)}
            finished(tmp_path / "runs", walk(lr=lr, seed=seed), metrics, arrays, [{"step": 0, "val/x": lr}])
    (tmp_path / "runs/walk/seed=9").mkdir()
    (tmp_path / "runs/walk/seed=9/config.json").write_text('{"seed": 9, "lr": 0.1}')
    return tmp_path / "runs"


def test_every_verb_says_of_kept_runs_what_it_says_of_folders(runs, tmp_path, lineshaft):
    export(runs, tmp_path / "kept", arrays=["*"])
    done = ["--where", "seed<9"]
    for words in (["ls", "--json"], ["summary", "walk", "--json", *done], ["summary", "--tune", "lr", *done]):
        said = [lineshaft(*words, "--runs", str(home)) for home in (runs, tmp_path / "kept")]
        assert all(each.returncode == 0 for each in said), said
        if words[0] == "ls":
            assert json.loads(said[1].stdout) == [
                r for r in json.loads(said[0].stdout) if r["state"] == "done"
            ]
        else:
            assert said[0].stdout == said[1].stdout
    assert "0.333" in lineshaft("show", "lr=0.2,seed=1", "--runs", str(tmp_path / "kept")).stdout


def test_nothing_is_rounded_and_every_array_asked_for_comes_back(runs, tmp_path):
    (written,) = export(runs, tmp_path / "kept", arrays=["per/*"])
    assert (written.runs, written.left_out) == (6, 1)
    assert (written.arrays, written.arrays_left_out) == (["per/item"], ["large"])
    folders = {row.id: row for row in rows(runs) if row.state == "done"}
    kept = rows(tmp_path / "kept")
    assert [row.id for row in kept] == list(folders)
    for row in kept:
        twin = folders[row.id]
        assert "root" not in row.description
        assert (row.config, row.values, row.executions()) == (twin.config, twin.values, twin.executions())
        assert repr(row.result) == repr(twin.result) and row.diverged == twin.diverged
        assert row.folder.metrics() == twin.folder.metrics()
        assert row.array("per/item").tobytes() == twin.array("per/item").tobytes()
        with pytest.raises(FileNotFoundError, match="keeps no arrays/large"):
            row.array("large")
    assert frame(tmp_path / "kept").equals(frame(runs, where=["seed<9"]), null_equal=True)


def test_a_claim_reads_arrays_of_kept_runs(runs, tmp_path, toy):
    export(runs, tmp_path / "kept", arrays=["per/*"])
    found = Table.read(tmp_path / "kept").like(find(toy("walk")).config())
    assert [float(row.array("per/item")[0]) for row in found] == [0, 1, 2]


def test_the_same_runs_make_the_same_file(runs, tmp_path):
    for name in ("a", "b"):
        export(runs, tmp_path / name, arrays=["*"])
    export(tmp_path / "a", tmp_path / "c", arrays=["*"])
    first, *others = ((tmp_path / name / f"walk{SUFFIX}").read_bytes() for name in "abc")
    assert all(other == first for other in others), "also when kept runs are exported again"


def test_a_folder_comes_before_its_kept_self_and_add_replaces_it(runs, tmp_path):
    export(runs, runs)
    assert len(rows(runs)) == 7
    (runs / "walk/seed=0/result.json").write_text('{"val/x": 42}')
    assert next(row for row in rows(runs) if row.folder.name == "seed=0").result == {"val/x": 42}
    export(runs, tmp_path / "kept", where=["seed=1"])
    (again,) = export(runs, tmp_path / "kept", where=["seed=0"], add=True)
    assert again.runs == 4 and {row.values["seed"] for row in rows(tmp_path / "kept")} == {0, 1}
    (only,) = export(runs, tmp_path / "kept", where=["seed=0"])
    assert only.runs == 2


def test_a_report_draws_kept_runs_from_their_arrays(tmp_path, toy, lineshaft):
    assert lineshaft("run", toy("gallery")).returncode == 0
    export(tmp_path / "runs", tmp_path / "kept", arrays=["*"])
    export(tmp_path / "runs", tmp_path / "bare")
    whole, kept, bare = (page(tmp_path / name, []) for name in ("runs", "kept", "bare"))
    assert kept.count("data:image/png") == whole.count("data:image/png") > 0
    assert bare.count("data:image/png") < whole.count("data:image/png") and "--arrays" in bare


@pytest.mark.parametrize("content", [b"", b"PAR1 and more", None], ids=["empty", "torn", "foreign"])
def test_a_file_that_keeps_no_runs_is_named(content, tmp_path):
    file = tmp_path / f"walk{SUFFIX}"
    polars.DataFrame({"a": [1]}).write_parquet(file) if content is None else file.write_bytes(content)
    with pytest.raises(RequestError, match=r"walk\.runs\.parquet"):
        rows(tmp_path)


def test_requests_that_cannot_be_met_are_refused(runs, tmp_path, lineshaft):
    for words in (["--where", "seed=9"], ["nothing"]):
        done = lineshaft("export", *words, "--runs", str(runs), "--out", str(tmp_path / "kept"))
        assert done.returncode == 2 and done.stderr.startswith("error: ") and not (tmp_path / "kept").exists()
    export(runs, tmp_path / "kept")
    refused = lineshaft("rm", "lr=0.2,seed=1", "--runs", str(tmp_path / "kept"))
    assert refused.returncode == 2 and "lineshaft export" in refused.stderr
    assert len(rows(tmp_path / "kept")) == 6


def test_the_committed_results_are_small_and_can_be_read():
    root = Path(__file__).parents[2]
    listed = ["git", "-C", root, "ls-files", "docs/results"]
    tracked = subprocess.run(listed, capture_output=True, text=True).stdout.split()
    assert len(tracked) < 60, "kept runs are one file an experiment, not folders"
    kept = list((root / "docs/results").glob(f"*{SUFFIX}"))
    assert kept and sum(file.stat().st_size for file in kept) < 5_000_000
    assert len(rows(root / "docs/results")) >= 16
