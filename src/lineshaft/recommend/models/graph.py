"""Neighbours of the basket in the item graph, one and two steps away: G = A + half A^2.

A is symmetric and scaled by both degrees (`Catalogue.adjacency`). It learns nothing from users, and so knows
items that nobody has rated as well as any other.
"""

from typing import ClassVar, Literal

from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.itemitem import Pruned
from lineshaft.recommend.models.model import Model, Scorer, counts


class Graph(Model):
    """Items linked to those of the basket."""

    name: Literal["graph"] = "graph"
    needs: ClassVar[str] = "edges"
    draws: ClassVar[bool] = False
    second: float = Field(0.5, ge=0, description="weight of items two steps away, against 1 for one step")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        near = catalogue.adjacency()
        weights = (near + self.second * (near @ near)).tocsr()
        weights.setdiag(0)
        weights.eliminate_zeros()
        return Pruned(catalogue, counts(likes), weights)
