"""A few-shot linear probe of the features: the network's own head is thrown away.

probe: of each task's classes, a few training rows each; probe_class: of all classes seen so far. The
strength of the ridge is chosen by leaving rows of the few out. Not to be confused with probing as a phase of
LP-FT.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from lineshaft.continual.evaluate.evaluation import SHARES, Evaluation, Found, Look, percent
from lineshaft.continual.evaluate.ridge import fit
from lineshaft.continual.objectives.objective import Objective
from lineshaft.continual.streams.stream import Stream, Task
from lineshaft.engine.errors import RequestError


class Probe(Evaluation):
    """Ridge regression on a few rows a class."""

    name: Literal["probe"] = "probe"
    shots: int = Field(50, ge=1, description="training rows a class")

    def check(self, stream: Stream, objective: Objective) -> None:
        enough(stream, self.shots, "probe.shots")

    def scores(self, look: Look) -> Found:
        stream, y = look.stream, look.stream.store.y
        few = [few_rows(task, y, self.shots) for task in stream.tasks]
        classes = [torch.tensor(task.classes, device=y.device) for task in stream.tasks]
        probes = fit([look.own[rows] for rows in few], [y[rows] for rows in few], classes)
        seen = torch.cat(few[: look.task + 1])
        (whole,) = fit([look.shared[seen]], [y[seen]], [torch.cat(classes[: look.task + 1]).unique()])
        found: Found = {"probe/at_edge": 100 * sum(p.at_edge for p in probes) / len(probes)}
        for share in SHARES:
            rows = look.rows(share)
            found[f"{share}/probe"] = [percent(p(look.own[r]) == y[r]) for p, r in zip(probes, rows)]
            queries = torch.cat(rows[: look.task + 1])
            found[f"{share}/probe_class"] = percent(whole(look.shared[queries]) == y[queries])
        return found


def few_rows(task: Task, y: Tensor, shots: int) -> Tensor:
    """The first `shots` training rows of each class of a task; their order is random since the split."""
    return torch.cat([task.train[y[task.train] == label][:shots] for label in task.classes])


def enough(stream: Stream, shots: int, key: str) -> None:
    """Every class of every task must have that many training rows."""
    for task in stream.tasks:
        counts = stream.store.y[task.train].bincount(minlength=stream.classes)
        label = min(task.classes, key=lambda c: int(counts[c]))
        if int(counts[label]) < shots:
            raise RequestError(
                f"{key}={shots}: class {stream.class_names[label]} of task {task.id + 1} has "
                f"{int(counts[label])} training rows; use {int(counts[label])} or fewer"
            )
