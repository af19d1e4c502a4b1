"""The probe's ridge against leaving one row out and fitting again."""

import pytest
import torch

from lineshaft.continual import probe
from lineshaft.continual.probe import RIDGES, at_edge, fit, ridge


def planted(rows: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Three informative directions under noise: [rows, width] and [rows, 1], neither of them centred."""
    generator = torch.Generator().manual_seed(rows)
    x = torch.randn(rows, width, generator=generator, dtype=torch.double) + 3
    targets = x[:, :3].sum(1, keepdim=True) + torch.randn(rows, 1, generator=generator, dtype=torch.double)
    return x, targets


def refitted(x: torch.Tensor, targets: torch.Tensor, strength: float) -> float:
    """Mean squared error of each row under a fit, intercept and all, to the others."""
    errors = []
    for i in range(len(x)):
        rest = torch.arange(len(x)) != i
        centre, mean = x[rest].mean(0), targets[rest].mean(0)
        centred = x[rest] - centre
        gram = centred @ centred.T + strength * torch.eye(len(x) - 1, dtype=torch.double)
        weights = centred.T @ torch.linalg.solve(gram, targets[rest] - mean)
        errors.append(float((targets[i] - mean - (x[i] - centre) @ weights) ** 2))
    return sum(errors) / len(errors)


@pytest.mark.parametrize(("rows", "width"), [(40, 12), (30, 100)], ids=["more rows", "more features"])
def test_the_ridge_is_the_one_that_fitting_again_without_each_row_would_choose(rows, width):
    x, targets = planted(rows, width)
    chosen = min(RIDGES, key=lambda strength: refitted(x, targets, strength))
    dual, strength = ridge(x - x.mean(0), targets - targets.mean(0))
    assert strength == chosen and not at_edge(strength)
    centred = x - x.mean(0)
    gram = centred @ centred.T + strength * torch.eye(rows, dtype=torch.double)
    assert torch.allclose(dual, torch.linalg.solve(gram, targets - targets.mean(0)))


def test_noise_takes_a_strong_ridge_though_it_could_be_interpolated():
    generator = torch.Generator().manual_seed(0)
    x, targets = (torch.randn(60, n, generator=generator, dtype=torch.double) for n in (200, 1))
    _, strength = ridge(x - x.mean(0), targets - targets.mean(0))
    assert strength >= 1000


def test_a_best_ridge_at_the_end_of_the_grid_is_told():
    x, _ = planted(200, 4)
    centred = x - x.mean(0)
    _, strength = ridge(centred, centred[:, :1])
    assert strength == RIDGES[0] and at_edge(strength)
    assert not at_edge(RIDGES[1])


def test_unequal_classes_keep_their_shares():
    labels = torch.tensor([4] * 30 + [7] * 10)
    features = torch.randn(40, 8, generator=torch.Generator().manual_seed(1))
    found = fit(features, labels, torch.tensor([4, 7]))
    assert set(found(1e-3 * features).tolist()) == {4}, "without information the common class is likelier"


@pytest.mark.parametrize("rows", [6, 40])
def test_features_that_are_all_the_same_are_survived(rows):
    labels = torch.arange(rows) % 2
    found = probe.fit(torch.ones(rows, 5), labels, torch.tensor([0, 1]))
    assert torch.isfinite(found.weights).all()
