"""A-GEM (Chaudhry et al., "Efficient lifelong learning with A-GEM", arXiv 1812.00420).

Where the gradient would raise the loss on a batch of past rows, the conflicting part is taken out:

    g <- g - (g . g_ref / g_ref . g_ref) g_ref   if g . g_ref < 0

Not to be confused with replay: past rows are never learned from, they only bend the direction.
"""

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from lineshaft.continual import speed
from lineshaft.continual.methods.buffer import Replay
from lineshaft.continual.methods.method import Memory
from lineshaft.continual.methods.si import gradient
from lineshaft.continual.objectives.objective import Batch

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop


class Agem(Replay):
    """memory: the buffer, filled at the end of each task by an equal share of its rows."""

    name: Literal["agem"] = "agem"
    recordable = True

    def gradients(self, memory: Memory, loop: "Loop") -> None:
        if not self.filled(memory):
            return
        mine = [(p, gradient(p).clone()) for _, p in loop.parameters()]
        reference = self._reference(memory, loop, [p for p, _ in mine])
        along = sum(
            ((g * r).sum() for (_, g), r in zip(mine, reference)), torch.zeros((), device=loop.device)
        )
        size = sum((r.square().sum() for r in reference), torch.zeros((), device=loop.device))
        share = torch.where(along < 0, along / size.clamp(min=1e-12), 0.0)
        for (parameter, g), r in zip(mine, reference):
            parameter.grad = g - share * r

    def _reference(self, memory: Memory, loop: "Loop", parameters: list[torch.nn.Parameter]) -> list[Tensor]:
        """The gradient of the loss on past rows; BatchNorm's statistics see them once more, as in
        training.
        """
        batch = loop.batch(memory["ids"][self.draw(memory, loop, loop.size)])
        with speed.autocast(loop.device):
            loss = loop.objective.loss(loop.net, batch)[1]
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found)]

    def observe(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> None:
        """Rows of the task being learned wait: they are no past yet."""
        waiting = memory.get("waiting", torch.zeros(0, dtype=torch.int64, device=loop.device))
        memory["waiting"] = torch.cat([waiting, batch.ids])

    def end(self, memory: Memory, loop: "Loop", task: int, rows: Tensor) -> None:
        if "waiting" in memory:
            self.offer(memory, loop, memory.pop("waiting"))
