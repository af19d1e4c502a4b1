"""Checkpoints: damaged ones give way, the best is the best, and a number it is."""

import os

import pytest
from walking import ALWAYS, made_of, walk

from lineshaft.engine import RequestError
from lineshaft.engine.run.checkpoint import Checkpoints, read
from lineshaft.engine.run.execute import execute
from lineshaft.engine.spec.experiment import find

DIVERGES_FIRST = """
from typing import ClassVar
from lineshaft.engine import Config as Base
class Config(Base):
    "Scores that begin with one that is not a number."
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


def test_a_damaged_best_checkpoint_gives_way_to_the_last_and_this_is_reported(tmp_path):
    store = Checkpoints(tmp_path)
    store.save(1, "one", 1.0, True)
    store.save(2, "two", 0.5, False)
    assert store.best() == ("one", "")
    os.truncate(tmp_path / "best.pt", 100)
    state, note = store.best()
    assert state == "two"
    assert "best.pt is damaged" in note and "last.pt used" in note
