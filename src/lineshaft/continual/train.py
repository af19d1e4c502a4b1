"""The one training loop: every schedule on every stream goes through it, an epoch at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.phases import Phase
from lineshaft.continual.streams import Store

MOMENTUM = 0.9


@dataclass(frozen=True)
class Step:
    """One epoch of a phase on a task, or, without a phase, the evaluation after the task."""

    task: int
    phase: Phase | None = None
    is_first: bool = False  # of its phase


def plan(tasks: int, phases: Sequence[Phase]) -> list[Step]:
    """Everything a run does, in order; a run is resumed by its position in this list."""
    steps = []
    for task in range(tasks):
        for phase in phases:
            steps += [Step(task, phase, is_first=epoch == 0) for epoch in range(phase.epochs)]
        steps.append(Step(task))
    return steps


class Learner:
    """A network on its way through a stream: all that changes while it learns, and nothing else.

    Each phase starts a fresh optimiser over its own parameters, so frozen ones see neither momentum nor
    weight decay. On CUDA: bfloat16 autocast, channels-last, a fused optimiser, an epoch's augmentation as one
    gather, and no wait for the device before the end of an epoch.
    """

    def __init__(self, net: Net, store: Store, batch: int, weight_decay: float, seed: int) -> None:
        self.store = store
        self.device = store.x.device
        self.net = net.to(self.device, memory_format=torch.channels_last)
        self.batch = batch
        self.weight_decay = weight_decay
        self.generator = Generator(self.device).manual_seed(seed)
        self.optimiser: torch.optim.Optimizer | None = None

    def begin(self, phase: Phase) -> None:
        """Choose what the phase trains, with a fresh optimiser."""
        parameters = phase.trainable.select(self.net)
        self.optimiser = torch.optim.SGD(
            parameters, phase.lr, MOMENTUM, weight_decay=self.weight_decay, fused=self.device.type == "cuda"
        )

    def epoch(self, rows: Tensor, phase: Phase) -> float:
        """Train once on these rows of the store, in random order; the mean loss."""
        self.net.train(phase.batchnorm == "train")
        rows = rows[torch.randperm(len(rows), generator=self.generator, device=self.device)]
        count = math.ceil(
            len(rows) / self.batch
        )  # batches of equal size, so that no rump batch upsets BatchNorm
        x = self.store.augmented(rows, self.generator).tensor_split(count)
        y = self.store.labels[rows].tensor_split(count)
        losses = [self.update(inputs, labels) for inputs, labels in zip(x, y, strict=True)]
        return torch.stack(losses).mean().item()

    def update(self, x: Tensor, y: Tensor) -> Tensor:
        """One step down the cross-entropy over all logits of the stream."""
        assert self.optimiser is not None, "begin a phase first"
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
            loss = F.cross_entropy(self.net(x), y)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def rest(self) -> None:
        """Forget the optimiser: the next phase brings its own."""
        self.optimiser = None

    def state(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict() if self.optimiser else None,
            "generator": self.generator.get_state(),
        }

    def restore(self, state: dict[str, Any], phase: Phase | None) -> None:
        """Go on where `state` was taken; `phase` is the one it was taken in, None between two tasks."""
        self.net.load_state_dict(state["net"])
        self.generator.set_state(state["generator"])
        if phase is not None:
            self.begin(phase)
            assert self.optimiser is not None
            self.optimiser.load_state_dict(state["optimiser"])
