"""An item's standing outside these data, the same for everybody: the catalogue's column `prior`.

Where items that nobody here has rated are ranked, it does for them what popularity does for the others.
"""

from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.model import Model, Scorer, State, counts


class Prior(Model):
    """The catalogue's own numbers."""

    name: Literal["prior"] = "prior"
    needs: ClassVar[str] = "prior"
    draws: ClassVar[bool] = False

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        return Standing(catalogue, counts(likes))


class Standing(Scorer):
    """One number an item."""

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        assert self.catalogue.prior is not None
        return np.tile(self.catalogue.prior.astype(np.float32), (baskets.shape[0], 1))

    def contributions(self, basket: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Zero: nothing depends on the basket."""
        return np.zeros((len(basket), len(items)), np.float32)

    def state(self) -> State:
        return State({}, {}, {})

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Standing":
        return cls(catalogue, likes)
