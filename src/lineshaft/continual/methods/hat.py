"""Hard attention to the task (Serra et al., arXiv 1801.01423): a mask over the units of each layer for each
task.

    a_t = sigmoid(s e_t),  s rises within each epoch and is `sharpest` in evaluation
    loss += strength sum a_t (1 - used) / sum (1 - used)
    a weight between two units that earlier tasks both use moves by (1 - min(used_out, used_in)) of its step

The step itself is shortened, not the gradient: momentum and weight decay would move a protected weight
anyway. The loss should cover the task's own logits (`schedule.loss_over=task`), as with a head a task;
otherwise later tasks still move the head's rows of earlier classes.
"""

from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.methods.method import Memory, Method
from lineshaft.continual.objectives.objective import Batch
from lineshaft.continual.paramset import ParamSet
from lineshaft.continual.phases import Phase
from lineshaft.continual.schedules import Subsets
from lineshaft.continual.streams.stream import Stream

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop

LARGEST = 6.0  # of an entry of e_t
STEEPEST = 50.0  # of s e_t in the compensation


class Hat(Method):
    """memory: used:GATE [units], count_step, and within a step before:NAME of protected tensors."""

    name: Literal["hat"] = "hat"
    strength: float = Field(0.75, ge=0, description="weight of the masks' size")
    sharpest: float = Field(400.0, gt=1, description="s of the sigmoid in evaluation")

    def attach(self, net: Net, stream: Stream) -> Net:
        net.masks = nn.ModuleList(nn.Embedding(len(stream.tasks), gate.units) for gate in net.gates)
        net.sharpest = self.sharpest
        return net

    def phases(self, phases: list[Phase], task: int, subsets: Subsets) -> list[Phase]:
        """Of the masks only the row of the task is trained."""
        return [restricted(phase, task) for phase in phases]

    def begin(self, memory: Memory, loop: "Loop", task: int) -> None:
        memory["count_step"] = torch.zeros((), dtype=torch.int64)
        for number, gate in enumerate(loop.net.gates):
            memory.setdefault(f"used:{number}", torch.zeros(gate.units, device=loop.device))

    def inputs(self, memory: Memory, loop: "Loop", batch: Batch) -> Batch:
        """s rises from 1 / sharpest to sharpest over the batches of an epoch; probing sees the sharp
        masks.
        """
        count = loop.batches(len(loop.stream.tasks[loop.task].train))
        share = int(memory["count_step"]) % count / max(1, count - 1)
        least = 1 / self.sharpest
        loop.net.sharpness = least + (self.sharpest - least) * share if loop.phase.counts else self.sharpest
        return batch

    def loss(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> Tensor | float:
        if not loop.phase.counts:
            return 0.0
        free = [1 - memory[f"used:{i}"] for i in range(len(loop.net.gates))]
        size = torch.stack([(loop.net.gate(i, batch.task) * f).sum() for i, f in enumerate(free)]).sum()
        return self.strength * size / (torch.stack([f.sum() for f in free]).sum() + 1e-6)

    def gradients(self, memory: Memory, loop: "Loop") -> None:
        """Compensate the sigmoid's slope (equation 5 of the paper); note what must be protected."""
        assert loop.net.masks is not None
        for table in loop.net.masks:
            if isinstance(table, nn.Embedding) and table.weight.grad is not None:
                e, s = table.weight.detach(), loop.net.sharpness
                slope = torch.cosh((s * e).clamp(-STEEPEST, STEEPEST)) + 1
                table.weight.grad *= self.sharpest / s * slope / (torch.cosh(e) + 1)
        for name, parameter in loop.parameters():
            memory[f"before:{name}"] = parameter.detach().clone()

    def restore(self, memory: Memory, loop: "Loop") -> None:
        with torch.no_grad():
            for name, parameter in loop.parameters():
                before, used = memory.pop(f"before:{name}"), self._used(memory, loop.net, name, parameter)
                if used is not None:
                    parameter.copy_(
                        torch.where(used > 0, before + (1 - used) * (parameter - before), parameter)
                    )
                if name.startswith("masks."):
                    parameter.clamp_(-LARGEST, LARGEST)

    def _used(self, memory: Memory, net: Net, name: str, parameter: Tensor) -> Tensor | None:
        """How much earlier tasks use each entry: the lesser of its output's and its input's mask."""
        found: Tensor | None = None
        for number, gate in enumerate(net.gates):
            used = memory[f"used:{number}"]
            if name in gate.rows:
                found = least(found, used.view(-1, *[1] * (parameter.ndim - 1)).expand_as(parameter))
            if name in gate.columns:
                found = least(found, used.expand_as(parameter))
        return found

    def updated(self, memory: Memory, loop: "Loop") -> None:
        memory["count_step"] += 1

    def end(self, memory: Memory, loop: "Loop", task: int, rows: Tensor) -> None:
        loop.net.eval()
        for number in range(len(loop.net.gates)):
            mask = loop.net.gate(number, task).detach()
            memory[f"used:{number}"] = torch.maximum(memory[f"used:{number}"], mask)


def restricted(phase: Phase, task: int) -> Phase:
    if phase.trainable.rows_of("masks.0.weight") is not None or not phase.trainable.covers("masks.0.weight"):
        return phase
    others = ParamSet(phase.trainable.name, rf"(?!masks\.)({phase.trainable.pattern})")
    return Phase(**{**vars(phase), "trainable": others | ParamSet("masks", r"masks\.", (task,))})


def least(a: Tensor | None, b: Tensor) -> Tensor:
    return b if a is None else torch.minimum(a, b)
