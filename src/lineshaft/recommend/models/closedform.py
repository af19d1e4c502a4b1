"""The closed forms of linear item-item models, in whichever form is the smaller.

    min over B of |X - X B|^2 + side |F' - F' B|^2 + lam |B|^2 + pull |B - S|^2   with  B_jj = 0

    G = X'X + side F F',  c = lam + pull,  P = (G + c I)^-1,  Q = P S
    B = pull Q - P diag(c + g),  g_j = (1 - c P_jj + pull Q_jj) / P_jj,  then B_jj = 0

EASE is side = pull = 0; side > 0 adds item columns F as if they were users (collective EASE); pull > 0 is
L3AE (Moon et al., 2508.13500), drawn towards a matrix S that is EASE on the columns F themselves:

    W = L^-1 F',  L L' = F'F + text I,  q = 1 - diag(W'W),  S = W'W diag(1/q) - diag((1 - q)/q)

With fewer users than items the inverse is taken among users (Woodbury): c P = I - R'K R with
R = [X; sqrt(side) F'], K = (R R' + c I)^-1. Rows of B come a block at a time, so that a pruned model never
holds items x items. The kernel K and the rows R live while fitting and are no part of the result.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack
from torch import Tensor

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.itemitem import Pruned, Whole, pruned_rows
from lineshaft.recommend.models.model import Scorer, counts
from lineshaft.recommend.nets.device import csr, device

BLOCK = 1024


@dataclass(frozen=True)
class Problem:
    """The terms of the objective; `columns` F is (items, columns) or None."""

    lam: float
    side: float = 0.0
    pull: float = 0.0
    text: float = 10.0
    columns: np.ndarray | None = None
    fewest: int = 1
    """Users with fewer items are left out: they say little about pairs and cost as much as others."""


def fit(likes: csr_matrix, catalogue: Catalogue, problem: Problem, rows: int | None) -> Scorer:
    """The item-item scorer; `rows` largest entries of each row, None: all."""
    solved = Solution(likes, problem)
    if rows is not None and rows < likes.shape[1]:
        kept = [pruned_rows(block, rows) for _, block in solved.blocks()]
        return Pruned(catalogue, counts(likes), vstack(kept, format="csr"))
    whole = np.empty((likes.shape[1],) * 2, np.float32)
    for start, block in solved.blocks():
        whole[start : start + len(block)] = block
    return Whole(catalogue, counts(likes), whole)


def memory(users: int, items: int, rows: int | None) -> int:
    """Bytes while fitting: the smaller inverse and its factor, and what is kept."""
    small = min(users, items)
    kept = 4 * items**2 if rows is None else 8 * items * min(rows, items)
    return 4 * (2 * small**2 + small * items) + kept


class Solution:
    """B by blocks of rows."""

    def __init__(self, likes: csr_matrix, problem: Problem) -> None:
        self.problem = problem
        self.items = likes.shape[1]
        self.total = problem.lam + problem.pull
        per_user = np.diff(likes.indptr)
        self.rows = _stacked(likes[per_user >= problem.fewest], problem)
        self.precision = Among(self.rows, self.total)
        """Gives rows of P."""
        self.diagonal = self.precision.diagonal()
        if problem.pull:
            assert problem.columns is not None
            self._prior(problem.columns)

    def _prior(self, columns: np.ndarray) -> None:
        """W, q of the text's own EASE, and P W' (items, columns), from which every row of P S follows."""
        own = torch.from_numpy(columns).to(device()).double()
        gram = own.T @ own
        gram.diagonal().add_(self.problem.text)
        factor = torch.linalg.cholesky(gram)
        self.whitened = torch.linalg.solve_triangular(factor, own.T, upper=False).float()
        self.rest = 1 - (self.whitened**2).sum(0)
        self.through = self.precision.times(self.whitened.T.contiguous())
        q = ((self.through * self.whitened.T).sum(1) - self.diagonal * (1 - self.rest)) / self.rest
        self.pulled = self.problem.pull * q

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """(first row, (rows, items) float32) until B is complete."""
        pull = self.problem.pull
        free = 1 + (self.pulled if pull else 0)
        scale = free / self.diagonal  # c + g: the multiplier of the zero diagonal
        for start in range(0, self.items, BLOCK):
            precision = self.precision.block(start, min(start + BLOCK, self.items))
            found = -precision * scale
            if pull:
                prior = self.through[start : start + BLOCK] @ self.whitened
                found += pull * ((prior - precision * (1 - self.rest)) / self.rest)
            found[:, start : start + BLOCK].fill_diagonal_(0)
            yield start, found.cpu().numpy()


class Among:
    """Rows of P = (R'R + c I)^-1 for sparse R (users, items), inverted on the smaller side.

    Dense parts lie on the first GPU where there is one.
    """

    def __init__(self, rows: csr_matrix, total: float) -> None:
        self.total, self.items = total, rows.shape[1]
        self.dual = rows.shape[0] < rows.shape[1]
        if self.dual:
            self.rows, self.transposed = rows, rows.T.tocsr()
            kernel = inverse((rows @ rows.T).toarray(), total)
            self.explained = product(self.transposed, kernel).T.contiguous()
        else:
            self.whole = inverse((rows.T @ rows).toarray(), total)

    def block(self, start: int, end: int) -> Tensor:
        """(end - start, items) rows of P."""
        if not self.dual:
            return self.whole[start:end]
        found = -product(self.transposed[start:end], self.explained)
        found[:, start:end].diagonal().add_(1)
        return found / self.total

    def diagonal(self) -> Tensor:
        """(items,) diag(P)."""
        if not self.dual:
            return self.whole.diagonal().clone()
        by_item = self.rows.tocoo()
        explained = self.explained.cpu().numpy()
        summed = np.bincount(by_item.col, by_item.data * explained[by_item.row, by_item.col], self.items)
        return torch.from_numpy(((1 - summed) / self.total).astype(np.float32)).to(self.explained.device)

    def times(self, right: Tensor) -> Tensor:
        """P right, (items, columns)."""
        if not self.dual:
            return self.whole @ right
        return (right - self.explained.T @ product(self.rows, right)) / self.total


def inverse(gram: np.ndarray, total: float) -> Tensor:
    """(gram + total I)^-1 by Cholesky, float32: torch's is threaded and needs no second copy."""
    regularised = torch.from_numpy(np.asarray(gram, np.float32)).to(device())
    regularised.diagonal().add_(total)
    return torch.cholesky_inverse(torch.linalg.cholesky(regularised))


def product(left: csr_matrix, right: Tensor) -> Tensor:
    """Sparse times dense, where the dense one lies; on the CPU by scipy, which every platform has."""
    if right.device.type == "cpu":
        return torch.from_numpy(np.asarray(left @ right.numpy(), np.float32))
    starts, columns = torch.from_numpy(left.indptr), torch.from_numpy(left.indices)
    values = torch.from_numpy(left.data.astype(np.float32))
    return csr(starts, columns, values, left.shape).to(right.device) @ right


def _stacked(likes: csr_matrix, problem: Problem) -> csr_matrix:
    """R: the users' rows, and below them the item columns as further users."""
    if not problem.side:
        return likes.tocsr()
    assert problem.columns is not None
    below = csr_matrix(np.sqrt(problem.side) * problem.columns.T.astype(np.float32))
    return vstack([likes, below], format="csr")
