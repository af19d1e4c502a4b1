"""The coupled step: fluid, particles, Maxwell, and every MACRO steps the nets and the injection."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lineshaft.plasma.lhpc import waves
from lineshaft.plasma.lhpc.fluid import Fluid
from lineshaft.plasma.lhpc.inject import SLOTS, WINDOW_SLOTS, Injection, in_window, inject, oracle
from lineshaft.plasma.lhpc.moments import project
from lineshaft.plasma.lhpc.particles import Particles, push
from lineshaft.plasma.lhpc.target import MACRO, Constants, Target


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
class Solver:
    """A fluid and, for the hybrid, an injection: None is no coupling, "oracle" what truly happened."""

    target: Target
    c: Constants  # of two species
    fluid: Fluid | None
    injection: Injection | str | None = None
    hybrid: bool = False  # carries particles

    @property
    def slots(self) -> int:
        return WINDOW_SLOTS if self.target.window_cells else SLOTS

    def macro(
        self, state: State, entering: Tensor, given: Tensor | None = None
    ) -> Iterator[tuple[State, Tensor, Tensor]]:
        """MACRO steps, one call of the net; yields the state after each and the fluid's charge currents.

        `entering` is [B, MACRO]; `given` is a current [B, 2, n + 1] in place of the particles'.
        """
        fluid, start = self.fluid, state
        correction = None
        if fluid is not None:
            correction = fluid.correction(state.moments, state.along, state.right, state.left)
        for k in range(MACRO):
            moments, jx, jy, own = state.moments, 0.0, 0.0, (None, None)
            if fluid is not None:
                moments, flux, across = fluid.step(moments, state.along, state.right, state.left, correction)
                own = (fluid.c.charge * flux, fluid.c.charge * across)
                jx, jy = own[0].sum(1), own[1].sum(1)
            some = state.particles
            if given is not None:
                jx, jy = jx + given[:, 0, :-1], jy + given[:, 1]
            elif some is not None:
                fields = torch.stack(waves.nodes(state.along, state.right, state.left), 1)
                px, py, some = push(some, fields, self.c.charge, self.c.mass, self.c.dx)
                jx, jy = jx + px[:, 0], jy + py[:, 0]
            if correction is not None and correction[3] is not None:
                along, right, left = guided(start, correction[3], entering, k)
            else:
                along, right, left = waves.advance(
                    state.along, state.right, state.left, jx, jy, entering[:, k : k + 1], self.c.dx
                )
            if k == MACRO - 1 and moments is not None:
                moments = project(moments, fluid.c)
            state = State(moments, along, right, left, some)
            yield state, own[0], own[1]

    def last(self, state: State, entering: Tensor) -> State:
        """The state after a macro step."""
        for after, _, _ in self.macro(state, entering):
            state = after
        return state

    def couple(self, state: State, before: Tensor, truth: Tensor | None = None) -> State:
        """Turn fluid into particles after a macro step that began with the moments `before`."""
        if state.moments is None or state.particles is None:
            return state
        rates = None
        if isinstance(self.injection, Injection):
            rates = self.injection(state.moments, before)
        elif self.injection == "oracle" and truth is not None:
            rates = oracle(truth, state.moments, self.c)
        rates = in_window(state.moments, rates, self.c, self.target.window_cells)
        if rates is None:
            return state
        moments, some = inject(
            state.moments, state.particles, rates, self.c, self.target.window_cells, self.slots
        )
        return replace(state, moments=moments, particles=some)


def guided(start: State, change: Tensor, entering: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Fields of a net that learns them: linear in time over the macro step, with the light that has
    entered.
    """
    part = (k + 1) / MACRO
    right = start.right + part * change[:, 1]
    right = torch.cat([entering[:, : k + 1].flip(1), right[:, k + 1 :]], 1)
    return start.along + part * change[:, 0, :-1], right, start.left + part * change[:, 2]
