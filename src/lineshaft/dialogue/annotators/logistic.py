"""Logistic regression on sparse binary features, started from an earlier solution where there is one.

Minimises sum_i w_i log(1 + exp(-y_i (x_i . b + b_0))) + |b|^2 / (2 c), the objective of LIBLINEAR, by
L-BFGS. Starting a student from the annotator's weights changes nothing but the time: the objective is
convex.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit


def fit(
    x: csr_matrix,
    y: np.ndarray,
    c: float,
    start: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    rare: int = 3,
    tolerance: float = 3e-4,
) -> np.ndarray:
    """Weights float32 [features + 1], the last one the bias.

    y: bool [rows]; weight: of each row, all 1 by default. Features that occur fewer than `rare` times keep
    weight 0. Stops when an iteration gains less than `tolerance` of the loss.
    """
    used = np.flatnonzero(np.bincount(x.indices, minlength=x.shape[1]) >= rare)
    small = x[:, used].astype(np.float32)
    columns = np.append(used, x.shape[1])
    weights = np.zeros(x.shape[1] + 1, np.float32) if start is None else start.copy()
    loss = _Loss(small, y, c, np.ones(len(y)) if weight is None else weight)
    options = {"maxiter": 200, "ftol": tolerance, "gtol": 1e-9, "maxcor": 8}
    best = minimize(loss, weights[columns].astype(np.float64), jac=True, method="L-BFGS-B", options=options)
    fitted = np.zeros(x.shape[1] + 1, np.float32)
    fitted[columns] = best.x
    return fitted


def logits(x: csr_matrix, weights: np.ndarray) -> np.ndarray:
    """float [rows]: the log odds of each row under weights [features + 1]."""
    return x @ weights[:-1] + weights[-1]


def chances(x: csr_matrix, weights: np.ndarray) -> np.ndarray:
    """float [rows]: the chance of each row under weights [features + 1]."""
    return expit(logits(x, weights))


class _Loss:
    """The objective and its gradient for one data set."""

    def __init__(self, x: csr_matrix, y: np.ndarray, c: float, weight: np.ndarray) -> None:
        self.x = x
        self.transposed = x.T.tocsr()
        self.sign = np.where(y, 1.0, -1.0)
        self.c = c
        self.weight = weight

    def __call__(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = self.sign * (self.x @ weights[:-1].astype(np.float32) + weights[-1])
        value = self.weight @ np.logaddexp(0, -margin) + weights[:-1] @ weights[:-1] / (2 * self.c)
        residual = -self.weight * self.sign * expit(-margin)
        gradient = np.append(self.transposed @ residual.astype(np.float32), residual.sum()).astype(np.float64)
        gradient[:-1] += weights[:-1] / self.c
        return float(value), gradient
