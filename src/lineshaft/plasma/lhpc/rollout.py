"""The coupled step: fluid, particles, Maxwell, and every MACRO steps the nets and the injection."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, ParamSpec, TypeVar

import torch
from torch import Tensor

from lineshaft.plasma.lhpc import waves
from lineshaft.plasma.lhpc.fluid import Correction, Fluid, gathering
from lineshaft.plasma.lhpc.inject import SLOTS, WINDOW_SLOTS, Injection, handed, in_window, inject, oracle
from lineshaft.plasma.lhpc.moments import project
from lineshaft.plasma.lhpc.particles import Arrays, Particles, pushed
from lineshaft.plasma.lhpc.target import MACRO, Constants, Target

P = ParamSpec("P")
T = TypeVar("T")
Waves = tuple[Tensor, Tensor, Tensor]
Stepped = tuple[Tensor | None, Waves, Arrays | None, tuple[Tensor, Tensor] | None]


@dataclass(frozen=True)
class State:
    """Fluid moments (None: all are particles), fields and particles (None: all is fluid)."""

    moments: Tensor | None
    along: Tensor
    right: Tensor
    left: Tensor
    particles: Particles | None

    @property
    def fields(self) -> Tensor:
        return waves.stacked(self.along, self.right, self.left)


@dataclass(frozen=True)
class TrueFluid:
    """What the thermal group truly did in a macro step: a bound, since no fluid model can know it.

    `change` of its moments before anything was injected, [B, groups, 6, n + 1]; its `current` in each step,
    [B, MACRO, 2, groups, n + 1], charge included.
    """

    change: Tensor
    current: Tensor

    def moved(self, moments: Tensor, k: int, c: Constants) -> Tensor:
        """The moments after step k: numbers by the true flux, the others evenly over the macro step."""
        number = gathering(self.current[:, k, 0, :, :-1] / c.charge)
        return moments + torch.cat([number[:, :, None], self.change[:, :, 1:] / MACRO], 2)


@dataclass(frozen=True)
class Solver:
    """A fluid and, for the hybrid, an injection: None means no coupling, "oracle" what truly happened."""

    target: Target
    c: Constants  # of two species
    fluid: Fluid | None
    injection: Injection | Literal["oracle"] | None = None
    hybrid: bool = False  # carries particles
    oracle_fluid: bool = False  # `macro` is given a `TrueFluid`

    @property
    def slots(self) -> int:
        return WINDOW_SLOTS if self.target.window_cells else SLOTS

    def macro(
        self,
        state: State,
        entering: Tensor,
        given: Tensor | None = None,
        true: TrueFluid | None = None,
        fused: bool = False,
    ) -> Iterator[tuple[State, tuple[Tensor, Tensor] | None]]:
        """MACRO steps, one call of the net; yields the state after each and the fluid's charge currents.

        `entering` is [B, MACRO]; `given` is a current [B, 2, n + 1] in place of the particles'; `true` steps
        the fluid in place of the core and the net; `fused` compiles the step.
        """
        step, correct = (fuse(advance), fuse(Fluid.correction)) if fused else (advance, Fluid.correction)
        start, correction = state, None
        if self.fluid is not None and true is None and state.moments is not None:
            correction = correct(self.fluid, state.moments, state.along, state.right, state.left)
        for k in range(MACRO):
            fields = (state.along, state.right, state.left)
            arrays = None if state.particles is None else state.particles.arrays
            fluid = None if true is not None else self.fluid
            current = given if true is None else true.current[:, k].sum(2)
            entered = entering[:, k : k + 1].contiguous()  # or its strides would be compiled for
            moments, fields, arrays, own = step(
                fluid, self.c, state.moments, fields, arrays, entered, correction, current
            )
            if correction is not None and correction[3] is not None:
                fields = guided(start, correction[3], entering, k)
            if true is not None and state.moments is not None:
                moments = true.moved(state.moments, k, self.c)
            if k == MACRO - 1 and moments is not None and self.fluid is not None:
                moments = project(moments, self.fluid.c)
            some = None if state.particles is None or arrays is None else state.particles.moved(arrays)
            state = State(moments, *fields, some)
            yield state, own

    def last(
        self, state: State, entering: Tensor, true: TrueFluid | None = None, fused: bool = False
    ) -> State:
        """The state after a macro step."""
        for after, _ in self.macro(state, entering, true=true, fused=fused):
            state = after
        return state

    def couple(
        self, state: State, before: Tensor | None, truth: Tensor | None = None, fused: bool = False
    ) -> State:
        """Turn fluid into particles after a macro step that began with the moments `before`."""
        after, some, cells = state.moments, state.particles, self.target.window_cells
        if after is None or before is None or some is None:
            return state
        if self.injection == "oracle" and truth is not None:
            rates = in_window(after, oracle(truth, after, self.c), self.c, cells)
            assert rates is not None
            after, some = inject(after, some, rates, self.c, cells, self.slots)
            return replace(state, moments=after, particles=some)
        injection = self.injection if isinstance(self.injection, Injection) else None
        if injection is None and not cells:
            return state
        hand = fuse(handed) if fused else handed
        after, drawn = hand(injection, self.c, after, before, cells, self.slots)
        return replace(state, moments=after, particles=some.filled(*drawn))


def advance(
    fluid: Fluid | None,
    c: Constants,
    moments: Tensor | None,
    fields: Waves,
    arrays: Arrays | None,
    entering: Tensor,
    correction: Correction | None,
    given: Tensor | None,
) -> Stepped:
    """One step of everything, on bare tensors: fluid, particles, then the fields by their current.

    A current `given` is that of the rest: of the particles where there are none, of the fluid where it is
    not stepped. The last value is the fluid's current along x [B, groups, n] and across [B, groups, n + 1].
    """
    along, right, left = fields
    own, jx, jy = None, torch.zeros_like(along), torch.zeros_like(right)
    if fluid is not None and moments is not None:
        moments, flux, across = fluid.step(moments, along, right, left, correction)
        own = (fluid.c.charge * flux, fluid.c.charge * across)
        jx, jy = own[0].sum(1), own[1].sum(1)
    if given is not None:
        jx, jy = jx + given[:, 0, :-1], jy + given[:, 1]
    if arrays is not None:
        seen = torch.stack(waves.nodes(along, right, left), 1)
        px, py, arrays = pushed(arrays, seen, c.charge, c.mass, c.dx)
        jx, jy = jx + px[:, 0], jy + py[:, 0]
    return moments, waves.advance(along, right, left, jx, jy, entering, c.dx), arrays, own


@cache
def fuse(work: Callable[P, T]) -> Callable[P, T]:
    """Compiled: on a GPU it is the small kernels, many hundreds a step, that cost."""
    return torch.compile(work, dynamic=False)


def state_of(moments: Tensor | None, fields: Tensor, some: Particles | None) -> State:
    along, right, left = waves.split(fields)
    return State(moments, along, right, left, some)


def guided(start: State, change: Tensor, entering: Tensor, k: int) -> Waves:
    """Fields of a net that learns them: linear in time over the macro step, with the light that has
    entered.
    """
    part = (k + 1) / MACRO
    right = start.right + part * change[:, 1]
    right = torch.cat([entering[:, : k + 1].flip(1), right[:, k + 1 :]], 1)
    return start.along + part * change[:, 0, :-1], right, start.left + part * change[:, 2]
