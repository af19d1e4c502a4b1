"""The particles of a species, over its classes of weight, as plain arrays in the order of their cells."""

from dataclasses import dataclass

import numpy as np

from lineshaft.plasma.pic.simulation import Simulation


@dataclass(frozen=True)
class Gathered:
    """Particles: cell[n] of the box, position[n] (c/omega0), momentum[3, n] (c), energy[n] (m_e c^2) of each.

    `weight` is the number per area one stands for (n_c c/omega0), `length` that of the box.
    """

    cell: np.ndarray
    position: np.ndarray
    momentum: np.ndarray
    energy: np.ndarray
    weight: np.ndarray
    length: float


def gathered(simulation: Simulation, name: str) -> Gathered:
    """All particles of a species; of its fluid six weighted points a node, which have the same moments."""
    group, dx = simulation.groups()[name], simulation.dx
    parts = [one.particles() for one in group]
    place = [(p.cell + p.offset.astype(float)) * one.coarse for p, one in zip(parts, group)]
    momentum = [p.momentum.astype(float) for p in parts]
    weight = [np.full(p.offset.size, one.weight * one.coarse * dx) for p, one in zip(parts, group)]
    fluids = [fluid for fluid in simulation.fluids if fluid.name == name]
    for fluid in fluids:
        node, u, content = fluid.points()
        place.append(node.astype(float))
        momentum.append(u)
        weight.append(content * dx)
    mass = (group or fluids)[0].mass
    return sorted_by_place(place, momentum, weight, mass, simulation.cells, dx)


def sorted_by_place(
    places: list[np.ndarray],
    momenta: list[np.ndarray],
    weights: list[np.ndarray],
    mass: float,
    cells: int,
    dx: float,
) -> Gathered:
    """Parts of a species as one, in the order of their places (in cells)."""
    place, momentum, weight = np.concatenate(places), np.concatenate(momenta, 1), np.concatenate(weights)
    if len(places) > 1:
        order = np.argsort(place, kind="stable")
        place, momentum, weight = place[order], momentum[:, order], weight[order]
    cell = np.minimum(place.astype(np.int64), cells - 1)
    square = np.square(momentum).sum(0)
    energy = mass * square / (1 + np.sqrt(1 + square))
    return Gathered(cell, place * dx, momentum, energy, weight, cells * dx)
