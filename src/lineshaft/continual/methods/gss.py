"""Gradient-based sample selection, greedy (Aljundi et al., arXiv 1903.08671).

A buffer stays diverse when the gradients of its rows point in different directions: a row whose gradient
resembles some of the buffer's replaces one of those with a probability that grows with THEIR resemblance.
Kept rows are learned beside the new ones.

Here the gradient is that of the head alone, which is an outer product of residual and features, so that the
cosine of two rows is the product of two small cosines. The original uses the whole network's gradient, one
backward pass a row.
"""

from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from lineshaft.continual.methods.buffer import Replay
from lineshaft.continual.methods.method import Memory
from lineshaft.continual.objectives.objective import Batch
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop


class Gss(Replay):
    """memory: the buffer; beside its rows the unit residuals, unit features and resemblance at their
    entry.
    """

    name: Literal["gss"] = "gss"
    recordable = True
    weight: float = Field(1.0, ge=0, description="of the kept rows' loss")
    compared: int = Field(10, ge=1, description="rows of the buffer that a new one is compared with")

    def check(self, stream: Stream, has_logits: bool) -> None:
        super().check(stream, has_logits)
        if not has_logits:
            raise RequestError("gss compares gradients of a classifier: it needs an objective with labels")

    def loss(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> Tensor | float:
        if not self.filled(memory):
            return 0.0
        kept = loop.batch(memory["ids"][self.draw(memory, loop, len(batch.ids))])
        return self.weight * loop.objective.loss(loop.net, kept)[1]

    @torch.no_grad()
    def observe(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> None:
        residual = F.normalize(outputs.float().softmax(1) - batch.targets)
        features = F.normalize(loop.net.features(batch.views[0], batch.task).float())
        score = self._resemblance(memory, loop, residual, features)
        beside = {"residual": residual, "features": features, "score": score}
        room = self.size - self.filled(memory)
        if room > 0:
            self.offer(memory, loop, batch.ids[:room], **{k: v[:room] for k, v in beside.items()})
        if len(batch.ids) > room:
            self._compete(
                memory, loop, batch.ids[max(room, 0) :], {k: v[max(room, 0) :] for k, v in beside.items()}
            )

    def _resemblance(self, memory: Memory, loop: "Loop", residual: Tensor, features: Tensor) -> Tensor:
        """1 + the greatest cosine with a few kept rows, [n] in 0..2; .1 where nothing is kept yet."""
        if not self.filled(memory):
            return torch.full((len(residual),), 0.1, device=residual.device)
        few = self.draw(memory, loop, self.compared)
        cosine = (residual @ memory["residual"][few].T) * (features @ memory["features"][few].T)
        return cosine.amax(1) + 1

    def _compete(self, memory: Memory, loop: "Loop", ids: Tensor, beside: dict[str, Tensor]) -> None:
        """Each new row meets one kept row, drawn by its score, and replaces it with score_old / (old +
        new).
        """
        places = torch.multinomial(
            memory["score"].clamp(min=1e-6), min(len(ids), self.size), generator=loop.generator
        )
        ids, beside = ids[: len(places)], {k: v[: len(places)] for k, v in beside.items()}
        old, new = memory["score"][places], beside["score"]
        wins = torch.rand(len(places), generator=loop.generator, device=loop.device) < old / (
            old + new + 1e-12
        )
        wins &= new < 1  # a row that points the same way as a kept one never enters
        memory["ids"][places] = torch.where(wins, ids, memory["ids"][places])
        for key, values in beside.items():
            shape = (-1, *[1] * (values.ndim - 1))
            memory[key][places] = torch.where(wins.view(shape), values, memory[key][places])
        memory["count"] += len(ids)
