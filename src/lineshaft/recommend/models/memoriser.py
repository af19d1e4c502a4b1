"""A control, no recommender: it returns the basket and knows nothing else.

Scored on its own training data without a mask it is perfect; in an honest evaluation it is at chance, k of
the remaining catalogue. A number well above that says the evaluation leaks.
"""

from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.model import Model, Scorer, State, counts


class Memoriser(Model):
    """One for each item of the basket, zero for all others."""

    name: Literal["memoriser"] = "memoriser"
    draws: ClassVar[bool] = False

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        return Echo(catalogue, counts(likes))


class Echo(Scorer):
    """The basket. It is exempt from the fall back to popularity: a control must not gain from it."""

    def score(self, baskets: csr_matrix) -> np.ndarray:
        return self.affinity(baskets)

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        return np.asarray(baskets.toarray(), np.float32)

    def state(self) -> State:
        return State({}, {}, {})

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Echo":
        return cls(catalogue, likes)
