"""Runs for tests of one run: a walk that saves whenever it may, and files made on the spot."""

from pathlib import Path

from lineshaft.engine import Options
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.experiment import find

ALWAYS = Options(checkpoint_every=0)

LEAVER = """
import sys
from lineshaft.engine import Config as Base
class Config(Base):
    "Leaves."
def run(config, run):
    sys.exit({code})
"""


def walk(toy, runs: Path, options: Options = ALWAYS, **values) -> tuple[Folder, str]:
    address = toy("walk")
    return execute(address, find(address).config(**values), runs, options)


def made_of(source: str, home: Path) -> str:
    """The address of an experiment that this source is."""
    file = home / "experiment.py"
    file.write_text(source)
    return str(file)
