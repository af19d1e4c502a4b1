"""A few-shot linear probe: ridge regression on one-hot targets with an intercept, on standardised features.

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

RIDGES = tuple(10.0 ** (power / 2) for power in range(11))
"""1 to 100,000; features are standardised, so x x' has a trace of rows x width."""


@dataclass(frozen=True)
class Probe:
    """Features [n, width] -> the likeliest of `classes` [n]."""

    classes: Tensor
    centre: Tensor
    scale: Tensor
    weights: Tensor
    intercept: Tensor
    ridge: float

    def __call__(self, features: Tensor) -> Tensor:
        outputs = (features - self.centre) / self.scale @ self.weights + self.intercept
        return self.classes[outputs.argmax(1)]


def fit(features: Tensor, labels: Tensor, classes: Tensor) -> Probe:
    """The probe of few features [n, width] with labels [n] among `classes`."""
    centre, scale = features.mean(0), features.std(0) + 1e-5
    x = (features - centre) / scale
    targets = (labels[:, None] == classes).to(x) * 2 - 1
    intercept = targets.mean(0)
    dual, strength = ridge(x, targets - intercept)
    return Probe(classes, centre, scale, x.T @ dual, intercept, strength)


def ridge(x: Tensor, targets: Tensor) -> tuple[Tensor, float]:
    """Dual weights [n, outputs] of ridge regression and its strength, chosen by leave-one-out.

    x: [n, width] and targets: [n, outputs], both centred, n > 1.
    """
    # Few rows: a GPU's solver would only add its start-up.
    values, vectors = torch.linalg.eigh((x @ x.T).double().cpu())
    rotated = vectors.T @ targets.double().cpu()
    fits = []
    for strength in RIDGES:
        shrunk = vectors / (values.clamp(min=0) + strength)
        dual = shrunk @ rotated
        left_out = dual / ((shrunk * vectors).sum(1, keepdim=True) - 1 / (len(x) * strength))
        fits.append((float(left_out.square().mean()), dual, strength))
    _, dual, strength = min(fits, key=lambda fit: fit[0])
    return dual.to(x), strength


def at_edge(strength: float) -> bool:
    """Whether the grid ends here, so that a better ridge may lie beyond it."""
    return strength in (RIDGES[0], RIDGES[-1])
