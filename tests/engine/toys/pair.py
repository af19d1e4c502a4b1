"""A run of several ranks: each draws its own numbers, and every step adds up what all of them drew."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Run


class Config(Base):
    """Draws of several ranks, summed."""

    steps: int = Field(10, ge=0, description="steps")
    sleep: float = Field(0.0, ge=0, description="seconds a step")
    sharded: bool = Field(False, description="store the state of each rank")
    rank: int = Field(-1, description="rank to which `event` happens")
    event: str = Field("", description="fail, killed or asked: what happens")
    at: int = Field(3, description="step in which it happens")
    notes: str = Field("", description="folder to which each rank writes what it drew and how it ended")


def run(config: Config, run: Run) -> dict[str, float]:
    start, total = run.state if run.state is not None else (0, 0.0)
    if not start:
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(config.seed + 1000 * run.rank)
    for step in range(start, config.steps):
        time.sleep(config.sleep)
        drawn = torch.tensor(torch.rand(()).item() + float(np.random.rand()) + random.random())
        note(config, run, f"{step} {drawn.item():.6f}")
        if run.world > 1:
            happen(config, run, step, start)
            dist.all_reduce(drawn)
        total += drawn.item() * (1 + run.rank if config.sharded else 1)
        run.log(step, total=total)
        run.checkpoint(step, lambda: state(run, step + 1, total), sharded=config.sharded)  # noqa: B023
    note(config, run, "end")
    return {"total": total}


def state(run: Run, step: int, total: float) -> Any:
    """Asks every rank: would hang if only rank 0 were asked for its state."""
    if run.world > 1:
        dist.barrier()
    return step, total


def happen(config: Config, run: Run, step: int, start: int) -> None:
    if run.rank != config.rank or step != config.at or start:
        return
    if config.event == "fail":
        raise ValueError("this rank was asked to fail")
    os.kill(os.getpid(), {"killed": signal.SIGKILL, "asked": signal.SIGTERM}[config.event])


def note(config: Config, run: Run, text: str) -> None:
    if config.notes:
        with (Path(config.notes) / f"rank{run.rank}").open("a") as file:
            file.write(text + "\n")
