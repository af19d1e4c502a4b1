"""Species and fields in one box, stepped together.

Units: c = omega0 = m_e = e = 1: lengths in c / omega0, times in 1 / omega0, densities in n_c (the density at
which omega_p = omega0), fields in m_e c omega0 / e, energies in m_e c^2; energies of a box are per area, in
m_e c^2 n_c c / omega0. The step is dt = dx. Momenta are half a step behind positions and fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lineshaft.plasma.pic import fields, lists
from lineshaft.plasma.pic.kernels import cpu
from lineshaft.plasma.pic.laser import DARK, Pulse
from lineshaft.plasma.pic.lists import Particles


@dataclass
class Species:
    """One kind of particle: its charge (e), mass (m_e) and the density (n_c) one of them gives its cell."""

    name: str
    charge: float
    mass: float
    weight: float
    lists: lists.Lists
    lost: np.ndarray  # [2] number and sum of (gamma - 1) of those absorbed at the ends

    @classmethod
    def of(cls, name: str, charge: float, mass: float, weight: float, particles: Particles) -> "Species":
        return cls(name, charge, mass, weight, lists.build(particles), np.zeros(2))

    def regrow(self, cells: int) -> None:
        """The same lists in the same order, with more room."""
        self.lists = lists.build(lists.flatten(self.lists, cells))


class Simulation:
    """A box of `cells` cells of length `dx`, open at both ends (with a laser from the left) or periodic."""

    def __init__(
        self, cells: int, dx: float, species: Sequence[Species], pulse: Pulse = DARK, periodic: bool = False
    ) -> None:
        self.cells, self.dx, self.species, self.pulse = cells, dx, list(species), pulse
        self.periodic, self.steps = periodic, 0
        self.real = self.species[0].lists.pool.dtype.type if species else np.float64
        self.fields = fields.build(cells, np.dtype(self.real))
        self.background = -self.charge_density()  # charges that do not move and make the start neutral
        self.peak = max((one.weight * int(one.lists.count.max()) for one in species), default=0.0)

    @property
    def time(self) -> float:
        return self.steps * self.dx

    def run(self, steps: int) -> None:
        """Advance by so many steps."""
        entering = self.pulse.entering((self.steps + 1 + np.arange(steps)) * self.dx)
        for value in entering:
            for one in self.species:
                self._push(one)
            fields.advance(self.fields, self.dx, value, 0.0, self.periodic)
            self.steps += 1

    def _push(self, one: Species) -> None:
        kick = self.real(self.dx / 2 * one.charge / one.mass)
        charge = one.charge * one.weight
        cpu.sweep_blocks(one.lists, self.cells, self.fields.nodes, kick)
        crowd = cpu.merge(one.lists, self.cells, self.periodic, charge, self.fields.current, one.lost)
        if crowd > lists.capacity(one.lists):
            one.regrow(self.cells)

    def particles(self, one: Species) -> Particles:
        return lists.flatten(one.lists, self.cells)

    def count(self) -> int:
        """Particles in the box, of all species."""
        return sum(int(one.lists.count[: self.cells].sum()) for one in self.species)

    def charge_density(self) -> np.ndarray:
        """Charge density on the nodes, [cells + 1], in float64, background excluded."""
        density = np.zeros(self.cells + 1)
        for one in self.species:
            particles = self.particles(one)
            cell, x = particles.cell, particles.offset.astype(float)
            share = np.bincount(cell, 1 - x, self.cells + 1) + np.bincount(cell + 1, x, self.cells + 1)
            density += one.charge * one.weight * share
        if self.periodic:
            density[0] = density[-1] = density[0] + density[-1]
        return density

    def state(self) -> dict:
        """Everything a later `restore` needs to go on bit by bit the same, as tensors and numbers."""
        return {
            "steps": self.steps,
            "fields": [torch.tensor(x) for x in self.fields],
            "species": [[torch.tensor(x) for x in (*self.particles(one), one.lost)] for one in self.species],
        }

    def restore(self, state: dict) -> None:
        """Go on from a state of a simulation that was built alike."""
        self.steps = state["steps"]
        self.fields = fields.Fields(*(x.numpy().copy() for x in state["fields"]))
        for one, (count, offset, momentum, lost) in zip(self.species, state["species"]):
            one.lists = lists.build(Particles(count.numpy(), offset.numpy(), momentum.numpy()))
            one.lost = lost.numpy().copy()
