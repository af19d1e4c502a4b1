"""Output goes where it can, whatever the terminal, the pipe or the text of an error."""

import os
import subprocess
import sys

import pytest

from lineshaft.engine import Options
from lineshaft.engine.run.execute import execute
from lineshaft.engine.spec.experiment import find

LINESHAFT = f"{sys.executable} -c 'from lineshaft.cli import main; main()'"

FAILS = """
import asyncio
from lineshaft.engine import Config as Base

class Unspeakable(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)
    def __str__(self):
        raise RuntimeError

class Undecodable(Exception):
    def __str__(self):
        return "line \\udcff"

class Config(Base):
    how: str = ""

def run(config, run):
    if config.how == "fine":
        print("\\udcff \\N{GREEK SMALL LETTER ALPHA}")
        return {"\\udcff": 1.0}
    raise {
        "unspeakable": Unspeakable(1, 2),
        "undecodable": Undecodable(),
        "cancelled": asyncio.CancelledError(),
        "closed": GeneratorExit(),
        "several": ExceptionGroup("both", [ValueError(), Undecodable()]),
    }[config.how]
"""


@pytest.fixture
def fails(tmp_path):
    (tmp_path / "fails.py").write_text(FAILS)
    return str(tmp_path / "fails.py")


@pytest.mark.parametrize("how", ["unspeakable", "undecodable", "cancelled", "closed", "several"])
def test_whatever_an_experiment_raises_marks_its_run_failed(tmp_path, fails, how):
    folder, state = execute(fails, find(fails).config(how=how), tmp_path / "runs", Options(device="cpu"))
    assert (state, folder.state()) == ("failed", "failed")
    assert "Traceback" in folder.error()


def test_names_and_lines_that_are_no_text_come_back(tmp_path, fails):
    folder, state = execute(fails, find(fails).config(how="fine"), tmp_path / "runs", Options(device="cpu"))
    assert (state, folder.result()) == ("done", {"\udcff": 1.0})
    assert folder.read("log.txt").decode() == "\\udcff α\n"


@pytest.mark.parametrize(
    ("words", "ends", "code"),
    [
        ("run ./fails.py how=fine", ">&-", 0),
        ("run ./fails.py how=fine", "2>&-", 0),
        ("run ./fails.py how=fine", "<&- >&- 2>&-", 0),
        ("run ./fails.py how=undecodable", "2>&-", 1),
        ("sweep ./fails.py how=fine", "<&- >&- 2>&-", 0),
        ("ls --nothing", "2>&-", 2),
        ("ls", "| head -c 1 >/dev/null", 0),
        ("--help", "| true", 0),
        ("ls --json", "| true", 0),
    ],
)
def test_closed_streams_and_pipes_change_nothing(tmp_path, fails, words, ends, code):
    command = f"set -o pipefail; {LINESHAFT} {words} {ends}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr.count("Traceback"), done.stderr.count("Exception ignored")) == (
        code,
        0,
        0,
    )
    for file in tmp_path.glob("runs/fails/*/*.json"):
        assert file.read_text().lstrip()[0] in "{[", "nothing was printed into it"


def test_a_terminal_without_some_characters_shows_their_codes(tmp_path, fails, lineshaft):
    (tmp_path / "fails.py").write_text(FAILS.replace('how: str = ""', 'how: str = ""; greek: str = ""'))
    assert lineshaft("run", "./fails.py", "how=fine", "greek=αβ😀").returncode == 0
    for encoding in ("ascii", "latin-1"):
        done = subprocess.run(
            f"{LINESHAFT} ls",
            shell=True,
            cwd=tmp_path,
            capture_output=True,
            timeout=100,
            env=os.environ | {"PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 0, done.stderr
        assert b"\\u03b1" in done.stdout
