"""A blend folded into pruned item-item matrices, one a size class: a basket in a fraction of a millisecond.

    z_c(b) ~ scale[k, c] sum_{i in b} s_c({i})     a part is a sum over the basket, all but WMF exactly
    score  ~ bias[k] + sum_{i in b} F_k[i]         F_k[i] = sum_c w[k, c] scale[k, c] s_c({i}), the largest

`scale` is fitted by least squares on baskets of the size, over the items that the gate puts first. What does
not depend on the basket (popularity, a prior, the place of unrated items) goes into the bias. The weights are
the gate's own; how much the approximation loses is measured (docs/recommend.md).
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, vstack

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models import gate
from lineshaft.recommend.models.gated import Gated
from lineshaft.recommend.models.itemitem import Pruned, pruned_rows
from lineshaft.recommend.models.model import Scorer, State
from lineshaft.recommend.models.weights import damped

BLOCK, LEARNT_FROM, BEST = 256, 200, 300


@dataclass(frozen=True)
class Size:
    """One size class: how every feature counts, and what is there without a basket."""

    scale: np.ndarray
    """(parts,) of the summed rows; 0 for a part that does not look at the basket."""
    bias: np.ndarray
    """(items,)."""


class Folded(Scorer):
    """matrices: one pruned matrix a size class; bias (classes, items)."""

    def __init__(
        self, catalogue: Catalogue, likes: np.ndarray, matrices: list[csr_matrix], bias: np.ndarray
    ) -> None:
        super().__init__(catalogue, likes)
        self.matrices = [Pruned(catalogue, likes, one) for one in matrices]
        self.bias = bias

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        classes = gate.size_class(baskets)
        if baskets.shape[0] == 1:
            return np.asarray(self.matrices[classes[0]].affinity(baskets) + self.bias[classes])
        found = np.empty(baskets.shape, np.float32)
        for one in np.unique(classes):
            rows = np.flatnonzero(classes == one)
            found[rows] = self.matrices[one].affinity(baskets[rows]) + self.bias[one]
        return found

    def contributions(self, basket: np.ndarray, items: np.ndarray) -> np.ndarray:
        if not len(basket):
            return np.zeros((0, len(items)), np.float32)
        own = int(np.digitize(len(basket), gate.BINS)) - 1
        return self.matrices[own].contributions(basket, items)

    def state(self) -> State:
        return State({}, {"bias": self.bias}, {f"size{n}": one for n, one in enumerate(self.matrices)})

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Folded":
        matrices = [state.parts[f"size{n}"] for n in range(len(gate.BINS))]
        assert all(isinstance(one, Pruned) for one in matrices)
        weights = [one.weights for one in matrices if isinstance(one, Pruned)]
        return cls(catalogue, likes, weights, state.arrays["bias"])


def folded(blend: Gated, baskets: csr_matrix, rows: int) -> Folded:
    """`baskets` to fit the scales on, of every size; `rows` entries kept of each row of a matrix."""
    sizes = gate.size_class(baskets)
    found = []
    for one in range(len(gate.BINS)):
        own = np.flatnonzero(sizes == one)
        own = own if len(own) else np.arange(baskets.shape[0])
        found.append(_size(blend, baskets[own[:LEARNT_FROM]], one))
    blocks: list[list[csr_matrix]] = [[] for _ in gate.BINS]
    identity = csr_matrix((np.ones(len(blend.likes), np.float32), *_diagonal(len(blend.likes))))
    for start in range(0, len(blend.likes), BLOCK):
        units = identity[start : start + BLOCK]
        alone = [part.affinity(units) for part in blend.parts.values()]
        for one, size in enumerate(found):
            whole = _mixed(blend, [scale * s for scale, s in zip(size.scale, alone)], one)
            whole -= whole.mean(1, keepdims=True)
            whole[np.arange(len(whole)), start + np.arange(len(whole))] = 0
            blocks[one].append(pruned_rows(whole, rows))
    matrices = [vstack(parts, format="csr") for parts in blocks]
    return Folded(blend.catalogue, blend.likes, matrices, np.stack([size.bias for size in found]))


def _size(blend: Gated, baskets: csr_matrix, one: int) -> Size:
    scales, fixed = [], []
    for part in blend.parts.values():
        z = gate.normalised(part.score(baskets), baskets, blend.top).numpy()
        summed = _summed(part, baskets)
        if np.ptp(summed / np.maximum(np.diff(baskets.indptr), 1)[:, None], axis=0).max() < 1e-6:
            scales.append(0.0)  # the same for every basket
            fixed.append(np.median(z, axis=0, keepdims=True))  # a basket's own items are no outliers of it
            continue
        summed -= summed.mean(1, keepdims=True)
        best = gate.best_of([z], BEST)
        x, y = (np.take_along_axis(values, best, axis=1) for values in (summed, z))
        scales.append(max(0.0, float((x * y).sum() / max(float((x * x).sum()), 1e-12))))
        fixed.append(np.zeros((1, z.shape[1]), np.float32))
    bias = _mixed(blend, fixed, one)[0]
    fresh = blend.likes == 0
    bias[fresh] += np.float32(blend.weights.place[one, 1])
    return Size(np.array(scales, np.float32), bias.astype(np.float32))


def _summed(part: Scorer, baskets: csr_matrix) -> np.ndarray:
    """(baskets, items) sums of what the items of a basket say alone."""
    shown = np.unique(baskets.indices)
    units = csr_matrix(
        (np.ones(len(shown), np.float32), shown, np.arange(len(shown) + 1)), (len(shown), baskets.shape[1])
    )
    found = np.zeros(baskets.shape, np.float32)
    for start in range(0, len(shown), BLOCK):
        found += baskets[:, shown[start : start + BLOCK]] @ part.affinity(units[start : start + BLOCK])
    return found


def _mixed(blend: Gated, values: list[np.ndarray], one: int) -> np.ndarray:
    """(rows, items) of the parts' values by the weights of a size class, without clipping."""
    weights, damping, fresh = blend.weights, damped(blend.likes), blend.likes == 0
    found = np.zeros(values[0].shape, np.float32)
    late = np.zeros((len(found), int(fresh.sum())), np.float32)
    for number, value in enumerate(values):
        for feature in weights.columns(number):
            own = value if feature < len(values) else value * damping
            found += np.float32(weights.rated[one, feature]) * own
            late += np.float32(weights.unrated[one, feature]) * own[:, fresh]
    found[:, fresh] = np.float32(weights.place[one, 0]) * late
    return found


def _diagonal(size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(size), np.arange(size + 1)
