"""Training: single macro steps first, then unrolled through several; each member draws its own batches."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lineshaft.plasma.lhpc.fluid import Fluid
from lineshaft.plasma.lhpc.inject import Injection
from lineshaft.plasma.lhpc.lessons import Batch, Lessons
from lineshaft.plasma.lhpc.nets import scaled_gradients
from lineshaft.plasma.lhpc.rollout import Solver
from lineshaft.plasma.lhpc.waves import split


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

    def __init__(self, loss: Callable[[Batch], Tensor], example: Batch, parameters: Sequence[Tensor]) -> None:
        self.loss, self.parameters = loss, parameters
        self.graph: torch.cuda.CUDAGraph | None = None
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
                torch.autograd.backward(self.loss(self.inputs))
        torch.cuda.current_stream().wait_stream(side)
        self.clear()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.value = self.loss(self.inputs)
            torch.autograd.backward(self.value)
        self.graph = graph

    def clear(self) -> None:
        for p in self.parameters:
            p.grad = None

    def __call__(self, batch: Batch) -> Tensor:
        if self.graph is None:
            self.clear()
            value = self.loss(batch)
            torch.autograd.backward(value)
            return value.detach()
        for name, value in batch.items():
            self.inputs[name].copy_(value)
        self.graph.replay()
        return self.value.detach()


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
