"""TensorBoard's record of a run: event files in RUN/tensorboard/."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineshaft.engine.run.store import Folder


class Tensorboard:
    """Scalars by step, the configuration as text, final metrics under `result/`."""

    def __init__(self, folder: Folder) -> None:
        from torch.utils.tensorboard import SummaryWriter

        home = folder.dir / "tensorboard"
        shutil.rmtree(home, ignore_errors=True)
        self.writer = SummaryWriter(str(home))
        self.writer.add_text("config", f"```json\n{json.dumps(folder.config(), indent=1)}\n```", 0)
        self.last = 0

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self.last = step
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)

    def close(self, result: Mapping[str, float], failed: bool) -> None:
        for name, value in result.items():
            self.writer.add_scalar(f"result/{name}", value, self.last)
        self.writer.close()
