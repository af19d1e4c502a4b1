"""Weighted k nearest neighbours (Wu et al., "Unsupervised feature learning via non-parametric instance
discrimination", arXiv 1805.01978): the vote of neighbours by cosine, weight exp(similarity / T).

knn_task: neighbours and queries of one task; knn_class: of all tasks seen so far. Not to be confused with
published code whose k is the number of tasks evaluated.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from lineshaft.continual.evaluate.evaluation import SHARES, Evaluation, Found, Look, percent

TEMPERATURE = 0.1


class Knn(Evaluation):
    """kNN within each task, and over all classes seen so far."""

    name: Literal["knn"] = "knn"
    neighbours: int | None = Field(
        None, ge=1, description="that vote; none: 20, or 200 where tasks have 2,000 rows"
    )

    def scores(self, look: Look) -> Found:
        stream, y = look.stream, look.stream.store.y
        size = min(len(task.train) for task in stream.tasks)
        k = self.neighbours or (200 if size >= 2000 else 20)
        memory = torch.cat([task.train for task in stream.tasks[: look.task + 1]])
        found: Found = {}
        for share in SHARES:
            rows = look.rows(share)
            found[f"{share}/knn_task"] = [
                knn(look.own, y, task.train, mine, k) for task, mine in zip(stream.tasks, rows)
            ]
            found[f"{share}/knn_class"] = knn(look.shared, y, memory, torch.cat(rows[: look.task + 1]), k)
        return found


def knn(features: Tensor, y: Tensor, memory: Tensor, queries: Tensor, neighbours: int) -> float:
    """Percent of the queries that a weighted vote of their nearest neighbours by cosine gets right."""
    bank, labels = F.normalize(features[memory]), y[memory]
    classes, right = int(labels.max()) + 1, []
    for rows in queries.split(2000):  # one matrix product a chunk: 2,000 x 45,000 similarities are 360 MB
        similarity, nearest = (F.normalize(features[rows]) @ bank.T).topk(min(neighbours, len(bank)))
        right.append(vote(similarity, labels[nearest], classes) == y[rows])
    return percent(torch.cat(right))


def vote(similarity: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The class [n] of greatest total weight exp(similarity / T) among neighbours [n, k]."""
    weights = torch.zeros(len(labels), classes, device=labels.device)
    return weights.scatter_add_(1, labels, (similarity / TEMPERATURE).exp()).argmax(1)
