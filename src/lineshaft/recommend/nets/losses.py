"""Losses of a score for every item: multinomial, 1.5-entmax, and distillation from an item-item teacher."""

from abc import abstractmethod
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from lineshaft.engine import Part
from lineshaft.recommend.nets.denoising import Pairs


class Loss(Part):
    """A loss of scores and the items to be found."""

    @abstractmethod
    def of(self, scores: Tensor, total: Tensor, late: Pairs) -> Tensor:
        """scores (users, items), total (users,) their logsumexp; `late`: what is to be found -> a number."""


class Multinomial(Loss):
    """Cross entropy of a softmax over the catalogue; a user counts by the root of what is to be found."""

    name: Literal["multinomial"] = "multinomial"

    def of(self, scores: Tensor, total: Tensor, late: Pairs) -> Tensor:
        return (total * shares(late)).sum() - (
            scores.take(late.places(scores.shape[1])) * weights(late)
        ).sum()


class Entmax(Loss):
    """1.5-entmax (Peters et al., ACL 2019): items of low scores get probability zero, and no gradient."""

    name: Literal["entmax"] = "entmax"
    steps: int = Field(25, ge=5, description="bisections of the threshold")

    def of(self, scores: Tensor, total: Tensor, late: Pairs) -> Tensor:
        with torch.no_grad():
            slope = entmax(scores, self.steps) * shares(late)[:, None]
            slope.index_put_((late.rows, late.items), -weights(late), accumulate=True)
        return (slope * scores).sum()


def shares(late: Pairs) -> Tensor:
    """(users,) how much each counts: the root of how many pairs the user has, summing to one."""
    roots = late.counts.float().sqrt()
    return roots / roots.sum()


def weights(late: Pairs) -> Tensor:
    """(pairs,) a user's share, equal for all pairs of the user."""
    return (shares(late) / late.counts).index_select(0, late.rows)


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


def distilled(scores: Tensor, total: Tensor, teacher: Tensor, shown: Pairs, rated: Tensor) -> Tensor:
    """Cross entropy of the softmax to a target of a teacher's scores (users, items).

    target ~ (1 + max(0, z-score))^4 over the rated items (items,) that are not shown.
    """
    with torch.no_grad():
        z = (teacher - teacher.mean(1, keepdim=True)) / (teacher.std(1, keepdim=True) + 1e-6)
        target = z.clamp_(min=0).add_(1).square_().square_().mul_(rated)
        target.view(-1).index_fill_(0, shown.places(scores.shape[1]), 0)
        target /= target.sum(1, keepdim=True)
    return (total - (target * scores).sum(1)).mean()
