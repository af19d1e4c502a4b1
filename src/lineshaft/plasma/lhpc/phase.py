"""Phase space of a state: its particles counted, its fluid as the Gaussians that its moments stand for."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lineshaft.plasma.lhpc.moments import primitive
from lineshaft.plasma.lhpc.particles import Particles
from lineshaft.plasma.lhpc.target import Constants

BINS = 120  # of momentum
WIDE = 10  # cells a bin of position

Histogram = NDArray[np.float32]


def reach(some: Particles | None, species: int, least: float) -> float:
    """The largest momentum along x worth showing."""
    if some is None:
        return least
    held = some.ux[:, species][some.weight[:, species] > 0].abs()
    return max(least, float(held.max()) if held.numel() else 0.0)


def phase_space(
    moments: Tensor | None, some: Particles | None, species: int, c: Constants, edges: Tensor, cells: int
) -> Histogram:
    """Density a bin of (u_x, x), [BINS, cells / WIDE], of one species (0 electrons, 1 ions) of one sample.

    `moments` are [1, 2, 6, n + 1]; `edges` of u_x are [BINS + 1].
    """
    columns = -(-cells // WIDE)
    found = torch.zeros(BINS, columns, device=edges.device)
    if moments is not None:
        n, ux, _, variance = primitive(moments, c)
        z = (edges[:, None] - ux[0, species]) / variance[0, species, 0].sqrt()
        below = torch.special.ndtr(z)
        share = (below[1:] - below[:-1]) * n[0, species].clamp_min(0)
        at = (torch.arange(cells + 1, device=edges.device) // WIDE).clamp(max=columns - 1)
        found.index_add_(1, at, share)
    if some is not None:
        row = torch.bucketize(some.ux[0, species], edges) - 1
        seen = (row >= 0) & (row < BINS) & (some.weight[0, species] > 0)
        flat = row[seen] * columns + (some.cell[0, species][seen] // WIDE)
        found.view(-1).index_add_(0, flat, some.weight[0, species][seen])
    return np.asarray(found.cpu().numpy(), np.float32)
