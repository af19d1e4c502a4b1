"""An experiment that needs another run, a data set that nobody has, and prints."""

import subprocess
import sys
from pathlib import Path

from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Dataset, Run
from lineshaft.engine.spec.experiment import find

PEBBLES = Dataset("pebbles", "toys/pebbles", {"pebbles.csv": "0" * 64}, "a beach", "free")


class Config(Base):
    """Needs pebbles, or else a walk."""

    data: bool = Field(True, description="ask for the data set that is missing")


def run(config: Config, run: Run) -> dict[str, float]:
    if config.data:
        run.data(PEBBLES)
    print("said by python")
    subprocess.run([sys.executable, "-c", "print('said by a process')"], check=True)
    walk = find(str(Path(__file__).parent / "walk.py")).config
    parent = run.need(walk(steps=2, seed=7))
    return {"parent": parent.result()["val/x"]}
