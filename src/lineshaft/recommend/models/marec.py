"""MARec: EASE whose rare columns are fitted to what metadata say (Monteil et al., 2024, arXiv 2404.13298).

    min over B of  sum_j |x_j - X b_j|^2 + d_j |x~_j - X b_j|^2 + (1 + d_j) lam |b_j|^2   with  B_jj = 0

    X~ = X G,  G = sum_k mu_k S_k      cosines of each kind of text; mu aligns X~ with X, by least squares
    d_j = beta max(0, 1 - r_j / p)     r_j users like item j; p: a percentile of r, at least 1

With P = (X'X + lam I)^-1 that is  B = [(I - lam P)(I + G D) (I + D)^-1] - P diag(g), g by the zero diagonal.
The penalty is weighted like its column (the paper's is not), so that one inverse serves all columns. Often
confused with L3AE, which draws the weights B themselves towards what texts give; MARec draws the scores X B.
"""

from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models import closedform
from lineshaft.recommend.models.itemitem import Whole
from lineshaft.recommend.models.l3ae import BOTH, AnyEncoder
from lineshaft.recommend.models.model import Model, Scorer, counts
from lineshaft.recommend.nets.device import device
from lineshaft.recommend.text.columns import kinds

UNLIKED = 0.2
"""Weight of a pair that is not liked, in the regression of X on X S_k."""


class Marec(Model):
    """Metadata alignment for unseen items."""

    name: Literal["marec"] = "marec"
    needs: ClassVar[str] = "text"
    draws: ClassVar[bool] = False

    lam: float = Field(300.0, gt=0, description="weight of the squared item-item weights")
    beta: float = Field(10.0, gt=0, description="weight of the metadata for an item that nobody has rated")
    percentile: float = Field(10.0, ge=0, le=100, description="of likes an item; items below it are aligned")
    hops: int = Field(2, ge=0, description="how far texts spread over the item graph")
    fewest: int = Field(2, ge=1, description="users with fewer items are left out")
    encoders: tuple[AnyEncoder, ...] = Field(BOTH, min_length=1, description="what texts are turned into")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        rows = likes[np.diff(likes.indptr) >= self.fewest].tocsr()
        vectors = kinds(catalogue, self.encoders, self.hops)
        pull, precision = self.pull(counts(rows)), closedform.Among(rows, self.lam)
        joined = np.concatenate([mu * part for mu, part in zip(aligned(rows, vectors), vectors)], axis=1)
        left = torch.from_numpy(joined).to(device())
        left = left - self.lam * precision.times(left)
        right = torch.from_numpy(np.concatenate(vectors, axis=1).T * pull).to(device())
        return Whole(catalogue, counts(likes), self.weights(precision, left, right, pull))

    def pull(self, likes: np.ndarray) -> np.ndarray:
        """(items,) d."""
        limit = max(1.0, float(np.percentile(likes, self.percentile)))
        return (self.beta * np.maximum(0, 1 - likes / limit)).astype(np.float32)

    def weights(
        self, precision: closedform.Among, left: torch.Tensor, right: torch.Tensor, pull: np.ndarray
    ) -> np.ndarray:
        """(items, items) B: left (items, k) @ right (k, items) is (I - lam P) G D."""
        diagonal, found = precision.diagonal(), np.empty((precision.items,) * 2, np.float32)
        total = 1 + torch.from_numpy(pull).to(device())
        own = (1 - self.lam * diagonal + (left * right.T).sum(1)) / total
        for start in range(0, precision.items, closedform.BLOCK):
            end = min(start + closedform.BLOCK, precision.items)
            some = precision.block(start, end)
            block = (left[start:end] @ right - self.lam * some) / total - some * (own / diagonal)
            block[:, start:end].fill_diagonal_(0)
            found[start:end] = block.cpu().numpy()
        return found

    def memory(self, users: int, items: int) -> int:
        return closedform.memory(users, items, None) + 8 * items * 2000


def aligned(likes: csr_matrix, vectors: list[np.ndarray]) -> np.ndarray:
    """(kinds,) mu: least squares of X on X S_k, S_k = V_k V_k', pairs that are not liked counting UNLIKED."""
    seen = [np.asarray(likes @ v, np.float64) for v in vectors]
    rows = np.repeat(np.arange(likes.shape[0]), np.diff(likes.indptr))
    told = np.stack([(s[rows] * v[likes.indices]).sum(1) for s, v in zip(seen, vectors)])
    others = told - np.stack([(v**2).sum(1)[likes.indices] for v in vectors])  # an item tells not of itself
    every = [
        [float(((a.T @ b) * (v.T.astype(float) @ w)).sum()) for b, w in zip(seen, vectors)]
        for a, v in zip(seen, vectors)
    ]
    gram = UNLIKED * (np.array(every) - told @ told.T) + others @ others.T
    gram += 1e-9 * np.trace(gram) * np.eye(len(gram))
    return np.asarray(np.linalg.solve(gram, others.sum(1)), np.float32)
