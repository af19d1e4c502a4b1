"""The table of runs: what it groups, pairs and leaves out."""

import json
import math
from pathlib import Path

import pytest

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import finished


@pytest.fixture
def walk(toy):
    return find(toy("walk")).config


def plant(runs: Path, walk, lr: float, seed: int, x: float, **more) -> None:
    finished(runs, walk(lr=lr, seed=seed, **more), {"val/x": x, "test/x": 2 * x})


def test_like_takes_runs_that_differ_in_the_free_parameters_alone(tmp_path, walk):
    for lr in (0.1, 0.2):
        for seed in (0, 1):
            plant(tmp_path, walk, lr, seed, lr)
    plant(tmp_path, walk, 0.1, 0, 9, steps=7)
    table = Table.read(tmp_path)
    assert len(table.like(walk())) == 2 and len(table.like(walk(), free=("seed", "lr"))) == 4
    assert table.like(walk(lr=0.3)).ids == []


def test_an_old_run_with_an_unknown_key_fails_no_question(tmp_path, walk):
    for seed in range(3):
        plant(tmp_path, walk, 0.1, seed, seed)
    file = tmp_path / "walk/seed=1/config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"gone": 1}))
    older = tmp_path / "walk/seed=2/config.json"
    older.write_text(json.dumps({k: v for k, v in json.loads(older.read_text()).items() if k != "steps"}))
    table = Table.read(tmp_path)
    assert table.like(walk()).ids == ["walk/seed=0", "walk/seed=2"]
    assert len(table.done) == 3 and table.best("val/x").interval("val/x").value >= 0


def test_another_version_is_never_like_this_one(tmp_path, walk):
    plant(tmp_path, walk, 0.1, 0, 1)
    (tmp_path / "walk/seed=0/run.json").write_text('{"version": 2}')
    assert not Table.read(tmp_path).like(walk())


def test_a_lucky_seed_wins_nothing_and_a_diverged_group_neither(tmp_path, walk):
    for seed in range(3):
        plant(tmp_path, walk, 0.1, seed, 1)
        plant(tmp_path, walk, 0.2, seed, 2 + seed)
        plant(tmp_path, walk, 0.4, seed, math.nan if seed == 1 else 99)
    plant(tmp_path, walk, 0.3, 0, 99)
    best = Table.read(tmp_path).best("val/x")
    assert [row.values["lr"] for row in best] == [0.2] * 3 and best.values("test/x") == [4, 6, 8]
    assert Table.read(tmp_path).best("val/x", "min")[0].values["lr"] == 0.1
    assert len(Table().best("val/x")) == 0


def test_pairs_are_runs_of_one_seed(tmp_path, walk):
    for seed in range(4):
        plant(tmp_path, walk, 0.1, seed, 10 * seed)
        if seed:
            plant(tmp_path, walk, 0.2, seed, 10 * seed + 1 + seed / 100)
    table = Table.read(tmp_path)
    found = table.where("lr=0.2").paired(table.where("lr=0.1"), "val/x")
    assert found.value == pytest.approx(1.02) and found.high - found.low < 0.1
    first, second = table.where("lr=0.2").shared(table.where("lr=0.1"))
    assert [row.values["seed"] for row in first] == [row.values["seed"] for row in second] == [1, 2, 3]
    with pytest.raises(RequestError, match="have one seed"):
        table.by_seed()


def test_by_sorts_values_naturally_and_apart_puts_the_largest_first(tmp_path, walk):
    for lr, seeds in ((0.1, 1), (0.02, 2), (1e-05, 1)):
        for seed in range(seeds):
            plant(tmp_path, walk, lr, seed, 0)
    table = Table.read(tmp_path)
    assert list(table.by("lr")) == [1e-05, 0.02, 0.1] and len(table.apart()[0]) == 2
    assert table.by("nothing") == {} and len(table[:2] + table) == 4
