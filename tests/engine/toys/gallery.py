"""A toy with pictures: a falling loss, a validation score, figures, and one that cannot be drawn."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Figure, Folder, Run


class Config(Base):
    """A loss that falls and a score that rises, with noise from the seed. `lr` sets how fast.

    The second paragraph says <b>nothing</b>.
    """

    objective: ClassVar = ("val/score", "max")
    lr: float = Field(0.1, gt=0, description="how fast the loss falls")
    text: str = Field("", description="any text")
    steps: int = Field(30, ge=1, description="steps")
    broken: bool = Field(False, description="whether the last figure raises")


def run(config: Config, run: Run) -> dict[str, float]:
    rng = np.random.default_rng(config.seed)
    loss = np.exp(-config.lr * np.arange(config.steps)) + rng.normal(0, 0.02, config.steps) + 0.1
    for step, value in enumerate(loss):
        run.log(step, {"train/loss": value, "val/score": 1 - value})
    run.array("loss", loss)
    return {"val/score": 1 - loss[-1], "test/score": 0.9 - loss[-1], "epochs": config.steps}


def figures(folder: Path) -> Iterable[Figure]:
    from matplotlib.figure import Figure as Plot

    for title in ("Loss", "A <b>bold</b> title"):
        plot = Plot(figsize=(5, 3), layout="constrained")
        plot.subplots().plot(Folder(folder).array("loss"))
        yield Figure(title, plot, "What fell, and how far.")
    if Folder(folder).config()["broken"]:
        raise ValueError("no ink left")
