"""Logistic regression on sparse binary features, started from an earlier solution where there is one.

Minimises sum_i w_i log(1 + exp(-y_i (x_i . b + b_0))) + |b|^2 / (2 c), the objective of LIBLINEAR, by
L-BFGS (Liu and Nocedal 1989) in scaled variables: features are hashed words, some in every row, most in a
few, so their curvatures differ by orders of magnitude. Starting a student from the annotator's weights
changes little but the time: the objective is convex.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit

MEMORY = 8
"""Pairs of steps and gradient changes that L-BFGS keeps."""
ITERATIONS = 200
PRIOR = 0.06
"""p (1 - p) that scales the variables: a candidate's chance of being right is 5 to 10 %."""


def fit(
    x: csr_matrix,
    y: np.ndarray,
    c: float,
    start: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    rare: int = 3,
    tolerance: float = 1e-2,
) -> np.ndarray:
    """Weights float32 [features + 1], the last one the bias.

    y: bool [rows]; weight: of each row, all 1 by default. Features that occur fewer than `rare` times keep
    weight 0. Stops when an iteration gains less than `tolerance` of the loss.
    """
    counts = x.T @ np.ones(x.shape[0], np.float32)
    used = np.flatnonzero(counts >= rare)
    columns = np.append(used, x.shape[1])
    begin = np.zeros(len(columns), np.float32) if start is None else start[columns]
    rows = np.ones(len(y), np.float32) if weight is None else weight.astype(np.float32)
    loss = _Loss(x[:, used].astype(np.float32, copy=False), y, c, rows)
    curvature = 1 / c + PRIOR * counts[used]
    scale = 1 / np.sqrt(np.append(curvature, 1 / c + PRIOR * len(y)))
    fitted = np.zeros(x.shape[1] + 1, np.float32)
    features = max(1.0, loss.x.nnz / max(1, len(y)))  # of a row: all push the same way at first
    fitted[columns] = minimise(loss, begin, scale.astype(np.float32), tolerance, 1 / features)
    return fitted


def minimise(
    loss: _Loss, start: np.ndarray, scale: np.ndarray, tolerance: float, first: float = 1.0
) -> np.ndarray:
    """float32 [n]: where L-BFGS ends, in the variables `start / scale`; `first` is the length of its first
    step."""
    point = start / scale
    value, gradient = _scaled(loss, point, scale)
    kept: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=MEMORY)
    for _ in range(ITERATIONS):
        direction = _direction(gradient, kept)
        length = 1.0 if kept else first
        found = _searched(loss, point, value, gradient, direction, scale, length)
        if found is None:
            break
        new, new_value, new_gradient = found
        step, change = new - point, new_gradient - gradient
        product = float(step @ change)
        if product > 1e-10 * float(change @ change):
            kept.append((step, change, product))
        gained = (value - new_value) / max(abs(value), 1e-12)
        point, value, gradient = new, new_value, new_gradient
        if gained < tolerance:
            break
    return np.asarray(point * scale)


def logits(x: csr_matrix, weights: np.ndarray) -> np.ndarray:
    """float [rows]: the log odds of each row under weights [features + 1]."""
    return np.asarray(x @ weights[:-1] + weights[-1])


def chances(x: csr_matrix, weights: np.ndarray) -> np.ndarray:
    """float [rows]: the chance of each row under weights [features + 1]."""
    return np.asarray(expit(logits(x, weights)))


class _Loss:
    """The objective and its gradient for one data set."""

    def __init__(self, x: csr_matrix, y: np.ndarray, c: float, weight: np.ndarray) -> None:
        self.x = x
        self.sign = np.where(y, np.float32(1), np.float32(-1))
        self.c = c
        self.weight = weight

    def __call__(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = self.sign * (self.x @ weights[:-1] + weights[-1])
        data = float((self.weight * np.logaddexp(0, -margin)).sum(dtype=np.float64))
        value = data + float(weights[:-1] @ weights[:-1]) / (2 * self.c)
        residual = -self.weight * self.sign * expit(-margin)
        gradient = np.append(self.x.T @ residual, residual.sum(dtype=np.float64)).astype(np.float32)
        gradient[:-1] += weights[:-1] / np.float32(self.c)
        return value, gradient


def _scaled(loss: _Loss, point: np.ndarray, scale: np.ndarray) -> tuple[float, np.ndarray]:
    value, gradient = loss(point * scale)
    return value, gradient * scale


def _direction(gradient: np.ndarray, kept: deque[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """The direction of descent by the two-loop recursion."""
    direction, steps = -gradient, []
    for step, change, product in reversed(kept):
        share = float(step @ direction) / product
        direction -= np.float32(share) * change
        steps.append(share)
    if kept:
        _, change, product = kept[-1]
        direction *= np.float32(product / float(change @ change))
    for (step, change, product), share in zip(kept, reversed(steps)):
        direction += np.float32(share - float(change @ direction) / product) * step
    return direction


def _searched(
    loss: _Loss,
    point: np.ndarray,
    value: float,
    gradient: np.ndarray,
    direction: np.ndarray,
    scale: np.ndarray,
    length: float,
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """The first of ever shorter steps that lowers the loss enough (Armijo); None where none does."""
    slope = float(gradient @ direction)
    while slope < 0 and length > 1e-9:
        new = point + np.float32(length) * direction
        new_value, new_gradient = _scaled(loss, new, scale)
        if new_value <= value + 1e-4 * length * slope:
            return new, new_value, new_gradient
        length /= 2
    return None
