"""A control, no recommender: it returns the basket and knows nothing else.

Scored on its own training data without a mask it is perfect; in an honest evaluation it is at chance, k of
the remaining catalogue. A number well above that says the evaluation leaks.
"""

from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.models.model import Model, Scorer


class Memoriser(Model):
    """One for each item of the basket, zero for all others."""

    name: Literal["memoriser"] = "memoriser"

    def fit(self, seen: csr_matrix, *, seed: int, threads: int) -> Scorer:
        return _Fitted(seen)


class _Fitted(Scorer):
    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        return baskets.toarray().astype(np.float32)
