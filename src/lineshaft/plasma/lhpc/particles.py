"""Weighted particles of two species in torch: fixed capacity, differentiable push and deposit.

Arrays are [B, 2, capacity], electrons first. A free slot has the weight 0: shapes never change, whatever is
injected or absorbed. The push and the deposit are those of `pic.kernels.reference`, for light along y.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Arrays = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]  # cell, offset, ux, uy, uz, weight


@dataclass(frozen=True)
class Particles:
    """cell (int64), offset in [0, 1), momenta (c) and weight (n_c); slots from `used` on were never
    filled.
    """

    cell: Tensor
    offset: Tensor
    ux: Tensor
    uy: Tensor
    uz: Tensor
    weight: Tensor
    used: int

    @classmethod
    def none(cls, batch: int, capacity: int, device: str) -> "Particles":
        zero = torch.zeros(batch, 2, capacity, device=device)
        return cls(zero.long(), zero, zero, zero, zero, zero, 0)

    @property
    def arrays(self) -> Arrays:
        return self.cell, self.offset, self.ux, self.uy, self.uz, self.weight

    def moved(self, arrays: Arrays) -> "Particles":
        """The same slots after a step."""
        return Particles(*arrays, used=self.used)

    def roomier(self, more: int) -> "Particles":
        """The same with so many free slots more."""
        cell, offset, ux, uy, uz, weight = (F.pad(x, (0, more)) for x in self.arrays)
        return Particles(cell, offset, ux, uy, uz, weight, self.used)

    def filled(self, cell: Tensor, ux: Tensor, uy: Tensor, uz: Tensor, weight: Tensor) -> "Particles":
        """New particles on the nodes `cell`, in the next free slots, [B, 2, n] each."""
        n, first = cell.shape[-1], self.used
        if first + n > self.cell.shape[-1]:
            raise RuntimeError(
                f"no room for {n} particles in {self.cell.shape[-1]} slots, {first} of them used"
            )
        new = (cell, torch.zeros_like(ux), ux, uy, uz, weight)
        joined = (
            torch.cat([old[..., :first], more, old[..., first + n :]], -1)
            for old, more in zip(self.arrays, new)
        )
        a, b, c, d, e, f = joined
        return Particles(a, b, c, d, e, f, first + n)


def push(
    some: Particles, fields: Tensor, charge: Tensor, mass: Tensor, dt: float, group: Tensor | None = None
) -> tuple[Tensor, Tensor, Particles]:
    """One step in the node fields [B, 3, n + 1] (Ex, Ey, Bz).

    Returns the current along x [B, groups, n], across [B, groups, n + 1], and the moved particles. `group`
    (int64 like the particles) tells whose current is whose; without it all is one.
    """
    jx, jy, arrays = pushed(some.arrays, fields, charge, mass, dt, group)
    return jx, jy, some.moved(arrays)


def pushed(
    arrays: Arrays, fields: Tensor, charge: Tensor, mass: Tensor, dt: float, group: Tensor | None = None
) -> tuple[Tensor, Tensor, Arrays]:
    """`push` on bare tensors, which a compiler can take."""
    cell, offset, ux, uy, uz, weight = arrays
    batch, n = fields.shape[0], fields.shape[2] - 1
    table = F.pad(fields, (2, 2)).permute(0, 2, 1).reshape(-1, 3)
    rows = (torch.arange(batch, device=fields.device) * (n + 5))[:, None, None]
    at = (cell + 2 + rows).reshape(-1)
    low = table.index_select(0, at).view(*offset.shape, 3)
    high = table.index_select(0, at + 1).view(*offset.shape, 3)
    kick = (charge / mass * dt / 2)[..., None]
    ex, ey, bz = ((low + (high - low) * offset[..., None]) * kick).unbind(-1)
    a, b, z2 = ux + ex, uy + ey, uz * uz
    turn = bz * torch.rsqrt(1 + a * a + b * b + z2)
    a1, b1, scale = a + b * turn, b - a * turn, 2 * turn / (1 + turn * turn)
    ux, uy = a + b1 * scale + ex, b - a1 * scale + ey
    inverse = torch.rsqrt(1 + ux * ux + uy * uy + z2)
    vx, carried = ux * inverse, charge * weight
    new = offset + vx
    left, right = new.clamp(max=0), (new - 1).clamp(min=0)
    groups, own = (1, rows) if group is None else (4, rows * 4 + group * (n + 5))
    own = (cell + 2 + own).reshape(-1)
    jx = new.new_zeros(batch * groups * (n + 5))
    for shift, through in ((-1, left), (0, vx - left - right), (1, right)):
        jx = jx.scatter_add(0, own + shift, (carried * through).reshape(-1))
    middle, across = (offset + new) / 2, carried * uy * inverse
    jy = new.new_zeros(batch * groups * (n + 5))
    for shift in (-1, 0, 1, 2):
        share = (1 - (middle - shift).abs()).clamp(min=0)
        jy = jy.scatter_add(0, own + shift, (across * share).reshape(-1))
    crossed = torch.floor(new.detach())
    cell = cell + crossed.long()
    inside = (cell >= 0) & (cell < n)
    shape = (batch, groups, n + 5)
    found = (cell.clamp(0, n - 1), new - crossed, ux, uy, uz, weight * inside)
    return jx.view(shape)[..., 2 : n + 2], jy.view(shape)[..., 2 : n + 3], found


def moments(some: Particles, cells: int, group: Tensor | None = None, weight: Tensor | None = None) -> Tensor:
    """n and the sums of ux, uy, ux^2, uy^2, uz^2 on the nodes, linear weights, [B, groups, 6, cells + 1].

    Groups are the two species, or the four of `group`; `weight` replaces the particles' own.
    """
    batch, groups = some.offset.shape[0], 2 if group is None else 4
    if group is None:
        group = torch.arange(2, device=some.cell.device)[None, :, None]
    rows = torch.arange(batch, device=some.cell.device)[:, None, None] * groups
    at = (some.cell + (rows + group) * (cells + 1)).reshape(-1)
    one = torch.ones_like(some.ux)
    values = torch.stack([one, some.ux, some.uy, some.ux**2, some.uy**2, some.uz**2], -1)
    values = values * (some.weight if weight is None else weight)[..., None]
    found = values.new_zeros(batch * groups * (cells + 1), 6)
    for shift, share in ((0, 1 - some.offset), (1, some.offset)):
        found = found.index_add(0, at + shift, (values * share[..., None]).reshape(-1, 6))
    return found.view(batch, groups, cells + 1, 6).permute(0, 1, 3, 2)


def energy(some: Particles, mass: Tensor, dx: float) -> Tensor:
    """Kinetic energy per area of each species, [B, 2]."""
    square = some.ux**2 + some.uy**2 + some.uz**2
    return (mass * some.weight * square / (1 + torch.sqrt(1 + square))).sum(-1) * dx
