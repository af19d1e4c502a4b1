"""Ridge regression on one-hot targets with an intercept, on standardised features; many problems at once.

The ridge is the one with the least leave-one-out error. With x and the targets t centred (which fits the
intercept), G = x x' + ridge I and a = G^-1 t, the error of leaving row i out is

    a_i / ((G^-1)_ii - 1 / (n ridge))

without refitting (Rifkin and Lippert, "Notes on regularized least squares", 2007, for the form without an
intercept). The last term is the intercept's share: row i helped to place the centre. Forgetting it is no
detail: with fewer rows than features the error would vanish with the ridge, and the weakest would always win.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

RIDGES = tuple(10.0 ** (power / 2) for power in range(-12, 5))
"""As shares of the trace of x x': from a millionth to a hundred times all of it."""


@dataclass(frozen=True)
class Ridge:
    """Features [n, width] -> the likeliest of `classes` [n]."""

    classes: Tensor
    centre: Tensor
    scale: Tensor
    weights: Tensor
    intercept: Tensor
    share: float

    def __call__(self, features: Tensor) -> Tensor:
        outputs = (features - self.centre) / self.scale @ self.weights + self.intercept
        return self.classes[outputs.argmax(1)]

    @property
    def at_edge(self) -> bool:
        """Whether the grid ends here, so that a better ridge may lie beyond it."""
        return self.share in (RIDGES[0], RIDGES[-1])


def fit(features: list[Tensor], labels: list[Tensor], classes: list[Tensor]) -> list[Ridge]:
    """One classifier for each problem: features [n, width] with labels [n] among classes [c].

    Problems of one size are solved together: a stream of 20 tasks has 20 eigenproblems after each task.
    """
    found: dict[int, Ridge] = {}
    sizes = [(len(f), len(c)) for f, c in zip(features, classes)]
    for size in dict.fromkeys(sizes):
        mine = [i for i, s in enumerate(sizes) if s == size]
        chosen = [torch.stack([each[i] for i in mine]) for each in (features, labels, classes)]
        found |= dict(zip(mine, _fit(*chosen)))
    return [found[i] for i in range(len(features))]


def _fit(features: Tensor, labels: Tensor, classes: Tensor) -> list[Ridge]:
    """[problems, n, width], [problems, n], [problems, c]."""
    centre, scale = features.mean(1, keepdim=True), features.std(1, keepdim=True, correction=0) + 1e-5
    x = (features - centre) / scale
    targets = (labels[..., None] == classes[:, None]).to(x) * 2 - 1
    intercept = targets.mean(1, keepdim=True)
    dual, shares = solve(x, targets - intercept)
    weights = x.mT @ dual
    return [
        Ridge(classes[i], centre[i], scale[i], weights[i], intercept[i], shares[i])
        for i in range(len(features))
    ]


def solve(x: Tensor, targets: Tensor) -> tuple[Tensor, list[float]]:
    """Dual weights [problems, n, outputs] and the share of the trace that leave-one-out chose for each.

    x: [problems, n, width] and targets: [problems, n, outputs], both centred.
    """
    n = x.shape[1]
    values, vectors = torch.linalg.eigh((x @ x.mT).double())
    values = values.clamp(min=0)
    trace = values.sum(1).clamp(min=1e-30)
    rotated = vectors.mT @ targets.double()
    duals, errors = [], []
    for share in RIDGES:
        strength = (share * trace)[:, None, None]
        shrunk = vectors / (values[:, None] + strength)
        dual = shrunk @ rotated
        left_out = dual / ((shrunk * vectors).sum(2, keepdim=True) - 1 / (n * strength))
        duals.append(dual)
        errors.append(left_out.square().mean((1, 2)))
    best = torch.stack(errors).nan_to_num(nan=torch.inf).argmin(0)
    dual = torch.stack(duals)[best, torch.arange(len(x), device=x.device)]
    return dual.to(x.dtype), [RIDGES[i] for i in best.tolist()]
