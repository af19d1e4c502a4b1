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

from lineshaft.plasma.pic.lists import Particles

BLOCK_CELLS = 20
RADIUS = 4.5
ROUNDS = 8
FALSE_ALARMS = math.erfc(RADIUS / math.sqrt(2)) + math.sqrt(2 / math.pi) * RADIUS * math.exp(-(RADIUS**2) / 2)


def nonthermal(particles: Particles) -> np.ndarray:
    """True for each particle that its block's Gaussian does not explain, bool[n]."""
    block = particles.cell // BLOCK_CELLS
    momentum = particles.momentum.astype(float)
    thermal = np.ones(block.size, bool)
    for _ in range(ROUNDS):
        outlying = distance(momentum, block, thermal) > RADIUS
        if np.array_equal(outlying, ~thermal):
            break
        thermal = ~outlying
    return ~thermal


def distance(momentum: np.ndarray, block: np.ndarray, thermal: np.ndarray) -> np.ndarray:
    """Distance of each particle from its block's thermal mean, in sigma of each axis, [n]."""
    blocks = int(block.max(initial=0)) + 1
    count = np.maximum(np.bincount(block[thermal], minlength=blocks), 1)
    square = np.zeros(block.size)
    for u in momentum:
        mean = np.bincount(block[thermal], u[thermal], blocks) / count
        deviation = (u - mean[block]) ** 2
        variance = np.bincount(block[thermal], deviation[thermal], blocks) / count
        square += deviation / np.maximum(variance, 1e-20)[block]
    return np.sqrt(square)


def energies(particles: Particles, mass: float) -> np.ndarray:
    """Kinetic energy of each particle in m_e c^2, [n]."""
    square = (particles.momentum.astype(float) ** 2).sum(0)
    return mass * square / (1 + np.sqrt(1 + square))


def shares(outlying: np.ndarray, energy: np.ndarray) -> tuple[float, float]:
    """The outliers' share of the particles and of the energy."""
    if not energy.sum():
        return 0.0, 0.0
    return float(outlying.mean()), float(energy[outlying].sum() / energy.sum())
