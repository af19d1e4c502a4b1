"""A stream: tasks that come one after the other, over images that lie on the device once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from lineshaft.continual.augment import crop_flip, normalise
from lineshaft.continual.data import Images
from lineshaft.engine import RequestError

VALIDATION = 0.1  # share of the training images that no network trains on; learning rates are chosen there


@dataclass(frozen=True)
class Store:
    """The images of a stream on one device; `y` are the true classes, `labels` those that are trained on."""

    x: Tensor
    y: Tensor
    labels: Tensor
    mean: Tensor
    std: Tensor

    def view(self, ids: Tensor) -> Tensor:
        """The images as the network sees them: float32, [n, pixels] or [n, channels, height, width]."""
        return normalise(self.x[ids], self.mean, self.std) if self._is_pixels else self.x[ids]

    def augmented(self, ids: Tensor, generator: Generator) -> Tensor:
        """The same, randomly cropped and mirrored; plain vectors stay as they are."""
        if not self._is_pixels:
            return self.x[ids]
        return normalise(crop_flip(self.x, ids, generator), self.mean, self.std)

    @property
    def _is_pixels(self) -> bool:
        return self.x.dtype == torch.uint8


@dataclass(frozen=True)
class Task:
    """What one task brings: its classes and the rows of the store it trains, validates and tests on."""

    id: int
    classes: tuple[int, ...]
    train: Tensor
    val: Tensor
    test: Tensor

    def part(self, name: Literal["train", "val", "test"]) -> Tensor:
        rows: Tensor = getattr(self, name)
        return rows


@dataclass(frozen=True)
class Stream:
    """Tasks in the order in which they are learned."""

    store: Store
    tasks: tuple[Task, ...]
    class_names: tuple[str, ...]

    @property
    def classes(self) -> int:
        return len(self.class_names)


def class_incremental(
    images: Images,
    classes_per_task: int,
    *,
    seed: int,
    device: str = "cpu",
    train_size: int | None = None,
    test_size: int | None = None,
    shuffled: bool = False,
) -> Stream:
    """Every task brings `classes_per_task` new classes, in their natural order.

    seed: of the validation split (a tenth of each class) and of every subset;
    train_size, test_size: images a class, None for all; the validation images come out of train_size;
    shuffled: permute the labels that are trained on within each task, the control that has nothing to learn.
    """
    generator = torch.Generator().manual_seed(seed)
    total = len(images.class_names)
    groups = [tuple(range(first, first + classes_per_task)) for first in range(0, total, classes_per_task)]
    tasks = [
        _task(images, task, classes, generator, train_size, test_size) for task, classes in enumerate(groups)
    ]
    y = images.y
    labels = _shuffled_within(tasks, y, generator) if shuffled else y
    used = torch.cat([rows for task in tasks for rows in (task.train, task.val, task.test)])
    rows = used.to(device)
    store = Store(
        x=images.x.to(device)[rows],
        y=y.to(device)[rows],
        labels=labels.to(device)[rows],
        mean=torch.tensor(images.mean, device=device),
        std=torch.tensor(images.std, device=device),
    )
    place = torch.empty_like(y)
    place[used] = torch.arange(len(used))
    return Stream(store, tuple(_placed(task, place, device) for task in tasks), images.class_names)


def _task(
    images: Images,
    number: int,
    classes: Sequence[int],
    generator: Generator,
    train_size: int | None,
    test_size: int | None,
) -> Task:
    train, val, test = [], [], []
    for label in classes:
        learnable = _drawn(images.y[: images.trained] == label, train_size, generator)
        held_out = max(1, round(VALIDATION * len(learnable)))
        val.append(learnable[:held_out])
        train.append(learnable[held_out:])
        test.append(images.trained + _drawn(images.y[images.trained :] == label, test_size, generator))
        if not (len(train[-1]) and len(test[-1])):
            raise RequestError(f"{images.name} has too few images of class {images.class_names[label]}")
    return Task(number, tuple(classes), torch.cat(train), torch.cat(val), torch.cat(test))


def _drawn(mask: Tensor, size: int | None, generator: Generator) -> Tensor:
    """The positions where the mask holds, in random order, at most `size` of them."""
    positions = mask.nonzero()[:, 0]
    return positions[torch.randperm(len(positions), generator=generator)][:size]


def _shuffled_within(tasks: Sequence[Task], y: Tensor, generator: Generator) -> Tensor:
    labels = y.clone()
    for task in tasks:
        labels[task.train] = y[task.train[torch.randperm(len(task.train), generator=generator)]]
    return labels


def _placed(task: Task, place: Tensor, device: str) -> Task:
    """The task over rows of the store, which holds the used images only, instead of rows of the data set."""
    train, val, test = (place[rows].to(device) for rows in (task.train, task.val, task.test))
    return Task(task.id, task.classes, train, val, test)
