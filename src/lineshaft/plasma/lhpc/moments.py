"""Six moments of a species on the nodes: n, n<ux>, n<uy>, n<ux^2>, n<uy^2>, n<uz^2>, [B, groups, 6, n +
1].
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from lineshaft.plasma.lhpc.target import Constants
from lineshaft.plasma.lhpc.waves import ended


def primitive(state: Tensor, c: Constants) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Density, mean ux and uy, and the three variances [B, groups, 3, n + 1], within bounds."""
    n = state[:, :, 0]
    mean = state[:, :, 1:3] / n.clamp_min(c.vacuum)[:, :, None]
    ux, uy = (torch.maximum(torch.minimum(mean[:, :, k], c.fastest), -c.fastest) for k in (0, 1))
    square = state[:, :, 3:6] / n.clamp_min(c.vacuum)[:, :, None]
    variance = torch.stack([square[:, :, 0] - ux * ux, square[:, :, 1] - uy * uy, square[:, :, 2]], 2)
    bounded = torch.minimum(torch.maximum(variance, c.coldest[:, :, None]), c.hottest[:, :, None])
    return n, ux, uy, bounded


def conserved(n: Tensor, ux: Tensor, uy: Tensor, variance: Tensor) -> Tensor:
    """The inverse of `primitive`."""
    rows = [
        torch.ones_like(ux),
        ux,
        uy,
        ux * ux + variance[:, :, 0],
        uy * uy + variance[:, :, 1],
        variance[:, :, 2],
    ]
    return n[:, :, None] * torch.stack(rows, 2)


def project(state: Tensor, c: Constants) -> Tensor:
    """The nearest moments that some plasma can have: n >= 0, variances within bounds."""
    n, ux, uy, variance = primitive(state, c)
    return conserved(n.clamp_min(0), ux, uy, variance)


def features(state: Tensor, c: Constants) -> Tensor:
    """What a net sees of the moments, all of order one, [B, groups * 8, n + 1]."""
    n, ux, uy, variance = primitive(state, c)
    heat = 0.3 * torch.log(variance / (c.unit**2)[:, :, None])
    share = n.clamp_min(0) / c.density
    rows = [
        n / c.density,
        0.3 * torch.log(share + 1e-3),
        torch.asinh(ux / c.unit),
        torch.asinh(uy / c.unit),
        heat[:, :, 0],
        heat[:, :, 1],
        heat[:, :, 2],
        (n > 2 * c.vacuum).float(),
    ]
    return torch.stack(rows, 2).flatten(1, 2)


def field_features(ex: Tensor, ey: Tensor, bz: Tensor, along: Tensor) -> Tensor:
    """What a net sees of the fields, [B, 8, n + 1]: large and small values apart."""
    padded = ended(along)
    before, after = padded[:, :-1], padded[:, 1:]
    rows = [before / 5, after / 5, torch.asinh(before / 0.2), torch.asinh(after / 0.2)]
    return torch.stack([*rows, ey / 10, bz / 10, torch.asinh(ey), torch.asinh(bz)], 1)


def energy(state: Tensor, mass: Tensor, dx: float) -> Tensor:
    """Kinetic energy per area of each group, taken as that of particles of the mean square momentum, [B,
    groups].
    """
    n = state[:, :, 0].clamp_min(1e-9)
    square = state[:, :, 3:6].clamp_min(0).sum(2) / n
    return (mass[..., 0] * (n * square / (1 + torch.sqrt(1 + square))).sum(-1)) * dx


def smooth(state: Tensor, width: int = 21) -> Tensor:
    """Means over `width` nodes."""
    flat = F.avg_pool1d(state.flatten(1, -2), width, 1, width // 2, count_include_pad=False)
    return flat.view(state.shape)
