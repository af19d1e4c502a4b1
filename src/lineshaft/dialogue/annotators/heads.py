"""Ridge regressions from a sentence's vector to what its turn changes: which slots, which domains, anything.

They see what no list of words does: a paraphrase, or the Chinese original of a translated turn, since the
vectors of all languages lie in one space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineshaft.dialogue.annotators.vectors import WIDTH
from lineshaft.dialogue.corpus.dialogue import Slot

PENALTY = 2.0
FEATURES = 5


@dataclass(frozen=True)
class Heads:
    """Weights float32 [WIDTH + 1, slots + domains + 2] and the domain of each slot."""

    weights: np.ndarray
    domains: np.ndarray

    def features(self, vectors: np.ndarray, owner: np.ndarray, slot: np.ndarray) -> np.ndarray:
        """float32 [candidates, FEATURES]: the scores of its slot and its domain, the margin of the best
        domain, that of any change and the number of changes. vectors: [turns, WIDTH]."""
        scores = vectors @ self.weights[:-1] + self.weights[-1]
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


def fit(vectors: np.ndarray, touched: np.ndarray, domain: np.ndarray, weight: np.ndarray) -> Heads:
    """vectors: [n, WIDTH]; touched: bool [n, slots], what each turn changed; weight: [n]."""
    by_domain = np.zeros((len(touched), domain.max(initial=-1) + 1), np.float32)
    for number in range(by_domain.shape[1]):
        by_domain[:, number] = touched[:, domain == number].any(1)
    count = touched.sum(1, dtype=np.float32)[:, None]
    targets = np.hstack([touched.astype(np.float32), by_domain, count, (count > 0).astype(np.float32)])
    root = np.sqrt(weight)[:, None].astype(np.float32)
    inputs = np.hstack([vectors, np.ones((len(vectors), 1), np.float32)]) * root
    gram = inputs.T @ inputs + PENALTY * np.eye(WIDTH + 1, dtype=np.float32)
    return Heads(np.linalg.solve(gram, inputs.T @ (targets * root)).astype(np.float32), domain)


def mean(several: list[Heads]) -> Heads:
    """The heads whose scores are the mean of the scores of several."""
    return Heads(np.mean([each.weights for each in several], axis=0), several[0].domains)
