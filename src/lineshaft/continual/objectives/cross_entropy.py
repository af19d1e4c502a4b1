"""Cross-entropy over the classes of the stream: one linear head, logits that do not compete left out."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.objectives.objective import Batch, Objective
from lineshaft.continual.paramset import HEAD, ParamSet
from lineshaft.continual.streams.stream import Stream

EXCLUDED = -1e4  # a finite logit: minus infinity times a target of zero would be NaN


class CrossEntropy(Objective):
    """Supervised: one head with a logit for every class of the stream."""

    name: Literal["cross_entropy"] = "cross_entropy"
    recordable = True
    has_logits = True

    def attach(self, net: Net, stream: Stream) -> None:
        net.head = nn.Linear(net.width, stream.classes)

    def subsets(self, classes: tuple[int, ...]) -> dict[str, ParamSet]:
        return {"head": HEAD, "new": ParamSet("new", r"head\.(weight|bias)", classes)}

    def loss(self, net: Net, batch: Batch) -> tuple[Tensor, Tensor]:
        logits = self.outputs(net, batch.views[0], batch.task)
        return logits, soft_cross_entropy(logits, batch.targets, batch.allowed)

    def outputs(self, net: Net, x: Tensor, task: int | None) -> Tensor:
        logits: Tensor = net.head(net.embed(x, task)).float()
        return logits


def soft_cross_entropy(logits: Tensor, targets: Tensor, allowed: Tensor | None) -> Tensor:
    """Mean over samples of -sum targets log softmax; logits that are not allowed take no part."""
    if allowed is not None:
        logits = logits.masked_fill(~allowed, EXCLUDED)
    return F.cross_entropy(logits, targets)
