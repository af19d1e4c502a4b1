"""Of several processes that compute one run, rank 0 alone writes."""

import pytest

from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options
from lineshaft.engine.spec.experiment import find


def files(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*"))


def test_a_second_rank_computes_along_and_leaves_no_file(toy, tmp_path, monkeypatch):
    config = find(toy("walk")).config(steps=3)
    first, _ = execute(toy("walk"), config, tmp_path / "calm")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    options = Options(checkpoint_every=0)
    assert (options.rank, options.world) == (1, 2)
    folder, state = execute(toy("walk"), config, tmp_path / "runs", options)
    assert state == "done"
    assert folder.id == first.id
    assert files(tmp_path / "runs") == []


def test_a_second_rank_touches_nothing_of_a_first_one(toy, tmp_path, monkeypatch):
    config = find(toy("walk")).config(steps=3)
    folder, _ = execute(toy("walk"), config, tmp_path)
    (folder.dir / "result.json").unlink()
    (folder.dir / "stop").touch()
    before = {p: p.read_bytes() for p in folder.dir.rglob("*") if p.is_file()}
    monkeypatch.setenv("RANK", "1")
    execute(toy("walk"), config, tmp_path, Options(checkpoint_every=0, retry=True))
    assert {p: p.read_bytes() for p in folder.dir.rglob("*") if p.is_file()} == before


def test_a_failure_of_a_second_rank_is_no_file_either(toy, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    config = find(toy("walk")).config(steps=1, fail=True)
    assert execute(toy("walk"), config, tmp_path)[1] == "failed"
    assert "asked to fail" in capsys.readouterr().err
    assert files(tmp_path) == []


@pytest.mark.parametrize("rank", ["0", None])
def test_the_first_rank_writes_all(toy, tmp_path, monkeypatch, rank):
    monkeypatch.delenv("RANK", raising=False)
    if rank:
        monkeypatch.setenv("RANK", rank)
    folder, _ = execute(toy("walk"), find(toy("walk")).config(steps=1), tmp_path)
    assert {"config.json", "lock", "result.json", "metrics.jsonl"} <= {p.name for p in folder.dir.iterdir()}
