"""EASE: the linear item-item model with zero diagonal, in closed form (Steck, WWW 2019, equations 2 to 8).

    min over B of |X - X B|^2 + lam |B|^2  with  B_jj = 0   =>   B = I - P / diag(P),   P = (X'X + lam I)^-1

With fewer users than items the inverse is taken among users (Woodbury; K is users by users):

    lam P = I - X' K X,   K = (X X' + lam I)^-1

so that a basket's scores are  b - (b - (b X') K X) / (1 - diag(X' K X))  and the items-by-items matrix,
over a gigabyte for 17,000 items, is never made.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.recommend.models.model import Model, Scorer


class Ease(Model):
    """Embarrassingly shallow autoencoder."""

    name: Literal["ease"] = "ease"
    lam: float = Field(300.0, gt=0, description="weight of the squared item-item weights; tens to hundreds")

    def fit(self, seen: csr_matrix, *, seed: int, threads: int) -> Scorer:
        users, items = np.count_nonzero(np.diff(seen.indptr)), np.count_nonzero(seen.sum(0))
        return Dual(seen, self.lam) if users < items else Primal(seen, self.lam)


class Primal(Scorer):
    """Inverse among items, for more users than items. Items that nobody likes keep a weight of zero."""

    def __init__(self, seen: csr_matrix, lam: float) -> None:
        super().__init__(seen)
        self.liked = np.flatnonzero(self.likes)
        rows = seen[:, self.liked]
        precision = _inverse((rows.T @ rows).toarray(), lam)
        self.weights = -precision / precision.diagonal()
        np.fill_diagonal(self.weights, 0)

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        scores = np.zeros(baskets.shape, np.float32)
        scores[:, self.liked] = baskets[:, self.liked] @ self.weights
        return scores


class Dual(Scorer):
    """Inverse among users, for more items than users."""

    def __init__(self, seen: csr_matrix, lam: float) -> None:
        super().__init__(seen)
        self.rows = seen[np.diff(seen.indptr) > 0]
        self.kernel = _inverse((self.rows @ self.rows.T).toarray(), lam)
        self.unexplained = 1 - self._explained_by_itself()
        """(items,) lam diag(P): 1 for an item nobody likes, near 0 for one that the others determine."""

    def _explained_by_itself(self, chunk: int = 1024) -> np.ndarray:
        """(items,) diag(X' K X), a block of users at a time."""
        total = np.zeros(self.rows.shape[1], np.float32)
        for start in range(0, self.rows.shape[0], chunk):
            block = slice(start, start + chunk)
            total += np.asarray(self.rows[block].multiply(self.kernel[block] @ self.rows).sum(0)).ravel()
        return total

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        overlap = (baskets @ self.rows.T).toarray()
        explained = np.ascontiguousarray((overlap @ self.kernel) @ self.rows)
        own = baskets.toarray()
        return own - (own - explained) / self.unexplained


def _inverse(gram: np.ndarray, lam: float) -> np.ndarray:
    """(gram + lam I)^-1 by Cholesky, float32: torch's is threaded and needs no second copy."""
    regularised = torch.from_numpy(gram)
    regularised.diagonal().add_(lam)
    return torch.cholesky_inverse(torch.linalg.cholesky(regularised)).numpy()
