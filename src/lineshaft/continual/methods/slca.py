"""Slow learner with classifier alignment (Zhang et al., "SLCA", arXiv 2303.05118), for pretrained backbones.

Two halves. The slow learner is a schedule: `schedule=finetune schedule.body_scale=0.01` trains all but the
head at a hundredth of the rate. This method is the other half: at the end of each task every class seen so
far is kept as a Gaussian of its features, and the head alone is trained on samples of all of them.
"""

from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from lineshaft.continual.evaluate.evaluation import embed
from lineshaft.continual.methods.method import Memory, Method
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop


class Slca(Method):
    """memory: mean:CLASS [width] and spread:CLASS [width] of each class when it was last learned."""

    name: Literal["slca"] = "slca"
    recordable = True
    steps: int = Field(100, ge=1, description="steps of alignment at the end of each task")
    samples: int = Field(16, ge=1, description="features drawn of each class in each step")
    lr: float = Field(0.01, gt=0, description="learning rate of alignment")

    def check(self, stream: Stream, has_logits: bool) -> None:
        if not has_logits:
            raise RequestError("slca aligns a classifier: it needs an objective with labels")

    def end(self, memory: Memory, loop: "Loop", task: int, rows: Tensor) -> None:
        features, labels = embed(loop.net, loop.store, task, rows), loop.store.labels[rows]
        for label in loop.stream.tasks[task].classes:
            mine = features[labels == label]
            memory[f"mean:{label}"], memory[f"spread:{label}"] = mine.mean(0), mine.std(0, correction=0)
        self._align(memory, loop)

    def _align(self, memory: Memory, loop: "Loop") -> None:
        seen = [int(key.split(":")[1]) for key in memory if key.startswith("mean:")]
        means, spreads = (torch.stack([memory[f"{key}:{c}"] for c in seen]) for key in ("mean", "spread"))
        targets = torch.arange(len(seen), device=means.device).repeat_interleave(self.samples)
        head = loop.net.head.requires_grad_(True)
        optimiser = torch.optim.SGD(head.parameters(), self.lr, momentum=0.9)
        for _ in range(self.steps):
            shape = (len(seen), self.samples, means.shape[1])
            noise = torch.randn(shape, generator=loop.generator, device=loop.device)
            drawn = (means[:, None] + spreads[:, None] * noise).flatten(0, 1)
            loss = F.cross_entropy(head(drawn)[:, seen], targets)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        optimiser.zero_grad(set_to_none=True)
