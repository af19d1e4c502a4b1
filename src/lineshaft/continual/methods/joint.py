"""Joint training, the upper bound: rows of all tasks from the start, as many an epoch as the task has.

Equal compute: over the stream it sees as many rows as sequential training does. Not a continual method.
"""

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from lineshaft.continual.methods.method import Memory, Method

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop


class Joint(Method):
    """Keeps nothing, because it has everything."""

    name: Literal["joint"] = "joint"
    recordable = True

    def rows(self, memory: Memory, loop: "Loop", rows: Tensor) -> Tensor:
        everything = torch.cat([task.train for task in loop.stream.tasks])
        drawn = torch.randperm(len(everything), generator=loop.generator, device=loop.device)
        return everything[drawn[: len(rows)]]
