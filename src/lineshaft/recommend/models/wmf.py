"""WMF: weighted matrix factorisation by alternating least squares (Hu, Koren and Volinsky, ICDM 2008).

    min over U, V of  sum_ui c_ui (p_ui - u_u . v_i)^2 + reg (|U|^2 + |V|^2)
    p = 1 and c = alpha where liked, p = 0 and c = 1 elsewhere

A basket is folded in by the exact least-squares solution for its user vector with the items held fixed.
Known users go the same way (their stored vector is older by half an iteration and solved less exactly), so
nobody needs to be stored. Fitted by the library `implicit`. Also called iALS or WRMF; DropoutNet's teacher
is this with 200 factors, reg 1, alpha 10, 10 iterations.
"""

from typing import Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.recommend.models.model import Model, Scorer


class Wmf(Model):
    """Implicit alternating least squares."""

    name: Literal["wmf"] = "wmf"
    factors: int = Field(32, ge=1, description="length of a user's and an item's vector")
    reg: float = Field(1.0, gt=0, description="weight of the squared length of the vectors")
    alpha: float = Field(10.0, gt=0, description="confidence in a liked pair, against 1 for any other")
    iterations: int = Field(10, ge=1, description="passes over users and items")

    def fit(self, seen: csr_matrix, *, seed: int, threads: int) -> Scorer:
        return _Fitted(seen, self, seed, threads)


class _Fitted(Scorer):
    def __init__(self, seen: csr_matrix, how: Wmf, seed: int, threads: int) -> None:
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        super().__init__(seen)
        # The library runs its own threads and warns unless BLAS keeps to one.
        self.one_blas_thread = lambda: threadpool_limits(1, "blas")
        with self.one_blas_thread():
            self.als = AlternatingLeastSquares(
                factors=how.factors,
                regularization=how.reg,
                alpha=how.alpha,
                iterations=how.iterations,
                num_threads=threads,
                random_state=seed,
            )
            self.als.fit(seen, show_progress=False)

    def fold_in(self, baskets: csr_matrix) -> np.ndarray:
        """(baskets, factors) the user vectors that explain the baskets best."""
        with self.one_blas_thread():
            return self.als.recalculate_user(np.arange(baskets.shape[0]), baskets)

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        return self.fold_in(baskets) @ self.als.item_factors.T
