"""What is measured while a simulation runs: energies, Gauss's law, densities."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lineshaft.plasma.pic import fields, grids
from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels.cpu import excess_of
from lineshaft.plasma.pic.lists import BLOCK
from lineshaft.plasma.pic.simulation import Simulation


@dataclass(frozen=True)
class Budget:
    """Where the energy of a box is and what passed its ends; per area, in m_e c^2 n_c c / omega0."""

    field: float
    kinetic: tuple[float, ...]  # of each species
    entered: float  # with the laser
    left: float  # as light through both ends
    escaped: float  # with absorbed particles

    @property
    def held(self) -> float:
        """What should stay constant."""
        return self.field + sum(self.kinetic) + self.left + self.escaped - self.entered


@kernel
def excess(lists, cells):
    """Sum of gamma - 1 over all particles."""
    total = 0.0
    for cell in range(cells):
        block = cell // BLOCK
        row = lists.base[block] + (cell - block * BLOCK) * lists.width[block]
        total += excess_of(lists, row, lists.count[cell])
    return total


def kinetic(simulation: Simulation, name: str) -> float:
    """Kinetic energy of a species, over its classes of weight and its fluid, per area."""
    dx, group = simulation.dx, simulation.groups()[name]
    particles = sum(one.mass * one.weight * one.coarse * dx * excess(one.lists, one.rows) for one in group)
    return particles + sum(fluid.energy(dx) for fluid in simulation.fluids if fluid.name == name)


def escaped(simulation: Simulation) -> float:
    """Kinetic energy that absorbed particles took along (and thermal walls took), per area."""
    return sum(
        float(one.mass * one.weight * one.coarse * simulation.dx * one.lost[1]) for one in simulation.species
    )


def energy(simulation: Simulation) -> float:
    """Energy of fields and particles, per area."""
    field = fields.energy(simulation.fields, simulation.dx, simulation.periodic)
    return field + sum(kinetic(simulation, name) for name in simulation.groups())


def advance(simulation: Simulation, steps: int, after: Callable[[Simulation], None] | None = None) -> Budget:
    """Run `steps` steps (at least one); the budget in the middle of the last.

    Momenta live at half steps, so the fields' energies before and after the last step are averaged: otherwise
    an exchange between the two shows as a drift of first order in dt.
    """
    simulation.run(steps - 1, after)
    before = _passed(simulation)
    simulation.run(1, after)
    field, entered, left = (before + _passed(simulation)) / 2
    energies = tuple(kinetic(simulation, name) for name in simulation.groups())
    return Budget(float(field), energies, float(entered), float(left), escaped(simulation))


def _passed(simulation: Simulation) -> np.ndarray:
    energy = fields.energy(simulation.fields, simulation.dx, simulation.periodic)
    return np.array([energy, *simulation.fields.flux])


def gauss_residual(simulation: Simulation) -> float:
    """Largest violation of dEx/dx = rho on an inner node, in units of the highest density at the start."""
    along, dx = simulation.fields.along, simulation.dx
    charge = (simulation.charge_density() + simulation.background)[1:-1]
    return float(np.abs(np.diff(along) / dx - charge).max() / simulation.peak)


def charge_noise(simulation: Simulation) -> float:
    """Rms of the net charge density over the nodes that hold plasma, in units of the highest density."""
    held = sum(
        abs(one.charge) * one.weight * grids.shares(one, simulation.cells) for one in simulation.species
    ) + sum(abs(fluid.charge) * fluid.density() for fluid in simulation.fluids)
    charge = simulation.charge_density() + simulation.background
    inside = np.asarray(held) > 0
    return float(np.sqrt(np.square(charge[inside]).mean()) / simulation.peak) if inside.any() else 0.0


def density(simulation: Simulation, name: str) -> np.ndarray:
    """Density of a species in each cell, in n_c."""
    return simulation.density(name)
