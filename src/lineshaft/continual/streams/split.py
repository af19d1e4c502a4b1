"""From a data set to a stream: which task a row belongs to, and whether it trains, validates or tests."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from lineshaft.continual.images import Images, inside
from lineshaft.continual.seeds import generator
from lineshaft.continual.streams.stream import Store, Stream, Task
from lineshaft.engine.errors import RequestError

VALIDATION = 0.1  # share of the training rows that no network trains on; learning rates are chosen there


def by_class(images: Images, sizes: int | Sequence[int], order: Sequence[int]) -> tuple[Tensor, list[str]]:
    """Task [n] of every row when tasks bring new classes in this order; the last one may bring fewer."""
    total = len(images.class_names)
    if sorted(order) != list(range(total)):
        raise RequestError(f"{images.name}: the class order must name each of {total} classes once")
    if min((sizes,) if isinstance(sizes, int) else (*sizes, 1)) < 1:
        raise RequestError(f"{images.name}: classes_per_task={sizes}; every task needs a class or more")
    counts = [sizes] * -(-total // sizes) if isinstance(sizes, int) else list(sizes)
    if not isinstance(sizes, int) and sum(counts) != total:
        raise RequestError(
            f"{images.name}: classes_per_task={counts} adds up to {sum(counts)}, there are {total} classes"
        )
    task = [i for i, count in enumerate(counts) for _ in range(count)][:total]
    lookup = torch.empty(total, dtype=torch.int64)
    lookup[torch.tensor(order)] = torch.tensor(task)
    names = [
        ", ".join(images.class_names[c] for c, t in zip(order, task) if t == i) for i in range(max(task) + 1)
    ]
    return lookup[known_labels(images)], names


def by_domain(images: Images, order: Sequence[int]) -> tuple[Tensor, list[str]]:
    """Task [n] of every row when each task is a domain with the same classes."""
    if images.domains is None:
        raise RequestError(f"{images.name} has no domains: use a class-incremental stream")
    names = images.domain_names
    if sorted(order) != list(range(len(names))):
        raise RequestError(f"{images.name}: the domain order must name each of {len(names)} domains once")
    place = torch.empty(len(names), dtype=torch.int64)
    place[torch.tensor(order)] = torch.arange(len(names))
    return place[images.domains], [names[i] for i in order]


def known_labels(images: Images) -> Tensor:
    """The labels, or an error that names the first one without a class name."""
    inside(images.name, "label", images.y, images.class_names)
    return images.y


def shuffled_order(count: int, seed: int) -> list[int]:
    """An order of classes or domains that belongs to the seed."""
    order: list[int] = torch.randperm(count, generator=generator(seed, "order")).tolist()
    return order


def build(
    images: Images,
    groups: Tensor,
    titles: Sequence[str],
    *,
    seed: int,
    device: str = "cpu",
    train_size: int | None = None,
    test_size: int | None = None,
    shuffled: bool = False,
) -> Stream:
    """The stream of rows [n] grouped into tasks.

    seed: of the validation split (a tenth of each class of each task) and of every subset;
    train_size, test_size: rows a class and task, None for all; validation rows come out of train_size;
    shuffled: permute the labels that are trained on within each task, the control that has nothing to learn.
    """
    y, draws = known_labels(images), generator(seed, "split")
    tasks = [
        _task(images, number, title, (groups == number), draws, train_size, test_size)
        for number, title in enumerate(titles)
    ]
    labels = _shuffled_within(tasks, y, generator(seed, "shuffled labels")) if shuffled else y
    used = torch.cat([rows for task in tasks for rows in (task.train, task.val, task.test)])
    rows = used.to(device)
    store = Store(
        x=images.x.to(device)[rows],
        y=y.to(device)[rows],
        labels=labels.to(device)[rows],
        task=groups.to(device)[rows],
        mean=torch.tensor(images.mean, device=device),
        std=torch.tensor(images.std, device=device),
    )
    place = torch.empty_like(y)
    place[used] = torch.arange(len(used))
    return Stream(store, tuple(_placed(task, place, device) for task in tasks), images.class_names)


def _task(
    images: Images,
    number: int,
    title: str,
    mine: Tensor,
    draws: Generator,
    train_size: int | None,
    test_size: int | None,
) -> Task:
    train, val, test = [], [], []
    classes: list[int] = images.y[mine].unique().tolist()
    if not classes:
        raise RequestError(f"{images.name}: task {number + 1} ({title}) is empty")
    for label in classes:
        rows = mine & (images.y == label)
        learnable = _drawn(rows[: images.trained], train_size, draws)
        held_out = max(1, round(VALIDATION * len(learnable)))
        val.append(learnable[:held_out])
        train.append(learnable[held_out:])
        test.append(images.trained + _drawn(rows[images.trained :], test_size, draws))
        if not (len(train[-1]) and len(test[-1])):
            raise RequestError(
                f"{images.name} has too few rows of class {images.class_names[label]} in task {number + 1} "
                f"({title}): it needs 2 to train and validate on and 1 to test"
            )
    return Task(number, tuple(classes), torch.cat(train), torch.cat(val), torch.cat(test), title)


def _drawn(mask: Tensor, size: int | None, draws: Generator) -> Tensor:
    """The positions where the mask holds, in random order, at most `size` of them."""
    positions = mask.nonzero()[:, 0]
    return positions[torch.randperm(len(positions), generator=draws)][:size]


def _shuffled_within(tasks: Sequence[Task], y: Tensor, draws: Generator) -> Tensor:
    labels = y.clone()
    for task in tasks:
        labels[task.train] = y[task.train[torch.randperm(len(task.train), generator=draws)]]
    return labels


def _placed(task: Task, place: Tensor, device: str) -> Task:
    """The task over rows of the store, which holds the used rows only, instead of rows of the data set."""
    train, val, test = (place[rows].to(device) for rows in (task.train, task.val, task.test))
    return Task(task.id, task.classes, train, val, test, task.title)
