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
    if one.coarse == 1:
        return share
    padded = np.concatenate([[0.0], share, [0.0]])
    smooth(padded)
    return spread_nodes(padded[1:-1], one.coarse)


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


def averaged(nodes: np.ndarray, coarse: int, until: int | None = None) -> np.ndarray:
    """Fields on the coarse nodes, [5, coarse cells + 1]: the weights of `spread_nodes`, turned round.

    Nodes beyond the coarse node `until` are left out.
    """
    found = np.zeros((5, (nodes.shape[1] - 1) // coarse + 1), nodes.dtype)
    last = found.shape[1] - 1
    average(nodes, coarse, found, last if until is None else min(until + 1, last))
    for k in range(5):
        smooth(found[k])
    return found


@kernel
def smooth(row):
    """Average each value with its neighbours, 1 : 2 : 1; beyond the ends lie their own values again.

    Clouds of coarse particles get so wide that they do not heat a plasma whose Debye length is a tenth of
    their cells; and what leaves the box carries its charge on for ever, hence the ends.
    """
    before, last = row[0], row.size - 1
    for i in range(last + 1):
        here = row[i]
        row[i] = (before + here + here + row[min(i + 1, last)]) / 4
        before = here


@kernel
def average(nodes, coarse, found, until):
    """Add to `found` the mean of the box's nodes around each coarse node, weighted by a tent."""
    last = nodes.shape[1] - 1
    wide = 2 * coarse - 1
    tent, row = np.empty(wide, nodes.dtype), np.empty((until + 2) * coarse, nodes.dtype)
    for j in range(wide):
        tent[j] = (coarse - abs(j - coarse + 1)) / (coarse * coarse)
    for k in range(5):
        held = min(last + 1, row.size - coarse + 1)
        row[: coarse - 1] = nodes[k, 0]
        row[coarse - 1 : coarse - 1 + held] = nodes[k, :held]
        row[coarse - 1 + held :] = nodes[k, last]
        mine = found[k, : until + 1]
        for j in range(wide):
            share, shifted = tent[j], row[j:]
            for i in range(mine.size):
                mine[i] += share * shifted[i * coarse]


@kernel
def spread(current, coarse, fine, until):
    """Add the current of a coarse species left of its cell `until` to the box's: along x per cell, across
    per node.

    The density between coarse nodes is interpolated linearly, a tent for each node. The current that moves
    charge from one tent to the next is the running sum of their difference: a tent summed over a coarse cell.
    So Gauss's law holds on every node of the box. What leaves the box does not matter: its ends absorb.
    """
    cells, within = current.shape[1] - 3, min(until + 3, current.shape[1] - 3)
    smooth(current[0, : min(within + 3, cells + 2)])
    for k in range(1, 3):
        smooth(current[k, : within + 3])
    shape = np.zeros(3 * coarse)
    for j in range(3 * coarse - 2):
        for k in range(coarse):
            shape[j] += max(coarse - abs(j - k - coarse + 1), 0) / coarse
    for r in range(coarse):
        before, here, after = shape[2 * coarse - 1 + r], shape[coarse - 1 + r], shape[r - 1] if r > 0 else 0.0
        part = r / coarse
        for i in range(within):
            at = i * coarse + r + 1
            fine[0, at] += before * current[0, i] + here * current[0, i + 1] + after * current[0, i + 2]
            for k in range(1, 3):
                fine[k, at] += (1.0 - part) * current[k, i + 1] + part * current[k, i + 2]
    if within == cells:
        for k in range(1, 3):
            fine[k, cells * coarse + 1] += current[k, cells + 1]
