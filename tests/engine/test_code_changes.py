"""A result names the code that made it, whatever is edited while runs wait, run, pause or are done."""

import json
import os
import subprocess
import sys
import time

import pytest

from conftest import LINESHAFT
from lineshaft.engine import RequestError
from lineshaft.engine.run.description import description
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.store import Folder, folders
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.table.listing import listing
from lineshaft.engine.table.summary import summaries

ED = """
import time
from lineshaft.engine import Config as Base
from helper import f
class Config(Base):
    "Edited while it is swept."
    k: int = 0
    lr: float = 0.1
def run(config, run):
    time.sleep({sleep})
    return {{"x": {factor} * f(config.k), "lr": config.lr}}
"""


def write(home, factor=1.0, sleep=0.0, default=0.1, helper="def f(k): return k"):
    (home / "helper.py").write_text(helper)
    (home / "ed.py").write_text(ED.format(factor=factor, sleep=sleep).replace("= 0.1", f"= {default}"))
    return str(home / "ed.py")


def test_a_sweep_computes_all_its_runs_with_the_code_it_began_with(tmp_path):
    write(tmp_path, sleep=0.5)
    before = find(str(tmp_path / "ed.py")).code.hash
    words = ["sweep", "./ed.py", "k=1..6", "--workers", "1"]
    sweep = subprocess.Popen([*LINESHAFT, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not any(f.state() == "done" for f in folders(tmp_path / "runs")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    write(tmp_path, factor=100.0, default=0.7, helper="def f(k): return -k")
    _, said = sweep.communicate(timeout=100)
    assert sweep.returncode == 0, said
    found = list(folders(tmp_path / "runs"))
    assert sorted(f.result()["x"] for f in found) == [1, 2, 3, 4, 5, 6]
    assert {f.result()["lr"] for f in found} == {0.1}
    assert {description(f)["code"] for f in found} == {f.provenance()[0]["code"] for f in found} == {before}
    assert "ed.py, helper.py changed since this sweep began" in said
    assert all(line.is_stale for line in listing(tmp_path / "runs"))
    assert (tmp_path / "runs/.code" / before / "helper.py").read_text() == "def f(k): return k"


WORKERS = """
import time
from multiprocessing import get_context
from joblib import Parallel, delayed
from lineshaft.engine import Config as Base
from helper import f
class Config(Base):
    "Computes in processes of its own."
    k: int = 0
def mine(k):
    from late import g
    return FACTOR * f(k) + g(k), __file__
def run(config, run):
    time.sleep(0.3)
    found = Parallel(n_jobs=2)(delayed(mine)(config.k) for _ in range(2))
    for way in ("spawn", "forkserver"):
        with get_context(way).Pool(1) as pool:
            found += pool.map(mine, [config.k])
    assert {file for _, file in found} == {__file__}
    return {f"x{i}": x for i, (x, _) in enumerate(found)}
"""


def write_workers(home, factor):
    (home / "helper.py").write_text(f"def f(k): return {factor} * k")
    (home / "late.py").write_text(f"def g(k): return {factor} * 100 * k")
    (home / "ed.py").write_text(WORKERS.replace("FACTOR", str(factor)))


def test_processes_that_a_run_starts_compute_with_the_code_of_the_launch_too(tmp_path):
    write_workers(tmp_path, 1)
    words = ["sweep", "./ed.py", "k=1..3", "--workers", "1"]
    sweep = subprocess.Popen([*LINESHAFT, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not any(f.state() in ("done", "failed") for f in folders(tmp_path / "runs")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    write_workers(tmp_path, 7)
    _, said = sweep.communicate(timeout=100)
    found = {f.name: (f.result(), f.error()) for f in folders(tmp_path / "runs")}
    assert sweep.returncode == 0, (said, found)
    for k in (1, 2, 3):
        assert set(found[f"k={k},seed=0"][0].values()) == {101.0 * k}


def test_a_file_that_runs_read_where_it_lies_is_refused_once_it_was_edited(tmp_path):
    factor = "float(Path(__file__).with_name('factor.txt').read_text())"
    reads = f"from pathlib import Path\ndef f(k): return k * {factor}"
    (tmp_path / "factor.txt").write_text("1")
    write(tmp_path, sleep=0.5, helper=reads)
    words = ["sweep", "./ed.py", "k=1..4", "--workers", "1"]
    sweep = subprocess.Popen([*LINESHAFT, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not any(f.state() == "done" for f in folders(tmp_path / "runs")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (tmp_path / "factor.txt").write_text("9")
    _, said = sweep.communicate(timeout=100)
    assert sweep.returncode == 1
    assert "factor.txt changed since this sweep began, and runs read such files where they lie" in said
    done = [f for f in folders(tmp_path / "runs") if f.state() == "done"]
    assert {f.result()["x"] / f.config()["k"] for f in done} <= {1.0}
    before = {description(f)["code"] for f in done}
    again = subprocess.run([*LINESHAFT, *words], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert again.returncode == 0, again.stderr
    later = {description(f)["code"] for f in folders(tmp_path / "runs")} - before
    assert len(before) == len(later) == 1


def execute_now(home, **values):
    experiment = find(str(home / "ed.py"), fresh=True)
    return execute(experiment.address, experiment.config(**values), home / "runs", Options(device="cpu"))[0]


def test_seeds_of_two_codes_are_never_averaged(tmp_path):
    write(tmp_path)
    for seed in (0, 1):
        execute_now(tmp_path, k=1, seed=seed)
    write(tmp_path, helper="def f(k): return 9 * k")
    for seed in (2, 3):
        execute_now(tmp_path, k=1, seed=seed)
    (summary,) = summaries(tmp_path / "runs")
    assert "code" in summary.keys
    assert sorted((g.measure("x").mean, g.measure("x").n) for g in summary.groups) == [(1.0, 2), (9.0, 2)]
    assert all("2 missing" in group.faults() for group in summary.groups)


PAUSES = """
from lineshaft.engine import Config as Base
from helper import f
class Config(Base):
    "Asks to be stopped at its second step."
def run(config, run):
    for step in range(run.state or 0, 3):
        if step == 1 and run.state is None:
            (run.dir / "stop").touch()
        run.checkpoint(step, lambda: step + 1)
    return {"x": f(1)}
"""


def pause(home) -> tuple[str, Folder]:
    (home / "helper.py").write_text("def f(k): return 1")
    (home / "ed.py").write_text(PAUSES)
    folder = execute_now(home)
    assert folder.state() == "paused"
    (home / "helper.py").write_text("def f(k): return 2")  # of equal length, mostly within the same second
    return str(home / "ed.py"), folder


def test_a_run_resumed_under_other_code_says_so_and_is_marked(tmp_path):
    _, folder = pause(tmp_path)
    execute_now(tmp_path)
    assert folder.result() == {"x": 2.0}
    assert "helper.py changed since this run was computed so far" in (folder.dir / "log.txt").read_text()
    assert len(description(folder)["codes"]) == 2
    (line,) = listing(tmp_path / "runs")
    assert line.marks == ["mixed"]
    (summary,) = summaries(tmp_path / "runs")
    assert summary.groups[0].faults() == ["1 of several codes"]


def test_strict_refuses_to_resume_under_other_code(tmp_path, lineshaft):
    address, folder = pause(tmp_path)
    for verb in ("run", "sweep"):
        done = lineshaft(verb, address, "--strict")
        assert done.returncode == 2, done.stderr
        assert "helper.py changed since this run was computed so far" in done.stderr
    assert folder.state() == "paused"
    (tmp_path / "helper.py").write_text("def f(k): return 1")
    assert lineshaft("run", address, "--strict").returncode == 0


def test_an_edit_of_equal_length_within_the_second_of_an_import_is_computed(tmp_path):
    """Each time in a new process, as a person would: bytecode is on the disk."""
    second = time.time() + 100
    for value in (1, 2, 3):
        (tmp_path / "helper.py").write_text(f"def f(k): return {value}")
        os.utime(tmp_path / "helper.py", (second, second))
        (tmp_path / "ed.py").write_text(PAUSES.replace("step == 1", "False"))
        words = [*LINESHAFT, "run", "./ed.py", "--runs", f"runs{value}"]
        assert subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=100).returncode == 0
        (folder,) = folders(tmp_path / f"runs{value}")
        assert folder.result() == {"x": value}


def test_a_run_that_is_done_says_that_its_code_changed(tmp_path, lineshaft):
    write(tmp_path)
    assert "other code" not in lineshaft("run", "./ed.py").stderr
    write(tmp_path, helper="def f(k): return 3")
    assert "computed by other code than now" in lineshaft("run", "./ed.py").stderr
    assert "1 done before by other code" in lineshaft("sweep", "./ed.py").stderr
    (line,) = json.loads(lineshaft("ls", "--json").stdout)
    assert (line["stale"], line["mixed"]) == (True, False)


BAD = """
from lineshaft.engine import Config as Base, RequestError
class Config(Base):
    "Some cells cannot be computed."
    k: int = 0
def run(config, run):
    if config.k == 1:
        raise RequestError("no such flavour")
    if config.k == 2:
        raise OSError(5, "the disk blinked")
    return {"x": config.k}
"""


def test_one_bad_cell_never_stops_a_sweep(tmp_path, lineshaft):
    (tmp_path / "bad.py").write_text(BAD)
    assert lineshaft("sweep", "./bad.py", "k=5").returncode == 0
    (tmp_path / "runs/bad/k=5,seed=0/config.json").write_text('{"k": 5')
    done = lineshaft("sweep", "./bad.py", "k=1..6", "--workers", "1")
    assert done.returncode == 1, done.stderr
    assert "refused: bad/k=1,seed=0: no such flavour" in done.stderr
    assert "the disk blinked" in done.stderr
    assert "refused: " in done.stderr and "k=5,seed=0/config.json is not JSON" in done.stderr
    states = {f.name: f.state() for f in folders(tmp_path / "runs")}
    assert [states[f"k={k},seed=0"] for k in (3, 4, 6)] == ["done"] * 3
    assert states["k=2,seed=0"] == "failed"


def test_the_bare_engine_goes_on_past_a_bad_cell(tmp_path):
    (tmp_path / "bad.py").write_text(BAD)
    words = [sys.executable, "-m", "lineshaft.engine", "./bad.py", "k=1,3"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert "refused: bad/k=1,seed=0: no such flavour" in done.stderr
    assert [f.name for f in folders(tmp_path / "runs")] == ["k=3,seed=0"]


def test_a_child_that_would_name_the_run_otherwise_computes_nothing(tmp_path):
    from lineshaft.engine.launch.child import compute_at

    address = write(tmp_path)
    with pytest.raises(RequestError, match="would be called k=3,seed=0 by the code found here"):
        compute_at(address, '{"k": 3}', tmp_path / "runs/ed/k=2,seed=0", Options())
    assert not (tmp_path / "runs").exists()
