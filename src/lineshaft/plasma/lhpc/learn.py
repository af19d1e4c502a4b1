"""Training: single macro steps first, then unrolled through several, with every member on batches of its own.

Losses are relative, for each channel: of the moments, the fields and the currents, the same once more in
local units (so that the cold bulk counts as much as the front), and unrolled of the smoothed non-thermal
moments.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lineshaft.plasma.lhpc.fluid import Fluid
from lineshaft.plasma.lhpc.inject import Injection
from lineshaft.plasma.lhpc.methods import Method
from lineshaft.plasma.lhpc.moments import smooth
from lineshaft.plasma.lhpc.nets import scaled_gradients
from lineshaft.plasma.lhpc.particles import Particles
from lineshaft.plasma.lhpc.particles import moments as of_particles
from lineshaft.plasma.lhpc.rollout import Solver, State
from lineshaft.plasma.lhpc.target import MACRO
from lineshaft.plasma.lhpc.trajectory import KEEP, Trajectories
from lineshaft.plasma.lhpc.waves import split

Batch = dict[str, Tensor]
EARLIEST = 10  # snapshots before which nothing has been hit


@dataclass(frozen=True)
class Lessons:
    """Batches from the training amplitudes of a set of trajectories."""

    kept: Trajectories
    method: Method
    packed: Tensor  # [t, snapshots, 2, 6, capacity] non-thermal particles

    @classmethod
    def of(cls, kept: Trajectories, method: Method) -> "Lessons":
        chosen = range(len(kept.target.train))
        counts = [int((s[t][0] == k).sum()) for s in kept.snapshots for t in chosen for k in (0, 1)]
        capacity = max(64, -(-max(counts) // 64) * 64)
        packed = torch.zeros(len(chosen), len(kept.snapshots), 2, 6, capacity, device=kept.groups.device)
        if method.name != "lhpc":
            return cls(kept, method, packed[..., :64])
        for j, snapshot in enumerate(kept.snapshots):
            for t in chosen:
                for k in (0, 1):
                    mine = snapshot[t][1:, snapshot[t][0] == k]
                    packed[t, j, k, :, : mine.shape[1]] = mine
        return cls(kept, method, packed)

    def single(self, size: int) -> Batch:
        """`size` random macro steps, as moments before and after (what is injected after them not yet
        taken).
        """
        kept, device = self.kept, self.kept.groups.device
        t = torch.randint(len(kept.target.train), (size,))
        low = min(kept.groups.shape[1] - 2, EARLIEST * KEEP // MACRO)
        r = torch.randint(low, kept.groups.shape[1] - 1, (size,))
        steps = r[:, None] * MACRO + 1 + torch.arange(MACRO)
        t, r, steps = t.to(device), r.to(device), steps.to(device)
        before, after = self.method.pick(kept.groups[t, r]), self.method.pick(kept.groups[t, r + 1])
        injected, current = kept.injected[t, r + 1], kept.current[t, r + 1]
        own = self.method.pick(current.transpose(1, 2)).transpose(1, 2)
        given = torch.zeros_like(current[:, :, 0])
        if self.method.name == "lhpc":
            after, given = after + injected, (current[:, :, 1] + current[:, :, 3]) / MACRO
        return {
            "before": before,
            "after": after,
            "fields": kept.fields[t, r],
            "fields_after": kept.fields[t, r + 1],
            "current": own,
            "given": given,
            "entering": kept.entering[t[:, None], steps],
            "injected": injected,
        }

    def unrolled(self, size: int, macros: int) -> Batch:
        """`size` random starts where particles are kept, with the truth after each of `macros` macro
        steps.
        """
        kept, device = self.kept, self.kept.groups.device
        t = torch.randint(len(kept.target.train), (size,))
        last = (kept.target.steps - macros * MACRO) // KEEP
        s = torch.randint(min(EARLIEST, last), last + 1, (size,))
        row = s[:, None] * (KEEP // MACRO) + torch.arange(macros + 1)
        steps = s[:, None] * KEEP + 1 + torch.arange(macros * MACRO)
        t, s, row, steps = t.to(device), s.to(device), row.to(device), steps.to(device)
        groups = kept.groups[t[:, None], row]
        return {
            "moments": self.method.pick(groups),
            "fast": groups[:, :, 1::2],
            "fields": kept.fields[t[:, None], row],
            "entering": kept.entering[t[:, None], steps],
            "particles": self.packed[t, s],
        }


def state_of(moments: Tensor | None, fields: Tensor, some: Particles | None) -> State:
    along, right, left = split(fields)
    return State(moments, along, right, left, some)


def relative(wrong: Tensor, change: Tensor, usual: Tensor) -> Tensor:
    """Squared error over the squared change, with a floor, for each sample and channel; the mean."""
    size = change.square().mean(-1) / 2 + usual**2 / 10 + 1e-20
    return (wrong.square().mean(-1) / size).mean()


def single_loss(solver: Solver, batch: Batch) -> Tensor:
    """One macro step with the true current of the rest, against the truth."""
    fluid = solver.fluid
    assert fluid is not None
    state, jx, jy = state_of(batch["before"], batch["fields"], None), 0.0, 0.0
    with torch.no_grad():
        unit = fluid.units(state.moments, state.along, state.right, state.left) * fluid.unit[None, :, :, None]
    for after, own_x, own_y in solver.macro(state, batch["entering"], batch["given"]):
        jx, jy, state = jx + own_x, jy + own_y, after
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


def unrolled_loss(solver: Solver, batch: Batch, macros: int, pushforward: int) -> Tensor:
    """`macros` macro steps from one start; through the first `pushforward` of them flows no gradient."""
    fluid, target = solver.fluid, solver.target
    assert fluid is not None
    some = None
    if solver.hybrid:
        cell, *rest = batch["particles"].unbind(2)
        some = Particles(cell.long(), *rest, used=cell.shape[-1]).roomier(macros * solver.slots)
    start, first = batch["moments"][:, 0], batch["fields"][:, 0]
    state, loss = state_of(start, first, some), start.new_zeros(())
    usual = smooth(batch["fast"][:, 0]).square().mean((0, 3)).sqrt() * 0.3
    for h in range(macros):
        with torch.set_grad_enabled(h >= pushforward):
            before = state.moments
            state = solver.last(state, batch["entering"][:, h * MACRO : (h + 1) * MACRO])
            state = solver.couple(state, before)
        if h < pushforward:
            continue
        truth, fields = batch["moments"][:, h + 1], batch["fields"][:, h + 1]
        loss = loss + relative(state.moments - truth, truth - start, fluid.spread[None])
        loss = loss + relative(state.fields - fields, fields - first, fluid.field_scale[None])
        with torch.no_grad():
            unit = fluid.units(truth, *split(fields))[:, :, 2:] * fluid.unit[None, :, 2:, None]
        loss = loss + ((state.moments - truth) / unit).square().clamp(max=100.0).mean() / (h + 1)
        if state.particles is not None:
            ours, theirs = (
                smooth(x) for x in (of_particles(state.particles, target.cells), batch["fast"][:, h + 1])
            )
            change = theirs - smooth(batch["fast"][:, 0])
            loss = loss + 0.3 * relative(ours - theirs, change, usual[None])
    return loss / (macros - pushforward)


@torch.no_grad()
def calibrate(solver: Solver, lessons: Lessons, size: int) -> None:
    """Set the scales of outputs and losses from the data."""
    fluid = solver.fluid
    assert fluid is not None
    batch = lessons.single(8 * size)
    change = batch["after"] - batch["before"]
    unit = fluid.units(batch["before"], *split(batch["fields"]))
    seen = (
        torch.cat([batch["current"][:, 0][:, :, None], batch["current"][:, 1][:, :, None], change], 2) / unit
    )
    usual = seen.square().mean((0, 3)).sqrt() + 1e-12
    fluid.scale.copy_(usual * (0.3 if fluid.core else 1.0))
    fluid.unit.copy_(usual)
    fluid.spread.copy_(change.square().mean((0, 3)).sqrt() + 1e-12)
    fluid.flow.copy_(batch["current"].square().mean((0, 3)).sqrt() + 1e-12)
    shift = batch["fields_after"] - batch["fields"]
    fluid.field_scale.copy_(shift.square().mean((0, 2)).sqrt() + 1e-12)
    if isinstance(solver.injection, Injection):
        first = solver.target.window_cells
        solver.injection.usual.copy_(10 * batch["injected"][:, :, 0, first:].mean((0, 2)) + 1e-9)


def noisy(batch: Batch, fluid: Fluid, amplitude: float) -> Batch:
    """Noise on the moments a step starts from, in thermal units: what the particles' shot noise will do."""
    if not amplitude:
        return batch
    before = batch["before"]
    n, unit = before[:, :, :1].clamp_min(0), fluid.c.unit[:, :, None]
    size = torch.cat([0 * n, n * unit, n * unit, *(n * unit**2,) * 3], 2)
    return batch | {"before": before + amplitude * size * torch.randn_like(before)}


