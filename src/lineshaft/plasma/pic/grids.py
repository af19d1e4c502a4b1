"""From particles to the grid, and between the box's cells and the wider cells of a coarse species.

A coarse particle is a cloud as wide as its own cells; its current is shared by the box's cells so that
Gauss's law holds with the same cloud.
"""

from collections.abc import Sequence

import numpy as np

from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.species import Species


def shares(one: Species, cells: int) -> np.ndarray:
    """Particles on each node of the box by linear weights (wider ones for a coarse species), [cells + 1]."""
    particles = one.particles()
    cell, x = particles.cell, particles.offset.astype(float)
    share = np.bincount(cell, 1 - x, one.cells + 1) + np.bincount(cell + 1, x, one.cells + 1)
    return share if one.coarse == 1 else spread_nodes(share, one.coarse)


def density(group: Sequence[Species], cells: int) -> np.ndarray:
    """Density of a species in each cell of the box, over its classes of weight, in n_c."""
    total = np.zeros(cells)
    for one in group:
        count = one.lists.count[: one.rows] if one.tile == 1 else one.particles().count
        total += np.repeat(one.weight * count, one.coarse)
    return total


def spread_nodes(share: np.ndarray, coarse: int) -> np.ndarray:
    """Density on coarse nodes, on the nodes of the box: interpolated linearly."""
    wide = np.arange(share.size) * coarse
    return np.interp(np.arange(wide[-1] + 1), wide, share)


def averaged(nodes: np.ndarray, coarse: int) -> np.ndarray:
    """Fields on the coarse nodes, [5, coarse cells + 1]: the weights of `spread_nodes`, turned round."""
    found = np.empty((5, (nodes.shape[1] - 1) // coarse + 1), nodes.dtype)
    average(nodes, coarse, found)
    return found


@kernel
def average(nodes, coarse, found):
    """Mean over the box's nodes within a coarse cell of each coarse node, weighted by a tent."""
    last = nodes.shape[1] - 1
    for k in range(5):
        for i in range(found.shape[1]):
            total = 0.0
            for j in range(-coarse + 1, coarse):
                total += nodes[k, min(max(i * coarse + j, 0), last)] * (coarse - abs(j))
            found[k, i] = total / (coarse * coarse)


@kernel
def spread(current, coarse, fine):
    """Add the current of a coarse species to the box's: along x per cell, across per node.

    The density between coarse nodes is interpolated linearly, a tent for each node. The current that moves
    charge from one tent to the next is the running sum of their difference: a tent summed over a coarse cell.
    So Gauss's law holds on every node of the box.
    """
    cells, last = current.shape[1] - 3, fine.shape[1] - 3
    for i in range(-1, cells + 1):
        along = current[0, i + 1]
        if along != 0.0:
            for j in range(1 - coarse, 2 * coarse - 1):
                shape = 0.0
                for k in range(coarse):
                    shape += max(coarse - abs(j - k), 0)
                at = i * coarse + j
                if at >= -1 and at <= last:
                    fine[0, at + 1] += along * shape / coarse
    for i in range(cells + 1):
        if current[1, i + 1] != 0.0 or current[2, i + 1] != 0.0:
            for j in range(1 - coarse, coarse):
                at = i * coarse + j
                if at >= -1 and at <= last + 1:
                    for k in range(1, 3):
                        fine[k, at + 1] += current[k, i + 1] * (coarse - abs(j)) / coarse
