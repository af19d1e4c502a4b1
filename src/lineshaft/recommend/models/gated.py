"""The blend as it is served: parts, and the gate that adds their normalised scores up."""

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models import gate
from lineshaft.recommend.models.model import Scorer, State
from lineshaft.recommend.models.weights import Weights


class Gated(Scorer):
    """Parts and the gate's weights."""

    def __init__(
        self, catalogue: Catalogue, likes: np.ndarray, parts: Mapping[str, Scorer], weights: Weights
    ) -> None:
        super().__init__(catalogue, likes)
        self.parts, self.weights = dict(parts), weights
        self.top = gate.lengths(len(catalogue))[1]

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        z = [gate.normalised(part.score(baskets), baskets, self.top) for part in self.parts.values()]
        return self.weights.mixed(z, gate.size_class(baskets), self.likes).numpy()

    def state(self) -> State:
        arrays = {"rated": self.weights.rated, "unrated": self.weights.unrated, "place": self.weights.place}
        return State({"rare": list(self.weights.rare), "order": list(self.parts)}, arrays, self.parts)

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Gated":
        parts = {name: state.parts[name] for name in state.values["order"]}
        rated, unrated, place = (state.arrays[name] for name in ("rated", "unrated", "place"))
        weights = Weights(rated, unrated, place, tuple(state.values["rare"]), len(parts))
        return cls(catalogue, likes, parts, weights)
