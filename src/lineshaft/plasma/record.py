"""What a run keeps of a simulation: waterfalls and energies over time, phase space and spectra at the end."""

from dataclasses import dataclass

import numpy as np
import torch

from lineshaft.engine import Run
from lineshaft.plasma import split
from lineshaft.plasma.gather import Gathered, gathered
from lineshaft.plasma.pic.diagnostics import Budget, density
from lineshaft.plasma.pic.simulation import Simulation

COLUMNS = 800
ENERGIES = ("field", "entered", "left", "escaped")


@dataclass
class Record:
    """Rows over time: `energy` [rows, 4 + species] in the order of ENERGIES, waterfalls [rows, columns]."""

    filled: int
    time: np.ndarray
    energy: np.ndarray
    waterfalls: dict[str, np.ndarray]

    @classmethod
    def of(cls, simulation: Simulation, rows: int) -> "Record":
        columns = -(-simulation.cells // width_of(simulation.cells))
        groups = simulation.groups()
        names = [*(f"density_{name}" for name in groups), "field_x", "field_y", "field_z"]
        waterfalls = {name: np.zeros((rows, columns), np.float32) for name in names}
        return cls(0, np.zeros(rows), np.zeros((rows, 4 + len(groups))), waterfalls)

    def add(self, simulation: Simulation, budget: Budget) -> dict[str, float]:
        """Append a row; returns its energies by name."""
        row, self.filled = self.filled, self.filled + 1
        self.time[row] = simulation.time
        self.energy[row] = [budget.field, budget.entered, budget.left, budget.escaped, *budget.kinetic]
        fields = simulation.fields
        seen = [
            *(density(simulation, name) for name in simulation.groups()),
            fields.along,
            (fields.right_y + fields.left_y)[:-1] / 2,
            (fields.right_z + fields.left_z)[:-1] / 2,
        ]
        for waterfall, values in zip(self.waterfalls.values(), seen):
            waterfall[row] = coarse(values, width_of(values.size))
        names = [*ENERGIES, *simulation.groups()]
        return {f"energy/{name}": float(value) for name, value in zip(names, self.energy[row])}

    def state(self) -> dict:
        """As tensors, for a checkpoint."""
        return {
            "filled": self.filled,
            "time": torch.tensor(self.time),
            "energy": torch.tensor(self.energy),
            "waterfalls": {name: torch.tensor(values) for name, values in self.waterfalls.items()},
        }

    @classmethod
    def restored(cls, state: dict) -> "Record":
        waterfalls = {name: values.numpy().copy() for name, values in state["waterfalls"].items()}
        return cls(state["filled"], state["time"].numpy().copy(), state["energy"].numpy().copy(), waterfalls)

    def save(self, run: Run) -> None:
        """As arrays of the run's folder."""
        run.array("time", self.time)
        run.array("energy", self.energy)
        for name, values in self.waterfalls.items():
            run.array(name, values)


def width_of(cells: int) -> int:
    """Cells in a column of a waterfall, of which there are at most COLUMNS."""
    return -(-cells // COLUMNS)


def coarse(values: np.ndarray, width: int) -> np.ndarray:
    """Means over stretches of `width` cells; the last one may be shorter."""
    full = values.size // width * width
    means = values[:full].reshape(-1, width).mean(1)
    return means if full == values.size else np.append(means, values[full:].mean())


def phase_space(some: Gathered) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Particles over position (c/omega0) and momentum along x (m c): weights [u, x] and the edges of both."""
    along = some.momentum[0]
    low, high = along.min(initial=-1e-3), along.max(initial=1e-3)
    margin = (high - low) / 50
    edges = np.linspace(0, some.length, 401), np.linspace(low - margin, high + margin, 201)
    counts, x, u = np.histogram2d(
        some.position, along, edges, weights=some.weight / some.weight.max(initial=1e-300)
    )
    return counts.T, x, u


def spectrum(some: Gathered, outlying: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dN/dE per area, all and non-thermal [2, bins], and the edges of the bins (m_e c^2)."""
    top = max(float(some.energy.max(initial=0)), 1e-3)
    edges = np.geomspace(top * 1e-5, top * 1.1, 101)
    parts = (slice(None), outlying)
    counts = np.stack([np.histogram(some.energy[p], edges, weights=some.weight[p])[0] for p in parts])
    return counts / np.diff(edges), edges


def save_phase_space(run: Run, simulation: Simulation) -> None:
    """Save the phase space of each species."""
    for name in simulation.groups():
        counts, x, u = phase_space(gathered(simulation, name))
        run.array(f"phase_{name}", counts)
        run.array(f"phase_{name}_x", x)
        run.array(f"phase_{name}_u", u)


def tails(run: Run, simulation: Simulation) -> dict[str, float]:
    """Save the spectra; returns what the tail of each species amounts to."""
    metrics: dict[str, float] = {}
    for name in simulation.groups():
        some = gathered(simulation, name)
        outlying = split.nonthermal(some)
        heights, edges = spectrum(some, outlying)
        run.array(f"spectrum_{name}", heights)
        run.array(f"spectrum_{name}_energy", edges)
        metrics.update(tail(name.removesuffix("s"), some, outlying))
    return metrics


def tail(name: str, some: Gathered, outlying: np.ndarray) -> dict[str, float]:
    """Shares of the non-thermal; the largest energy, and the one that 1e-4 of the particles exceed."""
    fraction, share = split.shares(some, outlying)
    return {
        f"nonthermal/{name}_fraction": fraction,
        f"nonthermal/{name}_energy_share": share,
        f"{name}/max_energy": float(some.energy.max(initial=0)),
        f"{name}/cutoff_energy": cutoff(some, 1e-4),
    }


def cutoff(some: Gathered, part: float) -> float:
    """The energy that this part of the particles exceeds (m_e c^2)."""
    if not some.energy.size:
        return 0.0
    order = np.argsort(some.energy)
    below = np.cumsum(some.weight[order]) / some.weight.sum()
    return float(np.interp(1 - part, below, some.energy[order]))
