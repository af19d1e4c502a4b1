"""An evaluator that rejects leaks, masks what was seen and breaks ties fairly.

It fits the model itself, so it knows what the model has seen, and refuses a fold that asks for any of it;
it ranks the whole catalogue with everything seen masked; and it gives tied scores what chance would give
them, so that a constant score earns k / catalogue and the order of item numbers earns nothing.

`recall@k` of a user is the share of the held-out items found among the first k; the user mean is the usual
figure. The item mean (share of an item's fans who find it, averaged over items) is reported beside it: it
exposes models that lean on popular items.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import Fold, sizes
from lineshaft.recommend.models.model import Model

LISTED = 20
"""Length of the list whose coverage of the catalogue is reported."""


class Leak(ValueError):
    """The fold asks for pairs that the model has been shown."""


@dataclass(frozen=True)
class Ranks:
    """Where each held-out pair came in its user's ranking: four int arrays (pairs,), users ascending."""

    user: np.ndarray
    item: np.ndarray
    above: np.ndarray
    """Candidates with a strictly higher score."""
    level: np.ndarray
    """Candidates with this very score, itself included."""
    listed: np.ndarray | None = None
    """(items,) in how many of the users' first LISTED the item stands."""

    def hits(self, k: int) -> np.ndarray:
        """(pairs,) probability of being among the first k when ties are broken by lot."""
        return np.asarray(np.clip((k - self.above) / self.level, 0, 1))

    def recall(self, k: int) -> np.ndarray:
        """(asked users,) recall@k, in the order of `users`."""
        return _mean_by(self.user, self.hits(k))

    def item_recall(self, k: int) -> np.ndarray:
        """(asked items,) share of an item's fans who find it among their first k."""
        return _mean_by(self.item, self.hits(k))

    def precision(self, k: int) -> np.ndarray:
        """(asked users,) share of the first k that were held out."""
        _, index = np.unique(self.user, return_inverse=True)
        return np.bincount(index, self.hits(k)) / k

    def ndcg(self, k: int) -> np.ndarray:
        """(asked users,) discounted gain over that of a perfect list; ties earn their expected gain."""
        total = np.r_[0, np.cumsum(1 / np.log2(np.arange(2, k + 2)))]
        last, first = (np.minimum(k, n).astype(int) for n in (self.above + self.level, self.above))
        gain = (total[last] - total[first]) / self.level
        _, index, count = np.unique(self.user, return_inverse=True, return_counts=True)
        return np.asarray(np.bincount(index, gain) / total[np.minimum(count, k)])

    def coverage(self) -> float:
        """Share of the candidates that stand among the first LISTED of at least one user."""
        if self.listed is None:
            raise ValueError("coverage is known of fresh ranks only, not of those read back from an array")
        able = self.listed >= 0
        return float((self.listed[able] > 0).mean())

    @property
    def users(self) -> np.ndarray:
        return np.unique(self.user)

    def array(self) -> np.ndarray:
        """(pairs, 4) for the run's folder; `Ranks(*array.T)` reads it back."""
        return np.stack([self.user, self.item, self.above, self.level], axis=1).astype(np.int32)


def evaluate(model: Model, fold: Fold, catalogue: Catalogue, *, seed: int, threads: int) -> Ranks:
    """Fit on the fold's training part, then rank what it holds out. Raises Leak before any work."""
    refuse_leak(fold)
    scorer = model.fit(fold.train, catalogue, seed=seed, threads=threads)
    return rank(lambda rows: scorer.score(fold.baskets[rows]), fold)


def refuse_leak(fold: Fold) -> None:
    """Training pairs and basket items are no test."""
    for name, shown in (("training", fold.train), ("basket", fold.baskets)):
        leaked = fold.held_out.multiply(shown).nnz
        if leaked:
            raise Leak(
                f"{leaked} of {fold.held_out.nnz} held-out pairs are {name} pairs as well: "
                "hold out pairs that the model has not been shown (recommend.evaluate.folds makes such)"
            )


Score = Callable[[np.ndarray], np.ndarray | Tensor]
"""Row numbers -> (rows, items) scores, as an array or as a tensor on any device."""


def rank(score: Score, fold: Fold, chunk: int = 512) -> Ranks:
    """Ranks of the held-out pairs, computed where the scores lie."""
    refuse_leak(fold)
    asked = np.flatnonzero(sizes(fold.held_out))
    if not len(asked):
        raise ValueError("nothing is held out: the fold has no test pairs")
    barred = _barred(fold)
    listed = np.where(barred, -1, 0)
    parts = [
        _rank_chunk(score, fold, asked[i : i + chunk], barred, listed) for i in range(0, len(asked), chunk)
    ]
    user, item, above, level = np.concatenate(parts, axis=1)
    return Ranks(user, item, above, level, listed)


def _barred(fold: Fold) -> np.ndarray:
    """(items,) bool: no candidate; an item held out must be one."""
    barred = np.full(fold.train.shape[1], fold.candidates is not None)
    if fold.candidates is not None:
        barred[fold.candidates] = False
    if outside := int(barred[fold.held_out.indices].sum()):
        raise ValueError(f"{outside} held-out pairs ask for items that are not candidates")
    return barred


def _rank_chunk(
    score: Score, fold: Fold, rows: np.ndarray, barred: np.ndarray, listed: np.ndarray
) -> np.ndarray:
    scores = torch.as_tensor(score(rows)).to(torch.float32, copy=True)
    if scores.shape != (len(rows), fold.train.shape[1]) or not bool(torch.isfinite(scores).all()):
        raise ValueError(
            f"scores must be finite and {len(rows)} x {fold.train.shape[1]}, got {tuple(scores.shape)}"
        )
    seen = (fold.train[rows] + fold.baskets[rows]).nonzero()
    scores[tuple(torch.from_numpy(one.astype(np.int64)).to(scores.device) for one in seen)] = -torch.inf
    scores[:, torch.from_numpy(barred).to(scores.device)] = -torch.inf
    _count_listed(scores, listed)
    held_out = fold.held_out[rows]
    inside = np.repeat(np.arange(len(rows)), sizes(held_out))
    return np.vstack([rows[inside], held_out.indices, _places(scores, inside, held_out.indices)])


def _count_listed(scores: Tensor, listed: np.ndarray) -> None:
    best = torch.topk(scores, min(LISTED, scores.shape[1]), dim=1, sorted=False)
    np.add.at(listed, best.indices[torch.isfinite(best.values)].cpu().numpy(), 1)


def _places(scores: Tensor, rows: np.ndarray, items: np.ndarray, chunk: int = 256) -> np.ndarray:
    """(2, pairs) number of candidates above, and level with, the item of each pair."""
    found = []
    for start in range(0, len(rows), chunk):
        one, item = (torch.from_numpy(n[start : start + chunk].astype(np.int64)) for n in (rows, items))
        own = scores[one.to(scores.device)]
        value = own.gather(1, item.to(scores.device)[:, None])
        found.append(torch.stack([(own > value).sum(1), (own == value).sum(1)]).cpu().numpy())
    return np.concatenate(found, axis=1)


def _mean_by(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    _, index, count = np.unique(group, return_inverse=True, return_counts=True)
    return np.bincount(index, values) / count


def bootstrap(values: np.ndarray, seed: int = 0, times: int = 1000) -> tuple[float, float, float]:
    """Mean and 95 % interval of the mean over resampled users (percentile bootstrap)."""
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(times)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)
