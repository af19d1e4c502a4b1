"""A stream: tasks that come one after the other, over data that lie on the device once."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from lineshaft.continual.augment import normalise

Share = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Store:
    """The data of a stream on one device; `y` are the true classes, `labels` those that are trained on.

    x: uint8 [n, height, width, channels] pixels; int64 [n, length] tokens; float32 [n, width] vectors.
    task: int64 [n], the task each row belongs to.
    """

    x: Tensor
    y: Tensor
    labels: Tensor
    task: Tensor
    mean: Tensor
    std: Tensor

    def view(self, ids: Tensor) -> Tensor:
        """The rows as a network sees them: [n, channels, height, width], [n, length] or [n, width]."""
        return normalise(self.x[ids], self.mean, self.std) if self.is_pixels else self.x[ids]

    @property
    def is_pixels(self) -> bool:
        return self.x.dtype == torch.uint8

    @property
    def is_tokens(self) -> bool:
        return self.x.dtype == torch.int64

    @property
    def row_bytes(self) -> int:
        """What a buffer pays for keeping one row."""
        return self.x[0].numel() * self.x.element_size()


@dataclass(frozen=True)
class Task:
    """What one task brings: its classes and the rows of the store it trains, validates and tests on."""

    id: int
    classes: tuple[int, ...]
    train: Tensor
    val: Tensor
    test: Tensor
    title: str = ""

    def part(self, name: Share) -> Tensor:
        rows: Tensor = getattr(self, name)
        return rows


@dataclass(frozen=True)
class Stream:
    """Tasks in the order in which they are learned."""

    store: Store
    tasks: tuple[Task, ...]
    class_names: tuple[str, ...]
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @cached_property
    def allowed(self) -> Tensor:
        """Bool [tasks, classes]: which classes a task has."""
        table = torch.zeros(len(self.tasks), self.classes, dtype=torch.bool)
        for task in self.tasks:
            table[task.id, list(task.classes)] = True
        return table.to(self.store.x.device)

    @property
    def trained_rows(self) -> int:
        return sum(len(task.train) for task in self.tasks)
