"""Closed forms and neighbours: the published equations, in numbers."""

import numpy as np
import pytest
from recommend_toys import (
    ITEMS,
    WORDS,
    blocks,
    described,
    fitted,
    sparse_likes,
)
from scipy.sparse import csr_matrix, vstack

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import without
from lineshaft.recommend.models import closedform
from lineshaft.recommend.models.closedform import Among, Problem
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.marec import Marec, aligned
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Bridge, Wmf
from lineshaft.recommend.text.columns import kinds
from lineshaft.recommend.text.encoders import Words


def test_popularity_counts_likes_and_the_memoriser_returns_the_basket() -> None:
    likes = sparse_likes(40, 60)
    popular, echo = (fitted(m, likes).score(likes) for m in (Popularity(), Memoriser()))
    np.testing.assert_allclose(popular, np.log1p(np.tile(likes.sum(0), (40, 1))), rtol=1e-6)
    assert (echo == likes.toarray()).all()


@pytest.mark.parametrize(("users", "items"), [(30, 50), (50, 30)])
def test_both_forms_of_ease_are_the_published_equation(users: int, items: int) -> None:
    likes, lam = sparse_likes(users, items), 5.0
    dense = likes.toarray().astype(float)
    precision = np.linalg.inv(dense.T @ dense + lam * np.eye(items))
    expected = dense @ (np.eye(items) - precision / np.diag(precision))
    assert Among(likes, lam).dual is (users < items)
    np.testing.assert_allclose(fitted(Ease(lam=lam), likes).affinity(likes), expected, atol=2e-4)


@pytest.mark.parametrize(("users", "items"), [(30, 50), (50, 30)])
@pytest.mark.parametrize(("side", "pull"), [(0.0, 0.0), (3.0, 0.0), (0.0, 4.0), (3.0, 4.0)])
def test_closed_forms_minimise_their_objective_under_the_zero_diagonal(users, items, side, pull) -> None:
    """The gradient off the diagonal is zero, in double precision, for either form and every term."""
    rng = np.random.default_rng(0)
    likes, known = sparse_likes(users, items), rng.normal(size=(items, 4)).astype(np.float32)
    problem = Problem(lam=2.0, side=side, pull=pull, text=1.5, columns=known)
    weights = closedform.fit(likes, described(items), problem, None).weights.astype(float)
    prior = np.linalg.inv(known @ known.T.astype(float) + 1.5 * np.eye(items))
    prior = np.eye(items) - prior / np.diag(prior)
    x, f = likes.toarray().astype(float), known.T.astype(float)
    gradient = (
        -x.T @ (x - x @ weights) - side * f.T @ (f - f @ weights) + 2.0 * weights + pull * (weights - prior)
    )
    np.fill_diagonal(gradient, 0)
    assert np.abs(weights.diagonal()).max() == 0 and np.abs(gradient).max() < 2e-3


@pytest.mark.parametrize(("users", "items"), [(30, 50), (50, 30)])
def test_marec_minimises_its_objective_under_the_zero_diagonal(users: int, items: int) -> None:
    """The gradient off the diagonal is zero; the rarest items are drawn to what texts say."""
    likes, how = sparse_likes(users, items), Marec(lam=2.0, beta=3.0, fewest=1, hops=0, encoders=WORDS)
    scorer = fitted(how, likes)
    vectors = kinds(described(items), WORDS, 0)
    x, d = likes.toarray().astype(float), how.pull(np.asarray(likes.sum(0)).ravel()).astype(float)
    target = x @ (aligned(likes, vectors)[0] * vectors[0] @ vectors[0].T)
    assert (d > 0).any() and (d == 0).any()
    predicted = x @ scorer.weights
    gradient = x.T @ (predicted - x + d * (predicted - target)) + 2.0 * (1 + d) * scorer.weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(scorer.weights.diagonal()).max() == 0 and np.abs(gradient).max() < 5e-3


def test_marec_weighs_the_kind_of_text_that_tells_of_likes() -> None:
    """By weighted least squares of X on what the other items of a basket say."""
    likes, rng = blocks(), np.random.default_rng(0)
    telling = np.eye(2, dtype=np.float32)[np.arange(ITEMS) % 2]
    noise = rng.normal(size=(ITEMS, 2)).astype(np.float32)
    found = aligned(likes, [telling, noise])
    x = likes.toarray().astype(float)
    said = []
    for v in (telling, noise):
        near = v @ v.T
        said.append(x @ near - x * np.diag(near))
    weight = np.where(x > 0, 1, 0.2)
    root = np.sqrt(weight).ravel()
    expected = np.linalg.lstsq(np.stack([s.ravel() * root for s in said], 1), x.ravel() * root, rcond=None)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert found[0] > 3 * abs(found[1])


def test_a_pruned_row_keeps_the_largest_positive_entries_of_the_whole_row() -> None:
    likes = sparse_likes(40, 60)
    whole, pruned = (fitted(Ease(lam=5, rows=rows), likes).weights for rows in (None, 7))
    for full, few in zip(whole, pruned.toarray()):
        kept = few > 0
        assert kept.sum() <= 7 and (few[kept] == full[kept]).all() and few.min() == 0
        assert np.maximum(full[~kept], 0).max() <= few[kept].min(initial=np.inf)


def test_wmf_folds_in_by_least_squares() -> None:
    likes, how = sparse_likes(40, 60), Wmf(factors=6, reg=0.5, alpha=7)
    scorer = fitted(how, likes)
    items = scorer.factors.astype(float)
    for user in (5, 6, 39):
        basket = likes[user].toarray().ravel()
        confidence = np.where(basket > 0, how.alpha, 1.0)
        left = (items.T * confidence) @ items + how.reg * np.eye(6)
        expected = np.linalg.solve(left, items.T @ (confidence * basket))
        np.testing.assert_allclose(scorer.users(likes)[user], expected, rtol=1e-3, atol=1e-4)


def test_a_bridge_gives_factors_to_unrated_items_and_leaves_the_others() -> None:
    likes = without(vstack([blocks()] * 3).tocsr(), np.array([6, 7]))
    plain, bridged = (
        fitted(Wmf(factors=2, bridge=b), likes) for b in (None, Bridge(lam=0.1, encoders=(Words(width=4),)))
    )
    assert (plain.scored[6:] == 0).all() and (bridged.scored[:6] == plain.scored[:6]).all()
    scores = bridged.score(csr_matrix(np.eye(8, dtype=np.float32)[:2]))
    assert scores[0, 6] > scores[0, 7] and scores[1, 7] > scores[1, 6]


def test_wmf_is_quiet_and_starts_from_its_seed(capfd: pytest.CaptureFixture[str], recwarn) -> None:
    likes = sparse_likes(40, 60)
    scores = [Wmf(factors=6).fit(likes, Catalogue.bare(60), seed=s, threads=2).score(likes) for s in (0, 1)]
    assert not (scores[0] == scores[1]).all()
    assert capfd.readouterr() == ("", "") and not recwarn.list


def test_knn_shrinks_rare_pairs() -> None:
    likes = csr_matrix(np.array([[1, 1, 0, 0]] + [[0, 0, 1, 1]] * 9, np.float32))
    plain, shrunk = (fitted(Knn(shrink=s), likes).weights for s in (0, 10))
    assert plain[0, 1] == pytest.approx(1) and plain[2, 3] == pytest.approx(1)
    assert shrunk[0, 1] == pytest.approx(1 / 11) and shrunk[2, 3] == pytest.approx(9 / 19)
