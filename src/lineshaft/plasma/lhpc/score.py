"""Errors of a state against the truth: relative L2, one value a sample; the tail beside the field."""

import torch
from torch import Tensor

from lineshaft.plasma.lhpc import moments as m
from lineshaft.plasma.lhpc import waves
from lineshaft.plasma.lhpc.particles import moments as of_particles
from lineshaft.plasma.lhpc.rollout import State
from lineshaft.plasma.lhpc.target import Constants
from lineshaft.plasma.lhpc.trajectory import Trajectories

Scale = tuple[Tensor, Tensor]  # rms of each moment, of all and of what is not thermal, [2, 6] each


def scales(kept: Trajectories, train: Tensor) -> Scale:
    """Rms over the training set of each moment, all [2, 6] and non-thermal [2, 6]."""
    rows = slice(kept.groups.shape[1] // 5, None, 10)
    groups = kept.groups[train, rows]
    total, fast = groups[:, :, 0::2] + groups[:, :, 1::2], groups[:, :, 1::2]
    return total.square().mean((0, 1, 4)).sqrt() + 1e-9, fast.square().mean((0, 1, 4)).sqrt() + 1e-9


def totals(state: State, cells: int, fast_slots: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """Moments of both species [B, 2, 6, n + 1], all and (None where a method has none) non-thermal."""
    if state.particles is None:
        assert state.moments is not None
        if state.moments.shape[1] == 2:
            return state.moments, None
        return state.moments[:, 0::2] + state.moments[:, 1::2], state.moments[:, 1::2]
    every = of_particles(state.particles, cells)
    if state.moments is None:
        assert fast_slots is not None
        return every, of_particles(state.particles, cells, weight=state.particles.weight * fast_slots)
    return state.moments + every, every


def score(
    state: State,
    truth: tuple[Tensor, Tensor],
    scale: Scale,
    c: Constants,
    fast_slots: Tensor | None = None,
) -> dict[str, Tensor]:
    """field, ex, moments, fast (the paper's M_PIC), tail and energy of electrons and ions, gauss: [B]
    each.
    """
    groups, fields = truth
    ours = torch.stack(waves.nodes(state.along, state.right, state.left)[1:], 1)
    theirs = torch.stack(waves.nodes(*waves.split(fields))[1:], 1)
    wrong_x, true_x = state.along - fields[:, 0, :-1], fields[:, 0, :-1]
    wrong, right = (ours - theirs)[..., 1:].square().sum((1, 2)), theirs[..., 1:].square().sum((1, 2))
    wrong, right = wrong + wrong_x.square().sum(1), right + true_x.square().sum(1)
    total, fast = totals(state, state.along.shape[1], fast_slots)
    true_total, true_fast = groups[:, 0::2] + groups[:, 1::2], groups[:, 1::2]
    charge = total[:, 1, 0] - total[:, 0, 0]
    residual = (state.along.diff(dim=1) / c.dx - charge[:, 1:-1]).abs().amax(1) / c.density
    found = {
        "field": (wrong / right).sqrt(),
        "ex": (wrong_x.square().sum(1) / true_x.square().sum(1)).sqrt(),
        "moments": relative(total, true_total, scale[0]),
        "smooth": relative(m.smooth(total), m.smooth(true_total), scale[0]),
        "gauss": residual,
    }
    energy, true_energy = (m.energy(x, c.mass, c.dx) for x in (total, true_total))
    found["energy_electrons"], found["energy_ions"] = ((energy / true_energy - 1).abs()).unbind(1)
    if fast is not None:
        tail, true_tail = (m.energy(x, c.mass, c.dx) for x in (fast, true_fast))
        found["fast"] = relative(fast, true_fast, scale[1])
        found["tail_electrons"], found["tail_ions"] = ((tail / true_tail.clamp_min(1e-9) - 1).abs()).unbind(1)
    return found


def relative(ours: Tensor, theirs: Tensor, scale: Tensor) -> Tensor:
    """Relative L2 over both species and all moments, each divided by its rms."""
    wrong = ((ours - theirs) / scale[..., None]).square().sum((1, 2, 3))
    return (wrong / (theirs / scale[..., None]).square().sum((1, 2, 3))).sqrt()
