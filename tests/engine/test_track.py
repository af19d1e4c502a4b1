"""What trackers wrote is read back with their own readers, also after kills, resumes and mirroring twice."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineshaft.engine import RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.track.mirror import open_sinks
from lineshaft.engine.track.wandb import stable_id

BLOCK, HEADER = 32768, 7


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """No network, and no child process that finds the W&B service of this one in its environment."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_SERVICE", raising=False)


def computed(toy, runs: Path, *track: str, **values) -> Folder:
    config = find(toy("walk")).config(**values)
    return execute(toy("walk"), config, runs, Options(checkpoint_every=0, track=track))[0]


def scalars(folder: Folder) -> dict[str, list[tuple[int, float]]]:
    """All event files of a run together, as TensorBoard itself reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder.dir / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def records(folder: Folder) -> list:
    """The records of the one offline .wandb file: W&B's protocol buffers in LevelDB's log format."""
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.dir.glob("wandb/offline-run-*/*.wandb")
    data, position, part, found = file.read_bytes(), HEADER, b"", []
    while position + HEADER <= len(data):
        if BLOCK - position % BLOCK < HEADER:
            position += BLOCK - position % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[position : position + HEADER])
        part += data[position + HEADER : position + HEADER + length]
        position += HEADER + length
        if kind in (1, 4):
            found.append(Record.FromString(part))
            part = b""
    return found


def history(folder: Folder) -> list[dict[str, float]]:
    rows = []
    for record in records(folder):
        if record.WhichOneof("record_type") == "history":
            items = {".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in record.history.item}
            rows.append(items | {"_step": record.history.step.num})
    return rows


def walked(folder: Folder) -> list[tuple[int, float]]:
    return [(row["_step"], row["x"]) for row in history(folder)]


def logged(folder: Folder) -> list[tuple[int, float]]:
    return [(row["step"], row["x"]) for row in folder.metrics()]


def test_tensorboard_reads_what_a_run_logged(toy, tmp_path):
    folder = computed(toy, tmp_path, "tensorboard", steps=5)
    found = scalars(folder)
    assert found["x"] == [(step, pytest.approx(x)) for step, x in logged(folder)]
    assert found["result/val/x"] == [(4, pytest.approx(folder.result()["val/x"]))]


def test_wandb_reads_what_a_run_logged(toy, tmp_path):
    folder = computed(toy, tmp_path, "wandb", steps=5)
    assert walked(folder) == logged(folder)
    (run,) = [r.run for r in records(folder) if r.WhichOneof("record_type") == "run"][:1]
    assert run.run_id == stable_id(folder)
    assert (run.project, run.run_group, run.display_name) == ("lineshaft", "walk", folder.name)
    summary = {i.key or i.nested_key[0]: i.value_json for r in records(folder) for i in r.summary.update}
    assert float(summary["val/x"]) == folder.result()["val/x"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_killed_with_all_its_processes_and_resumed_has_one_history(toy, tmp_path, number):
    words = ["steps=40", "sleep=0.05", "--track", "wandb", "--track", "tensorboard", "--runs", str(tmp_path)]
    command = [sys.executable, "-c", "from lineshaft.cli import main; main()", "run", toy("walk"), *words]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    folder = Folder(tmp_path / "walk" / "steps=40,sleep=0.05,seed=0")
    end = time.monotonic() + 60
    while len(folder.metrics() if folder.dir.exists() else ()) < 6 and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(process.pid, number)
    process.wait(60)
    assert folder.state() == "paused"
    first = len(folder.metrics())
    assert 6 <= first < 40
    computed(toy, tmp_path, "wandb", "tensorboard", steps=40, sleep=0.05)
    assert [step for step, _ in logged(folder)] == list(range(40))
    assert walked(folder) == logged(folder)
    assert scalars(folder)["x"] == [(step, pytest.approx(x)) for step, x in logged(folder)]


def test_sync_mirrors_later_and_again(toy, tmp_path, lineshaft):
    folder = computed(toy, tmp_path / "runs", steps=5)
    other = computed(toy, tmp_path / "runs", steps=2)
    for _ in range(2):
        for name in ("wandb", "tensorboard"):
            done = lineshaft("sync", "--to", name, "walk")
            assert (done.returncode, done.stdout) == (0, ""), done.stderr
            assert "2 mirrored" in done.stderr
    assert walked(folder) == logged(folder)
    assert len(scalars(folder)["x"]) == 5
    assert len(scalars(other)["x"]) == 2
    assert "1 mirrored" in lineshaft("sync", "--to", "tensorboard", other.id).stderr
    assert lineshaft("sync", "--to", "tensorboard", "walc").returncode == 2
    assert lineshaft("sync", "--to", "mlflow").returncode == 2


def test_rows_behind_the_last_one_are_there_in_the_end(toy, tmp_path):
    folder = computed(toy, tmp_path, steps=1)
    lines = [
        {"step": 0, "x": 1.0},
        {"step": 3, "x": 2.0},
        {"step": 1, "x": 3.0},
        {"step": 3, "y": float("nan")},
    ]
    sinks = open_sinks(["wandb", "tensorboard", "wandb"], folder)
    assert len(sinks) == 2
    for i, line in enumerate(lines):
        (folder.dir / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines[: i + 1]))
        for sink in sinks:
            sink.log(line["step"], {k: v for k, v in line.items() if k != "step"})
    for sink in sinks:
        sink.close()
    assert walked(folder) == [(0, 1.0), (1, 3.0), (3, 2.0)]
    assert scalars(folder)["x"] == [(0, 1.0), (1, 3.0), (3, 2.0)]
    assert [step for step, _ in scalars(folder)["y"]] == [3]


def test_a_tracker_that_fails_is_reported_once_and_harms_no_run(toy, tmp_path, monkeypatch):
    import lineshaft.engine.track.tensorboard as module

    def broken(self, step, metrics):
        raise OSError("no room for events")

    monkeypatch.setattr(module.Tensorboard, "log", broken)
    folder = computed(toy, tmp_path, "tensorboard", steps=5)
    assert folder.state() == "done"
    log = (folder.dir / "log.txt").read_text()
    assert log.count("tensorboard failed (OSError: no room for events)") == 1
    assert "lineshaft sync --to tensorboard" in log


def test_unknown_and_missing_trackers_are_refused_before_work_starts(toy, tmp_path, monkeypatch):
    with pytest.raises(RequestError, match=r"unknown tracker tensorbord; did you mean tensorboard\?"):
        computed(toy, tmp_path, "tensorbord")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RequestError, match=r"pip install 'lineshaft\[track\]'"):
        computed(toy, tmp_path, "wandb")
    assert not any(tmp_path.iterdir())
