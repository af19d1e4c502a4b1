"""Weights & Biases' record of a run, online or offline; its files lie in RUN/wandb/."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineshaft.engine.run.store import Folder


class Wandb:
    """One W&B run for one run, whatever machine or execution mirrors it: its id is a hash of the run's id.

    W&B's own variables are respected (WANDB_MODE, WANDB_PROJECT, WANDB_ENTITY, ...). Without a key the record
    is an offline one, for `wandb sync` later. Online, steps the server has already are not sent again.
    """

    def __init__(self, folder: Folder) -> None:
        import wandb

        mode: Any = os.environ.get("WANDB_MODE")
        if not mode:
            mode = "online" if wandb.login(prompt=False, verify=False) else "offline"
        if mode == "offline":
            for old in (folder.dir / "wandb").glob("offline-run-*"):
                shutil.rmtree(old)
        self.run: Any = wandb.init(
            mode=mode,
            id=stable_id(folder),
            resume="allow" if mode == "online" else None,
            project=os.environ.get("WANDB_PROJECT", "lineshaft"),
            group=folder.experiment,
            name=folder.name,
            config=folder.config(),
            dir=folder.dir,
            reinit="finish_previous",
            settings=wandb.Settings(
                console="off", silent=True, disable_git=True, x_disable_stats=True, x_disable_meta=True
            ),
        )
        self.known = self.run.step if self.run.resumed else -1

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        if step >= self.known:
            self.run.log(dict(metrics), step=step)

    def close(self, result: Mapping[str, float], failed: bool) -> None:
        """End W&B's own process as well: it drops what a second record of the same id sends it too early."""
        import wandb

        self.run.summary.update(dict(result))
        self.run.finish(exit_code=int(failed))
        wandb.teardown()


def stable_id(folder: Folder) -> str:
    return hashlib.sha256(folder.id.encode()).hexdigest()[:16]
