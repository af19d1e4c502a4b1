"""The network's own head: right among the task's classes (head_task) and among all seen so far
(head_class).
"""

from typing import Literal

import torch
from torch import Tensor

from lineshaft.continual import speed
from lineshaft.continual.evaluate.evaluation import SHARES, Evaluation, Found, Look, percent
from lineshaft.continual.objectives.objective import Objective
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError


class Head(Evaluation):
    """The head that was trained; for objectives with labels."""

    name: Literal["head"] = "head"

    def check(self, stream: Stream, objective: Objective) -> None:
        if not objective.has_logits:
            raise RequestError("evaluate=head needs an objective with labels; use knn or probe")

    @torch.no_grad()
    def scores(self, look: Look) -> Found:
        stream, y = look.stream, look.stream.store.y
        found: Found = {"head/norm": float(look.net.head.weight.norm())}
        with speed.autocast(y.device):
            own, shared = (look.net.head(f).float() for f in (look.own, look.shared))
        seen = stream.allowed[: look.task + 1].any(0)
        for share in SHARES:
            rows = look.rows(share)
            found[f"{share}/head_task"] = [
                percent(among(own[r], stream.allowed[task.id]) == y[r]) for task, r in zip(stream.tasks, rows)
            ]
            queries = torch.cat(rows[: look.task + 1])
            found[f"{share}/head_class"] = percent(among(shared[queries], seen) == y[queries])
        return found


def among(logits: Tensor, classes: Tensor) -> Tensor:
    """The likeliest of these classes (bool [classes])."""
    return logits.masked_fill(~classes, -torch.inf).argmax(1)
