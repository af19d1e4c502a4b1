"""One run: what it leaves, how it resumes, how it fails, and what is refused with nothing made."""

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
from walking import ALWAYS, LEAVER, made_of, walk

from lineshaft.engine import Options, RequestError
from lineshaft.engine.errors import Busy
from lineshaft.engine.run import provenance
from lineshaft.engine.run.checkpoint import Checkpoints
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import Folder, folders, mend_tail
from lineshaft.engine.spec.experiment import find, own

DRAWING = """
import random
import numpy as np
import torch
from lineshaft.engine import Config as Base
from lineshaft.engine.spec.experiment import find
class Config(Base):
    "Draws after a walk that it needs."
def run(config, run):
    run.need(find({walk!r}).config(steps=2))
    return {{"torch": torch.rand(()).item(), "numpy": np.random.rand(), "python": random.random()}}
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
    command = [sys.executable, "-c", FORK_AND_HOLD, str(home / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert Folder(home).state() == "running"
        with pytest.raises(Busy, match="running elsewhere"):
            walk(toy, tmp_path)
        holder.kill()
    assert Folder(home).state() == "new", "the lock vanishes with its holder, though a forked child lives on"
    looking = threading.Event()
    looker = threading.Thread(target=lambda: [Folder(home).state() for _ in iter(looking.is_set, True)])
    looker.start()
    try:
        assert walk(toy, tmp_path)[1] == "done"
    finally:
        looking.set()
        looker.join()


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
        execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    assert not any(tmp_path.iterdir())


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
    assert (entry["experiment"], entry["code"]) == (parent.address, parent.code.hash)
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
        process = subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL
        )
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
    assert all("." in address for address in own())
