"""Which particles are not thermal: outliers of the local Gaussian.

The box is cut into blocks of 20 cells. In each, mean and spread of the three momenta are fitted, particles
farther than 4.5 sigma are set aside, and the fit is repeated without them until it settles. A Gaussian has
1.5e-4 of its particles out there, which is the method's false alarm; among N particles none lies farther than
sqrt(N - 1) sigma on one axis, so a block of fewer than 8 has no outliers by construction, and one of fewer
than 22 none that are far out on one axis alone.

Known defect: where a beam becomes the majority of its block, the roles swap ("bistable"), so single runs
scatter; compare means over seeds.
"""

import math

import numpy as np

from lineshaft.plasma.gather import Gathered

BLOCK_CELLS = 20
RADIUS = 4.5
RETURN = 3.0
ROUNDS = 8
FALSE_ALARMS = math.erfc(RADIUS / math.sqrt(2)) + math.sqrt(2 / math.pi) * RADIUS * math.exp(-(RADIUS**2) / 2)


def nonthermal(some: Gathered, before: np.ndarray | None = None) -> np.ndarray:
    """True for each particle that its block's Gaussian does not explain, bool[n].

    With the labels `before`, of the same particles, a split that remembers: the fit starts from what was
    thermal, and who was not stays so until it is nearer than RETURN sigma. So the bulk stays the bulk when a
    beam outnumbers it in a block.
    """
    block = some.cell // BLOCK_CELLS
    thermal = np.ones(block.size, bool) if before is None else ~before
    radius = RADIUS if before is None else np.where(before, RETURN, RADIUS)
    for _ in range(ROUNDS if before is None else 1):
        outlying = distance(some, block, thermal) > radius
        if np.array_equal(outlying, ~thermal):
            break
        thermal = ~outlying
    return ~thermal


def distance(some: Gathered, block: np.ndarray, thermal: np.ndarray) -> np.ndarray:
    """Distance of each particle from its block's thermal mean, in sigma of each axis, [n]."""
    blocks = int(block.max(initial=0)) + 1
    weight = np.where(thermal, some.weight, 0.0)
    count = np.maximum(np.bincount(block, weight, blocks), 1e-300)
    square = np.zeros(block.size)
    for u in some.momentum:
        mean = np.bincount(block, u * weight, blocks) / count
        deviation = (u - mean[block]) ** 2
        variance = np.bincount(block, deviation * weight, blocks) / count
        square += deviation / np.maximum(variance, 1e-20)[block]
    return np.sqrt(square)


def shares(some: Gathered, outlying: np.ndarray) -> tuple[float, float]:
    """The outliers' share of the particles and of the energy."""
    energy = some.energy * some.weight
    if not energy.sum():
        return 0.0, 0.0
    fraction = some.weight[outlying].sum() / some.weight.sum()
    return float(fraction), float(energy[outlying].sum() / energy.sum())
