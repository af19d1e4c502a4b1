"""How far the representation moved: linear CKA (Kornblith et al., arXiv 1905.00414) of each task's test
features now with those right after it was learned (1: the same up to rotation and scale), and how spread
features are.

A representation that maps everything to one point has a spread of 0: accuracies at chance then mean that it
collapsed, not that it forgot.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from lineshaft.continual.evaluate.evaluation import Evaluation, Found, Look

COLLAPSED = 1e-3
MOST = 500  # rows of a task that are compared


class Drift(Evaluation):
    """memory: the features of each task's first test rows when it was learned."""

    name: Literal["drift"] = "drift"

    def scores(self, look: Look) -> Found:
        for task in look.stream.tasks[: look.task + 1]:
            look.memory.setdefault(f"drift:{task.id}", look.own[task.test[:MOST]])
        similar = [
            cka(look.memory[f"drift:{task.id}"], look.own[task.test[:MOST]])
            if task.id <= look.task
            else torch.nan
            for task in look.stream.tasks
        ]
        return {"drift/cka": similar}


def cka(a: Tensor, b: Tensor) -> float:
    """Linear centred kernel alignment of two sets of features [n, width] of the same rows."""
    a, b = a - a.mean(0), b - b.mean(0)
    similar = (a.T @ b).square().sum()
    return float(similar / ((a.T @ a).norm() * (b.T @ b).norm()).clamp(min=1e-30))


def spread(features: Tensor) -> float:
    """Root mean square distance of the directions of features from their mean direction: 0 collapsed, at
    most 1.
    """
    directions = F.normalize(features)
    return float((directions - directions.mean(0)).square().sum(1).mean().sqrt())
