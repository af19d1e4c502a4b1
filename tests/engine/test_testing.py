"""The helpers that test experiments must themselves notice what they are for."""

import textwrap
from pathlib import Path

import pytest

from lineshaft.engine.run.checkpoint import seed_all
from lineshaft.engine.run.stop import Paused
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import FakeRun, assert_resumes, finished

SUM = """
import numpy as np
from lineshaft.engine import Config as Base, Run

class Config(Base):
    "Sum random numbers."
    steps: int = 4

def run(config: Config, run: Run) -> dict[str, float]:
    start, total = run.state or (0, 0.0)
    seen = []
    for step in range(start, config.steps):
        total += float(np.random.rand())
        seen.append(total)
        run.log(step, total=total)
        run.checkpoint(step, lambda: STATE)
    run.array("last", np.array([total]))
    return {"total": total, "seconds": float(id(seen) % 1000), "seen": RESULT}
"""


def experiment(folder: Path, state: str = "(step + 1, total)", result: str = "0.0") -> str:
    file = folder / "adding.py"
    file.write_text(textwrap.dedent(SUM).replace("STATE", state).replace("RESULT", result))
    return str(file)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_run_that_resumes_passes_at_every_cut(how, tmp_path):
    address = experiment(tmp_path)
    assert assert_resumes(address, find(address).config(), tmp_path, how=how).result()["total"] > 0


@pytest.mark.parametrize(
    ("state", "result"),
    [("(step + 1, 0.0)", "0.0"), ("(step, total)", "0.0"), ("(step + 1, total)", "len(seen)")],
)
def test_a_run_that_forgets_something_is_found(state, result, tmp_path):
    address = experiment(tmp_path, state, result)
    with pytest.raises(AssertionError, match="stop at checkpoint"):
        assert_resumes(address, find(address).config(), tmp_path)


def test_a_run_without_checkpoints_is_found(tmp_path):
    address = experiment(tmp_path)
    with pytest.raises(AssertionError, match=r"never calls run\.checkpoint"):
        assert_resumes(address, find(address).config(steps=0), tmp_path)


def test_a_fake_run_keeps_states_and_is_cut(tmp_path):
    found = find(experiment(tmp_path))
    config = found.config(steps=3)
    whole, cut = FakeRun(tmp_path / "whole", config), FakeRun(tmp_path / "cut", config, cut_at=1)
    seed_all(0)
    total = found.run(config, whole)["total"]
    seed_all(0)
    with pytest.raises(Paused):
        found.run(config, cut)
    assert [state[0] for state in whole.saved] == [1, 2, 3] and len(cut.saved) == 2
    assert found.run(config, FakeRun(tmp_path / "cut", config, state=cut.saved[-1]))["total"] == total
    assert whole.folder.metrics()[-1]["total"] == total and whole.folder.array("last") == total


def test_a_planted_run_is_a_row_of_the_table(tmp_path):
    config = find(experiment(tmp_path)).config(steps=7)
    finished(tmp_path / "runs", config, {"total": 1.5}, {"per/item": [1, 2]}, [{"step": 0, "total": 1}])
    (row,) = Table.read(tmp_path / "runs").like(config)
    assert row.result == {"total": 1.5} and row.array("per/item").tolist() == [1, 2]
    assert row.folder.metrics() == [{"step": 0, "total": 1}]
