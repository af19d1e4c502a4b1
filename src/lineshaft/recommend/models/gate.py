"""A gate: how much each part counts, by the size of the basket and by how well an item is known.

    z_c   the part's scores of one basket: less their mean, over their deviation, over the top-th best (at
          least FLOOR), clipped to [-3, 8]; so every part's best items stand near 1
    score = sum_c w[size, c] z_c           of rated items
    score = a sum_c v[size, c] z_c + b     of items nobody has rated; a, b > 0 put them among the others

Weights are found one at a time on a grid, on held-out likes of guests, for recall at two lengths at once. A
gate trained by gradient fell below its best part in two attempts; a search one weight at a time did not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from lineshaft.recommend.nets.device import device

BINS = (1, 2, 4, 8, 16, 41)
"""Smallest basket of each size class."""
GRID = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
FLOOR, LOW, HIGH = 0.3, -3.0, 8.0
GAIN = 2e-4
"""Least gain of the criterion for which a weight is changed."""
SURE = 100
"""Baskets up to which a weight must gain a whole standard error; beyond, less and less of one."""
FEWEST = 20
"""A size class with fewer validation baskets takes the weights of all classes together."""


def size_class(baskets: csr_matrix) -> np.ndarray:
    """(baskets,) index into BINS; an empty basket counts as the smallest."""
    return np.asarray(np.maximum(np.digitize(np.diff(baskets.indptr), BINS) - 1, 0))


def normalised(
    scores: np.ndarray | Tensor, baskets: csr_matrix, top: int, where: torch.device | None = None
) -> Tensor:
    """z (baskets, items), computed on `where` (none: where they lie). Items of the basket: LOW."""
    values = torch.as_tensor(scores, dtype=torch.float32, device=where)
    values = (values - values.mean(1, keepdim=True)) / (values.std(1, keepdim=True) + 1e-6)
    rows = torch.from_numpy(np.repeat(np.arange(baskets.shape[0]), np.diff(baskets.indptr)))
    columns = torch.from_numpy(baskets.indices.astype(np.int64))
    values[rows.to(values.device), columns.to(values.device)] = -torch.inf
    best = torch.topk(values, min(top, values.shape[1]), dim=1).values[:, -1:].clamp(min=FLOOR)
    return (values / best).clamp_(LOW, HIGH)


def lengths(items: int) -> tuple[int, int]:
    """The two lengths of list that count: 20 and 100, less in catalogues of under 400 items."""
    return max(5, min(20, items // 20)), max(10, min(100, items // 4))


@dataclass(frozen=True)
class Question:
    """Validation baskets with what they ask for, over the few items of each that could be found at all.

    Tensors, where networks are trained.
    """

    z: Tensor
    """(features, baskets, few) float32."""
    wanted: Tensor
    """(baskets, few) bool: held out."""
    count: Tensor
    """(baskets,) held-out items in all."""
    sizes: np.ndarray
    """(baskets,) index into BINS."""
    lots: Tensor
    """(baskets, few) what breaks ties: without it a constant score would find everything."""

    def only(self, rows: np.ndarray) -> "Question":
        own = torch.from_numpy(rows).to(self.z.device)
        wanted, count, lots = (part[own] for part in (self.wanted, self.count, self.lots))
        return Question(self.z[:, own], wanted, count, self.sizes[rows], lots)


def question(
    features: Sequence[np.ndarray], held_out: csr_matrix, sizes: np.ndarray, few: int = 300
) -> Question:
    """Keep of each basket the `few` items that some feature scores highest."""
    chosen = best_of(features, few)
    z = np.stack([np.take_along_axis(feature, chosen, axis=1) for feature in features]).astype(np.float32)
    return over(z, held_out, chosen, sizes)


def together(asked: Sequence[Question]) -> Question:
    """Questions over as many items each as one."""
    z = torch.cat([one.z for one in asked], dim=1)
    wanted, count, lots = (
        torch.cat([getattr(one, name) for one in asked]) for name in ("wanted", "count", "lots")
    )
    return Question(z, wanted, count, np.concatenate([one.sizes for one in asked]), lots)


def best_of(features: Sequence[np.ndarray], few: int) -> np.ndarray:
    """(baskets, few) columns where the largest of the features is largest, in no order."""
    best = torch.from_numpy(features[0]).to(device()).float()
    for feature in features[1:]:
        best = torch.maximum(best, torch.from_numpy(feature).to(device()).float())
    return torch.topk(best, min(few, best.shape[1]), dim=1, sorted=False).indices.cpu().numpy()


def over(z: np.ndarray, held_out: csr_matrix, chosen: np.ndarray, sizes: np.ndarray) -> Question:
    """A question over chosen columns (baskets, few), whose scores z (features, baskets, few) are known."""
    wanted = np.take_along_axis(held_out.toarray(), chosen, axis=1) > 0
    lots = np.random.default_rng(0).uniform(0, 1e-4, wanted.shape).astype(np.float32)
    count = np.diff(held_out.indptr).astype(np.float32)
    parts = (torch.from_numpy(part).to(device()) for part in (z, wanted, count, lots))
    scores, asked, counted, drawn = parts
    return Question(scores, asked, counted, sizes, drawn)


def criterion(score: Tensor, asked: Question, lists: tuple[int, int]) -> Tensor:
    """Recall at the longer and at the shorter length, added, mean over baskets; score (..., baskets, few)."""
    return recalls(score, asked, lists).mean(-1)


def recalls(score: Tensor, asked: Question, lists: tuple[int, int]) -> Tensor:
    """(..., baskets) the same of every basket."""
    score, width = score + asked.lots, score.shape[-1]
    best = torch.topk(score, min(max(lists), width), dim=-1).values
    limits = (best[..., min(k, width) - 1, None] for k in lists)
    found = sum((asked.wanted & (score >= limit)).sum(-1) for limit in limits)
    return torch.as_tensor(found) / asked.count


def least_gain(gain: Tensor) -> float:
    """The mean gain (baskets,) that is asked for: more than chance gives where baskets are few.

    The search takes the best of some hundred changes; on thirty baskets that is mostly luck.
    """
    error = float(gain.std()) / len(gain) ** 0.5 if len(gain) > 1 else 1.0
    return max(GAIN, error * min(1.0, SURE / len(gain)) ** 2)


def search(
    asked: Question, lists: tuple[int, int], start: np.ndarray | None = None, passes: int = 2
) -> np.ndarray:
    """(features,) weights: from `start`, or the best single feature if that is better, one weight at a time
    while it helps."""
    alone = torch.stack([recalls(z, asked, lists) for z in asked.z])
    first = int(alone.mean(1).argmax())
    weights = np.eye(len(alone))[first] if start is None else start.astype(float)
    score = torch.tensordot(torch.from_numpy(weights).float().to(asked.z.device), asked.z, 1)
    best = recalls(score, asked, lists)
    if float((gain := alone[first] - best).mean()) > least_gain(gain):
        weights, score, best = np.eye(len(alone))[first], asked.z[first], alone[first]
    for _ in range(passes):
        before = weights.copy()
        for c in range(len(weights)):
            steps = torch.tensor([weight - weights[c] for weight in GRID], device=score.device)
            values = recalls(score + steps[:, None, None].float() * asked.z[c], asked, lists)
            if not np.delete(weights, c).any():
                values[0] = 0  # some part must speak: chance may find more than it on few baskets
            top = int(values.mean(-1).argmax())
            gain = values[top] - best
            if float(gain.mean()) > least_gain(gain):
                score = score + steps[top].float() * asked.z[c]
                best, weights[c] = values[top], GRID[top]
        if (weights == before).all():
            break
    return weights


def by_size(asked: Question, lists: tuple[int, int], most: int, seed: int) -> np.ndarray:
    """(size classes, features) weights: found for all together, then from there for each class by itself."""
    rng = np.random.default_rng(seed)

    def some(rows: np.ndarray) -> Question:
        return asked.only(np.sort(rng.permutation(rows)[:most]))

    common = search(some(np.arange(len(asked.sizes))), lists)
    found = np.tile(common, (len(BINS), 1))
    for one in range(len(BINS)):
        rows = np.flatnonzero(asked.sizes == one)
        if len(rows) >= FEWEST:
            found[one] = search(some(rows), lists, common, passes=1)
    return found
