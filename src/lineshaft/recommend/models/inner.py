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


@dataclass(frozen=True)
class Judged:
    """A part fitted to the trial's training part, its normalised scores of the baskets, and its own worth."""

    part: Model
    z: np.ndarray
    value: float


@dataclass(frozen=True)
class Inner:
    """A trial, and the gate that is found on it."""

    catalogue: Catalogue
    drawn: Drawn
    most: int

    @property
    def lists(self) -> tuple[int, int]:
        return gate.lengths(len(self.catalogue))

    @property
    def likes(self) -> np.ndarray:
        return counts(self.drawn.train)

    def judge(self, part: Model, seed: int, threads: int) -> Judged:
        scorer = fitted(part, self.drawn.train, self.catalogue, seed=seed, threads=threads)
        baskets = self.drawn.baskets
        z = np.empty(baskets.shape, np.float16)
        for start in range(0, len(z), CHUNK):
            rows = baskets[start : start + CHUNK]
            z[start : start + CHUNK] = gate.normalised(
                scorer.score(rows), rows, self.lists[1], device()
            ).cpu()
        return Judged(part, z, self._value(z))

    def _value(self, z: np.ndarray) -> float:
        asked = self._question([z], self._rated())
        return float(gate.criterion(asked.z[0], asked, self.lists))

    def _rated(self) -> np.ndarray:
        return np.flatnonzero(self.likes > 0)

    def _question(self, features: list[np.ndarray], items: np.ndarray) -> gate.Question:
        """Baskets that hold back something among these items, over these items alone."""
        wanted = self.drawn.held_out[:, items]
        rows = np.flatnonzero(np.diff(wanted.indptr))
        cut = [feature[np.ix_(rows, items)] for feature in features]
        return gate.question(cut, wanted[rows], gate.size_class(self.drawn.baskets)[rows])

    def gate(self, parts: list[np.ndarray], rare: list[bool], seed: int) -> Weights:
        twins = tuple(number for number, has in enumerate(rare) if has)
        features = parts + [twin(parts[number], self.likes).astype(np.float16) for number in twins]
        rated = gate.by_size(self._question(features, self._rated()), self.lists, self.most, seed)
        unrated, place = rated, np.tile([1.0, 0.0], (len(gate.BINS), 1))
        hidden = self.drawn.hidden
        if len(hidden) and self.drawn.held_out[:, hidden].nnz:
            asked = self._question(features[: len(parts)], hidden)
            found = gate.by_size(asked, self.lists, self.most, seed)
            unrated = np.pad(found, [(0, 0), (0, len(twins))])
            place = self._place(features, rated, unrated)
        return Weights(rated, unrated, place, twins, len(parts))

    def _place(self, features: list[np.ndarray], rated: np.ndarray, unrated: np.ndarray) -> np.ndarray:
        """(size classes, 2) a and b that find most of everything held back, rated or not.

        a > 0 and b keep the order among the unrated: the best FEW of either kind are all that can be found.
        """
        sizes = gate.size_class(self.drawn.baskets)
        kinds = (self._rated(), rated), (self.drawn.hidden, unrated)
        found = np.tile([1.0, 0.0], (len(gate.BINS), 1))
        for one in range(len(gate.BINS)):
            rows = np.flatnonzero(sizes == one)[: self.most]
            if not len(rows):
                continue
            scores, columns = [], []
            for items, weights in kinds:
                score = sum(
                    np.float32(weight) * feature[np.ix_(rows, items)].astype(np.float32)
                    for feature, weight in zip(features, weights[one])
                    if weight
                )
                score = np.zeros((len(rows), len(items)), np.float32) + score
                best = gate.best_of([score], FEW)
                scores.append(np.take_along_axis(score, best, axis=1))
                columns.append(items[best])
            chosen = np.concatenate(columns, axis=1)
            asked = gate.over(
                np.zeros((0, *chosen.shape), np.float32), self.drawn.held_out[rows], chosen, sizes[rows]
            )
            known, fresh = (torch.from_numpy(score).to(asked.z.device) for score in scores)
            values = {
                (a, b): float(gate.criterion(torch.cat([known, a * fresh + b], 1), asked, self.lists))
                for a in PLACES
                for b in SHIFTS
            }
            found[one] = max(values, key=lambda pair: values[pair])
        return found
