"""One run: what it leaves, how it resumes, how it fails, and what is refused with nothing made."""

import errno
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lineshaft.engine import Options, RequestError, provenance
from lineshaft.engine.checkpoint import Checkpoints, read
from lineshaft.engine.errors import Busy
from lineshaft.engine.execute import execute
from lineshaft.engine.experiment import find, known
from lineshaft.engine.run import Run, append
from lineshaft.engine.store import Folder, StorageError, folders, mend_tail, write

ALWAYS = Options(checkpoint_every=0)
LEAVER = """
import sys
from lineshaft.engine import Config as Base
class Config(Base):
    "Leaves."
def run(config, run):
    sys.exit({code})
"""
DRAWING = """
import random
import numpy as np
import torch
from lineshaft.engine import Config as Base
from lineshaft.engine.experiment import find
class Config(Base):
    "Draws after a walk that it needs."
def run(config, run):
    run.need(find({walk!r}).config(steps=2))
    return {{"torch": torch.rand(()).item(), "numpy": np.random.rand(), "python": random.random()}}
"""
DIVERGES_FIRST = """
from typing import ClassVar
from lineshaft.engine import Config as Base
class Config(Base):
    "Scores that begin with one that is no number."
    objective: ClassVar = ("val/x", "max")
    stop: bool = False
def run(config, run):
    scores = [float("nan"), 1.0, float("inf"), 0.5]
    for step in range(run.state or 0, 4):
        run.checkpoint(step, lambda: step + 1, score=scores[step])
        if config.stop and run.state is None:
            (run.dir / "stop").touch()
    return {"val/x": 1.0}
"""
LATE = """
from lineshaft.engine import Config as Base, Dataset
class Config(Base):
    "Trains, then asks for data that nobody has."
def run(config, run):
    for step in range(run.state or 0, 3):
        run.log(step, x=step)
        run.checkpoint(step, lambda: step + 1)
    run.data(Dataset("pebbles", "toys/pebbles", {"pebbles.csv": "0" * 64}, "a beach", "free"))
"""
FORK_AND_HOLD = """
import os, sys, time
from pathlib import Path
from filelock import FileLock
lock = FileLock(sys.argv[1]); lock.acquire()
if os.fork() == 0:
    time.sleep(30); os._exit(0)
print("held", flush=True); time.sleep(30)
"""


def walk(toy, runs: Path, options: Options = ALWAYS, **values) -> tuple[Folder, str]:
    address = toy("walk")
    return execute(address, find(address).config(**values), runs, options)


def stopped_after(seconds: float, folder: Path) -> None:
    """Ask a run to stop by its file, as `lineshaft stop` does."""
    threading.Timer(seconds, lambda: (folder / "stop").touch()).start()


def test_a_run_leaves_readable_files(toy, tmp_path):
    folder, state = walk(toy, tmp_path, steps=3, lr=0.2)
    assert (state, folder.state(), folder.name) == ("done", "done", "lr=0.2,steps=3,seed=0")
    assert folder.config()["lr"] == 0.2
    assert [row["step"] for row in folder.metrics()] == [0, 1, 2]
    assert folder.result()["val/x"] == pytest.approx(folder.array("walk")[0])
    (entry,) = folder.provenance()
    assert (entry["outcome"], entry["threads"], entry["device"]) == ("done", 1, "cpu")
    assert {"commit", "versions", "host", "start", "end", "code"} <= entry.keys()
    assert sorted(os.listdir(folder.dir / "checkpoints")) == [
        "best.json",
        "best.pt",
        "last.pt",
        "previous.pt",
    ]


def test_the_same_configuration_is_computed_once(toy, tmp_path):
    folder, _ = walk(toy, tmp_path)
    before = (folder.dir / "result.json").stat().st_mtime_ns
    assert walk(toy, tmp_path)[1] == "done"
    assert (folder.dir / "result.json").stat().st_mtime_ns == before


def test_a_stopped_run_resumes_to_the_same_result(toy, tmp_path):
    whole, _ = walk(toy, tmp_path / "whole", steps=20, sleep=0.01)
    cut = tmp_path / "cut" / "walk" / whole.name
    stopped_after(0.1, cut)
    folder, state = walk(toy, tmp_path / "cut", steps=20, sleep=0.01)
    assert (state, folder.state()) == ("paused", "paused")
    assert not (cut / "stop").exists()
    assert 0 < len(folder.metrics()) < 20
    folder, state = walk(toy, tmp_path / "cut", steps=20, sleep=0.01)
    assert state == "done"
    assert folder.metrics() == whole.metrics()
    assert folder.result() == whole.result()
    assert [e["outcome"] for e in folder.provenance()] == ["paused", "done"]


