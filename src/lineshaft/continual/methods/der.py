"""Dark experience replay (Buzzega et al., arXiv 2004.07211): replay old rows with the outputs they once had.

    loss += alpha mean (outputs now - outputs kept)^2            (DER)
          + beta cross-entropy of other kept rows, their labels  (DER++)

The outputs are those of the moment a row entered the buffer, one row once (not those at the end of its task,
which is distillation, and not once an epoch as in published code). Without labels the projections are kept.
"""

from typing import TYPE_CHECKING, Literal

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


class Der(Replay):
    """memory: the buffer, and outputs [size, ...] beside its rows."""

    name: Literal["der"] = "der"
    recordable = True
    alpha: float = Field(0.3, ge=0, description="weight of the kept outputs")

    def loss(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> Tensor | float:
        if not self.filled(memory):
            return 0.0
        places = self.draw(memory, loop, len(batch.ids))
        x = loop.augment.view(loop.store, memory["ids"][places], loop.generator)
        now = loop.objective.outputs(loop.net, x, batch.task)
        return self.alpha * F.mse_loss(now, memory["outputs"][places])

    def observe(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> None:
        self.offer(memory, loop, batch.ids, outputs=outputs)


class DerPlus(Der):
    """DER with labels: kept rows are learned too."""

    name: Literal["derpp"] = "derpp"  # type: ignore[assignment]
    beta: float = Field(0.5, ge=0, description="weight of the kept rows' own loss")

    def check(self, stream: Stream, has_logits: bool) -> None:
        super().check(stream, has_logits)
        if not has_logits:
            raise RequestError("derpp needs labels; der works without")

    def loss(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> Tensor | float:
        if not self.filled(memory):
            return 0.0
        kept = loop.batch(memory["ids"][self.draw(memory, loop, len(batch.ids))])
        return super().loss(memory, loop, batch, outputs) + self.beta * loop.objective.loss(loop.net, kept)[1]
