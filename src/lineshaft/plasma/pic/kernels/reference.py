"""The same step in PyTorch, written to be read: the kernels must agree with it to rounding.

Units: c = omega0 = m_e = e = 1, lengths in cells where they are offsets, dt = dx. Boris push with fields
interpolated linearly from the nodes; along x the current of a move is the charge it carries through each cell
(so Gauss's law is kept), across x it is shared linearly by the nodes around the middle of the move
(C. K. Birdsall and A. B. Langdon, Plasma Physics via Computer Simulation, 1985, chapters 4, 6 and 15).
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Cloud:
    """Particles of one species: cell[n], offset[n] in [0, 1), momentum[3, n]; charge and mass of one."""

    cell: Tensor
    offset: Tensor
    momentum: Tensor
    charge: float
    mass: float
    weight: float


@dataclass
class Waves:
    """Fields: F+, F-, G+, G- [n + 1] on the nodes, Ex [n] on the cells (`pic.fields` explains them)."""

    right_y: Tensor
    left_y: Tensor
    right_z: Tensor
    left_z: Tensor
    along: Tensor

    def nodes(self, periodic: bool) -> Tensor:
        """Ex, Ey, Ez, By, Bz on the nodes, [5, n + 1]."""
        first, last = (self.along[-1:], self.along[:1]) if periodic else (self.along[:1], self.along[-1:])
        ex = (torch.cat([first, self.along]) + torch.cat([self.along, last])) / 2
        ey, bz = (self.right_y + self.left_y) / 2, (self.right_y - self.left_y) / 2
        ez, by = (self.right_z + self.left_z) / 2, (self.left_z - self.right_z) / 2
        return torch.stack([ex, ey, ez, by, bz])


def step(clouds: list[Cloud], waves: Waves, dt: float, entering: float, periodic: bool) -> None:
    """Advance particles and fields by one step, in place."""
    nodes, cells = waves.nodes(periodic), waves.along.numel()
    current = torch.zeros(3, cells + 3, dtype=torch.float64)
    for cloud in clouds:
        push(cloud, nodes, dt)
        move(cloud, current)
        settle(cloud, cells, periodic)
    advance(waves, wrap(current) if periodic else current, dt, entering, periodic)


def push(cloud: Cloud, nodes: Tensor, dt: float) -> None:
    """Boris push with the fields at the particles."""
    fields = nodes[:, cloud.cell] * (1 - cloud.offset) + nodes[:, cloud.cell + 1] * cloud.offset
    kick = dt / 2 * cloud.charge / cloud.mass
    electric = fields[:3] * kick
    magnetic = torch.stack([torch.zeros_like(fields[3]), fields[3], fields[4]]) * kick
    half = cloud.momentum + electric
    t = magnetic / torch.sqrt(1 + (half**2).sum(0))
    turned = half + torch.linalg.cross(half, t, dim=0)
    half = half + torch.linalg.cross(turned, 2 * t / (1 + (t**2).sum(0)), dim=0)
    cloud.momentum = half + electric


def move(cloud: Cloud, current: Tensor) -> None:
    """Move the particles and add their current; entry i of `current` is cell or node i - 1."""
    velocity = cloud.momentum / torch.sqrt(1 + (cloud.momentum**2).sum(0))
    old, new = cloud.offset, cloud.offset + velocity[0]
    for k in (-1, 0, 1):
        through = new.clamp(k, k + 1) - old.clamp(k, k + 1)
        current[0].index_add_(0, cloud.cell + k + 1, cloud.charge * cloud.weight * through)
    middle = (old + new) / 2
    for k in (-1, 0, 1, 2):
        share = (1 - (middle - k).abs()).clamp(min=0)
        for axis in (1, 2):
            moved = cloud.charge * cloud.weight * share * velocity[axis]
            current[axis].index_add_(0, cloud.cell + k + 1, moved)
    cloud.offset = new


def settle(cloud: Cloud, cells: int, periodic: bool) -> None:
    """Turn offsets outside [0, 1) into neighbouring cells; an open box absorbs who leaves it."""
    moved = cloud.offset.floor()
    cloud.cell, cloud.offset = cloud.cell + moved.long(), cloud.offset - moved
    if periodic:
        cloud.cell %= cells
    else:
        inside = (cloud.cell >= 0) & (cloud.cell < cells)
        cloud.cell, cloud.offset = cloud.cell[inside], cloud.offset[inside]
        cloud.momentum = cloud.momentum[:, inside]


def wrap(current: Tensor) -> Tensor:
    """Add up the currents of a periodic box that meet across its ends."""
    cells = current.shape[1] - 3
    whole = torch.zeros_like(current)
    whole.index_add_(1, (torch.arange(cells + 3) - 1) % cells + 1, current)
    whole[:, 0], whole[:, cells + 1], whole[:, cells + 2] = whole[:, cells], whole[:, 1], whole[:, 2]
    return whole


def advance(waves: Waves, current: Tensor, dt: float, entering: float, periodic: bool) -> None:
    """Shift each wave by a node, with the mean current of the two nodes; Ex from its own cell's current."""
    waves.along = waves.along - dt * current[0, 1:-2]
    for axis, name, enters in ((1, "y", entering), (2, "z", 0.0)):
        mean = (current[axis, 1:-2] + current[axis, 2:-1]) / 2
        right, left = getattr(waves, f"right_{name}"), getattr(waves, f"left_{name}")
        right, left = right[:-1] - dt * mean, left[1:] - dt * mean
        first, last = (right[-1:], left[:1]) if periodic else (mean.new_tensor([enters]), mean.new_zeros(1))
        setattr(waves, f"right_{name}", torch.cat([first, right]))
        setattr(waves, f"left_{name}", torch.cat([left, last]))
