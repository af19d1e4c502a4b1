"""Sweeps: shared by launchers, resumed after kills, honest about failures."""

import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from lineshaft.cli.run import sweep
from lineshaft.engine import Options
from lineshaft.engine.launch.local import Launcher, modules_of, places
from lineshaft.engine.launch.task import task
from lineshaft.engine.run.store import Folder, folders
from lineshaft.engine.spec.experiment import find, own

LAUNCH = [sys.executable, "-c", "from lineshaft.cli import main; main()", "sweep"]


def start(words: list[str], cwd: Path) -> subprocess.Popen[bytes]:
    """A launcher in a session of its own, so that it and all its runs can be killed at once."""
    return subprocess.Popen(
        [*LAUNCH, *words],
        cwd=cwd,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def wait_for(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def results(runs: Path) -> dict[str, tuple]:
    """Name -> final and logged metrics of every run."""
    return {f.name: (f.result(), f.metrics()) for f in folders(runs)}


@pytest.mark.parametrize(
    ("address", "modules"),
    [
        ("plasma.simulate", ["lineshaft.plasma.experiments.simulate"]),
        ("plasma.tables:benchmark", [m for m in own().values() if m.startswith("lineshaft.plasma.")]),
        ("./mine.py", []),
    ],
)
def test_the_forkserver_imports_once_what_every_run_needs(address, modules):
    assert modules_of([address]) == modules


def test_a_sweep_runs_once_and_a_run_of_its_default_cell_has_nothing_to_do(toy, lineshaft, tmp_path):
    first = lineshaft("sweep", toy("walk"), "lr=0.1,0.2", "seed=0..2")
    assert first.returncode == 0, first.stderr
    assert "6 done" in first.stderr
    again = lineshaft("sweep", toy("walk"), "lr=0.1,0.2", "seed=0..2", "--dry-run")
    assert "0 to do" in again.stderr
    before = (tmp_path / "runs/walk/seed=0/provenance.json").read_text()
    single = lineshaft("run", toy("walk"))
    assert single.returncode == 0
    assert (tmp_path / "runs/walk/seed=0/provenance.json").read_text() == before
    assert len(list(folders(tmp_path / "runs"))) == 6


def test_two_hundred_instant_runs_on_eight_workers_all_succeed(toy, lineshaft, tmp_path):
    done = lineshaft("sweep", toy("walk"), "steps=1", "seed=0..199", "--workers", "8")
    assert done.returncode == 0, done.stderr
    assert "200 done" in done.stderr
    assert all(len(f.provenance()) == 1 for f in folders(tmp_path / "runs"))


LINGERS = """
import threading, time
from lineshaft.engine import Config as Base

class Config(Base):
    pass

def run(config, run):
    threading.Thread(target=time.sleep, args=(3,)).start()  # as a process that lets go of a GPU
    return {"x": config.seed}
"""


def test_the_next_run_does_not_wait_for_a_process_that_is_leaving(lineshaft, tmp_path):
    (tmp_path / "lingers.py").write_text(LINGERS)
    begin = time.monotonic()
    done = lineshaft("sweep", "./lingers.py", "seed=0..3", "--workers", "1")
    assert done.returncode == 0 and "4 done" in done.stderr
    assert time.monotonic() - begin > 3, "the command outlives its processes"
    spans = sorted((e["start"], e["end"]) for f in folders(tmp_path / "runs") for e in f.provenance())
    ends, starts = ([datetime.fromisoformat(s[i]) for s in spans] for i in (1, 0))
    gaps = [(start - end).total_seconds() for end, start in zip(ends, starts[1:])]
    assert len(gaps) == 3 and min(gaps) >= 0 and max(gaps) < 1


def test_failures_are_isolated_and_reported(toy, lineshaft, tmp_path):
    done = lineshaft("sweep", toy("walk"), "fail=true,false", "seed=0..2")
    assert done.returncode == 1
    assert "3 done, 3 failed" in done.stderr
    assert "ValueError: asked to fail" in done.stderr
    again = lineshaft("sweep", toy("walk"), "fail=true,false", "seed=0..2")
    assert again.returncode == 1
    assert all(len(f.provenance()) == 1 for f in folders(tmp_path / "runs"))


def test_fail_fast_starts_nothing_more(toy, lineshaft, tmp_path):
    done = lineshaft("sweep", toy("walk"), "fail=true", "seed=0..9", "--fail-fast", "--workers", "1")
    assert done.returncode == 1
    assert len(list(folders(tmp_path / "runs"))) == 1


def test_a_refused_run_ends_the_sweep_and_leaves_nothing(toy, lineshaft, tmp_path):
    done = lineshaft("sweep", toy("needy"), "seed=0..3")
    assert done.returncode == 2
    assert "data set pebbles is not here" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())


def test_two_launchers_share_one_grid(toy, tmp_path):
    ledger = tmp_path / "ledger"
    words = [toy("walk"), "steps=4", "sleep=0.05", "seed=0..9", f"ledger={ledger}"]
    both = [start(words, tmp_path) for _ in range(2)]
    assert [p.wait(120) for p in both] == [0, 0]
    assert len(lines(ledger)) == len(set(lines(ledger))) == 40, "no step twice"
    assert all(len(f.provenance()) == 1 for f in folders(tmp_path / "runs"))


def test_runs_outlive_a_killed_launcher(toy, tmp_path):
    ledger = tmp_path / "ledger"
    launcher = start([toy("walk"), "steps=40", "sleep=0.05", "seed=0,1", f"ledger={ledger}"], tmp_path)
    wait_for(lambda: len(lines(ledger)) > 4)
    launcher.kill()
    launcher.wait()
    wait_for(lambda: [f.state() for f in folders(tmp_path / "runs")] == ["done", "done"])
    assert len(lines(ledger)) == len(set(lines(ledger))) == 80


@pytest.mark.parametrize(
    ("send", "number"), [(os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM), (os.killpg, signal.SIGHUP)]
)
def test_an_interrupt_leaves_runs_paused_and_the_same_command_resumes(toy, tmp_path, send, number):
    """Ctrl-C and a closed terminal reach launcher and runs at once, a scheduler's signal the launcher."""
    ledger = tmp_path / "ledger"
    words = [toy("walk"), "steps=60", "sleep=0.05", "seed=0,1", f"ledger={ledger}"]
    launcher = start(words, tmp_path)
    wait_for(lambda: len(lines(ledger)) > 4)
    send(launcher.pid, number)
    assert launcher.wait(60) == 130
    assert {f.state() for f in folders(tmp_path / "runs")} == {"paused"}
    assert start(words, tmp_path).wait(120) == 0
    assert len(lines(ledger)) == len(set(lines(ledger))) == 120, "a graceful stop loses no step"


def test_a_run_that_is_being_started_hears_an_interrupt(toy, tmp_path, monkeypatch):
    told = []

    class Process:
        """Starting it takes so long that somebody interrupts the launcher meanwhile."""

        pid = None

        def __init__(self, target, args):
            pass

        def start(self):
            launcher.interrupt()
            self.pid = 7

    address = toy("walk")
    each = task(address, find(address).config(), tmp_path)
    launcher = Launcher([each], Options(), 1)
    monkeypatch.setattr("multiprocessing.get_context", lambda kind: SimpleNamespace(Process=Process))
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append((pid, number)))
    launcher.start(each)
    assert told == [(7, signal.SIGTERM)]
    launcher.interrupt()
    assert told == [(7, signal.SIGTERM), (7, signal.SIGKILL)]


