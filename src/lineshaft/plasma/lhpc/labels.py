"""Which particles are not thermal, decided while they move: outliers of their block's thermal Gaussian.

The Gaussian is that of the particles still labelled thermal, so the labels remember: a beam that outnumbers
the bulk of its block does not swap roles with it. Labels are one-way, as in the publication's main text
(nothing returns to the fluid). A Gaussian has 1.5e-4 of its particles beyond the radius; that many are false
alarms.
"""

import torch
from torch import Tensor

from lineshaft.plasma.lhpc.particles import Particles
from lineshaft.plasma.lhpc.target import Target

BLOCK = 20  # cells
RADIUS = 4.5  # sigma
SPARSE = 0.1  # of the target's density: below this a block is not a fluid


def leaving(some: Particles, thermal: Tensor, target: Target) -> Tensor:
    """True for thermal particles that stop being so, bool[B, 2, n]."""
    blocks = -(-target.cells // BLOCK)
    batch = some.cell.shape[0]
    rows = torch.arange(batch * 2, device=some.cell.device).view(batch, 2, 1)
    at = (some.cell // BLOCK + rows * blocks).reshape(-1)
    u = torch.stack([some.ux, some.uy, some.uz], -1).double().reshape(-1, 3)
    weight = (some.weight * thermal).double().reshape(-1, 1)
    sums = u.new_zeros(batch * 2 * blocks, 7).index_add(
        0, at, weight * torch.cat([torch.ones_like(weight), u, u * u], 1)
    )
    count = sums[:, :1].clamp_min(1e-30)
    mean = sums[:, 1:4] / count
    variance = (sums[:, 4:] / count - mean * mean).clamp_min(1e-20)
    distance = ((u - mean[at]) ** 2 / variance[at]).sum(1).view(some.cell.shape)
    thin = (sums[:, 0] < SPARSE * target.density * BLOCK)[at].view(some.cell.shape)
    within = some.cell < target.window_cells
    return thermal & ((distance > RADIUS**2) | thin | within) & (some.weight > 0)
