"""The ridge against leaving one row out and fitting again, and many problems at once against one by one."""

import pytest
import torch

from lineshaft.continual.evaluate.ridge import RIDGES, fit, solve


def planted(rows: int, width: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three informative directions under noise, centred: [rows, width] and [rows, 1]."""
    generator = torch.Generator().manual_seed(rows + seed)
    x = torch.randn(rows, width, generator=generator, dtype=torch.double) + 3
    targets = x[:, :3].sum(1, keepdim=True) + torch.randn(rows, 1, generator=generator, dtype=torch.double)
    return x - x.mean(0), targets - targets.mean(0)


def refitted(x: torch.Tensor, targets: torch.Tensor, share: float) -> float:
    """Mean squared error of each row under a fit, intercept and all, to the others."""
    errors, strength = [], share * x.square().sum()
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
    chosen = min(RIDGES, key=lambda share: refitted(x, targets, share))
    dual, (share,) = solve(x[None], targets[None])
    assert share == chosen and share not in (RIDGES[0], RIDGES[-1])
    gram = x @ x.T + share * x.square().sum() * torch.eye(rows, dtype=torch.double)
    assert torch.allclose(dual[0], torch.linalg.solve(gram, targets))


def test_problems_solved_together_are_those_solved_one_by_one():
    sizes = [40, 40, 30, 40]
    labels = [torch.arange(n) % 2 for n in sizes]
    features = [
        torch.randn(n, 20, generator=torch.Generator().manual_seed(i)) + y[:, None]
        for i, (n, y) in enumerate(zip(sizes, labels))
    ]
    classes = [torch.tensor([0, 1])] * 4
    for i, found in enumerate(fit(features, labels, classes)):
        (alone,) = fit(features[i : i + 1], labels[i : i + 1], classes[:1])
        assert found.share == alone.share and torch.allclose(found.weights, alone.weights, atol=1e-6)


def test_noise_takes_a_strong_ridge_though_it_could_be_interpolated():
    generator = torch.Generator().manual_seed(0)
    x, targets = (torch.randn(1, 60, n, generator=generator, dtype=torch.double) for n in (200, 1))
    _, (share,) = solve(x - x.mean(1), targets - targets.mean(1))
    assert share > 0.05


def test_the_scale_of_features_does_not_matter():
    x, targets = planted(40, 12)
    shares = [solve(scale * x[None], targets[None])[1] for scale in (1e-3, 1.0, 1e3)]
    assert shares[0] == shares[1] == shares[2]


def test_unequal_classes_keep_their_shares():
    labels = torch.tensor([4] * 30 + [7] * 10)
    features = torch.randn(40, 8, generator=torch.Generator().manual_seed(1))
    (found,) = fit([features], [labels], [torch.tensor([4, 7])])
    assert set(found(1e-3 * features).tolist()) == {4}, "without information the common class is likelier"


@pytest.mark.parametrize("rows", [2, 6, 40])
def test_features_that_are_all_the_same_are_survived(rows):
    labels = torch.arange(rows) % 2
    (found,) = fit([torch.ones(rows, 5)], [labels], [torch.tensor([0, 1])])
    assert torch.isfinite(found.weights).all()
