"""Runs written as files, so that tests know every number in them."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lineshaft.engine.run.description import described, description
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.config import as_json
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.names import name

WALK = Path(__file__).parent / "toys" / "walk.py"
NAN = math.nan
V2 = ("    objective: ClassVar", "    version: ClassVar = 2\n    objective: ClassVar")
"""What makes another version of the walk, for `toy_with`."""


def finished(
    runs: Path, value: float | None = None, state: str = "done", toy: Path = WALK, **values: Any
) -> Folder:
    """A run of a toy in the given state; done ones have the final metrics val/x, test/x = val/x + 1."""
    experiment = find(str(toy))
    config = experiment.config(**values)
    folder = Folder(runs / experiment.name / name(config))
    folder.dir.mkdir(parents=True)
    put(folder, "config.json", as_json(config))
    put(folder, "run.json", described(experiment, config, experiment.code, []))
    if state != "new":
        entry = {
            "experiment": str(toy),
            "code": experiment.code.hash,
            "outcome": state,
            "threads": 1,
            "host": "here",
        }
        times = {"start": "2026-01-01T10:00:00.000+00:00", "end": "2026-01-01T10:05:00.000+00:00"}
        put(folder, "provenance.json", [entry | times | {"commit": "c0ffee", "diff": "", "parents": []}])
        (folder.dir / "metrics.jsonl").write_text('{"step": 0, "x": 0.5}\n')
    if state == "done":
        put(folder, "result.json", {"val/x": value, "test/x": value + 1} if value is not None else {})
    if state == "failed":
        (folder.dir / "error.txt").write_text("Traceback ...\nValueError: asked to fail\n")
    return folder


def put(folder: Folder, file: str, content: Any) -> None:
    (folder.dir / file).write_text(json.dumps(content))


def redescribe(folder: Folder, **values: Any) -> None:
    """Change what a run says of itself."""
    put(folder, "run.json", description(folder) | values)


def grid_of(runs: Path, values: Mapping[float, list[float | None]]) -> None:
    """lr -> the results of seeds 0, 1, ...; None leaves a run out, NaN is a run that diverged."""
    for lr, results in values.items():
        for seed, value in enumerate(results):
            if value is not None:
                finished(runs, value, lr=lr, seed=seed)


def toy_with(tmp_path, old="Field(0.1, gt=0", new="Field(0.2, gt=0"):
    """The walk in another file of its name, a line of it changed."""
    home = tmp_path / f"changed{len(list(tmp_path.iterdir()))}"
    home.mkdir()
    text = WALK.read_text()
    assert old in text
    (home / "walk.py").write_text(text.replace(old, new))
    return home / "walk.py"
