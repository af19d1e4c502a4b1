"""What an experiment hands over is refused when it is written, never when it is read."""

import collections
from pathlib import Path

import numpy as np
import pytest
import torch
from walking import ALWAYS, made_of

from lineshaft.engine.run.checkpoint import Checkpoints
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.state import StateError
from lineshaft.engine.spec.experiment import find

COMES_BACK = {
    "scalar": np.float64(0.5),
    "numbers": np.arange(6, dtype=np.int32).reshape(2, 3),
    "text": np.array(["a", "longer"]),
    "days": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "records": np.zeros(2, dtype=[("a", "f4"), ("b", "i8")]),
    "nothing": np.zeros((0, 3)),
    "column order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "nested": {"deep": [np.float32(1.5), (np.int64(3), np.bool_(True))]},
}


@pytest.mark.parametrize("what", COMES_BACK)
def test_numpy_comes_back(tmp_path, what):
    Checkpoints(tmp_path).save(1, {"it": COMES_BACK[what]}, None, False)
    found = Checkpoints(tmp_path).load()[1]["it"]
    if isinstance(COMES_BACK[what], np.ndarray):
        assert (found.dtype, found.shape) == (COMES_BACK[what].dtype, COMES_BACK[what].shape)
        assert np.array_equal(found, COMES_BACK[what])
        found[...] = found
    else:
        assert found == COMES_BACK[what]


def test_a_modules_state_keeps_the_versions_of_its_parts(tmp_path):
    state = torch.nn.BatchNorm1d(3).state_dict()
    Checkpoints(tmp_path).save(1, state, None, False)
    assert Checkpoints(tmp_path).load()[1]._metadata == state._metadata


REFUSED = {
    "pathlib": Path("x"),
    "collections.deque": collections.deque([1]),
    "Generator": np.random.default_rng(0),
    "Linear": torch.nn.Linear(1, 1),
    "Python objects": np.array([{}], dtype=object),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_come_back_is_refused_at_the_first_save(tmp_path, what):
    store = Checkpoints(tmp_path)
    store.save(1, {"good": 1}, None, False)
    with pytest.raises(StateError, match=r"state\['model'\]\[0\]") as caught:
        store.save(2, {"model": [REFUSED[what]]}, None, False)
    assert what in str(caught.value)
    assert "store what rebuilds it" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert store.load()[:2] == (1, {"good": 1})


SAYS = """
from lineshaft.engine import Config as Base
class Config(Base):
    "Ends badly."
def run(config, run):
    for step in range(run.state or 0, 3):
        run.checkpoint(step, lambda: step + 1)
    {body}
"""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return {'acc': None}", "'acc' is None (NoneType), not a number"),
        ("return {'a': 1.0, 'acc': {'x': 1}}", "'acc' is {'x': 1} (dict), not a number"),
        ("return {'acc': [1.0, 2.0]}", "'acc' is [1.0, 2.0] (list), not a number"),
        ("return {'acc': '1.0'}", "'acc' is '1.0' (str), not a number"),
        ("return None", "run returned None, not a dictionary"),
        ("run.log(0, {'step': 1.0})", "a metric cannot be called step"),
        ("run.log(0, x=None)", "run.log: metric 'x' is None"),
    ],
)
def test_metrics_that_are_no_numbers_are_named(tmp_path, body, says):
    address = made_of(SAYS.replace("{body}", body), tmp_path)
    folder, state = execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    assert state == "failed"
    assert says in folder.error().splitlines()[-1]
    assert folder.metrics() == []
    assert Checkpoints(folder.dir / "checkpoints").load()[1] == 3


LOGS = """
from lineshaft.engine import Config as Base
class Config(Base):
    "Logs between its checkpoints, and is cut once."
def run(config, run):
    start = run.state or 0
    for step in range(start, 10):
        run.log(step, {"first" if not start else "second": step})
        if step == 3:
            run.checkpoint(step, lambda: step + 1)
        if step == 7 and not start:
            raise KeyboardInterrupt
    return {"x": 1.0}
"""


def test_rows_after_the_checkpoint_are_dropped_at_resume(tmp_path):
    address = made_of(LOGS, tmp_path)
    folder, state = execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    assert (state, len(folder.metrics())) == ("paused", 8)
    execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    assert [list(row)[1:] for row in folder.metrics()] == [["first"]] * 4 + [["second"]] * 6


def test_without_a_checkpoint_all_rows_are_dropped(tmp_path):
    address = made_of(LOGS.replace("step == 3", "False"), tmp_path)
    for _ in range(2):
        folder, _ = execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    assert len((folder.dir / "metrics.jsonl").read_text().splitlines()) == 8
