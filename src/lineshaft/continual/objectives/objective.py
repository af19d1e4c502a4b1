"""What every objective offers, and the batch it is given."""

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.paramset import ParamSet
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import Part


@dataclass(frozen=True)
class Batch:
    """Some rows of the store, augmented.

    ids: [n] rows of the store (what a buffer keeps); views: inputs, each [n, ...]; targets: [n, classes] of
    sum 1; allowed: bool [n, classes], the logits that compete, None for all; task: the one being learned.
    """

    ids: Tensor
    views: tuple[Tensor, ...]
    targets: Tensor
    allowed: Tensor | None
    task: int

    def with_views(self, views: tuple[Tensor, ...]) -> "Batch":
        return replace(self, views=views)


class Objective(Part):
    """How a batch becomes a loss.

    views: augmented views of each sample; has_logits: the output has one column a class; recordable: the
    loss waits for nothing, so that a step may be played back as a CUDA graph.
    """

    views: ClassVar[int] = 1
    has_logits: ClassVar[bool] = False
    recordable: ClassVar[bool] = False

    def attach(self, net: Net, stream: Stream) -> None:
        """Give the network the heads this objective needs."""
        raise NotImplementedError

    def subsets(self, classes: tuple[int, ...]) -> dict[str, ParamSet]:
        """The parts of those heads that a schedule may train by themselves; `head` is LP-FT's default."""
        raise NotImplementedError

    def loss(self, net: Net, batch: Batch) -> tuple[Tensor, Tensor]:
        """(outputs, loss): outputs [n, ...] are what distillation and replay compare."""
        raise NotImplementedError

    def outputs(self, net: Net, x: Tensor, task: int | None) -> Tensor:
        """The outputs of one view."""
        raise NotImplementedError
