"""What is kept of every step: the case's watched numbers and the fields at its probes."""

from collections.abc import Callable

import numpy as np
import torch

from lineshaft.engine import Run
from lineshaft.plasma.pic.simulation import Simulation


class Series:
    """Called after every step; `values` maps a name to an array [steps done, ...]."""

    def __init__(
        self, watched: dict[str, Callable[[Simulation], float]], probes: list[float], dx: float
    ) -> None:
        self.watched, self.probes = watched, np.rint(np.asarray(probes, float) / dx).astype(int)
        self.rows: list[np.ndarray] = []
        self.blocks: list[np.ndarray] = []

    @property
    def wanted(self) -> bool:
        return bool(self.watched) or self.probes.size > 0

    def __call__(self, simulation: Simulation) -> None:
        row = [watch(simulation) for watch in self.watched.values()]
        seen = simulation.fields.nodes[:, self.probes].T.ravel()
        self.rows.append(np.array([simulation.time, *row, *seen]))

    def table(self) -> np.ndarray:
        """All rows: time, the watched numbers, then five fields a probe."""
        if self.rows:
            self.blocks.append(np.stack(self.rows))
            self.rows = []
        width = 1 + len(self.watched) + 5 * self.probes.size
        return np.concatenate([np.zeros((0, width)), *self.blocks])

    def state(self) -> dict:
        return {"table": torch.tensor(self.table())}

    def restore(self, state: dict) -> None:
        self.rows, self.blocks = [], [state["table"].numpy().copy()]

    def named(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Times and the watched numbers by name."""
        table = self.table()
        return table[:, 0], {name: table[:, 1 + k] for k, name in enumerate(self.watched)}

    def save(self, run: Run) -> None:
        """As arrays of the run's folder: `series_NAME`, `series_time`, `probes` [steps, probe, field]."""
        if not self.wanted:
            return
        time, watched = self.named()
        run.array("series_time", time)
        for name, values in watched.items():
            run.array(f"series_{name}", values)
        if self.probes.size:
            seen = self.table()[:, 1 + len(self.watched) :]
            run.array("probes", seen.reshape(time.size, self.probes.size, 5))
