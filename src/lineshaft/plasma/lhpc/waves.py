"""Maxwell's equations in torch for light polarised along y: the scheme of `pic.fields`, batched and
differentiable.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def nodes(along: Tensor, right: Tensor, left: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Ex, Ey, Bz on the nodes, [B, n + 1] each, of Ex on the cells and the waves F+, F- on the nodes."""
    padded = ended(along)
    return (padded[:, 1:] + padded[:, :-1]) / 2, (right + left) / 2, (right - left) / 2


def ended(along: Tensor) -> Tensor:
    """Ex with its first and last value once more, [B, n + 2] (torch.compile trips over `F.pad`)."""
    return torch.cat([along[:, :1], along, along[:, -1:]], 1)


def advance(
    along: Tensor, right: Tensor, left: Tensor, jx: Tensor, jy: Tensor, entering: Tensor, dt: float
) -> tuple[Tensor, Tensor, Tensor]:
    """One step with the current jx [B, n] on the cells and jy [B, n + 1] on the nodes; `entering` is [B,
    1].
    """
    half = dt / 2 * (jy[:, 1:] + jy[:, :-1])
    right = torch.cat([entering, right[:, :-1] - half], 1)
    left = torch.cat([left[:, 1:] - half, torch.zeros_like(entering)], 1)
    return along - dt * jx, right, left


def stacked(along: Tensor, right: Tensor, left: Tensor) -> Tensor:
    """The three as one tensor [B, 3, n + 1]; the last of Ex is not a cell and stays zero."""
    return torch.stack([F.pad(along, (0, 1)), right, left], 1)


def split(fields: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The inverse of `stacked`."""
    return fields[:, 0, :-1], fields[:, 1], fields[:, 2]
