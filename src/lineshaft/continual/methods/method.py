"""What every method may do, and when. A method owns no loop and no state of its own.

Everything a method must remember lies in `memory`, a dictionary of tensors that the loop keeps, charges and
writes into checkpoints: a run resumes bit-identically because there is nowhere else to put anything.

Hooks of one step, in this order; each is called once for each method of the list, in the list's order:

    inputs -> (the objective's loss) + loss -> backward -> gradients -> optimiser -> restore
           -> updated (counting phases only) -> observe (first counting epoch of a task only: once a row)
"""

from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.objectives.objective import Batch
from lineshaft.continual.phases import Phase
from lineshaft.continual.schedules import Subsets
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import Part

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop

Memory = dict[str, Tensor]


class Method(Part):
    """Derive from this and override what the method needs; everything else does nothing.

    recordable: the hooks of a step wait for nothing and, outside `observe`, depend on no number of Python
    that changes within a phase, so that a step may be played back as a CUDA graph.
    """

    recordable: ClassVar[bool] = False

    def check(self, stream: Stream, has_logits: bool) -> None:
        """Refuse, before training starts, what cannot work."""

    def attach(self, net: Net, stream: Stream) -> Net:
        """Change the network before training: columns, masks."""
        return net

    def phases(self, phases: list[Phase], task: int, subsets: Subsets) -> list[Phase]:
        """Change a task's phases: a warm-up of the method's own."""
        return phases

    def rows(self, memory: Memory, loop: "Loop", rows: Tensor) -> Tensor:
        """The rows of an epoch; those of the task unless the method says otherwise."""
        return rows

    def begin(self, memory: Memory, loop: "Loop", task: int) -> None:
        """Before a task."""

    def inputs(self, memory: Memory, loop: "Loop", batch: Batch) -> Batch:
        """Change the batch."""
        return batch

    def loss(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> Tensor | float:
        """A term added to the objective's loss."""
        return 0.0

    def gradients(self, memory: Memory, loop: "Loop") -> None:
        """Change the gradients, before they are clipped and applied."""

    def restore(self, memory: Memory, loop: "Loop") -> None:
        """Put back what the optimiser must not have moved."""

    def updated(self, memory: Memory, loop: "Loop") -> None:
        """After a step of a phase that counts."""

    def observe(self, memory: Memory, loop: "Loop", batch: Batch, outputs: Tensor) -> None:
        """Each row of a task exactly once, never while probing: fill buffers here."""

    def end(self, memory: Memory, loop: "Loop", task: int, rows: Tensor) -> None:
        """After a task, with its training rows: importance, snapshots."""

    def rows_kept(self, memory: Memory) -> int:
        """Rows of the data that the method keeps; their bytes are charged to it."""
        return int(memory["ids"].numel()) if "ids" in memory else 0
