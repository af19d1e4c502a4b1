"""What `ls`, `show`, `logs` and `stop` tell of runs, and `lineshaft.runs()`."""

import json
import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars
import pytest
from finished import NAN, WALK, finished, put, redescribe

import lineshaft as package
from lineshaft.cli.output import runs_folder
from lineshaft.engine import Options, RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.table.listing import listing
from lineshaft.engine.table.pick import pick
from lineshaft.engine.table.portrait import portrait
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.row import flattened
from lineshaft.engine.table.stale import hashes_now
from lineshaft.engine.table.where import parsed

HOLD = """
import sys, time
from filelock import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def running(tmp_path):
    """A run whose lock another process holds."""
    folder = finished(tmp_path / "runs", state="paused", lr=0.7)
    put(folder, "progress.json", {"text": "steps 3/5, 2 s left"})
    command = [sys.executable, "-c", HOLD, str(folder.dir / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield folder
        holder.kill()


def by_id(lines):
    return {line.row.id: line for line in lines}


def test_every_state_and_mark(tmp_path, running):
    runs = tmp_path / "runs"
    new, paused = finished(runs, state="new", lr=0.2), finished(runs, state="paused", lr=0.3)
    failed, done = finished(runs, state="failed", lr=0.4), finished(runs, 1.0, lr=0.5)
    diverged, stale = finished(runs, NAN, lr=0.6), finished(runs, 1.0, lr=0.8)
    put(stale, "provenance.json", [{}, {"outcome": "done"}])
    redescribe(stale, code="another")
    found = by_id(listing(runs))
    states = {f.id: (found[f.id].row.state, found[f.id].marks) for f in (new, paused, failed, done, running)}
    assert list(states.values()) == [
        ("new", []),
        ("paused", []),
        ("failed", []),
        ("done", []),
        ("running", []),
    ]
    assert (found[diverged.id].marks, found[stale.id].marks) == (["diverged"], ["stale"])
    assert (found[stale.id].attempts, found[new.id].attempts) == (2, 0)
    assert found[running.id].note == "steps 3/5, 2 s left"
    assert found[failed.id].note == "ValueError: asked to fail"
    assert found[done.id].seconds > 0
    assert [line.row.id for line in listing(runs, states=["diverged", "failed"])] == [failed.id, diverged.id]
    with pytest.raises(RequestError, match="no state dnoe; did you mean done"):
        listing(runs, states=["dnoe"])


def test_queued_is_what_the_scheduler_still_knows(tmp_path, monkeypatch):
    waiting, lost = finished(tmp_path, state="new", lr=0.2), finished(tmp_path, state="new", lr=0.3)
    finished(tmp_path, state="new", lr=0.4)
    for folder in (waiting, lost):
        put(folder, "job.json", {"job": "7_0"})
    asked = []

    def queued(folders):
        asked.extend(folder.id for folder in folders)
        return {waiting.id}

    monkeypatch.setattr("lineshaft.engine.table.read.queued", queued)
    assert {row.id: row.state for row in rows(tmp_path)}[waiting.id] == "queued"
    assert sorted(asked) == [waiting.id, lost.id]
    assert {row.id: row.state for row in rows(tmp_path)}[lost.id] == "new"


def test_damaged_folders_are_shown_and_strange_ones_passed_over(tmp_path, lineshaft):
    runs = tmp_path / "runs"
    finished(runs, 1.0)
    (finished(runs, 1.0, lr=0.2).dir / "config.json").write_text("{torn")
    (finished(runs, 1.0, lr=0.3).dir / "provenance.json").write_text('{"not": "a list"')
    put(
        finished(runs, 1.0, lr=0.4),
        "provenance.json",
        ["no", {"start": 5, "end": "soon", "experiment": None}],
    )
    (runs / "walk" / "no run").mkdir()
    (runs / "walk" / ".hidden").mkdir()
    (runs / "report.html").write_text("")
    done = lineshaft("ls", "--json")
    assert done.returncode == 0, done.stderr
    found = {line["name"]: line for line in json.loads(done.stdout)}
    assert len(found) == 4
    assert "config.json is not JSON" in found["lr=0.2,seed=0"]["note"]
    assert (found["lr=0.3,seed=0"]["attempts"], found["lr=0.4,seed=0"]["end"]) == (0, None)
    assert "4 runs: 4 done" in lineshaft("ls").stderr


def test_names_with_control_characters_and_bytes_do_not_reach_the_terminal(tmp_path, lineshaft):
    home = tmp_path / "runs" / "walk"
    for name in (b"a\x1b[2J", b"b\nc", b"bytes\xff"):
        folder = home / os.fsdecode(name)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    done = lineshaft("ls")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 4), done.stderr
    assert "\x1b" not in done.stdout
    assert len(json.loads(lineshaft("ls", "--json").stdout)) == 3


def test_the_verb_lists_without_heavy_imports(tmp_path):
    finished(tmp_path, 1.0)
    program = (
        "import sys; sys.argv = ['lineshaft', 'VERB', '--runs', sys.argv[1]]\n"
        "from lineshaft.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'polars', 'matplotlib', 'scipy', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    for verb in ("ls", "summary"):
        command = [sys.executable, "-c", program.replace("VERB", verb), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode, "walk" in done.stdout or "val/x" in done.stdout) == (0, True), done.stderr


def test_a_run_is_picked_by_id_part_or_path(tmp_path, monkeypatch):
    a, b = finished(tmp_path / "runs", 1.0, lr=0.2), finished(tmp_path / "runs", 1.0, lr=0.25)
    runs = tmp_path / "runs"
    assert pick(runs, a.id) == pick(runs, "lr=0.2,") == a
    assert pick(runs, "lr=0.25") == b
    monkeypatch.chdir(tmp_path)
    assert pick(runs, f"runs/{a.id}/").dir == a.dir
    with pytest.raises(RequestError, match=r"fits 2 runs, say more: walk/lr=0.2"):
        pick(runs, "lr=0.2")
    with pytest.raises(RequestError, match="no run 'lr=9'"):
        pick(runs, "lr=9")
    for hostile in ("\0", "x" * 10_000, "../../etc", ""):
        with pytest.raises(RequestError):
            pick(runs, hostile)


def test_a_whole_name_is_no_part_of_a_longer_one(tmp_path):
    short, _ = finished(tmp_path, 1.0, seed=1), finished(tmp_path, 1.0, lr=0.2, seed=1)
    assert pick(tmp_path, "seed=1") == short
    assert pick(tmp_path, "walk/seed=1") == short


def test_show_tells_everything_and_marks_what_is_no_default(tmp_path, lineshaft):
    folder = finished(tmp_path / "runs", 2.0, lr=0.2, seed=3)
    found = json.loads(lineshaft("show", "lr=0.2", "--json").stdout)
    assert found["non_default"] == ["lr", "seed"]
    assert (found["state"], found["result"]["val/x"], found["config"]["steps"]) == ("done", 2.0, 5)
    assert (found["provenance"]["commit"], found["logged"]) == ("c0ffee", {"step": 0, "x": 0.5})
    text = lineshaft("show", folder.id).stdout
    assert "lr*" in text
    assert "steps*" not in text
    assert lineshaft("show", "nothing").returncode == 2


def test_show_of_a_failed_and_of_a_damaged_run(tmp_path, lineshaft):
    finished(tmp_path / "runs", state="failed", lr=0.2)
    (finished(tmp_path / "runs", state="paused", lr=0.3).dir / "metrics.jsonl").write_text("torn\n{}\n")
    assert "ValueError: asked to fail" in lineshaft("show", "lr=0.2").stdout
    damaged = lineshaft("show", "lr=0.3")
    assert (damaged.returncode, "metrics.jsonl:1 is not JSON" in damaged.stdout) == (0, True)


def test_what_is_no_default_does_not_come_from_the_name_which_may_be_cut(tmp_path):
    folder = finished(tmp_path, 1.0, text="x" * 300, diverge=True)
    assert portrait(folder)["non_default"] == ["diverge", "seed", "text"]
    (folder.dir / "run.json").unlink()
    assert portrait(folder)["non_default"] == ["diverge", "text"]


def test_logs_print_what_was_printed(tmp_path, lineshaft):
    folder = finished(tmp_path / "runs", 1.0)
    assert "has printed nothing; it is done" in lineshaft("logs", folder.id).stderr
    (folder.dir / "log.txt").write_bytes(b"one\ntwo \xff\n")
    done = subprocess.run(
        [sys.executable, "-c", "from lineshaft.cli import main; main()", "logs", folder.id],
        cwd=tmp_path,
        capture_output=True,
    )
    assert done.stdout == b"one\ntwo \xff\n"


def test_logs_follow_a_run_to_its_end_and_stop_pauses_it(tmp_path, lineshaft):
    runs = tmp_path / "runs"
    program = (
        "import sys; from lineshaft.engine.__main__ import main; "
        f"sys.exit(main([{str(WALK)!r}, 'steps=2000', 'sleep=0.02']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | {"LINESHAFT_RUNS": str(runs)}
    )
    folder = Folder(runs / "walk" / "steps=2000,sleep=0.02,seed=0")
    deadline = time.monotonic() + 60
    while not folder.metrics() and time.monotonic() < deadline:
        time.sleep(0.05)
    with (folder.dir / "log.txt").open("a") as log:
        log.write("said early\n")
    threading.Timer(2, lambda: lineshaft("stop", "steps=2000")).start()
    followed = lineshaft("logs", "-f", "steps=2000")
    assert process.wait(60) == 130
    assert followed.stdout.startswith("said early")
    assert folder.state() == "paused"


def test_stop_says_what_happens(tmp_path, lineshaft, running):
    done = finished(tmp_path / "runs", 1.0, lr=0.2)
    said = lineshaft("stop", running.id, done.id)
    assert said.returncode == 0
    assert f"{running.id}: asked to stop" in said.stderr
    assert f"{done.id}: is done, not running" in said.stderr
    assert (running.dir / "stop").exists()
    assert not (done.dir / "stop").exists()


def test_flattening():
    config = {
        "seed": 1,
        "sizes": [1, 2],
        "optim": {"lr": 0.1},
        "method": {"name": "der", "alpha": 0.5},
        "both": [{"name": "si", "c": 1}, {"name": "der", "alpha": 2}],
        "parent": {"experiment": "/a/walk.py", "config": {"lr": 3, "seed": 4, "parent": None}},
    }
    assert flattened(config) == {
        "seed": 1,
        "sizes": [1, 2],
        "optim.lr": 0.1,
        "method": "der",
        "method.alpha": 0.5,
        "both": "si+der",
        "both.si.c": 1,
        "both.der.alpha": 2,
        "parent": "walk",
        "parent.version": 1,
        "parent.lr": 3,
        "parent.seed": 4,
        "parent.parent": None,
    }


@pytest.mark.parametrize(
    ("word", "value", "holds"),
    [
        ("a=1", 1, True),
        ("a=1", 1.0, True),
        ("a=1", True, False),
        ("a=1", "1", True),
        ("a=true", True, True),
        ("a=none", None, True),
        ("a=none", "none", True),
        ("a=1e-3,1e-2", 0.01, True),
        ("a=0..4", 3, True),
        ("a=0..4", 5, False),
        ("a=inf", "Infinity", True),
        ("a=[1,2]", [1, 2], True),
        ("a!=1,2", 3, True),
        ("a!=1,2", 2, False),
        ("a<0.5", 0.4, True),
        ("a>=0.5", 0.5, True),
        ("a<=0.5", "text", False),
        ("a>1", None, False),
        ("a=x=y", "x=y", True),
        ('a="x,y"', "x,y", True),
        ("b=1", 1, False),
    ],
)
def test_conditions(word, value, holds):
    assert parsed(word).holds({"a": value}) is holds


def test_runs_as_a_frame(tmp_path, monkeypatch):
    finished(tmp_path, 1.0, lr=0.2, seed=1)
    finished(tmp_path, NAN, lr=0.3)
    finished(tmp_path, state="failed", lr=0.4)
    put(finished(tmp_path, 1.0, lr=0.5), "result.json", {"steps": 7.0, "state": 1.0})
    (finished(tmp_path, 1.0, lr=0.6).dir / "config.json").write_text("{")
    table = package.runs(tmp_path)
    assert isinstance(table, polars.DataFrame)
    assert table.columns[:5] == ["id", "experiment", "name", "state", "diverged"]
    assert table["state"].to_list() == ["done", "done", "failed", "done"]
    assert table["diverged"].to_list() == [False, True, False, False]
    assert table["lr"].to_list() == [0.2, 0.3, 0.4, 0.5]
    assert table["val/x"][0] == 1.0
    assert math.isnan(table["val/x"][1])
    assert table["val/x"][2] is None
    assert (table["steps"][3], table["result.steps"][3], table["result.state"][3]) == (5, 7.0, 1.0)
    assert (table["end"] - table["start"])[0].total_seconds() == 300
    assert (table["threads"][0], table["host"][0]) == (1, "here")
    monkeypatch.setenv("LINESHAFT_RUNS", str(tmp_path))
    assert package.runs(experiment="walk", where=["lr<0.35", "seed=0"])["lr"].to_list() == [0.3]


def test_a_frame_of_mixed_values(tmp_path):
    for lr in (0.1, math.inf):
        finished(tmp_path, 1.0, lr=lr)
    put(finished(tmp_path, 1.0, lr=2.0), "config.json", {"lr": 2.0, "text": [1, "a"]})
    table = package.runs(tmp_path)
    assert sorted(table["lr"].to_list()) == [0.1, 2.0, math.inf]
    assert sorted(table["text"].to_list()) == ["", "", '[1, "a"]']
    assert package.runs(tmp_path / "nowhere").shape == (0, 9)


def test_a_plain_file_is_its_own_source_wherever_it_lies(tmp_path):
    """A folder named experiments is a system's only in a package: here anything may lie above it."""
    home = tmp_path / "experiments"
    home.mkdir()
    file = home / "walk.py"
    file.write_bytes(WALK.read_bytes())
    execute(str(file), find(str(file)).config(steps=2), tmp_path / "runs", Options())
    (tmp_path / "another.py").write_text("")
    (home / ".#walk.py").symlink_to("somebody@here.1234")
    hashes_now.clear()
    (line,) = listing(tmp_path / "runs")
    assert (line.row.state, line.marks) == ("done", [])


def test_a_real_run_is_listed_as_done_and_not_stale(tmp_path):
    address = str(WALK)
    execute(address, find(address).config(steps=2), tmp_path, Options())
    (line,) = listing(tmp_path)
    assert (line.row.state, line.marks, line.attempts) == ("done", [], 1)


def test_ten_thousand_runs_are_written_as_asked(tmp_path):
    from benchmarks.finished import make_finished_runs

    make_finished_runs(tmp_path, 60)
    lines = listing(tmp_path)
    assert len(lines) == 60
    assert all((line.row.state, line.is_stale) == ("done", False) for line in lines)
    assert {len(row.result) for row in rows(tmp_path)} == {8}
    assert all(pick(Path(tmp_path), line.row.id) == line.row.folder for line in lines)


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv("LINESHAFT_RUNS", "")
    assert runs_folder(None) == Path("runs")
