"""Several processes that compute one run: one truth, own random states, one end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from worlds import free_port, world

from lineshaft.engine import RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options, device, own_gpu
from lineshaft.engine.run.ranks import Ranks, ranks_of
from lineshaft.engine.run.store import Folder, folders
from lineshaft.engine.spec.experiment import find

PLACE = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


def drawn(notes: Path, rank: int) -> list[str]:
    return (notes / f"rank{rank}").read_text().splitlines()


def only(runs: Path) -> Folder:
    (folder,) = folders(runs)
    return folder


def outcomes(folder: Folder) -> list[str]:
    return [entry["outcome"] for entry in folder.provenance()]


@pytest.fixture
def notes(tmp_path):
    """Two folders for what each rank drew: of a calm run and of one that was cut."""
    for name in ("calm", "cut"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("asked", [0, 1])
def test_a_world_that_is_cut_goes_on_with_the_draws_of_every_rank(toy, notes, sharded, asked):
    """One rank alone hears the stop; all save and end in the same step, and nothing is drawn twice."""
    values = {"steps": 30, "sharded": sharded}
    assert world(2, toy("pair"), values | {"notes": str(notes / "calm")}, notes / "a", every=1e9) == [0, 0]
    cut = values | {"notes": str(notes / "cut"), "rank": asked, "event": "asked"}
    assert world(2, toy("pair"), cut, notes / "b", every=1e9) == [130, 130]
    assert len(drawn(notes / "cut", 0)) == len(drawn(notes / "cut", 1)) == 4
    assert only(notes / "b").state() == "paused"
    assert world(2, toy("pair"), cut, notes / "b", every=1e9) == [0, 0]
    for rank in (0, 1):
        assert drawn(notes / "cut", rank) == drawn(notes / "calm", rank)
    assert drawn(notes / "cut", 0)[:-1] != drawn(notes / "cut", 1)[:-1], "each rank draws its own numbers"
    assert only(notes / "b").result() == only(notes / "a").result()
    assert only(notes / "b").metrics() == only(notes / "a").metrics()
    assert outcomes(only(notes / "b")) == ["paused", "done"]


def test_a_parted_state_is_not_read_by_another_number_of_ranks(toy, tmp_path):
    values = {"steps": 10, "sharded": True, "rank": 1, "event": "asked"}
    assert world(2, toy("pair"), values, tmp_path) == [130, 130]
    config = find(toy("pair")).config(**values)
    with pytest.raises(RequestError, match="lies in 2 parts, one a rank, and 1 would read it; start 2 ranks"):
        execute(toy("pair"), config, tmp_path)


def test_a_failure_of_any_rank_is_the_failure_of_the_run_and_its_words_are_kept(toy, tmp_path):
    codes = world(2, toy("pair"), {"rank": 1, "event": "fail"}, tmp_path)
    assert codes == [1, 1]
    assert only(tmp_path).state() == "failed"
    assert "rank 1:" in only(tmp_path).error()
    assert "ValueError: this rank was asked to fail" in only(tmp_path).error()


def test_a_rank_that_is_killed_leaves_the_run_paused_and_it_goes_on(toy, tmp_path):
    values = {"rank": 1, "event": "killed"}
    assert world(2, toy("pair"), values, tmp_path) == [130, -9]
    assert only(tmp_path).state() == "paused"
    assert world(2, toy("pair"), values, tmp_path) == [0, 0]
    assert len(only(tmp_path).metrics()) == 10


def test_all_ranks_learn_that_there_is_nothing_to_do(toy, tmp_path):
    assert world(2, toy("pair"), {"steps": 1}, tmp_path) == [0, 0]
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert world(2, toy("pair"), {"steps": 1}, tmp_path) == [0, 0]
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_torchrun_starts_the_ranks_of_a_run(toy, tmp_path):
    values = ["steps=20", "rank=1", "event=asked", f"notes={tmp_path}"]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port"]
    words = ["-m", "lineshaft.engine", toy("pair"), *values]
    environment = os.environ | {"LINESHAFT_RUNS": str(tmp_path / "runs"), "LINESHAFT_THREADS": "1"}
    for state in ("paused", "done"):
        done = subprocess.run(
            [*command, str(free_port()), *words], env=environment, capture_output=True, text=True, timeout=120
        )
        assert only(tmp_path / "runs").state() == state, done.stderr
    assert (done.returncode, outcomes(only(tmp_path / "runs"))) == (0, ["paused", "done"])
    for rank in (0, 1):
        assert [line.split()[0] for line in drawn(tmp_path, rank)[:-1]] == [str(i) for i in range(20)]


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"RANK": "1"}, "RANK=1 but no WORLD_SIZE: unset the variables that are left over"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK=2 but WORLD_SIZE=2"),
        ({"RANK": "abc"}, "RANK=abc is not a whole number"),
        ({"RANK": "0", "WORLD_SIZE": "-1"}, "WORLD_SIZE=-1 is not a whole number"),
        ({"RANK": "1", "WORLD_SIZE": "2"}, "WORLD_SIZE=2 but no MASTER_ADDR"),
        ({"WORLD_SIZE": "2"} | PLACE, "WORLD_SIZE=2 but no RANK"),
    ],
)
def test_a_world_that_is_incomplete_is_refused(environment, says):
    with pytest.raises(RequestError, match=says):
        ranks_of(environment)


@pytest.mark.parametrize("rank", ["1", "abc"])
def test_a_rank_without_a_world_computes_nothing(toy, lineshaft, tmp_path, rank):
    done = lineshaft("run", toy("walk"), RANK=rank)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"RANK={rank}" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_sweep_is_not_started_by_several_ranks(toy, lineshaft, tmp_path):
    place = {"RANK": "0", "WORLD_SIZE": "2"} | PLACE
    done = lineshaft("sweep", toy("walk"), **place)
    assert done.returncode == 2 and "a sweep starts its own processes" in done.stderr


def test_each_rank_takes_the_gpu_of_its_number_on_its_machine(monkeypatch):
    place = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"} | PLACE
    ranks = ranks_of(place)
    assert ranks == Ranks(5, 8, 1)
    assert own_gpu(ranks, 4) == 1
    assert own_gpu(ranks, 1) == 0, "a scheduler shows each task its own GPU alone"
    with pytest.raises(RequestError, match="LOCAL_RANK=5 but this machine has 4 GPUs"):
        own_gpu(Ranks(5, 8, 5), 4)
    chosen = []
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.empty", lambda size, device: None)
    monkeypatch.setattr("torch.cuda.set_device", chosen.append)
    assert device("auto", ranks) == device("cuda", ranks) == "cuda:1"
    assert chosen == ["cuda:1", "cuda:1"]
    assert device("auto") == "cuda" and len(chosen) == 2


@pytest.mark.parametrize("rank", ["0", None])
def test_the_only_rank_writes_all(toy, tmp_path, monkeypatch, rank):
    monkeypatch.delenv("RANK", raising=False)
    if rank:
        monkeypatch.setenv("RANK", rank)
    folder, _ = execute(toy("walk"), find(toy("walk")).config(steps=1), tmp_path, Options())
    assert {"config.json", "lock", "result.json", "metrics.jsonl"} <= {p.name for p in folder.dir.iterdir()}
