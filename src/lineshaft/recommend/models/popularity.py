"""Everyone gets what most people like: the floor that every personal model must clear.

Often confused with rank order on a public site (a score), which is far weaker: this counts likes in the
training data.
"""

from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.models.model import Model, Scorer


class Popularity(Model):
    """Number of training users who like the item."""

    name: Literal["popularity"] = "popularity"

    def fit(self, seen: csr_matrix, *, seed: int, threads: int) -> Scorer:
        return _Fitted(seen)


class _Fitted(Scorer):
    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        return np.tile(self.likes, (baskets.shape[0], 1))
