"""New names after changed defaults, removal and pruning: shown first, nothing lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from finished import NAN, V2, WALK, finished, put, redescribe, toy_with

from lineshaft.engine import RequestError
from lineshaft.engine.keep import rename, usage
from lineshaft.engine.keep.removal import carry_out, to_remove
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.store import Folder, remove
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.table.read import rows


def now_computed_by(toy, *folders):
    for folder in folders:
        redescribe(folder, address=str(toy))
        put(folder, "provenance.json", [{"experiment": str(toy), "outcome": "done", "parents": []}])


def files(runs):
    return {
        str(p.relative_to(runs)): p.read_bytes()
        for p in runs.rglob("*")
        if p.is_file() and p.name not in ("run.json", "provenance.json")
    }


def test_after_a_changed_default_runs_get_the_names_of_their_configurations(tmp_path):
    runs = tmp_path / "runs"
    usual, other = finished(runs, 1.0), finished(runs, 2.0, lr=0.2)
    third, same = finished(runs, 3.0, lr=0.2, seed=1), finished(runs, 4.0, lr=0.3)
    new = toy_with(tmp_path)
    now_computed_by(new, usual, other, third, same)
    planned = rename.moves(runs)
    assert {m.row.folder.name: (m.name, m.obstacle) for m in planned} == {
        "seed=0": ("lr=0.1,seed=0", ""),
        "lr=0.2,seed=0": ("seed=0", ""),
        "lr=0.2,seed=1": ("seed=1", ""),
    }
    assert [m.row.folder.name for m in planned].index("seed=0") < [m.name for m in planned].index("seed=0")
    before = {row.result["val/x"]: row.config for row in rows(runs)}
    rename.apply(runs, planned)
    assert {row.result["val/x"]: row.config for row in rows(runs)} == before
    assert {row.folder.name: ",".join(row.description["words"]) for row in rows(runs)} == {
        row.folder.name: row.folder.name for row in rows(runs)
    }
    assert rename.moves(runs) == []
    config = find(str(new)).config(lr=0.2, seed=1)
    assert execute(str(new), config, runs, Options())[0] == Folder((runs / "walk" / "seed=1").resolve())


def test_names_that_collide_are_refused_and_nothing_is_lost(tmp_path):
    runs = tmp_path / "runs"
    old, double = finished(runs, 1.0), finished(runs, 2.0, lr=0.3)
    double.dir.rename(double.dir.with_name("lr=0.1,seed=0"))
    double = Folder(double.dir.with_name("lr=0.1,seed=0"))
    put(double, "config.json", old.config())
    now_computed_by(toy_with(tmp_path), old, double)
    before = files(runs)
    planned = rename.moves(runs)
    assert [(m.row.folder.name, m.obstacle) for m in planned] == [("seed=0", "another run has it")]
    rename.apply(runs, planned)
    assert files(runs) == before


def test_two_runs_that_would_share_a_name_both_stay(tmp_path):
    runs = tmp_path / "runs"
    a, b = finished(runs, 1.0, lr=0.5), finished(runs, 2.0, lr=0.6)
    for folder in (a, b):
        put(folder, "config.json", a.config() | {"lr": 0.7})
    assert {m.obstacle for m in rename.moves(runs)} == {"several runs would have it"}


def test_another_version_of_the_code_is_no_new_name(tmp_path):
    runs = tmp_path / "runs"
    old = finished(runs, 1.0, lr=0.5)
    new = toy_with(tmp_path, *V2)
    now_computed_by(new, old)
    assert rename.moves(runs) == []
    recent = finished(runs, 1.0, lr=0.6, toy=new)
    assert recent.name == "lr=0.6,v2,seed=0"
    put(recent, "config.json", recent.config() | {"lr": 0.7})
    assert [m.name for m in rename.moves(runs)] == ["lr=0.7,v2,seed=0"]


def test_removed_parameters_and_lost_code_are_named(tmp_path):
    runs = tmp_path / "runs"
    folder = finished(runs, 1.0, lr=0.5)
    put(folder, "config.json", folder.config() | {"gone": 1})
    (move,) = rename.moves(runs)
    assert "its configuration is no longer valid: gone" in move.obstacle
    redescribe(folder, address="/nowhere/walk.py")
    (move,) = rename.moves(runs)
    assert "walk: unknown experiment walk" in move.obstacle


def test_those_that_needed_a_renamed_run_follow_it(tmp_path):
    runs = tmp_path / "runs"
    parent, child = finished(runs, 1.0), finished(runs, 2.0, lr=0.5)
    new = toy_with(tmp_path)
    now_computed_by(new, parent)
    now_computed_by(new, child)
    put(child, "provenance.json", [{"experiment": str(new), "parents": ["walk/seed=0", "walk/other"]}])
    rename.apply(runs, rename.moves(runs))
    assert child.provenance()[0]["parents"] == ["walk/lr=0.1,seed=0", "walk/other"]


def test_the_verb_shows_first_and_renames_with_apply(tmp_path, lineshaft):
    runs = tmp_path / "runs"
    folder = finished(runs, 1.0)
    now_computed_by(toy_with(tmp_path), folder)
    shown = lineshaft("rename")
    assert (shown.returncode, shown.stdout) == (0, "walk/seed=0 -> lr=0.1,seed=0\n")
    assert folder.dir.exists()
    assert lineshaft("rename", "--apply").returncode == 0
    assert [p.name for p in (runs / "walk").iterdir()] == ["lr=0.1,seed=0"]
    assert "nothing to be renamed" in lineshaft("rename").stderr


def test_removal_by_state_by_condition_and_by_name(tmp_path):
    failed, done = finished(tmp_path, state="failed", lr=0.2), finished(tmp_path, 1.0, lr=0.3)
    diverged, stale = finished(tmp_path, NAN, lr=0.4), finished(tmp_path, 1.0, lr=0.5)
    redescribe(stale, code="another")

    def ids(**asked):
        return [each.row.id for each in to_remove(tmp_path, **asked)]

    assert ids(states=["failed"]) == [failed.id]
    assert ids(states=["stale"]) == ids(stale=True) == [stale.id]
    assert ids(states=["done"], stale=True) == [stale.id]
    assert ids(states=["failed"], stale=True) == []
    assert ids(experiment="walk", where=["lr=0.5"], stale=True) == [stale.id]
    assert ids(states=["diverged"], where=["lr=0.4"]) == [diverged.id]
    assert ids(texts=["lr=0.3", done.id, str(done.dir)]) == [done.id]
    for nothing in ({}, {"texts": ["lr=0.3"], "states": ["failed"]}, {"texts": ["lr=0.3"], "stale": True}):
        with pytest.raises(RequestError, match="say which runs"):
            ids(**nothing)
    carry_out(to_remove(tmp_path, states=["failed", "stale"]))
    assert sorted(row.id for row in rows(tmp_path)) == sorted([done.id, diverged.id])
    assert [p.name for p in (tmp_path / "walk").iterdir() if p.name.startswith(".")] == []


def test_running_and_queued_runs_are_not_removed(tmp_path, monkeypatch):
    folder = finished(tmp_path, state="paused", lr=0.2)
    put(folder, "job.json", {"job": "7_0"})
    monkeypatch.setattr("lineshaft.engine.table.read.queued", lambda folders: {folder.id})
    with pytest.raises(RequestError, match="is queued: stop running ones first"):
        to_remove(tmp_path, texts=["lr=0.2"])
    monkeypatch.setattr("lineshaft.engine.table.read.queued", lambda folders: set())
    program = (
        "import sys; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire(); "
        "print('held', flush=True); input()"
    )
    command = [sys.executable, "-c", program, folder.dir / "lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(RequestError, match="is running: stop"):
            to_remove(tmp_path, where=["lr=0.2"])
        holder.kill()
    assert len(to_remove(tmp_path, where=["lr=0.2"])) == 1


def test_parents_are_removed_with_a_warning(tmp_path, lineshaft):
    runs = tmp_path / "runs"
    parent = finished(runs, 1.0, lr=0.2)
    child = finished(runs, 1.0, parent={"experiment": str(WALK), "config": parent.config()})
    (each,) = to_remove(runs, texts=["walk/lr=0.2,seed=0"])
    assert each.orphans == [child.id]
    assert all(not each.orphans for each in to_remove(runs, experiment="walk"))
    shown = lineshaft("rm", parent.id)
    assert f"{child.id} started from {parent.id}" in shown.stderr
    assert parent.dir.exists()
    assert lineshaft("rm", parent.id, "--apply").returncode == 0
    assert not parent.dir.exists()
    assert lineshaft("rm").returncode == 2


def test_disk_use_counts_two_names_of_a_file_once(tmp_path):
    folder = finished(tmp_path, 1.0)
    home = folder.dir / "checkpoints"
    home.mkdir()
    (home / "last.pt").write_bytes(bytes(1_000_000))
    (home / "best.pt").hardlink_to(home / "last.pt")
    (home / "previous.pt").write_bytes(bytes(500_000))
    (line,) = usage.usage(rows(tmp_path))
    assert (line.experiment, line.runs) == ("walk", 1)
    assert 1_500_000 <= line.checkpoints < 1_600_000
    assert line.checkpoints < line.total < line.checkpoints + 100_000
    (pruning,) = usage.prunings(tmp_path, "best")
    assert sorted(f.name for f in pruning.files) == ["last.pt", "previous.pt"]
    assert 500_000 <= pruning.freed < 600_000, "last.pt is another name of best.pt"


@pytest.mark.parametrize(
    ("keep", "there", "left"),
    [
        ("best", ["best.pt", "best.json", "last.pt", "previous.pt"], ["best.json", "best.pt"]),
        ("best", ["last.pt", "previous.pt"], ["last.pt"]),
        ("last", ["best.pt", "best.json", "last.pt"], ["last.pt"]),
        ("last", ["best.pt", "best.json"], ["best.json", "best.pt"]),
        ("none", ["best.pt", "best.json", "last.pt"], []),
    ],
)
def test_pruning_keeps_what_is_asked_or_the_next_best(tmp_path, keep, there, left):
    for folder in (finished(tmp_path, 1.0), finished(tmp_path, state="paused", lr=0.2)):
        (folder.dir / "checkpoints").mkdir()
        for file in there:
            (folder.dir / "checkpoints" / file).write_text(file)
    usage.apply(usage.prunings(tmp_path, keep))
    done, paused = tmp_path / "walk" / "seed=0", tmp_path / "walk" / "lr=0.2,seed=0"
    assert sorted(p.name for p in (done / "checkpoints").iterdir()) == left
    assert len(list((paused / "checkpoints").iterdir())) == len(there), "a paused run needs its checkpoints"


def test_a_child_that_has_not_started_keeps_its_parents_checkpoints(tmp_path):
    parent = finished(tmp_path, 1.0)
    (parent.dir / "checkpoints").mkdir()
    (parent.dir / "checkpoints" / "last.pt").write_text("x")
    child = finished(tmp_path, state="new", parent={"experiment": str(WALK), "config": parent.config()})
    assert usage.prunings(tmp_path, "none") == []
    put(child, "result.json", {"val/x": 1.0})
    assert len(usage.prunings(tmp_path, "none")) == 1
    with pytest.raises(RequestError, match="is not one of best, last, none"):
        usage.prunings(tmp_path, "all")


def test_du_as_a_verb(tmp_path, lineshaft):
    folder = finished(tmp_path / "runs", 1.0)
    (folder.dir / "checkpoints").mkdir()
    (folder.dir / "checkpoints" / "last.pt").write_bytes(bytes(100_000))
    (line,) = json.loads(lineshaft("du", "--json").stdout)
    assert (line["experiment"], line["checkpoints"] >= 100_000) == ("walk", True)
    assert "walk" in lineshaft("du").stdout
    shown = lineshaft("du", "--prune", "none")
    assert "walk/seed=0: last.pt" in shown.stdout
    assert (folder.dir / "checkpoints" / "last.pt").exists()
    assert lineshaft("du", "--prune", "none", "--apply").returncode == 0
    assert not (folder.dir / "checkpoints" / "last.pt").exists()


def test_a_folder_elsewhere_that_looks_like_a_run_is_not_removed(tmp_path, monkeypatch):
    finished(tmp_path / "runs", 1.0, text="bert")
    (tmp_path / "bert").mkdir()
    put(Folder(tmp_path / "bert"), "config.json", {"hidden_size": 768})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="bert is not a run below runs"):
        to_remove(Path("runs"), ["bert"])
    assert len(to_remove(Path("runs"), ["text=bert"])) == 1


@pytest.mark.parametrize("which", [["--experiment", "walk"], ["walk/seed=0"]])
def test_of_a_run_that_is_a_link_the_link_alone_goes(tmp_path, lineshaft, which):
    folder = finished(tmp_path / "elsewhere", 1.0)
    (tmp_path / "runs/walk").mkdir(parents=True)
    (tmp_path / "runs/walk/seed=0").symlink_to(folder.dir)
    done = lineshaft("rm", *which, "--apply")
    assert (done.returncode, done.stdout) == (0, "done walk/seed=0\n"), done.stderr
    assert f"walk/seed=0 is a link and goes alone: {folder.dir} stays" in done.stderr
    assert list((tmp_path / "runs/walk").iterdir()) == []
    assert folder.result() == {"val/x": 1.0, "test/x": 2.0}


def test_what_a_killed_removal_left_stops_no_later_one(tmp_path):
    folder = finished(tmp_path, 1.0)
    (folder.dir.with_name(f".removed-{folder.name}") / "arrays").mkdir(parents=True)
    remove(folder)
    assert list((tmp_path / "walk").iterdir()) == []
