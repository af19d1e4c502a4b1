"""A phase: some epochs over one task with one set of trainable parameters and one recipe."""

import math
from dataclasses import dataclass
from typing import Literal

from lineshaft.continual.paramset import ALL, ParamSet

LossOver = Literal["all", "seen", "task"]


@dataclass(frozen=True)
class Phase:
    """What is trained, for how long and how. Nothing of this is a habit of the loop.

    frozen_stats: BatchNorm uses its running statistics and leaves them alone, also where it is trained
    (where it is not trained it always does). loss_over: the logits that compete: of all classes of the
    stream, of those seen so far, or of the sample's own task. counts: buffers are filled and importance is
    collected; never while probing. body_scale: the rate of everything but the head, as a share of lr. carry:
    momentum of the phase before is kept. after: "norm" puts the trained tensors back at the end of the
    phase, scaled to the norm that training gave them (a control).
    """

    epochs: int
    trainable: ParamSet = ALL
    lr: float = 0.001
    optimiser: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip: float = 0.0
    decay: Literal["constant", "cosine"] = "constant"
    body_scale: float = 1.0
    carry: bool = False
    frozen_stats: bool = False
    loss_over: LossOver = "all"
    counts: bool = True
    after: Literal["keep", "norm"] = "keep"

    def lr_at(self, epoch: int) -> float:
        """The rate of this epoch, counted from 0."""
        if self.decay == "constant":
            return self.lr
        return self.lr * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))


@dataclass(frozen=True)
class Step:
    """One epoch of a phase on a task, or, without a phase, the evaluation after the task."""

    task: int
    phase: Phase | None = None
    epoch: int = 0
    opens_task: bool = False

    @property
    def opens_phase(self) -> bool:
        return self.phase is not None and self.epoch == 0

    @property
    def closes_phase(self) -> bool:
        return self.phase is not None and self.epoch == self.phase.epochs - 1


def plan(phases: list[list[Phase]]) -> list[Step]:
    """Everything a run does, in order; a run is resumed by its position in this list. One entry a task."""
    steps = []
    for task, some in enumerate(phases):
        mine = [Step(task, phase, epoch) for phase in some for epoch in range(phase.epochs)] + [Step(task)]
        mine[0] = Step(task, mine[0].phase, mine[0].epoch, opens_task=True)
        steps += mine
    return steps
