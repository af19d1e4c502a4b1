"""A copy of the network as it was at the end of a task, kept as tensors, and its outputs."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lineshaft.continual import speed
from lineshaft.continual.methods.method import Memory

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop

PREFIX = "teacher:"


def remember(memory: Memory, loop: "Loop") -> None:
    """Keep the network's parameters and buffers."""
    for name, value in loop.net.state_dict().items():
        memory[PREFIX + name] = value.detach().clone()


def recall(memory: Memory, loop: "Loop", x: Tensor, task: int | None) -> Tensor:
    """Outputs of the kept network, as in evaluation; no gradient.

    The copy's values are lent to the network for one forward pass, which costs no second network in code:
    the modules, their hooks and their modes stay those of the network.
    """
    kept = {name[len(PREFIX) :]: value for name, value in memory.items() if name.startswith(PREFIX)}
    modes = {module: module.training for module in loop.net.modules()}
    loop.net.eval()
    with torch.no_grad(), speed.eager(), speed.autocast(loop.device):
        outputs: Tensor = torch.func.functional_call(
            Outputs(loop), {f"net.{n}": v for n, v in kept.items()}, (x, task)
        )
    for module, training in modes.items():
        module.training = training
    return outputs


class Outputs(torch.nn.Module):
    """The objective's outputs as one module, so that values can be lent to it."""

    def __init__(self, loop: "Loop") -> None:
        super().__init__()
        self.net, self.objective = loop.net, loop.objective

    def forward(self, x: Tensor, task: int | None) -> Tensor:
        return self.objective.outputs(self.net, x, task)
