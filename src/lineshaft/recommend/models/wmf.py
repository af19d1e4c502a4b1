"""WMF: weighted matrix factorisation by alternating least squares (Hu, Koren and Volinsky, ICDM 2008).

    min over U, V of  sum_ui c_ui (p_ui - u_u . v_i)^2 + reg (|U|^2 + |V|^2)
    p = 1 and c = alpha where liked, p = 0 and c = 1 elsewhere

A basket is folded in by the exact least-squares solution for its user vector with the items held fixed.
Known users go the same way, so only the items' factors are kept. With `bridge`, items that nobody has rated
get factors by a ridge regression from text and graph to the factors of the rated ones (linear "attribute to
feature mapping", Gantner et al., ICDM 2010); without it they stay at zero. Fitted by the library `implicit`.
Also called iALS or WRMF; DropoutNet's teacher is this with 200 factors, reg 1, alpha 10, 10 iterations.
"""

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.engine import Part
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.fitted import fitted
from lineshaft.recommend.models.l3ae import BOTH, AnyEncoder
from lineshaft.recommend.models.model import WEIGHED, Model, Scorer, State, counts
from lineshaft.recommend.text.columns import columns, rewired


class Bridge(Part):
    """Ridge regression from what is known of an item to its factors."""

    lam: float = Field(10.0, gt=0, description="regularisation of the regression")
    hops: int = Field(2, ge=0, description="how far texts spread over the item graph")
    shuffled: bool = Field(False, description="spread over the same graph between other items: a control")
    encoders: Annotated[tuple[AnyEncoder, ...], Field(min_length=1)] = Field(
        BOTH, description="what texts are turned into"
    )

    def extend(self, factors: np.ndarray, rated: np.ndarray, catalogue: Catalogue) -> np.ndarray:
        """Factors of all items: the rated ones' own, for the others what their texts and links say."""
        where = rewired(catalogue) if self.shuffled else catalogue
        known = columns(where, self.encoders, self.hops)
        centre = known[rated].mean(0)
        inside = (known[rated] - centre).astype(np.float64)
        gram = inside.T @ inside + self.lam * np.eye(known.shape[1])
        weights = np.linalg.solve(gram, inside.T @ factors[rated])
        found = factors.copy()
        found[~rated] = ((known[~rated] - centre) @ weights).astype(np.float32)
        return found


class Wmf(Model):
    """Implicit alternating least squares."""

    name: Literal["wmf"] = "wmf"
    factors: int = Field(32, ge=1, description="length of an item's vector")
    reg: float = Field(1.0, gt=0, description="weight of the squared length of the vectors")
    alpha: float = Field(10.0, gt=0, description="confidence in a liked pair, against 1 for any other")
    iterations: int = Field(10, ge=1, description="passes over users and items")
    bridge: Bridge | None = Field(None, description="gives factors to items that nobody has rated")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        rated, plain = counts(likes) > 0, self.model_copy(update={"bridge": None})
        if self.bridge is not None and catalogue.has_text.any() and not rated.all():
            factors = _of(fitted(plain, likes, catalogue, seed=seed, threads=threads)).factors
            scored = self.bridge.extend(factors, rated, catalogue)
        else:
            factors = scored = item_factors(likes, self, seed, threads)
            factors[~rated] = 0
        return FoldIn(catalogue, counts(likes), factors, scored, self.reg, self.alpha)

    def memory(self, users: int, items: int) -> int:
        return 8 * (users + 2 * items) * self.factors


def item_factors(likes: csr_matrix, how: Wmf, seed: int, threads: int) -> np.ndarray:
    """(items, factors) float32, by the library; BLAS keeps the number of threads it had."""
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import ThreadpoolController

    # The library runs its own threads and warns unless BLAS keeps to one meanwhile.
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        found = AlternatingLeastSquares(
            factors=how.factors,
            regularization=how.reg,
            alpha=how.alpha,
            iterations=how.iterations,
            num_threads=threads,
            random_state=seed,
        )
        # The library would draw users' starts by row; from nought the order of the users changes nothing.
        found.user_factors = np.zeros((likes.shape[0], how.factors), np.float32)
        start = np.random.default_rng(seed).random((likes.shape[1], how.factors), np.float32)
        found.item_factors = start * np.float32(0.01)
        found.fit(likes, show_progress=False)
    return np.array(found.item_factors, np.float32)


def _of(scorer: Scorer) -> "FoldIn":
    assert isinstance(scorer, FoldIn)
    return scorer


class FoldIn(Scorer):
    """Baskets are explained by `factors` (zero for unrated items) and scored by `scored`; both (items, f)."""

    def __init__(
        self,
        catalogue: Catalogue,
        likes: np.ndarray,
        factors: np.ndarray,
        scored: np.ndarray,
        reg: float,
        alpha: float,
    ) -> None:
        super().__init__(catalogue, likes)
        self.factors, self.scored, self.reg, self.alpha = factors, scored, reg, alpha
        self.gram = factors.T @ factors + reg * np.eye(factors.shape[1], dtype=np.float32)

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        return np.asarray(self.users(baskets) @ self.scored.T)

    def users(self, baskets: csr_matrix) -> np.ndarray:
        """(baskets, factors) float32: (V'V + reg I + (alpha - 1) Vb'Vb)^-1 alpha Vb' 1."""
        found = np.zeros((baskets.shape[0], self.factors.shape[1]), np.float32)
        sizes = np.diff(baskets.indptr)
        order = np.argsort(sizes, kind="stable")
        order = order[sizes[order] > 0]
        start = 0
        while start < len(order):
            longest = sizes[order[min(start + 255, len(order) - 1)]]
            width = max(1, min(256, int(4e6 / (longest * self.factors.shape[1]))))
            chosen = order[start : start + width]
            found[chosen] = self._solve(baskets, chosen)
            start += width
        return found

    def _solve(self, baskets: csr_matrix, chosen: np.ndarray) -> np.ndarray:
        own = [baskets.indices[baskets.indptr[row] : baskets.indptr[row + 1]] for row in chosen]
        length = max(map(len, own))
        liked = np.zeros((len(own), length, self.factors.shape[1]), np.float32)
        for row, items in enumerate(own):
            liked[row, : len(items)] = self.factors[items]
        tensor = torch.from_numpy(liked)
        left = torch.from_numpy(self.gram) + (self.alpha - 1) * tensor.mT @ tensor
        right = self.alpha * tensor.sum(1, keepdim=True).mT
        return np.asarray(torch.cholesky_solve(right, torch.linalg.cholesky(left))[..., 0].numpy())

    def contributions(self, basket: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(basket, items): of a long basket the terms of the fold-in's sum, alpha v_i' (...)^-1 scored_j.

        They hold the rest of the fold-in fixed. Of a short one what each item changes is computed: the terms
        name another item in one case of ten.
        """
        if len(basket) <= WEIGHED:
            return super().contributions(basket, items)
        own = self.factors[basket]
        solved = np.linalg.solve(self.gram + (self.alpha - 1) * own.T @ own, self.scored[items].T)
        return np.asarray(self.alpha * own @ solved, np.float32)

    def state(self) -> State:
        arrays = {"factors": self.factors, "scored": self.scored}
        return State({"reg": self.reg, "alpha": self.alpha}, arrays, {})

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "FoldIn":
        return cls(catalogue, likes, state.arrays["factors"], state.arrays["scored"], **state.values)
