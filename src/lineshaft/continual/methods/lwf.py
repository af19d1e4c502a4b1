"""Learning without forgetting (Li and Hoiem, arXiv 1606.09282): distil the old outputs on the new data.

    loss += strength T^2 KL(softmax(old / T) || softmax(new / T))  over the classes of earlier tasks

The original first trains the new head on frozen features ("warm-up step"): that IS a linear probe, so LwF
with `warm_up` under LP-FT probes twice, and LwF with `warm_up` alone is already LwF + LP-FT. Both are told
apart here. Without labels the projections themselves are kept close.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from lineshaft.continual.methods.method import Memory, Method
from lineshaft.continual.methods.teacher import recall, remember
from lineshaft.continual.objectives.cross_entropy import EXCLUDED
from lineshaft.continual.objectives.objective import Batch
from lineshaft.continual.phases import Phase
from lineshaft.continual.schedules import Subsets

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop


class Lwf(Method):
    """memory: teacher:NAME, the network at the end of the last task."""

    name: Literal["lwf"] = "lwf"
    recordable = True
    strength: float = Field(1.0, ge=0, description="weight of the distillation")
    temperature: float = Field(2.0, gt=0, description="of the softmax")
    warm_up: int = Field(0, ge=0, description="epochs in which only the head is trained, of the method's own")
    warm_up_lr: float = Field(0.03, gt=0, description="learning rate of the warm-up")

    def phases(self, phases: list[Phase], task: int, subsets: Subsets) -> list[Phase]:
        if not (self.warm_up and phases):
            return phases
        over = phases[-1].loss_over
        warm = Phase(
            self.warm_up,
            subsets["head"],
            self.warm_up_lr,
            weight_decay=0.0,
            frozen_stats=True,
            loss_over=over,
            counts=False,
        )
        return [warm, *phases]

    def loss(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> Tensor | float:
        if not memory:
            return 0.0
        old = recall(memory, loop, batch.views[0], batch.task)
        if not loop.objective.has_logits:
            return self.strength * F.mse_loss(outputs, old)
        later = ~loop.stream.allowed[: loop.task].any(0)
        new, old = ((z / self.temperature).masked_fill(later, EXCLUDED) for z in (outputs, old))
        kl = F.kl_div(new.log_softmax(1), old.log_softmax(1), reduction="batchmean", log_target=True)
        return self.strength * self.temperature**2 * kl

    def end(self, memory: Memory, loop: "Loop", task: int, rows: Tensor) -> None:
        remember(memory, loop)