def test_a_failure_leaves_its_traceback_and_is_not_tried_again_silently(toy, tmp_path):
    folder, state = walk(toy, tmp_path, fail=True)
    assert (state, folder.state()) == ("failed", "failed")
    assert "asked to fail" in folder.error()
    assert "asked to fail" in (folder.dir / "log.txt").read_text()
    walk(toy, tmp_path, fail=True)
    assert len(folder.provenance()) == 1
    walk(toy, tmp_path, Options(checkpoint_every=0, retry=True), fail=True)
    assert len(folder.provenance()) == 2


def test_numbers_that_are_none_make_a_run_diverged(toy, tmp_path):
    folder, state = walk(toy, tmp_path, diverge=True)
    assert state == "done"
    assert folder.diverged()
    assert math.isnan(folder.result()["val/x"])


def test_the_lock_keeps_a_second_process_out_and_lookers_do_not(toy, tmp_path):
    home = tmp_path / "walk" / "seed=0"
    home.mkdir(parents=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", FORK_AND_HOLD, str(home / "lock")], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    assert Folder(home).state() == "running"
    with pytest.raises(Busy, match="running elsewhere"):
        walk(toy, tmp_path)
    holder.kill()
    holder.wait()
    assert Folder(home).state() == "new", "the lock vanishes with its holder, though a forked child lives on"
    looking = threading.Event()
    looker = threading.Thread(target=lambda: [Folder(home).state() for _ in iter(looking.is_set, True)])
    looker.start()
    try:
        assert walk(toy, tmp_path)[1] == "done"
    finally:
        looking.set()
        looker.join()


def test_a_damaged_checkpoint_gives_way_to_the_one_before(toy, tmp_path):
    whole, _ = walk(toy, tmp_path / "whole", steps=8)
    folder, _ = walk(toy, tmp_path / "cut", steps=8)
    (folder.dir / "result.json").unlink()
    last = folder.dir / "checkpoints" / "last.pt"
    data = bytearray(last.read_bytes())
    data[len(data) // 2] ^= 1
    last.write_bytes(data)
    folder, state = walk(toy, tmp_path / "cut", steps=8)
    assert (state, folder.result()) == ("done", whole.result())
    assert "last.pt is damaged" in (folder.dir / "log.txt").read_text()


@pytest.mark.parametrize("bit", range(0, 8 * 1500, 797))
def test_no_flipped_bit_gives_another_state(tmp_path, bit):
    store = Checkpoints(tmp_path)
    store.save(3, {"x": list(range(50))}, None, False)
    path = tmp_path / "last.pt"
    data = bytearray(path.read_bytes())
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    path.write_bytes(data)
    try:
        assert read(path)["state"] == {"x": list(range(50))}
    except ValueError:
        pass


def test_truncated_checkpoints_are_refused_with_the_way_out(toy, tmp_path):
    folder, _ = walk(toy, tmp_path)
    (folder.dir / "result.json").unlink()
    for name in ("last.pt", "previous.pt"):
        os.truncate(folder.dir / "checkpoints" / name, 100)
    with pytest.raises(RequestError, match="remove the folder to compute from the start"):
        walk(toy, tmp_path)
    assert folder.dir.exists()


def made_of(source: str, home: Path) -> str:
    """The address of an experiment that this source is."""
    file = home / "experiment.py"
    file.write_text(source)
    return str(file)


def test_a_score_that_is_no_number_is_never_the_best(tmp_path):
    address = made_of(DIVERGES_FIRST, tmp_path)
    folder, _ = execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    store = Checkpoints(folder.dir / "checkpoints")
    assert (store.best_score(), store.best()) == (1.0, (2, ""))


def test_a_stored_best_that_is_no_number_is_beaten(tmp_path):
    address = made_of(DIVERGES_FIRST, tmp_path)
    config = find(address).config(stop=True)
    folder, state = execute(address, config, tmp_path / "runs", ALWAYS)
    assert state == "paused"
    (folder.dir / "checkpoints/best.json").write_text('{"step": 0, "score": NaN}')
    execute(address, config, tmp_path / "runs", ALWAYS)
    assert Checkpoints(folder.dir / "checkpoints").best_score() == 0.5, "what came after it was stopped"


def test_a_request_that_proves_wrong_late_keeps_what_was_computed(tmp_path):
    address = made_of(LATE, tmp_path)
    with pytest.raises(RequestError, match="data set pebbles is not here"):
        execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    (folder,) = folders(tmp_path / "runs")
    assert (folder.state(), len(folder.metrics())) == ("paused", 3)
    assert Checkpoints(folder.dir / "checkpoints").load()[1] == 3


def test_a_torn_metrics_line_is_cut_and_a_wrong_one_named(toy, tmp_path):
    folder, _ = walk(toy, tmp_path)
    path = folder.dir / "metrics.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"step": 5, "x": 0.')
    assert len(folder.metrics()) == 5
    mend_tail(path)
    assert path.read_bytes() == whole
    path.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(RequestError, match=r"metrics.jsonl:1 is not JSON"):
        folder.metrics()


def test_a_changed_default_is_refused_with_both_values(toy, tmp_path):
    folder, _ = walk(toy, tmp_path)
    config = folder.config() | {"lr": 0.5}
    (folder.dir / "config.json").write_text(json.dumps(config))
    with pytest.raises(RequestError, match=r"default of lr changed since this run: 0.5 -> 0.1.*rename"):
        walk(toy, tmp_path)


def test_a_parameter_added_since_changes_nothing(toy, tmp_path):
    folder, _ = walk(toy, tmp_path)
    config = folder.config()
    del config["sleep"]
    (folder.dir / "config.json").write_text(json.dumps(config))
    assert walk(toy, tmp_path)[1] == "done"


def test_a_refused_run_makes_nothing(toy, tmp_path):
    address = toy("needy")
    with pytest.raises(RequestError, match=r"data set pebbles is not here(?s:.)*from a beach"):
        execute(address, find(address).config(), tmp_path, ALWAYS)
    assert list(folders(tmp_path)) == []


def test_a_folder_that_cannot_be_written_is_named(toy, tmp_path):
    (tmp_path / "walk").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="walk"):
        walk(toy, tmp_path)


def test_a_full_disk_loses_nothing(tmp_path):
    target = Path("/dev/full")
    if not target.exists():
        pytest.skip("no /dev/full")
    link = tmp_path / "x.json"
    link.write_text("old")
    (tmp_path / f".x.json.{os.getpid()}").symlink_to(target)
    with pytest.raises(StorageError, match="No space left"):
        write(link, "new")
    assert link.read_text() == "old"


class Full:
    """An array whose bytes find no room, told as numpy tells it."""

    def __array__(self, dtype=None, copy=None):
        raise OSError("300000 requested and 252928 written")


def test_an_array_that_finds_no_room_is_no_failure_of_the_run(tmp_path, monkeypatch):
    run = object.__new__(Run)
    run.folder, run.options = Folder(tmp_path), Options()
    with pytest.raises(StorageError, match="252928 written; make room"):
        run.array("x", Full())
    assert os.listdir(tmp_path / "arrays") == []


def test_a_checkpoint_that_finds_no_room_leaves_the_one_before(tmp_path, monkeypatch):
    import torch

    def save(content, file):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            raise RuntimeError("unexpected pos 448 vs 342")  # noqa: B904

    store = Checkpoints(tmp_path)
    store.save(1, "one", None, False)
    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(StorageError, match="No space left"):
        store.save(2, "two", None, False)
    assert os.listdir(tmp_path) == ["last.pt"]
    assert store.load()[:2] == (1, "one")


def test_a_full_disk_met_by_the_experiment_itself_is_no_failure_of_the_run(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    file = tmp_path / "writer.py"
    file.write_text(LEAVER.replace("sys.exit({code})", "open('/dev/full', 'wb', 0).write(b'x')"))
    address = str(file)
    with pytest.raises(StorageError, match="No space left"):
        execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    (folder,) = folders(tmp_path / "runs")
    assert folder.state() == "new"


def test_a_line_written_in_part_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "write", lambda handle, data: 3)
    with pytest.raises(StorageError, match="No space left"):
        append(tmp_path / "metrics.jsonl", b"too long")


def test_a_folder_without_room_for_its_configuration_is_taken_away(toy, tmp_path, monkeypatch):
    def full(path, value, sync=False):
        raise StorageError(path, OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr("lineshaft.engine.execute.write_json", full)
    with pytest.raises(StorageError):
        walk(toy, tmp_path)
    assert list(folders(tmp_path)) == []


def test_a_damaged_checkpoint_never_takes_the_place_of_a_good_one(tmp_path):
    store = Checkpoints(tmp_path)
    store.save(1, "one", None, False)
    store.save(2, "two", None, False)
    os.truncate(tmp_path / "last.pt", 100)
    assert store.load()[:2] == (1, "one")
    store.save(3, "three", None, False)
    assert read(tmp_path / "previous.pt")["state"] == "one"
    store.save(4, "four", None, False)
    assert read(tmp_path / "previous.pt")["state"] == "three"


def test_a_damaged_best_checkpoint_gives_way_to_the_last_and_this_is_said(tmp_path):
    store = Checkpoints(tmp_path)
    store.save(1, "one", 1.0, True)
    store.save(2, "two", 0.5, False)
    assert store.best() == ("one", "")
    os.truncate(tmp_path / "best.pt", 100)
    state, note = store.best()
    assert state == "two"
    assert "best.pt is damaged" in note and "last.pt used" in note


@pytest.mark.parametrize("code", ["1", "0", "'no data'"])
def test_an_experiment_that_exits_has_failed(tmp_path, code):
    file = tmp_path / "leaver.py"
    file.write_text(LEAVER.format(code=code))
    address = str(file)
    folder, state = execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    assert (state, folder.state()) == ("failed", "failed")
    assert "SystemExit" in folder.error()


def test_a_parent_is_computed_first_and_only_once(toy, tmp_path):
    address = toy("needy")
    config = find(address).config(data=False)
    folder, state = execute(address, config, tmp_path, ALWAYS)
    assert state == "done"
    assert folder.provenance()[0]["parents"] == ["walk/steps=2,seed=7"]
    assert folder.result()["parent"] == Folder(tmp_path / "walk" / "steps=2,seed=7").result()["val/x"]


def test_a_parent_computed_under_a_launcher_has_its_own_origin_and_the_command(toy, tmp_path):
    needy, parent = find(toy("needy")), find(toy("walk"))
    options = Options(
        checkpoint_every=0, origin=provenance.origin(needy) | {"command": "lineshaft sweep needy.py"}
    )
    folder, _ = execute(needy.address, needy.config(data=False), tmp_path, options)
    assert folder.provenance()[0]["experiment"] == needy.address
    (entry,) = Folder(tmp_path / "walk" / "steps=2,seed=7").provenance()
    assert (entry["experiment"], entry["code"]) == (parent.address, provenance.code(parent))
    assert entry["command"] == "lineshaft sweep needy.py"
    walk(toy, tmp_path, steps=2, seed=7)


def test_draws_are_the_same_whether_the_parent_was_computed_before_or_not(toy, tmp_path):
    drawing = tmp_path / "drawing.py"
    drawing.write_text(DRAWING.format(walk=toy("walk")))
    config = find(str(drawing)).config(seed=3)
    first, _ = execute(str(drawing), config, tmp_path / "a", ALWAYS)
    walk(toy, tmp_path / "b", steps=2)
    second, _ = execute(str(drawing), config, tmp_path / "b", ALWAYS)
    assert first.result() == second.result()


def test_output_of_the_run_is_kept(toy, tmp_path):
    address = toy("needy")
    folder, _ = execute(address, find(address).config(data=False), tmp_path, ALWAYS)
    log = (folder.dir / "log.txt").read_text()
    assert "said by python" in log
    assert "said by a process" in log


def test_signals_pause_a_run(toy, tmp_path):
    program = (
        "import sys; from lineshaft.engine.__main__ import main; "
        f"sys.exit(main([{toy('walk')!r}, 'steps=1000', 'sleep=0.02']))"
    )
    environment = os.environ | {"LINESHAFT_RUNS": str(tmp_path)}
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
        process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE)
        folder = Folder(tmp_path / "walk" / "steps=1000,sleep=0.02,seed=0")
        deadline = time.monotonic() + 60
        steps = len(folder.metrics())
        while len(folder.metrics()) <= steps and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(60) == 130
        assert folder.state() == "paused"
        assert folder.provenance()[-1]["outcome"] == "paused"


def test_unknown_experiments_are_refused_with_the_nearest():
    with pytest.raises(RequestError, match="unknown experiment"):
        find("nothing.here")
    with pytest.raises(RequestError, match="no such file"):
        find("./nowhere.py")
    assert all("." in address for address in known())
