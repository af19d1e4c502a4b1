"""What is measured while a simulation runs: energies, Gauss's law, densities."""

from dataclasses import dataclass

import numpy as np

from lineshaft.plasma.pic import fields
from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels.cpu import slot
from lineshaft.plasma.pic.kernels.vectors import lanes
from lineshaft.plasma.pic.simulation import Simulation, Species


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
    """Sum of gamma - 1, written so that slow particles keep their digits."""
    width, lane, result = lists.table.size // lists.count.size, lanes(lists.pool), 0.0
    for cell in range(cells):
        for i in range(lists.count[cell]):
            p, square = slot(lists, cell * width, i), 0.0
            for k in range(1, 4):
                square += np.float64(lists.pool[p + k * lane]) ** 2
            result += square / (1 + np.sqrt(1 + square))
    return result


def kinetic(simulation: Simulation, one: Species) -> float:
    """Kinetic energy of a species, per area."""
    return one.mass * one.weight * simulation.dx * excess(one.lists, simulation.cells)


def kinetic_total(simulation: Simulation) -> float:
    """Kinetic energy of all species, per area."""
    return sum(kinetic(simulation, one) for one in simulation.species)


def advance(simulation: Simulation, steps: int) -> Budget:
    """Run so many steps (at least one); the budget in the middle of the last.

    Momenta live at half steps, so the fields' energies before and after the last step are averaged: otherwise
    an exchange between the two shows as a drift of first order in dt.
    """
    simulation.run(steps - 1)
    before = _passed(simulation)
    simulation.run(1)
    field, entered, left = (before + _passed(simulation)) / 2
    escaped = sum(one.mass * one.weight * simulation.dx * one.lost[1] for one in simulation.species)
    energies = tuple(kinetic(simulation, one) for one in simulation.species)
    return Budget(float(field), energies, float(entered), float(left), float(escaped))


def _passed(simulation: Simulation) -> np.ndarray:
    energy = fields.energy(simulation.fields, simulation.dx, simulation.periodic)
    return np.array([energy, *simulation.fields.flux])


def gauss_residual(simulation: Simulation) -> float:
    """Largest violation of dEx/dx = rho on an inner node, in units of the highest density at the start."""
    along, dx = simulation.fields.along, simulation.dx
    charge = (simulation.charge_density() + simulation.background)[1:-1]
    return float(np.abs(np.diff(along) / dx - charge).max() / simulation.peak)


def density(simulation: Simulation, one: Species) -> np.ndarray:
    """Density of a species in each cell, in n_c."""
    return one.weight * one.lists.count[: simulation.cells]
