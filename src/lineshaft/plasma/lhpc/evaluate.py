"""Rolling out from common restarts of held-out runs, and timing on the same device."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from lineshaft.plasma.lhpc.methods import Lhpc, Method, Redrawn
from lineshaft.plasma.lhpc.particles import Particles
from lineshaft.plasma.lhpc.rollout import Solver, State, TrueFluid, state_of
from lineshaft.plasma.lhpc.score import Scale, score
from lineshaft.plasma.lhpc.target import MACRO
from lineshaft.plasma.lhpc.trajectory import HORIZONS, Trajectories, redrawn, start

Errors = dict[int, dict[str, Tensor]]  # horizon -> quantity -> [members, restarts]


@torch.no_grad()
def roll(
    solver: Solver,
    method: Method,
    kept: Trajectories,
    amplitude: int,
    scale: Scale,
    members: int,
    until: int = HORIZONS[-1],
) -> Errors:
    """Errors at the HORIZONS up to `until` from every restart of one amplitude, for every member."""
    steps = kept.target.restarts()
    state, slots = at_restart(solver, method, kept, amplitude, steps, members)
    errors: Errors = {}
    for first in range(0, until, MACRO):
        before, now = state.moments, [k + first for k in steps]
        entering = torch.stack([kept.entering[amplitude, k + 1 : k + 1 + MACRO] for k in now])
        rows = torch.tensor([k // MACRO for k in now])
        true = true_fluid(method, kept, amplitude, rows, members) if solver.oracle_fluid else None
        seen: dict[int, State] = {}
        for j, (after, _) in enumerate(solver.macro(state, entering.repeat(members, 1), true=true)):
            seen[first + j + 1] = after
        injected = kept.injected[amplitude, rows + 1].repeat(members, 1, 1, 1)
        state = seen[first + MACRO] = solver.couple(seen[first + MACRO], before, injected)
        for horizon in set(seen) & set(HORIZONS):
            pairs = [kept.truth(torch.tensor([amplitude]), k + horizon) for k in steps]
            groups = torch.cat([pair[0] for pair in pairs]).repeat(members, 1, 1, 1)
            fields = torch.cat([pair[1] for pair in pairs]).repeat(members, 1, 1)
            found = score(seen[horizon], (groups, fields), scale, solver.c, slots)
            errors[horizon] = {name: v.view(members, len(steps)).cpu() for name, v in found.items()}
    return errors


def at_restart(
    solver: Solver, method: Method, kept: Trajectories, amplitude: int, steps: list[int], members: int = 1
) -> tuple[State, Tensor | None]:
    """The true states of one amplitude at some steps, [members * steps]; which slots are non-thermal where
    all are particles.
    """
    which = torch.full((len(steps),), amplitude)
    rows = torch.tensor([k // MACRO for k in steps])
    fields = kept.fields[amplitude, rows].repeat(members, 1, 1)
    if isinstance(method, Redrawn):
        some, slots = redrawn(kept, which, steps)
        return state_of(None, fields, some), slots
    held = None
    if isinstance(method, Lhpc):
        room = (HORIZONS[-1] // MACRO + 1) * solver.slots
        held = repeated(kept.particles(which, steps, room), members)
    moments = method.pick(kept.groups[amplitude, rows]).repeat(members, 1, 1, 1)
    return state_of(moments, fields, held), None


def true_fluid(method: Method, kept: Trajectories, amplitude: int, rows: Tensor, members: int) -> TrueFluid:
    """What the thermal group of a test amplitude did in the macro steps that begin at these rows."""
    after = method.pick(kept.groups[amplitude, rows + 1]) + kept.injected[amplitude, rows + 1]
    change = after - method.pick(kept.groups[amplitude, rows])
    test = amplitude - len(kept.target.train) - len(kept.target.valid)
    current = kept.flow[test, rows[:, None] * MACRO + 1 + torch.arange(MACRO)]
    return TrueFluid(change.repeat(members, 1, 1, 1), current.repeat(members, 1, 1, 1, 1))


def repeated(some: Particles, members: int) -> Particles:
    """The same particles for each member."""
    cell, offset, ux, uy, uz, weight = (x.repeat(members, 1, 1) for x in some.arrays)
    return Particles(cell, offset, ux, uy, uz, weight, some.used)


@torch.no_grad()
def step_time(
    solver: Solver, method: Method, kept: Trajectories, amplitude: int, step: int
) -> tuple[float, float]:
    """Seconds a step of this method and of all particles in torch, from one restart on one device."""
    device = str(kept.groups.device)
    entering = kept.entering[amplitude : amplitude + 1, step + 1 : step + 1 + MACRO]
    state, _ = at_restart(solver, method, kept, amplitude, [step])
    fields = kept.fields[amplitude : amplitude + 1, step // MACRO]

    def ours() -> None:
        solver.couple(solver.last(state, entering), state.moments)

    everything = Solver(kept.target, solver.c, None)
    full = state_of(None, fields, start(kept.target, 1, device, 0))

    def theirs() -> None:
        everything.last(full, entering)

    return seconds(ours, device) / MACRO, seconds(theirs, device) / MACRO


def seconds(work: Callable[[], object], device: str) -> float:
    """The shortest of several calls; on a GPU as a captured graph where that works."""
    if not device.startswith("cuda"):
        return min(clocked(work, lambda: None) for _ in range(3))
    try:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):
                work()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            work()
        work = graph.replay
    except RuntimeError as error:
        torch.cuda.synchronize()
        print(f"timed without a graph: {str(error)[:200]}", flush=True)
    return min(clocked(work, torch.cuda.synchronize) for _ in range(10))


def clocked(work: Callable[[], object], wait: Callable[[], None]) -> float:
    wait()
    begin = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - begin
