"""Synaptic intelligence (Zenke et al., "Continual learning through synaptic intelligence", arXiv 1703.04200).

A parameter is important for a task by as much as its own path brought the loss down:

    omega_k = sum over steps of -g_k dtheta_k       (the true path integral, g of the loss without the
    penalty) Omega_k += max(0, omega_k) / ((theta_k(end) - theta_k(start))^2 + xi)        (accumulated over
    tasks) penalty = c sum_k Omega_k (theta_k - theta_k(end of the last task))^2

Not to be confused with published variants that use lr g^2 for the path, overwrite Omega at each task (which
protects only the last one) or subtract the penalty.
"""

from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor

from lineshaft.continual.methods.method import Memory, Method

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop


class Si(Method):
    """memory, for each parameter NAME: path:NAME, start:NAME (of this task), importance:NAME, anchor:NAME."""

    name: Literal["si"] = "si"
    recordable = True
    strength: float = Field(0.5, ge=0, description="c, the weight of the penalty")
    xi: float = Field(1.0, gt=0, description="damping of the importance")

    def begin(self, memory: Memory, loop: "Loop", task: int) -> None:
        for name, parameter in loop.net.named_parameters():
            memory[f"path:{name}"] = torch.zeros_like(parameter)
            memory[f"start:{name}"] = parameter.detach().clone()

    def gradients(self, memory: Memory, loop: "Loop") -> None:
        """Note the gradient of the loss, then add the penalty's; neither touches what the phase freezes."""
        named = loop.parameters()
        if loop.phase.counts:
            for name, parameter in named:
                memory[f"step:{name}"] = gradient(parameter).clone()
                memory[f"before:{name}"] = parameter.detach().clone()
        if f"importance:{named[0][0]}" in memory:
            add_quadratic(named, memory, self.strength)

    def updated(self, memory: Memory, loop: "Loop") -> None:
        named = loop.parameters()
        moved = torch._foreach_sub(
            [p.detach() for _, p in named], [memory.pop(f"before:{n}") for n, _ in named]
        )
        torch._foreach_mul_(moved, [memory.pop(f"step:{n}") for n, _ in named])
        torch._foreach_sub_([memory[f"path:{n}"] for n, _ in named], moved)

    def end(self, memory: Memory, loop: "Loop", task: int, rows: Tensor) -> None:
        for name, parameter in loop.net.named_parameters():
            now = parameter.detach().clone()
            path, start = memory.pop(f"path:{name}"), memory.pop(f"start:{name}")
            gain = path.clamp(min=0) / ((now - start).square() + self.xi)
            memory[f"importance:{name}"] = memory.get(f"importance:{name}", 0) + gain
            memory[f"anchor:{name}"] = now


def gradient(parameter: torch.nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def add_quadratic(named: list[tuple[str, torch.nn.Parameter]], memory: Memory, strength: float) -> None:
    """Add the gradient of strength sum importance (theta - anchor)^2, a few kernels for all tensors
    together.
    """
    parameters = [p.detach() for _, p in named]
    pull = torch._foreach_sub(parameters, [memory[f"anchor:{n}"] for n, _ in named])
    torch._foreach_mul_(pull, [memory[f"importance:{n}"] for n, _ in named])
    torch._foreach_add_([gradient(p) for _, p in named], pull, alpha=2 * strength)
