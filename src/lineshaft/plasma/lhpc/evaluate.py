"""Rolling out from common restarts of held-out runs, and timing on the same device."""

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from lineshaft.plasma.lhpc.learn import state_of
from lineshaft.plasma.lhpc.methods import Method
from lineshaft.plasma.lhpc.rollout import Solver, State
from lineshaft.plasma.lhpc.score import score
from lineshaft.plasma.lhpc.target import MACRO
from lineshaft.plasma.lhpc.trajectory import HORIZONS, Trajectories, redrawn, start

Errors = dict[int, dict[str, Tensor]]  # horizon -> quantity -> [members, restarts]


@torch.no_grad()
def roll(
    solver: Solver,
    method: Method,
    kept: Trajectories,
    amplitude: int,
    scale: tuple[Tensor, Tensor],
    members: int,
    until: int = HORIZONS[-1],
) -> Errors:
    """Errors at the HORIZONS up to `until` from every restart of one amplitude, for every member."""
    steps = kept.target.restarts()
    which = torch.full((len(steps),), amplitude)
    slots = None
    if method.name == "particles":
        some, slots = redrawn(kept, which, steps)
        moments = None
    else:
        room = (HORIZONS[-1] // MACRO + 1) * solver.slots
        some = repeated(kept.particles(which, steps, room), members) if method.name == "lhpc" else None
        moments = torch.stack([method.pick(kept.groups[amplitude, k // MACRO]) for k in steps])
        moments = moments.repeat(members, 1, 1, 1)
    fields = torch.stack([kept.fields[amplitude, k // MACRO] for k in steps]).repeat(members, 1, 1)
    state, errors = state_of(moments, fields, some), {}
    for first in range(0, until, MACRO):
        before = state.moments
        entering = torch.stack(
            [kept.entering[amplitude, k + first + 1 : k + first + 1 + MACRO] for k in steps]
        )
        seen: dict[int, State] = {}
        for j, (after, _, _) in enumerate(solver.macro(state, entering.repeat(members, 1))):
            seen[first + j + 1] = after
        state = seen[first + MACRO]
        if before is not None:
            truth = torch.stack([kept.injected[amplitude, (k + first) // MACRO + 1] for k in steps])
            state = solver.couple(state, before, truth.repeat(members, 1, 1, 1))
            seen[first + MACRO] = state
        for horizon in set(seen) & set(HORIZONS):
            pairs = [kept.truth(torch.tensor([amplitude]), k + horizon) for k in steps]
            truth = tuple(
                torch.cat([pair[i] for pair in pairs]).repeat(members, 1, *[1] * (2 - i)) for i in (0, 1)
            )
            found = score(seen[horizon], truth, scale, solver.c, slots)
            errors[horizon] = {name: v.view(members, len(steps)).cpu() for name, v in found.items()}
    return errors


def repeated(some, members: int):
    """The same particles for each member."""
    names = ("cell", "offset", "ux", "uy", "uz", "weight")
    return replace(some, **{name: getattr(some, name).repeat(members, 1, 1) for name in names})


@torch.no_grad()
def step_time(solver: Solver, method: Method, kept: Trajectories) -> tuple[float, float]:
    """Seconds a step of this method and of the all-particle solver in torch, one run, the same device."""
    amplitude = len(kept.target.train) + len(kept.target.valid)
    step = kept.target.restarts()[len(kept.target.restarts()) // 2]
    which, device = torch.tensor([amplitude]), str(kept.groups.device)
    entering = kept.entering[amplitude : amplitude + 1, step + 1 : step + 1 + MACRO]
    fields = kept.fields[amplitude : amplitude + 1, step // MACRO]
    some = kept.particles(which, [step], 2 * solver.slots) if method.name == "lhpc" else None
    state = state_of(method.pick(kept.groups[amplitude, step // MACRO])[None], fields, some)

    def ours() -> None:
        solver.couple(solver.last(state, entering), state.moments)

    everything = Solver(kept.target, solver.c, None)
    full = state_of(None, fields, start(kept.target, 1, device, 0))

    def theirs() -> None:
        everything.last(full, entering)

    return seconds(ours, device) / MACRO, seconds(theirs, device) / MACRO


def seconds(work: Callable[[], None], device: str) -> float:
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


def clocked(work: Callable[[], None], wait: Callable[[], None]) -> float:
    wait()
    begin = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - begin
