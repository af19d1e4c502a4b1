"""Training data, made where it is used: all-particle runs of every amplitude at once, labelled on the way.

Kept of each: the moments of the four groups (electrons thermal and not, ions thermal and not), the fields,
the groups' currents summed over the last MACRO steps and the moments of what just left the thermal group,
every MACRO steps; the non-thermal particles every KEEP steps.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lineshaft.plasma.lhpc import labels, waves
from lineshaft.plasma.lhpc.particles import Particles, moments, push
from lineshaft.plasma.lhpc.target import MACRO, Constants, Target

KEEP = 40
HORIZONS = (1, 20, 50, 200)


@dataclass
class Trajectories:
    """Rows are steps 0, MACRO, 2 MACRO, ...; t counts amplitudes in the order of `Target.amplitudes`."""

    target: Target
    groups: Tensor  # [t, rows, 4, 6, n + 1]
    fields: Tensor  # [t, rows, 3, n + 1], as `waves.stacked`
    current: Tensor  # [t, rows, 2, 4, n + 1], along x and y, charge included
    injected: Tensor  # [t, rows, 2, 6, n + 1]
    flow: Tensor  # [test amplitudes, steps + 1, 2, 2, n + 1]: each thermal group's current in each step
    snapshots: list[list[Tensor]]  # [step // KEEP][t]: non-thermal particles, [7, number] (species first)
    between: dict[int, tuple[Tensor, Tensor]]  # step -> (groups, fields) of all t, where it has no row
    entering: Tensor  # [t, steps + 1]
    gauss: float

    def truth(self, which: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Moments and fields of the amplitudes `which` at a step."""
        if step % MACRO == 0:
            return self.groups[which, step // MACRO], self.fields[which, step // MACRO]
        groups, fields = self.between[step]
        return groups[which], fields[which]

    def particles(self, which: Tensor, steps: list[int], room: int) -> Particles:
        """The non-thermal particles of the amplitudes `which` at `steps`, with `room` free slots after
        them.
        """
        held = [self.snapshots[step // KEEP][t] for t, step in zip(which.tolist(), steps)]
        widest = max((int((h[0] == s).sum()) for h in held for s in (0, 1)), default=0)
        found = Particles.none(len(held), widest + room, str(self.groups.device))
        cell, offset, ux, uy, uz, weight = (x.clone() for x in found.arrays)
        for b, h in enumerate(held):
            for s in (0, 1):
                mine = h[:, h[0] == s]
                k = mine.shape[1]
                cell[b, s, :k] = mine[1].long()
                for array, values in zip((offset, ux, uy, uz, weight), mine[2:]):
                    array[b, s, :k] = values
        return Particles(cell, offset, ux, uy, uz, weight, widest)


def start(target: Target, batch: int, device: str, seed: int) -> Particles:
    """All particles of the slab at rest, ions where the electrons are, [batch, 2, n]."""
    generator = torch.Generator(device="cpu").manual_seed(seed)
    middle = (torch.arange(target.cells) + 0.5) * target.dx
    inside = (middle > target.start) & (middle < target.start + target.thickness)
    cell = torch.arange(target.cells)[inside].repeat_interleave(target.ppc)
    shape = (batch, 2, cell.numel())
    offset = torch.rand(batch, 1, cell.numel(), generator=generator).clamp(max=1 - 2.0**-24).expand(shape)
    heat = torch.tensor([target.electron_temperature, target.ion_temperature / target.mass])[None, :, None]
    u = (torch.randn(3, *shape, generator=generator) * heat.sqrt()).to(device)
    weight = torch.full(shape, target.weight, device=device)
    place = cell.expand(shape).contiguous().to(device)
    return Particles(place, offset.contiguous().to(device), u[0], u[1], u[2], weight, cell.numel())


@torch.no_grad()
def simulate(target: Target, device: str, seed: int = 0) -> Trajectories:
    """Run all amplitudes side by side."""
    c = Constants(target, 2, device)
    batch, n = len(target.amplitudes), target.cells
    some, entering = start(target, batch, device, seed), target.entering().to(device)
    thermal = torch.ones_like(some.cell, dtype=torch.bool)
    species = torch.arange(2, device=device)[None, :, None]
    along, right, left = (torch.zeros(batch, n + k, device=device) for k in (0, 1, 1))
    rows = target.steps // MACRO + 1
    kept = Trajectories(
        target,
        torch.zeros(batch, rows, 4, 6, n + 1, device=device),
        torch.zeros(batch, rows, 3, n + 1, device=device),
        torch.zeros(batch, rows, 2, 4, n + 1, device=device),
        torch.zeros(batch, rows, 2, 6, n + 1, device=device),
        torch.zeros(len(target.test), target.steps + 1, 2, 2, n + 1, device=device),
        [],
        {},
        entering,
        0.0,
    )
    between = {k + h for k in target.restarts() for h in HORIZONS if (k + h) % MACRO}
    summed, tests = torch.zeros(batch, 2, 4, n + 1, device=device), slice(batch - len(target.test), None)
    for step in range(target.steps + 1):
        group = 2 * species + (~thermal).long()
        if step % MACRO == 0:
            out = labels.leaving(some, thermal, target)
            kept.injected[:, step // MACRO] = moments(some, n, weight=some.weight * out)
            thermal = thermal & ~out
            group = 2 * species + (~thermal).long()
            kept.groups[:, step // MACRO] = moments(some, n, group)
            kept.fields[:, step // MACRO] = waves.stacked(along, right, left)
            kept.current[:, step // MACRO] = summed
            summed = torch.zeros_like(summed)
        if step % KEEP == 0:
            kept.snapshots.append(snapshot(some, thermal))
        if step in between:
            kept.between[step] = (moments(some, n, group), waves.stacked(along, right, left))
        if step == target.steps:
            break
        fields = torch.stack(waves.nodes(along, right, left), 1)
        jx, jy, some = push(some, fields, c.charge, c.mass, target.dx, group)
        kept.flow[:, step + 1, 0, :, :-1] = jx[tests, 0::2]
        kept.flow[:, step + 1, 1] = jy[tests, 0::2]
        summed[:, 0, :, :-1] += jx
        summed[:, 1] += jy
        along, right, left = waves.advance(
            along, right, left, jx.sum(1), jy.sum(1), entering[:, step + 1 : step + 2], target.dx
        )
    kept.gauss = gauss(kept.groups[:, -1, 0::2] + kept.groups[:, -1, 1::2], along, target)
    return kept


def gauss(total: Tensor, along: Tensor, target: Target) -> float:
    """Largest violation of dEx/dx = rho on an inner node, in units of the target's density."""
    charge = total[:, 1, 0] - total[:, 0, 0]
    return float((along.diff(dim=1) / target.dx - charge[:, 1:-1]).abs().max() / target.density)


def snapshot(some: Particles, thermal: Tensor) -> list[Tensor]:
    """The non-thermal particles of each amplitude: species, cell, offset, momenta, weight, [7, number]."""
    found = []
    for b in range(some.cell.shape[0]):
        chosen = ~thermal[b] & (some.weight[b] > 0)
        kind = chosen.nonzero()[:, 0]
        values = (some.cell, some.offset, some.ux, some.uy, some.uz, some.weight)
        found.append(torch.stack([kind.float(), *(v[b][chosen].float() for v in values)]))
    return found


def redrawn(kept: Trajectories, which: Tensor, steps: list[int], seed: int = 1) -> tuple[Particles, Tensor]:
    """All particles: the true non-thermal ones, the thermal ones drawn anew from the moments of their node.

    What a closure that knows only moments can at best be expected to reach. Returns the particles and which
    of the slots hold non-thermal ones, bool[slots].
    """
    target, device = kept.target, str(kept.groups.device)
    fast = kept.particles(which, steps, 0)
    state = torch.stack([kept.groups[t, k // MACRO, 0::2] for t, k in zip(which.tolist(), steps)])
    n = state[:, :, 0].clamp_min(1e-12)
    number = torch.ceil(n / target.weight - 1e-3).long() * (n > 1e-9)
    number[..., -1] = 0
    widest = int(number.sum(-1).max())
    rank = torch.arange(widest, device=device)
    cumulative = number.cumsum(-1)
    cell = torch.searchsorted(cumulative, rank.expand(*number.shape[:2], widest).contiguous(), right=True)
    real = cell <= target.cells - 1
    cell = cell.clamp(max=target.cells - 1)
    generator = torch.Generator(device=device).manual_seed(seed)

    def at(values: Tensor) -> Tensor:
        return torch.gather(values, 2, cell)

    weight = at(n / number.clamp_min(1)) * real
    u = []
    for k in range(3):
        mean = state[:, :, 1 + k] / n if k < 2 else torch.zeros_like(n)
        spread = (state[:, :, 3 + k] / n - mean * mean).clamp_min(0).sqrt()
        draw = torch.randn(cell.shape, generator=generator, device=device)
        count = number.clamp_min(1).float()
        own = torch.zeros_like(n).scatter_add(2, cell, draw * real) / count
        draw = draw - at(own)
        size = (torch.zeros_like(n).scatter_add(2, cell, draw**2 * real) / count).sqrt()
        draw = torch.where(at(number) > 2, draw / at(size).clamp_min(1e-9), draw)
        u.append(at(mean) + at(spread) * draw)
    some = replace(fast.roomier(widest)).filled(cell, u[0], u[1], u[2], weight)
    return some, torch.arange(some.cell.shape[-1], device=device) < fast.used