class Stepper:
    """Forward and backward of a loss; on a GPU one captured graph, where capturing works."""

    def __init__(self, loss: Callable[[Batch], Tensor], example: Batch, parameters: list[Tensor]) -> None:
        self.loss, self.parameters, self.graph = loss, parameters, None
        if not example or not next(iter(example.values())).is_cuda:
            return
        self.inputs = {name: value.clone() for name, value in example.items()}
        try:
            self.capture()
        except RuntimeError as error:
            self.graph = None
            torch.cuda.synchronize()
            print(f"no graph captured, stepping eagerly: {str(error)[:200]}", flush=True)

    def capture(self) -> None:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):
                self.clear()
                self.loss(self.inputs).backward()
        torch.cuda.current_stream().wait_stream(side)
        self.clear()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.value = self.loss(self.inputs)
            self.value.backward()
        self.graph = graph

    def clear(self) -> None:
        for p in self.parameters:
            p.grad = None

    def __call__(self, batch: Batch) -> Tensor:
        if self.graph is None:
            self.clear()
            value = self.loss(batch)
            value.backward()
            return value.detach()
        for name, value in batch.items():
            self.inputs[name].copy_(value)
        self.graph.replay()
        return self.value


@dataclass(frozen=True)
class Course:
    """One stage of training: iterations, learning rate, and the seconds after which it ends early."""

    name: str
    iterations: int
    rate: float
    clip: float
    seconds: float = math.inf


def train(
    course: Course,
    members: int,
    modules: list[torch.nn.Module],
    draw: Callable[[], Batch],
    loss: Callable[[Batch], Tensor],
    after: Callable[[int, float], None] = lambda i, value: None,
) -> int:
    """Adam with a cosine rate; the loss is a mean over all members' samples. Returns the iterations done."""
    parameters = [p for module in modules for p in module.parameters()]
    if not parameters:
        return 0
    optimiser = torch.optim.Adam(parameters, course.rate, fused=parameters[0].is_cuda)
    step = Stepper(lambda batch: loss(batch) * members, draw(), parameters)
    clock, warm = time.monotonic(), min(50, course.iterations // 4 + 1)
    for i in range(course.iterations):
        done = max(i / course.iterations, (time.monotonic() - clock) / course.seconds)
        if done >= 1:
            return i
        rate = course.rate * min(1, (i + 1) / warm) * (1 + math.cos(math.pi * done)) / 2
        for group in optimiser.param_groups:
            group["lr"] = rate
        value = step(draw())
        for module in modules:
            scaled_gradients(module, members, course.clip)
        optimiser.step()
        if i % 20 == 0 or i == course.iterations - 1:
            after(i, float(value) / members)
    return course.iterations
