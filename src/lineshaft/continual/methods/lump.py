"""LUMP (Madaan et al., "Representational continuity for unsupervised continual learning", arXiv 2110.06976).

Every sample of the batch is mixed with one of a buffer of past rows: x = mix x_new + (1 - mix) x_old, one
mix a batch from Beta(alpha, alpha). It was made for objectives without labels; with labels the targets mix
alike.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor

from lineshaft.continual.methods.buffer import Replay
from lineshaft.continual.methods.method import Memory
from lineshaft.continual.objectives.objective import Batch
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop


class Lump(Replay):
    """memory: the buffer."""

    name: Literal["lump"] = "lump"
    recordable = True
    alpha: float = Field(0.4, gt=0, description="of the Beta distribution that draws the mix")

    def check(self, stream: Stream, has_logits: bool) -> None:
        super().check(stream, has_logits)
        if stream.store.is_tokens:
            raise RequestError("lump mixes inputs: words cannot be mixed; use pixels or vectors")

    def inputs(self, memory: Memory, loop: "Loop", batch: Batch) -> Batch:
        if not self.filled(memory):
            return batch
        n = len(batch.ids)
        places = torch.randint(0, self.filled(memory), (n,), generator=loop.generator, device=loop.device)
        old, share = loop.batch(memory["ids"][places]), mix(self.alpha, loop)
        views = tuple(share * a + (1 - share) * b for a, b in zip(batch.views, old.views))
        allowed = None if batch.allowed is None or old.allowed is None else batch.allowed | old.allowed
        targets = share * batch.targets + (1 - share) * old.targets
        return replace(batch, views=views, targets=targets, allowed=allowed)

    def observe(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> None:
        self.offer(memory, loop, batch.ids)


def mix(alpha: float, loop: "Loop") -> Tensor:
    """One draw of Beta(alpha, alpha) from the loop's own generator (Johnk's method, 64 tries at once)."""
    u, v = torch.rand(2, 64, generator=loop.generator, device=loop.device).clamp(min=1e-30) ** (1 / alpha)
    first = (u + v <= 1).float().argmax()[None]  # that fits; the chance of none is below 1e-9
    a, b = u.index_select(0, first), v.index_select(0, first)  # u[first] would wait for the device
    share: Tensor = a / (a + b)
    return share
