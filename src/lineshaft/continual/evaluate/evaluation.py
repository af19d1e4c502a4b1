"""What every evaluation is given, and what it gives back. Yours derives from `Evaluation`.

Nothing is chosen on the rows that are scored: neighbours and few shots come from training rows, and whatever
is tuned is tuned by leaving some of those out or on the validation rows.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from lineshaft.continual import speed
from lineshaft.continual.backbones.net import Net
from lineshaft.continual.objectives.objective import Objective
from lineshaft.continual.streams.stream import Store, Stream
from lineshaft.engine import Part

Share = Literal["val", "test"]
SHARES: tuple[Share, Share] = ("val", "test")
Found = dict[str, float | list[float]]
"""Scores by name, in percent: a list has one entry a task and becomes a row of a matrix; a number stands for
the stream so far. Names start with the share they were measured on: `val/knn_task`, `test/knn_task`."""


@dataclass
class Look:
    """The network after a task, and its features of everything, computed once for all evaluations."""

    net: Net
    objective: Objective
    stream: Stream
    task: int
    seed: int
    memory: dict[str, Tensor] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()

    @property
    def is_last(self) -> bool:
        return self.task == len(self.stream.tasks) - 1

    @cached_property
    def shared(self) -> Tensor:
        """Features, float32 [n, width], of all rows without telling the network their task."""
        return embed(self.net, self.stream.store)

    @cached_property
    def own(self) -> Tensor:
        """Features of all rows, each embedded for its own task where the network tells tasks apart."""
        if not self.net.needs_task:
            return self.shared
        store, found = self.stream.store, self.shared.clone()
        for task in self.stream.tasks:
            rows = (store.task == task.id).nonzero()[:, 0]
            found[rows] = embed(self.net, store, task.id, rows)
        return found

    @cached_property
    def is_finite(self) -> bool:
        return bool(torch.isfinite(self.shared).all())

    def rows(self, share: Share) -> list[Tensor]:
        """The rows to be scored, of each task."""
        return [task.part(share) for task in self.stream.tasks]


class Evaluation(Part):
    """One way of asking. `names` are the scores it gives, NaN where the network diverged."""

    def check(self, stream: Stream, objective: Objective) -> None:
        """Refuse, before training starts, what cannot be asked of this stream."""

    def scores(self, look: Look) -> Found:
        raise NotImplementedError


@torch.no_grad()
def embed(
    net: Net, store: Store, task: int | None = None, rows: Tensor | None = None, batch: int = 2000
) -> Tensor:
    """Features, float32 [n, width], of rows as they are; nothing of the network changes."""
    net.eval()
    device = store.x.device
    rows = torch.arange(len(store.x), device=device) if rows is None else rows
    with speed.autocast(device), speed.eager():
        return torch.cat([net.features(store.view(ids), task).float() for ids in rows.split(batch)])


def percent(right: Tensor) -> float:
    return 100 * int(right.sum()) / len(right)


def plain(value: Any) -> Any:
    """Scores as a checkpoint stores them."""
    return [float(v) for v in value] if isinstance(value, list) else float(value)
