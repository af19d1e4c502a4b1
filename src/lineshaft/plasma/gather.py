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
    """All particles of a species."""
    group, dx = simulation.groups()[name], simulation.dx
    parts = [one.particles() for one in group]
    place = np.concatenate([(p.cell + p.offset.astype(float)) * one.coarse for p, one in zip(parts, group)])
    momentum = np.concatenate([p.momentum.astype(float) for p in parts], 1)
    weight = np.concatenate(
        [np.full(p.offset.size, one.weight * one.coarse * dx) for p, one in zip(parts, group)]
    )
    if len(group) > 1:
        order = np.argsort(place, kind="stable")
        place, momentum, weight = place[order], momentum[:, order], weight[order]
    cell = np.minimum(place.astype(np.int64), simulation.cells - 1)
    square = np.square(momentum).sum(0)
    energy = group[0].mass * square / (1 + np.sqrt(1 + square))
    return Gathered(cell, place * dx, momentum, energy, weight, simulation.cells * dx)
