"""Thousands of finished runs as real ones leave them: what `ls` and `summary` are measured on.

The module is itself the plain-file experiment that the runs belong to.
"""

import itertools
import json
import math
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Part, Run
from lineshaft.engine.run.description import described
from lineshaft.engine.run.provenance import versions
from lineshaft.engine.spec.config import as_json
from lineshaft.engine.spec.experiment import Experiment
from lineshaft.engine.spec.names import name

SEEDS = 5
DIVERGED_EVERY = 500


class Plain(Part):
    """Nothing around the optimiser."""

    name: Literal["plain"] = "plain"


class Replay(Part):
    """A buffer of old examples beside the new ones."""

    name: Literal["replay"] = "replay"
    alpha: float = Field(0.5, ge=0, description="weight of the buffer")


class Config(Base):
    """Nothing: its runs are written, not computed."""

    objective: ClassVar = ("val/acc", "max")
    lr: float = Field(0.1, gt=0, description="learning rate")
    width: int = Field(64, gt=0, description="units in the hidden layer")
    epochs: int = Field(1, gt=0, description="epochs a task")
    data: str = Field("digits", description="data set")
    method: Annotated[Plain | Replay, Field(discriminator="name")] = Field(Plain(), description="method")


def run(config: Config, run: Run) -> dict[str, float]:
    """What a run of this configuration would have returned."""
    return result(config)


def make_finished_runs(runs: Path, count: int) -> None:
    """Write the folders of `count` finished runs, SEEDS seeds each; about 1 ms a run."""
    home = Path(__file__)
    found = Experiment(str(home), home.stem, sys.modules[__name__])
    origin = {"experiment": str(home), "code": found.code.hash, "versions": versions()}
    for config in itertools.islice(configs(), count):
        write_run(runs / home.stem / name(config), config, origin, described(found, config, found.code, []))


def configs() -> Iterator[Config]:
    """A grid of methods, learning rates and widths, as many epochs as it takes, the seeds innermost."""
    methods = [Plain(), *(Replay(alpha=a) for a in (0.1, 0.2, 0.5, 1.0))]
    rates, widths = [round(0.001 * 2**i, 6) for i in range(10)], [2**i for i in range(3, 13)]
    for epochs in itertools.count(1):
        for method, lr, width, seed in itertools.product(methods, rates, widths, range(SEEDS)):
            values = {"method": method, "lr": lr, "width": width, "epochs": epochs, "seed": seed}
            yield Config.model_validate(values)


def write_run(folder: Path, config: Config, origin: dict[str, Any], about: dict[str, Any]) -> None:
    (folder / "arrays").mkdir(parents=True)
    (folder / "checkpoints").mkdir()
    files = {
        "config.json": json.dumps(as_json(config), indent=1),
        "run.json": json.dumps(about, indent=1),
        "provenance.json": json.dumps([execution(origin)], indent=1),
        "metrics.jsonl": "".join(f'{{"step": {i}, "train/loss": {1 / (i + 1)}}}\n' for i in range(20)),
        "result.json": json.dumps(result(config), indent=1),
        "log.txt": "epochs 1/1\n",
        "lock": "",
        "arrays/matrix.npy": "\0" * 928,
        "checkpoints/last.pt": "\0" * 4096,
    }
    for file, text in files.items():
        (folder / file).write_text(text)


def execution(origin: dict[str, Any]) -> dict[str, Any]:
    """An entry of provenance, its checkout changed in a handful of lines."""
    return {
        **origin,
        "commit": "0" * 40,
        "diff": "-    lr: float = 0.1\n+    lr: float = 0.2\n" * 40,
        "command": "lineshaft sweep finished.py method=plain,replay seed=0..4",
        "host": "node17",
        "processor": "some processor",
        "device": "cpu",
        "threads": 1,
        "job": "",
        "restarts": 0,
        "start": "2026-01-01T00:00:00.000+00:00",
        "end": "2026-01-01T00:03:20.000+00:00",
        "outcome": "done",
        "checkpoint": -1.0,
        "data": {"digits": {"digits.csv": "0" * 64}},
        "parents": [],
    }


def result(config: Config) -> dict[str, float]:
    """Accuracy best at lr 0.016 and growing with width; one run in DIVERGED_EVERY ends in NaN."""
    noise = random.Random(config.model_dump_json())
    peak = -((math.log2(config.lr / 0.016)) ** 2) + math.log2(config.width)
    value = 70 + peak + config.method.name.startswith("r") + noise.gauss(0, 1)
    bad = noise.randrange(DIVERGED_EVERY) == 0
    tasks = {f"acc/task{i}": value + noise.gauss(0, 1) for i in range(1, 6)}
    return {"val/acc": math.nan if bad else value, "test/acc": value - 1, "seconds": 200.0, **tasks}
