"""Elastic weight consolidation (Kirkpatrick et al., arXiv 1612.00796), online form (Schwarz et al.,
1805.06370).

    penalty = strength sum_k F_k (theta_k - theta_k(end of the last task))^2,   F <- decay F + F(task)

F(task) is the diagonal of the empirical Fisher information: the mean of squared gradients of SINGLE samples.
Not to be confused with the square of a batch's mean gradient, which published code often uses and which is
smaller by about the size of the batch.
"""

from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.func import functional_call, grad, vmap

from lineshaft.continual.methods.method import Memory, Method
from lineshaft.continual.methods.si import add_quadratic
from lineshaft.continual.objectives.cross_entropy import EXCLUDED
from lineshaft.continual.seeds import generator
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop

CHUNK = 8  # samples whose gradients are held at once


class Ewc(Method):
    """memory, for each parameter NAME: importance:NAME, anchor:NAME."""

    name: Literal["ewc"] = "ewc"
    recordable = True
    strength: float = Field(100.0, ge=0, description="weight of the penalty")
    samples: int = Field(200, ge=1, description="training rows of a task that estimate its information")
    decay: float = Field(1.0, ge=0, le=1, description="of what earlier tasks left; 1: nothing is forgotten")

    def check(self, stream: Stream, has_logits: bool) -> None:
        if not has_logits:
            raise RequestError(
                "ewc needs an objective with labels: the Fisher information is that of a classifier"
            )

    def gradients(self, memory: Memory, loop: "Loop") -> None:
        named = loop.parameters()
        if f"importance:{named[0][0]}" in memory:
            add_quadratic(named, memory, self.strength)

    def end(self, memory: Memory, loop: "Loop", task: int, rows: Tensor) -> None:
        draws = generator(task, "fisher")
        few = rows[torch.randperm(len(rows), generator=draws)[: self.samples].to(rows.device)]
        information = fisher(loop, few)
        for name, parameter in loop.net.named_parameters():
            before = memory.get(f"importance:{name}", torch.zeros_like(parameter))
            memory[f"importance:{name}"] = self.decay * before + information[name]
            memory[f"anchor:{name}"] = parameter.detach().clone()


def fisher(loop: "Loop", rows: Tensor) -> dict[str, Tensor]:
    """Mean squared gradient of single rows, of every parameter; BatchNorm in eval mode, nothing changes."""
    net, task, store = loop.net, loop.task, loop.store
    net.eval()
    parameters = {name: p.detach() for name, p in net.named_parameters()}
    buffers = {name: b.detach() for name, b in net.named_buffers()}
    allowed = loop.allowed(rows, loop.phase.loss_over)
    mask = torch.ones(len(rows), loop.stream.classes, dtype=torch.bool, device=rows.device)
    mask = mask if allowed is None else allowed

    def loss(values: dict[str, Tensor], x: Tensor, label: Tensor, one: Tensor) -> Tensor:
        features = functional_call(net, {**values, **buffers}, (x[None], task))
        logits = features.masked_fill(~one[None], EXCLUDED)
        return torch.nn.functional.cross_entropy(logits, label[None])

    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    gradients = vmap(grad(loss), in_dims=(None, 0, 0, 0), randomness="different")
    for ids, ones in zip(rows.split(CHUNK), mask.split(CHUNK)):
        found = gradients(parameters, store.view(ids), store.labels[ids], ones)
        for name, value in found.items():
            total[name] += value.square().sum(0)
    return {name: value / len(rows) for name, value in total.items()}
