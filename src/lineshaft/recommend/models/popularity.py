"""Everyone gets what most people like: the floor that every personal model must clear.

Often confused with rank order on a public site (a score), which is far weaker: this counts likes in the
training data.
"""

from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.model import Model, Scorer, State, counts


class Popularity(Model):
    """Number of training users who like the item, on a log scale."""

    name: Literal["popularity"] = "popularity"
    draws: ClassVar[bool] = False

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        return Counted(catalogue, counts(likes))


class Counted(Scorer):
    """log(1 + count): the same order, in steps that add up with the scores of other models."""

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        return np.tile(np.log1p(self.likes), (baskets.shape[0], 1))

    def contributions(self, basket: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Zero: nothing depends on the basket."""
        return np.zeros((len(basket), len(items)), np.float32)

    def state(self) -> State:
        return State({}, {}, {})

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Counted":
        return cls(catalogue, likes)
