"""Losses of a score for every item: multinomial, 1.5-entmax, and distillation from an item-item teacher."""

from abc import abstractmethod
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from lineshaft.engine import Part


class Loss(Part):
    """A loss of scores and the items to be found."""

    @abstractmethod
    def of(self, scores: Tensor, rows: Tensor, items: Tensor) -> Tensor:
        """scores (users, items); the pairs (rows, items) are to be found -> a number."""


class Multinomial(Loss):
    """Cross entropy of a softmax over the catalogue; a user counts by the root of what is to be found."""

    name: Literal["multinomial"] = "multinomial"

    def of(self, scores: Tensor, rows: Tensor, items: Tensor) -> Tensor:
        return -(torch.log_softmax(scores, dim=1)[rows, items] * weights(rows, len(scores))).sum()


class Entmax(Loss):
    """1.5-entmax (Peters et al., ACL 2019): items of low scores get probability zero, and no gradient."""

    name: Literal["entmax"] = "entmax"
    steps: int = Field(25, ge=5, description="bisections of the threshold")

    def of(self, scores: Tensor, rows: Tensor, items: Tensor) -> Tensor:
        weight = weights(rows, len(scores))
        with torch.no_grad():
            total = torch.zeros(len(scores), device=scores.device).index_add(0, rows, weight)
            slope = entmax(scores, self.steps) * total[:, None]
            slope.index_put_((rows, items), -weight, accumulate=True)
        return (slope * scores).sum()


def weights(rows: Tensor, users: int) -> Tensor:
    """(pairs,) 1 / sqrt of how many pairs the user has, summing to one."""
    count = torch.bincount(rows, minlength=users).float()
    found = 1 / count[rows].sqrt()
    return found / found.sum()


def entmax(scores: Tensor, steps: int) -> Tensor:
    """p = max(s / 2 - t, 0)^2 with t such that p sums to one, by bisection."""
    half = scores / 2
    high = half.max(dim=1, keepdim=True).values
    low = high - 1
    for _ in range(steps):
        middle = (low + high) / 2
        above = ((half - middle).clamp(min=0) ** 2).sum(1, keepdim=True) >= 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    found = (half - low).clamp(min=0) ** 2
    return found / found.sum(1, keepdim=True)


def distilled(scores: Tensor, teacher: Tensor, masked: Tensor, sharpness: float = 4.0) -> Tensor:
    """Cross entropy to a teacher's scores (users, items): z-scored, damped, a softmax over unmasked items."""
    with torch.no_grad():
        z = (teacher - teacher.mean(1, keepdim=True)) / (teacher.std(1, keepdim=True) + 1e-6)
        target = torch.softmax((sharpness * torch.log1p(z.clamp(min=0))).masked_fill(masked, -1e4), dim=1)
    return -(target * torch.log_softmax(scores, dim=1)).sum(1).mean()
