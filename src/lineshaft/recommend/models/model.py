"""The contract of every recommender: parameters that fit, and a scorer that sees a basket and nothing else.

A known user and a guest are the same thing by construction: both are baskets. Nothing about the row's owner
is kept, so a score depends on the basket, and on no identity.
"""

from abc import ABC, abstractmethod

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.engine import Part


class Scorer(ABC):
    """A fitted model."""

    def __init__(self, seen: csr_matrix) -> None:
        self.likes = np.asarray(seen.sum(0), np.float32).ravel()
        """(items,) how many users of the training data like each item."""

    def score(self, baskets: csr_matrix) -> np.ndarray:
        """(baskets, items) float32, higher is better; an empty basket gets the popular items."""
        scores = self.affinity(baskets)
        scores[np.diff(baskets.indptr) == 0] = self.likes
        return scores

    @abstractmethod
    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        """(baskets, items) float32, a fresh array; rows of empty baskets are overwritten by `score`."""


class Model(Part):
    """The parameters of a recommender."""

    @abstractmethod
    def fit(self, seen: csr_matrix, *, seed: int, threads: int) -> Scorer:
        """Learn from a binary matrix (users, items); the same matrix and seed give the same scorer."""
