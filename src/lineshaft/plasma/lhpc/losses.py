"""What training makes small: errors relative to the change, channel by channel.

Of the moments, the fields and the currents, the same once more in local units (so that the cold bulk counts
as much as the front), and unrolled of the smoothed non-thermal moments.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lineshaft.plasma.lhpc.lessons import Batch
from lineshaft.plasma.lhpc.moments import smooth
from lineshaft.plasma.lhpc.particles import Particles
from lineshaft.plasma.lhpc.particles import moments as of_particles
from lineshaft.plasma.lhpc.rollout import Solver, State, state_of
from lineshaft.plasma.lhpc.target import MACRO
from lineshaft.plasma.lhpc.waves import split


def relative(wrong: Tensor, change: Tensor, usual: Tensor) -> Tensor:
    """Squared error over the squared change, with a floor, for each sample and channel; the mean."""
    size = change.square().mean(-1) / 2 + usual**2 / 10 + 1e-20
    return (wrong.square().mean(-1) / size).mean()


def single_loss(solver: Solver, batch: Batch) -> Tensor:
    """One macro step with the true current of the rest, against the truth."""
    fluid = solver.fluid
    assert fluid is not None
    state = state_of(batch["before"], batch["fields"], None)
    currents: list[tuple[Tensor, Tensor]] = []
    with torch.no_grad():
        unit = fluid.units(batch["before"], *split(batch["fields"])) * fluid.unit[None, :, :, None]
    for after, own in solver.macro(state, batch["entering"], batch["given"]):
        assert own is not None
        state, currents = after, [*currents, own]
    assert state.moments is not None
    jx, jy = (torch.stack([own[k] for own in currents]).sum(0) for k in (0, 1))
    wrong = state.moments - batch["after"]
    loss = relative(wrong, batch["after"] - batch["before"], fluid.spread[None])
    shift = batch["fields_after"] - batch["fields"]
    weight = 2.0 if fluid.learned_fields else 1.0
    loss = loss + weight * relative(state.fields - batch["fields_after"], shift, fluid.field_scale[None])
    loss = loss + (wrong / unit[:, :, 2:]).square().clamp(max=100.0).mean()
    if fluid.learned_fields:
        return loss
    for k, current in enumerate((jx, jy[..., :-1])):
        truth = batch["current"][:, k, :, :-1]
        loss = loss + relative(current - truth, truth, fluid.flow[k][None])
        loss = loss + ((current - truth) / unit[:, :, k, :-1]).square().clamp(max=100.0).mean()
    return loss


@dataclass(frozen=True)
class Unrolling:
    """So many macro steps from one start; through the first `pushforward` of them flows no gradient.

    `room` is the number of macro steps that there are free particle slots for: one for all stages, so that
    shapes stay and a compiled step serves all of them. `fused` compiles it.
    """

    macros: int
    pushforward: int = 0
    room: int = 0
    fused: bool = False


def unrolled_loss(solver: Solver, batch: Batch, how: Unrolling) -> Tensor:
    """The mean loss after each macro step that gradients flow through."""
    start = beginning(solver, batch, how)
    state, loss = start, start.along.new_zeros(())
    for h in range(how.macros):
        with torch.set_grad_enabled(h >= how.pushforward):
            state = leaves(state) if how.fused and h in (0, how.pushforward) else state
            before = state.moments
            entering = batch["entering"][:, h * MACRO : (h + 1) * MACRO]
            state = solver.couple(solver.last(state, entering, fused=how.fused), before, fused=how.fused)
        if h >= how.pushforward:
            loss = loss + distance(solver, state, batch, h + 1)
    return loss / (how.macros - how.pushforward)


def beginning(solver: Solver, batch: Batch, how: Unrolling) -> State:
    """The state that a batch starts from."""
    some = None
    if solver.hybrid:
        cell, offset, ux, uy, uz, weight = batch["particles"].unbind(2)
        some = Particles(cell.long(), offset, ux, uy, uz, weight, cell.shape[-1])
        some = some.roomier(max(how.room, how.macros) * solver.slots)
    return state_of(batch["moments"][:, 0], batch["fields"][:, 0], some)


def leaves(state: State) -> State:
    """The state cut off from what was before, all of it asking for gradients where any are wanted.

    A state after a step does and is contiguous: every other mixture would be compiled anew.
    """

    def leaf(x: Tensor) -> Tensor:
        return x.detach().contiguous().requires_grad_(torch.is_grad_enabled())

    moments = None if state.moments is None else leaf(state.moments)
    some = state.particles
    if some is not None:
        offset, ux, uy, uz, weight = (leaf(x) for x in some.arrays[1:])
        some = Particles(some.cell, offset, ux, uy, uz, weight, some.used)
    return State(moments, leaf(state.along), leaf(state.right), leaf(state.left), some)


def distance(solver: Solver, state: State, batch: Batch, macro: int) -> Tensor:
    """From the truth after so many macro steps."""
    fluid, moments = solver.fluid, state.moments
    assert fluid is not None and moments is not None
    start, first = batch["moments"][:, 0], batch["fields"][:, 0]
    truth, fields = batch["moments"][:, macro], batch["fields"][:, macro]
    loss = relative(moments - truth, truth - start, fluid.spread[None])
    loss = loss + relative(state.fields - fields, fields - first, fluid.field_scale[None])
    with torch.no_grad():
        unit = fluid.units(truth, *split(fields))[:, :, 2:] * fluid.unit[None, :, 2:, None]
    loss = loss + ((moments - truth) / unit).square().clamp(max=100.0).mean() / macro
    if state.particles is None:
        return loss
    ours = smooth(of_particles(state.particles, solver.target.cells))
    theirs, before = smooth(batch["fast"][:, macro]), smooth(batch["fast"][:, 0])
    usual = before.square().mean((0, 3)).sqrt() * 0.3
    return loss + 0.3 * relative(ours - theirs, theirs - before, usual[None])