@pytest.fixture
def two_gpus(monkeypatch):
    """A machine with two GPUs, on which processes are not really started: (task, device) of each."""
    started = []

    def spawn(each, options):
        started.append((each.folder.name, options.device, options.threads))
        return SimpleNamespace(options=options, task=each, process=SimpleNamespace(pid=None))

    monkeypatch.setattr("lineshaft.engine.launch.local.visible_gpus", lambda: 2)
    monkeypatch.setattr("lineshaft.engine.launch.local.spawn", spawn)
    return started


@pytest.mark.parametrize(("per_gpu", "workers", "at_once"), [(1, None, 2), (3, None, 6), (3, 4, 4)])
def test_runs_share_gpus_as_asked(toy, tmp_path, two_gpus, per_gpu, workers, at_once):
    """GPUs are taken in turn; `--per-gpu` runs share one."""
    assert places(20, workers, per_gpu) == (at_once, ["cuda:0", "cuda:1"])
    address = toy("walk")
    tasks = [task(address, find(address).config(seed=i), tmp_path) for i in range(20)]
    Launcher(tasks, Options(), *places(20, workers, per_gpu)[:1], devices=["cuda:0", "cuda:1"]).start_some()
    assert [device for _, device, _ in two_gpus] == ["cuda:0", "cuda:1"] * (at_once // 2)


def test_the_option_per_gpu_reaches_the_launcher(toy, tmp_path, two_gpus, monkeypatch):
    monkeypatch.setattr(Launcher, "run", lambda self: self.start_some() or 0)
    monkeypatch.setattr("lineshaft.engine.launch.local.warm_up", lambda addresses, threads: None)
    monkeypatch.setattr("lineshaft.cli.run.cores", lambda: 12)
    sweep(toy("walk"), ["seed=0..9"], tmp_path, per_gpu=2)
    assert [device for _, device, _ in two_gpus] == ["cuda:0", "cuda:1"] * 2
    assert {threads for _, _, threads in two_gpus} == {3}, "12 cores for 4 runs at once"


def test_a_second_hangup_kills_nothing_and_a_second_interrupt_does(toy):
    launcher = Launcher([], Options(), 1)
    launcher.interrupt(signal.SIGHUP)
    launcher.interrupt(signal.SIGHUP)
    assert launcher.word == signal.SIGTERM
    launcher.interrupt(signal.SIGINT)
    assert launcher.word == signal.SIGKILL


def test_a_fault_outside_the_experiment_is_reported_with_its_run(toy, lineshaft, tmp_path):
    words = ["sweep", toy("walk"), "seed=0,1"]
    assert lineshaft(*words).returncode == 0
    home = tmp_path / "runs/walk/seed=0"
    (home / "result.json").unlink()
    (home / "lock").unlink()
    (home / "lock").mkdir()
    done = lineshaft(*words, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "refused: walk/seed=0: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "walk" in done.stderr


def test_a_run_that_dies_each_time_is_failed_after_three(toy, lineshaft, tmp_path):
    done = lineshaft("sweep", toy("dying"), "--workers", "1")
    assert done.returncode == 1
    (folder,) = folders(tmp_path / "runs")
    assert [e["outcome"] for e in folder.provenance()] == ["died"] * 3
    assert "died 3 times without a new checkpoint" in folder.error()


DIES_EARLY = """
import multiprocessing, os
from lineshaft.engine import Config as Base
if multiprocessing.parent_process() is not None:
    os._exit(9)
class Config(Base):
    pass
def run(config, run):
    return {}
"""


def test_a_run_that_dies_each_time_it_is_imported_is_failed_after_three(lineshaft, tmp_path):
    (tmp_path / "early.py").write_text(DIES_EARLY)
    done = lineshaft("sweep", "./early.py", "--workers", "1", timeout=60)
    assert done.returncode == 1 and "1 failed" in done.stderr
    (folder,) = folders(tmp_path / "runs")
    assert (folder.state(), folder.config()) == ("failed", {"parent": None, "seed": 0})
    assert "died 3 times without a new checkpoint" in folder.error()
    assert lineshaft("sweep", "./early.py").returncode == 1
    assert lineshaft("ls").returncode == 0


def test_a_run_that_dies_but_gets_on_is_finished(toy, lineshaft, tmp_path):
    done = lineshaft("sweep", toy("dying"), "saves=true", "--checkpoint-every", "0", "--workers", "1")
    assert done.returncode == 0, done.stderr
    (folder,) = folders(tmp_path / "runs")
    assert len(folder.provenance()) == 6


@pytest.mark.timeout(600)
def test_fifty_kills_of_single_runs_or_of_everything_lose_only_work_since_the_last_checkpoint(toy, tmp_path):
    words = [toy("walk"), "steps=40", "sleep=0.04", "seed=0..19", "--checkpoint-every", "0", "--workers", "2"]
    calm = start(words, tmp_path / made(tmp_path / "calm"))
    ledger = tmp_path / "ledger"
    rng, kills = random.Random(0), 0
    (tmp_path / "wild").mkdir()
    while kills < 50:
        launcher = start([*words, f"ledger={ledger}"], tmp_path / "wild")
        seen = len(lines(ledger))
        if rng.random() < 0.8:
            wait_for(lambda: len(lines(ledger)) > seen or launcher.poll() is not None)  # noqa: B023
            for _ in range(3):
                time.sleep(rng.uniform(0, 0.2))
                kills += kill_one(tmp_path / "wild/runs", launcher, rng)
        time.sleep(rng.uniform(0, 0.3))
        os.killpg(launcher.pid, signal.SIGKILL)
        launcher.wait()
        kills += 1
        check_files(tmp_path / "wild/runs")
    assert start([*words, f"ledger={ledger}"], tmp_path / "wild").wait(200) == 0
    assert calm.wait(200) == 0
    undisturbed = {name_of(n): r for n, r in results(tmp_path / "calm/runs").items()}
    disturbed = {name_of(n): r for n, r in results(tmp_path / "wild/runs").items()}
    assert disturbed == undisturbed
    assert len(disturbed) == 20
    again = collections.Counter(lines(ledger))
    assert sum(again.values()) - len(again) <= 2 * kills, "at most the step under way is computed again"
    assert len(again) == 800


def kill_one(runs: Path, launcher: subprocess.Popen[str], rng: random.Random) -> int:
    """Kill one running run of the launcher; how many were killed."""
    running = [f for f in folders(runs) if f.state() == "running" and (f.dir / "pid").exists()]
    pids = [int((f.dir / "pid").read_text() or 0) for f in running]
    with contextlib.suppress(ProcessLookupError):
        if (mine := [pid for pid in pids if os.getpgid(pid) == launcher.pid]) and launcher.poll() is None:
            os.kill(rng.choice(mine), signal.SIGKILL)
            return 1
    return 0


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def name_of(run: str) -> str:
    """The seed: the ledger's path is the other word of a disturbed run's name."""
    return run[run.index("seed=") :].split("~")[0]


def check_files(runs: Path) -> None:
    """No file is torn: every JSON file parses, every metrics line but the last is whole."""
    for folder in folders(runs):
        for path in folder.dir.glob("*.json"):
            json.loads(path.read_bytes())
        Folder(folder.dir).metrics()
