"""Models of one group of folds side by side: alone, behind one gate, and in the gate with a network.

Everything is computed once for all of them: the parts of the blend, the weights of the gate with and without
the network, and the scores of a basket that several folds ask about.
"""

from collections.abc import Mapping
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import Fold, sizes
from lineshaft.recommend.evaluate.ranks import Ranks, rank
from lineshaft.recommend.models import gate
from lineshaft.recommend.models.blend import Blend
from lineshaft.recommend.models.fitted import fitted
from lineshaft.recommend.models.inner import Inner, worth
from lineshaft.recommend.models.model import Model, Scorer, counts
from lineshaft.recommend.models.weights import Weights
from lineshaft.recommend.nets.device import device

CHUNK = 2048
"""Baskets scored together."""
Ranked = dict[str, dict[str, list[Ranks]]]
"""Label -> stage -> ranks of every seed."""


class Bench:
    """The models of one group of folds, which share a training part."""

    def __init__(
        self,
        catalogue: Catalogue,
        group: Mapping[str, Fold],
        blend: Blend | None,
        net: Model | None,
        seed: int,
        threads: int,
    ) -> None:
        self.catalogue, self.group, self.seed, self.threads = catalogue, group, seed, threads
        self.blend, self.net = blend, net
        self.train = next(iter(group.values())).train
        self.likes = counts(self.train)

    def alone(self, name: str, model: Model, seeds: tuple[int, ...]) -> Ranked:
        found: Ranked = {name: {stage: [] for stage in self.group}}
        for seed in seeds:
            scored = Scored(self._fit(model, seed), self.group)
            for stage, fold in self.group.items():
                found[name][stage].append(scored.ranks(fold))
        return found

    def blended(self) -> Ranked:
        """The blend without the network."""
        stages = self.group.items()
        return {"blend": {s: [self._joined(fold, self.parts[s], self.gates[0])] for s, fold in stages}}

    def joined(self, name: str, model: Model, seeds: tuple[int, ...]) -> Ranked:
        """Alone, and in the blend with the gate that was found with the full network."""
        found: Ranked = {name: {s: [] for s in self.group}, f"blend+{name}": {s: [] for s in self.group}}
        for seed in seeds:
            scored = Scored(self._fit(model, seed), self.group)
            for stage, fold in self.group.items():
                found[name][stage].append(scored.ranks(fold))
                z = [*self.parts[stage], scored.normalised(fold)]
                found[f"blend+{name}"][stage].append(self._joined(fold, z, self.gates[1]))
        return found

    def _fit(self, model: Model, seed: int = 0) -> Scorer:
        return fitted(model, self.train, self.catalogue, seed=seed, threads=self.threads)

    @cached_property
    def chosen(self) -> tuple[list[tuple[Model, bool]], Weights, Weights]:
        """The parts with whether they have a rare twin, the gate without the network and the gate with it."""
        assert self.blend is not None
        trial = self.blend.trial
        inner = Inner(self.catalogue, trial.draws(self.train, self.catalogue, self.seed), trial.most)
        best = [
            (max((inner.judge(part, self.seed, self.threads) for part in slot.any_of), key=worth), slot.rare)
            for slot in self.blend.slots
            if slot.any_of[0].usable(self.catalogue)
        ]
        parts: list[tuple[Model, bool]] = [(judged.part, rare) for judged, rare in best]
        features, rare = [judged.z for judged, _ in best], [flag for _, flag in best]
        plain = inner.gate(features, rare, self.seed)
        if self.net is None:
            return parts, plain, plain
        features.append(inner.judge(self.net, self.seed, self.threads).z)
        return parts, plain, inner.gate(features, [*rare, False], self.seed)

    @property
    def gates(self) -> tuple[Weights, Weights]:
        return self.chosen[1:]

    @cached_property
    def parts(self) -> dict[str, list[Tensor]]:
        """Stage -> normalised scores, a tensor a part."""
        found: dict[str, list[Tensor]] = {stage: [] for stage in self.group}
        for model, _ in self.chosen[0]:
            scored = Scored(self._fit(model), self.group)
            for stage, fold in self.group.items():
                found[stage].append(scored.normalised(fold))
        return found

    def _joined(self, fold: Fold, z: list[Tensor], weights: Weights) -> Ranks:
        people, items = asked(fold), candidates(fold)
        classes = gate.size_class(fold.baskets)

        def score(rows: np.ndarray) -> Tensor:
            place = slice(*np.searchsorted(people, [rows[0], rows[-1] + 1]))
            mixed = weights.mixed([part[place] for part in z], classes[rows], self.likes[items])
            found = torch.zeros(len(rows), len(self.catalogue), device=mixed.device)
            found[:, torch.from_numpy(items).to(mixed.device)] = mixed
            return found

        return rank(score, fold, CHUNK)


class Scored:
    """What a scorer says to everybody whom the folds of a group ask; folds that share their baskets share it.

    Scored on the CPU, kept where networks are trained.
    """

    def __init__(self, scorer: Scorer, group: Mapping[str, Fold]) -> None:
        self.top = gate.lengths(len(scorer.catalogue))[1]
        self.tables: dict[int, tuple[np.ndarray, Tensor]] = {}
        for fold in group.values():
            folds = [other for other in group.values() if other.baskets is fold.baskets]
            if id(fold.baskets) not in self.tables:
                people = np.unique(np.concatenate([asked(other) for other in folds]))
                scores = torch.empty(len(people), fold.baskets.shape[1], device=device())
                for start in range(0, len(people), CHUNK):
                    rows = fold.baskets[people[start : start + CHUNK]]
                    scores[start : start + CHUNK] = torch.from_numpy(scorer.score(rows))
                self.tables[id(fold.baskets)] = (people, scores)

    def of(self, fold: Fold, rows: np.ndarray) -> Tensor:
        """(rows, items) scores of these people."""
        people, scores = self.tables[id(fold.baskets)]
        return scores[torch.from_numpy(np.searchsorted(people, rows)).to(scores.device)]

    def ranks(self, fold: Fold) -> Ranks:
        return rank(partial(self.of, fold), fold)

    def normalised(self, fold: Fold) -> Tensor:
        """(asked people, candidates) float16 as the gate takes them."""
        people, items = asked(fold), torch.from_numpy(candidates(fold)).to(device())
        found = torch.empty(len(people), len(items), dtype=torch.float16, device=device())
        for start in range(0, len(people), CHUNK):
            rows = people[start : start + CHUNK]
            found[start : start + CHUNK] = gate.normalised(self.of(fold, rows), fold.baskets[rows], self.top)[
                :, items
            ]
        return found


def asked(fold: Fold) -> np.ndarray:
    """(people,) rows of those who are asked for something."""
    return np.flatnonzero(sizes(fold.held_out))


def candidates(fold: Fold) -> np.ndarray:
    """(candidates,) rows of the items that are ranked."""
    return np.arange(fold.train.shape[1]) if fold.candidates is None else np.asarray(fold.candidates)
