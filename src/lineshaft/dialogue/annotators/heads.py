"""Ridge regressions from a turn's vector to what it changes: which slots, which domains, anything.

They see a turn as a whole. On sentence vectors they also see what no list of words does: a paraphrase, or
the Chinese original of a translated turn, since the vectors of all languages lie in one space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from lineshaft.dialogue.annotators.scene import Scene
from lineshaft.dialogue.corpus.dialogue import Slot

FEATURES = 5

Inputs = Any
"""float32 [turns, width], dense or sparse."""


class View(Protocol):
    """Turns as vectors; `penalty` is the ridge penalty that suits them."""

    penalty: float

    def encoded(self, scenes: Sequence[Scene]) -> Inputs:
        """float32 [scenes, width], dense or sparse."""
        ...

    def learnable(self, scenes: Sequence[Scene]) -> tuple[Inputs, np.ndarray]:
        """Vectors to learn from and the scene (int) of each: a scene may have several."""
        ...

    def forget(self) -> None:
        """Free what is kept of turns seen so far."""
        ...


@dataclass(frozen=True)
class Heads:
    """Weights float32 [width + 1, slots + domains + 2] and the domain of each slot."""

    weights: np.ndarray
    domains: np.ndarray

    def scores(self, inputs: Inputs) -> np.ndarray:
        """float32 [turns, slots + domains + 2]: of each slot and domain, how many changes, any change."""
        return np.asarray(inputs @ self.weights[:-1] + self.weights[-1])

    def features(self, scores: np.ndarray, owner: np.ndarray, slot: np.ndarray) -> np.ndarray:
        """float32 [candidates, FEATURES]: the scores of its slot and its domain, the margin of the best
        domain, that of any change and the number of changes. scores: as above, [turns, ..]."""
        slots = len(self.domains)
        domain = np.where(slot < 0, 0, slots + self.domains[np.maximum(slot, 0)])
        best = scores[:, slots:-2].max(1)
        own = scores[owner, domain]
        columns = (scores[owner, slot], own, best[owner] - own, scores[owner, -1], scores[owner, -2])
        found = np.stack(columns, 1).astype(np.float32)
        found[slot < 0, :3] = 0
        return found


def domains(slots: dict[Slot, int]) -> np.ndarray:
    """int [slots]: the number of each slot's domain."""
    names = sorted({slot.domain for slot in slots})
    return np.array([names.index(slot.domain) for slot in sorted(slots, key=slots.__getitem__)], int)


def fit(inputs: Inputs, touched: np.ndarray, domain: np.ndarray, weight: np.ndarray, penalty: float) -> Heads:
    """inputs: [n, width]; touched: bool [n, slots], what each turn changed; weight: [n]."""
    by_domain = np.zeros((len(touched), domain.max(initial=-1) + 1), np.float32)
    for number in range(by_domain.shape[1]):
        by_domain[:, number] = touched[:, domain == number].any(1)
    count = touched.sum(1, dtype=np.float32)[:, None]
    targets = np.hstack([touched.astype(np.float32), by_domain, count, (count > 0).astype(np.float32)])
    root = np.sqrt(weight).astype(np.float32)[:, None]
    rows = _with_bias(inputs, root)
    gram = rows.T @ rows
    dense = gram.toarray() if sparse.issparse(gram) else gram
    dense = dense + penalty * np.eye(len(dense), dtype=np.float32)
    return Heads(np.linalg.solve(dense, rows.T @ (targets * root)).astype(np.float32), domain)


def _with_bias(inputs: Inputs, root: np.ndarray) -> Inputs:
    """Rows with a 1 at their end, times the root of their weight."""
    if sparse.issparse(inputs):
        return sparse.hstack([inputs.multiply(root), root], format="csr")
    return np.hstack([inputs, np.ones_like(root)]) * root


def mean(several: Sequence[Heads]) -> Heads:
    """The heads whose scores are the mean of the scores of several."""
    return Heads(np.mean([each.weights for each in several], axis=0), several[0].domains)
