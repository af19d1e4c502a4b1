"""The search inside the training part: how good each part is by itself, and what the gate gives it."""

from dataclasses import dataclass

import numpy as np
import torch

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models import gate
from lineshaft.recommend.models.fitted import fitted
from lineshaft.recommend.models.model import Model, counts
from lineshaft.recommend.models.trial import Drawn
from lineshaft.recommend.models.weights import Weights, twin
from lineshaft.recommend.nets.device import device

FEW = 300
"""Items of each kind that are looked at for a and b."""
CHUNK = 2048
"""Baskets scored together."""
PLACES, SHIFTS = (0.25, 0.5, 1.0, 1.5), (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0)


Features = list[np.ndarray]
"""Normalised scores (baskets, items) of one part, an array a draw."""


@dataclass(frozen=True)
class Judged:
    """A part fitted to the trial's training part, its normalised scores of the baskets, and its own worth."""

    part: Model
    z: Features
    value: float


def worth(judged: Judged) -> float:
    return judged.value


@dataclass(frozen=True)
class Inner:
    """The draws of a trial, and the gate that is found on all of them together."""

    catalogue: Catalogue
    draws: list[Drawn]
    most: int

    @property
    def lists(self) -> tuple[int, int]:
        return gate.lengths(len(self.catalogue))

    def judge(self, part: Model, seed: int, threads: int) -> Judged:
        z = [self._scored(part, drawn, seed, threads) for drawn in self.draws]
        asked = self._question([z], self.rated)
        return Judged(part, z, float(gate.criterion(asked.z[0], asked, self.lists)))

    def _scored(self, part: Model, drawn: Drawn, seed: int, threads: int) -> np.ndarray:
        scorer = fitted(part, drawn.train, self.catalogue, seed=seed, threads=threads)
        z = np.empty(drawn.baskets.shape, np.float16)
        for start in range(0, len(z), CHUNK):
            rows = drawn.baskets[start : start + CHUNK]
            found = gate.normalised(scorer.score(rows), rows, self.lists[1], device())
            z[start : start + CHUNK] = found.cpu()
        return z

    @property
    def rated(self) -> list[np.ndarray]:
        return [np.flatnonzero(counts(drawn.train) > 0) for drawn in self.draws]

    @property
    def hidden(self) -> list[np.ndarray]:
        return [drawn.hidden for drawn in self.draws]

    def _question(self, features: list[Features], items: list[np.ndarray]) -> gate.Question:
        """Baskets that hold back something among the items of their draw, over these items alone."""
        few = min(FEW, *(len(own) for own in items))
        asked = []
        for number, (drawn, own) in enumerate(zip(self.draws, items)):
            wanted = drawn.held_out[:, own]
            rows = np.flatnonzero(np.diff(wanted.indptr))
            cut = [feature[number][np.ix_(rows, own)] for feature in features]
            asked.append(gate.question(cut, wanted[rows], gate.size_class(drawn.baskets)[rows], few))
        return gate.together(asked)

    def gate(self, parts: list[Features], rare: list[bool], seed: int) -> Weights:
        twins = tuple(number for number, has in enumerate(rare) if has)
        features = parts + [self._twin(parts[number]) for number in twins]
        rated = gate.by_size(self._question(features, self.rated), self.lists, self.most, seed)
        unrated, place = rated, np.tile([1.0, 0.0], (len(gate.BINS), 1))
        if all(len(drawn.hidden) and drawn.held_out[:, drawn.hidden].nnz for drawn in self.draws):
            asked = self._question(features[: len(parts)], self.hidden)
            found = gate.by_size(asked, self.lists, self.most, seed)
            unrated = np.pad(found, [(0, 0), (0, len(twins))])
            place = np.stack([self._place(features, rated, unrated, one) for one in range(len(gate.BINS))])
        return Weights(rated, unrated, place, twins, len(parts))

    def _twin(self, z: Features) -> Features:
        return [twin(one, counts(drawn.train)).astype(np.float16) for one, drawn in zip(z, self.draws)]

    def _place(
        self, features: list[Features], rated: np.ndarray, unrated: np.ndarray, one: int
    ) -> np.ndarray:
        """(2,) a and b of a size class that find most of everything held back, rated or not.

        a > 0 and b keep the order among the unrated: the best FEW of either kind are all that can be found.
        """
        total = dict.fromkeys(((a, b) for a in PLACES for b in SHIFTS), 0.0)
        for number, (drawn, known) in enumerate(zip(self.draws, self.rated)):
            rows = np.flatnonzero(gate.size_class(drawn.baskets) == one)[: self.most]
            if not len(rows):
                continue
            own = [feature[number][rows] for feature in features]
            old, old_items = _best(own, rated[one], known)
            new, new_items = _best(own, unrated[one], drawn.hidden)
            chosen = np.concatenate([old_items, new_items], axis=1)
            nothing = np.zeros((0, *chosen.shape), np.float32)
            asked = gate.over(nothing, drawn.held_out[rows], chosen, np.full(len(rows), one))
            before, late = (torch.from_numpy(score).to(asked.z.device) for score in (old, new))
            for a, b in total:
                found = gate.criterion(torch.cat([before, a * late + b], 1), asked, self.lists)
                total[a, b] += len(rows) * float(found)
        return np.array(max(total, key=lambda pair: total[pair]) if any(total.values()) else (1.0, 0.0))


def _best(
    features: list[np.ndarray], weights: np.ndarray, items: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each basket the FEW best scores among some items by these weights, and the items."""
    score = np.zeros((len(features[0]), len(items)), np.float32)
    for feature, weight in zip(features, weights):
        if weight:
            score += np.float32(weight) * feature[:, items].astype(np.float32)
    best = gate.best_of([score], FEW)
    return np.take_along_axis(score, best, axis=1), items[best]
