"""An outsider's method, stream and backbone in plain files work like ours, and stay short."""

from pathlib import Path

import pytest

from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.grid import grid
from lineshaft.engine.testing import assert_resumes

EXAMPLES = Path(__file__).parents[2] / "examples" / "continual"
MOST = {"own_method.py": (40, ["data.train_size=12"]), "own_stream.py": (25, ["data.each=20"])}
MOST |= {"own_backbone.py": (20, ["data.train_size=12"])}
SHORT = ["epochs=1", "evaluate=knn", "schedule.probe_epochs=1"]


def lines_of_code(file: Path) -> int:
    return sum(bool(line.strip()) for line in file.read_text().splitlines())


@pytest.mark.parametrize("name", MOST)
def test_a_part_in_a_plain_file_runs_and_resumes(name, tmp_path):
    most, words = MOST[name]
    assert lines_of_code(EXAMPLES / name) <= most
    address = str(EXAMPLES / name)
    config = grid(find(address).config, [*SHORT, *words])[0]
    folder = assert_resumes(address, config, tmp_path, cuts=[1, 3], how="kill")
    assert folder.result()["test/knn_task"] > 40


def test_an_outsiders_method_composes_with_ours(tmp_path):
    address = str(EXAMPLES / "own_method.py")
    config = grid(find(address).config, [*SHORT, "data.train_size=12", "methods=si+l2"])[0]
    assert [method.name for method in config.methods] == ["si", "l2"]
    assert_resumes(address, config, tmp_path, cuts=[3], how="kill")
