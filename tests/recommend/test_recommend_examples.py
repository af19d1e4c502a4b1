"""The commands of examples/recommend do what the page says, on the tables that lie beside them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lineshaft.engine import Options
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.grid import grid

ROOT = Path(__file__).parents[2]
HERE = ROOT / "examples/recommend"
COMMANDS = (HERE / "commands.txt").read_text().splitlines()


def done(command: str, runs: Path) -> Folder:
    """The run of one command."""
    program, verb, address, *words = command.split()
    assert (program, verb) == ("lineshaft", "run")
    (config,) = grid(find(address).config, words)
    folder, state = execute(address, config, runs, Options())
    assert state == "done", folder.error()
    return folder


def test_the_page_shows_the_commands_of_the_example() -> None:
    page = (ROOT / "docs/recommend.md").read_text()
    assert COMMANDS[0] in page and "examples/recommend/ask.py" in page


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c.split()[2:4] + c.split()[-1:]))
def test_every_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    folder = done(command, tmp_path)
    result = json.loads((folder.dir / "result.json").read_text())
    assert 0 < result["val/recall@100"] <= 1
    if folder.experiment != "recommend.train":
        return
    counts = json.loads((folder.dir / "counts.json").read_text())
    assert counts["interactions with a value below 4, dropped"] == 60
    basket = ["dracula", "frankenstein"]
    words = [sys.executable, str(HERE / "ask.py"), str(folder.dir / "model.safetensors"), *basket]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len([line for line in said if not line.startswith(" ")]) == 5
