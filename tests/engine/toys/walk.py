"""A random walk that logs, checkpoints and can be slow: every step draws from torch, numpy and Python."""

import os
import random
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Run


class Config(Base):
    """A random walk of some steps."""

    objective: ClassVar = ("val/x", "max")
    lr: float = Field(0.1, gt=0, description="length of a step")
    steps: int = Field(5, ge=0, description="steps")
    sleep: float = Field(0.0, ge=0, description="seconds a step")
    text: str = Field("", description="any text")
    fail: bool = Field(False, description="raise at the end")
    diverge: bool = Field(False, description="end with a value that is not a number")
    ledger: str = Field("", description="file to which every computed step is appended")


def run(config: Config, run: Run) -> dict[str, float]:
    start, x = run.state or (0, 0.0)
    (run.dir / "pid").write_text(str(os.getpid()))
    for step in run.progress(range(start, config.steps), "steps"):
        time.sleep(config.sleep)
        x += config.lr * (torch.rand(()).item() + float(np.random.rand()) + random.random())
        if config.ledger:
            with Path(config.ledger).open("a") as file:
                file.write(f"{run.folder.name} {step}\n")
        run.log(step, {"x": x})
        run.checkpoint(step, lambda: (step + 1, x), score=x)  # noqa: B023
    run.array("walk", np.array([x]))
    if config.fail:
        raise ValueError("asked to fail")
    return {"val/x": float("nan") if config.diverge else x}
