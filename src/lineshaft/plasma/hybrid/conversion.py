"""Fluid becomes particles: a stretch of nodes is emptied into the cells between them.

Places are stratified along the fluid's cumulative mass, momenta drawn from its local Gaussians, then shifted
and scaled so that the stretch's momentum and energy pass over exactly. What is less than one particle stays
fluid on the node where the stretch ends. The charge is a little elsewhere afterwards, so Ex changes by the
running sum of the difference and Gauss's law still holds.
"""

from typing import NamedTuple

import numpy as np

from lineshaft.plasma.fluid.fluid import Fluid, drifting

LEAST = 1e-16  # T below which a gas is cold, per mass


class Drawn(NamedTuple):
    """Particles of one weight: cell[n] of the box, offset[n] in [0, 1), momentum [3, n]."""

    cell: np.ndarray
    offset: np.ndarray
    momentum: np.ndarray


def convert(fluid: Fluid, until: int, weight: float, rng: np.random.Generator) -> tuple[Drawn, np.ndarray]:
    """Empty the fluid's nodes from `first` to `until`; its edge moves there.

    Returns the particles and the change of the fluid's and their charge on the nodes first..until.
    """
    first, size = fluid.first, until - fluid.first
    taken = fluid.content[:, first : until + 1].copy()
    taken[:, -1] /= 2  # the right half of the last dual cell stays
    number = int(np.floor(taken[0].sum() / weight * (1 + 1e-12)))
    drawn, share = drawn_from(taken, number, weight, rng)
    across = drifting(taken).sum() * (1 - share)
    fluid.content[:, first:until] = 0
    fluid.content[:, until] -= taken[:, -1]
    merge(fluid.content[:, until], taken.sum(1) * (1 - share), across)
    moved = np.bincount(drawn.cell, weight * (1 - drawn.offset), size + 1).astype(float)
    moved += np.bincount(drawn.cell + 1, weight * drawn.offset, size + 1) - taken[0]
    moved[-1] += taken[0].sum() * (1 - share)
    fluid.first = until
    return Drawn(drawn.cell + first, drawn.offset, drawn.momentum), fluid.charge * moved


def merge(node: np.ndarray, added: np.ndarray, across: float) -> None:
    """Add moments [6] to a node; `across` is the drift energy they had, of which some becomes heat."""
    across += float(drifting(node))
    node += added
    node[5] += across - float(drifting(node))


def drawn_from(
    taken: np.ndarray, number: int, weight: float, rng: np.random.Generator
) -> tuple[Drawn, float]:
    """`number` particles from moments on the nodes [6, size + 1], and the share of the fluid they are."""
    size, mass = taken.shape[1] - 1, taken[0].sum()
    if number == 0:
        return Drawn(np.zeros(0, int), np.zeros(0), np.zeros((3, 0))), 0.0
    share = number * weight / mass
    walls = np.concatenate([[0.0], np.arange(size) + 0.5, [size]])
    rank = (np.arange(number) + 0.5) / number * mass
    place = np.interp(rank, np.concatenate([[0.0], np.cumsum(taken[0])]), walls)
    place = np.clip(place, 0, np.nextafter(float(size), 0))
    node = np.arange(size + 1)
    n = np.maximum(taken[0], 1e-300)
    mean = taken[1:4] / n
    heat = np.stack([taken[4] / n - mean[0] ** 2, taken[5] / n, taken[5] / n])
    sigma = np.sqrt(np.maximum(heat, LEAST))
    centre = np.stack([np.interp(place, node, one) for one in mean])
    spread = np.stack([np.interp(place, node, one) for one in sigma]) * rng.standard_normal((3, number))
    momentum = matched(centre, spread, taken * share, weight)
    cell = place.astype(np.int64)
    return Drawn(cell, place - cell, momentum), share


def matched(centre: np.ndarray, spread: np.ndarray, taken: np.ndarray, weight: float) -> np.ndarray:
    """Momenta with exactly the taken sums of u, of u_x^2 and of u_y^2 + u_z^2.

    Their mean is shifted, their deviation from it scaled.
    """
    content = taken[0].sum()
    wanted = taken[1:4].sum(1) / content
    drift = (taken[2] ** 2 + taken[3] ** 2) / np.maximum(taken[0], 1e-300)
    squares = np.array([taken[4].sum(), (2 * taken[5] + drift).sum()]) / content
    momentum = centre + spread
    momentum += (wanted - momentum.mean(1))[:, None]
    deviation = momentum - wanted[:, None]
    had = np.array([np.square(deviation[0]).mean(), np.square(deviation[1:]).sum(0).mean()])
    needed = squares - np.array([wanted[0] ** 2, np.square(wanted[1:]).sum()])
    scale = np.sqrt(np.maximum(needed, 0) / np.maximum(had, 1e-300))
    return wanted[:, None] + deviation * np.array([scale[0], scale[1], scale[1]])[:, None]
