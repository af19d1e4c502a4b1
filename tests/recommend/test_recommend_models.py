"""One contract for every recommender, on toy data of known answer: two blocks, one item missing in a row."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from lineshaft.recommend.models.ease import Dual, Ease, Primal
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.model import Model
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Wmf

PERSONAL: list[Model] = [Knn(), Wmf(factors=4), Ease(lam=1)]
ALL: list[Model] = [Popularity(), Memoriser(), *PERSONAL]
USERS, ITEMS = 12, 8


def names(model: Model) -> str:
    return str(model.name)


def blocks() -> csr_matrix:
    """Even users like the even items, odd users the odd ones; each user misses one item of the block."""
    users, items = np.indices((USERS, ITEMS))
    likes = (users - items) % 2 == 0
    likes &= items != missing()[:, None]
    return csr_matrix(likes.astype(np.float32))


def missing() -> np.ndarray:
    """(users,) the one item of the own block that a user does not have: the right answer."""
    user = np.arange(USERS)
    return user % 2 + 2 * (user // 2 % (ITEMS // 2))


def sparse_likes(users: int, items: int, seed: int = 0) -> csr_matrix:
    """Random likes with popular and with never-liked items."""
    rng = np.random.default_rng(seed)
    share = np.linspace(0, 0.4, items)
    return csr_matrix((rng.random((users, items)) < share).astype(np.float32))


def unseen_best(scores: np.ndarray, baskets: csr_matrix) -> np.ndarray:
    return np.where(baskets.toarray() > 0, -np.inf, scores).argmax(1)


@pytest.mark.parametrize("model", PERSONAL, ids=names)
def test_a_personal_model_finds_the_missing_item_of_the_block(model: Model) -> None:
    likes = blocks()
    scores = model.fit(likes, seed=0, threads=1).score(likes)
    assert unseen_best(scores, likes).tolist() == missing().tolist()


@pytest.mark.parametrize("model", PERSONAL, ids=names)
def test_a_guest_of_one_item_gets_its_block(model: Model) -> None:
    scores = model.fit(blocks(), seed=0, threads=1).score(csr_matrix(np.eye(ITEMS, dtype=np.float32)))
    best = unseen_best(scores, csr_matrix(np.eye(ITEMS)))
    assert (best % 2 == np.arange(ITEMS) % 2).all()


@pytest.mark.parametrize("model", ALL, ids=names)
def test_scores_are_fresh_finite_float32_of_the_whole_catalogue(model: Model) -> None:
    likes = sparse_likes(40, 60)
    before = likes.toarray()
    scorer = model.fit(likes, seed=0, threads=1)
    scores = scorer.score(likes[:7])
    assert scores.shape == (7, 60) and scores.dtype == np.float32 and np.isfinite(scores).all()
    scores[:] = 0
    assert scorer.score(likes[:7]).any(), "what a caller writes into the scores must not reach the model"
    assert (likes.toarray() == before).all()


@pytest.mark.parametrize("model", ALL, ids=names)
def test_the_same_seed_gives_the_same_scores(model: Model) -> None:
    likes = sparse_likes(40, 60)
    first, second = (model.fit(likes, seed=3, threads=1).score(likes) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("model", ALL, ids=names)
def test_a_guest_with_a_users_basket_is_that_user(model: Model) -> None:
    likes = sparse_likes(40, 60)
    scorer = model.fit(likes, seed=0, threads=1)
    together, alone = scorer.score(likes), scorer.score(likes[11])
    np.testing.assert_allclose(alone[0], together[11], atol=1e-5)


@pytest.mark.parametrize("model", ALL, ids=names)
def test_an_empty_basket_gets_the_popular_items(model: Model) -> None:
    likes = sparse_likes(40, 60)
    scores = model.fit(likes, seed=0, threads=1).score(csr_matrix((2, 60), dtype=np.float32))
    assert (scores == np.asarray(likes.sum(0))).all()


@pytest.mark.parametrize("model", [m for m in ALL if m.name != "wmf"], ids=names)  # its start has their shape
def test_users_without_items_change_nothing_a_basket_gets(model: Model) -> None:
    likes = sparse_likes(40, 60)
    padded = csr_matrix((likes.data, likes.indices, np.append(likes.indptr, [likes.nnz] * 5)), (45, 60))
    scores = model.fit(padded, seed=0, threads=1).score(likes)
    np.testing.assert_allclose(scores, model.fit(likes, seed=0, threads=1).score(likes), atol=1e-5)


def test_popularity_counts_likes_and_the_memoriser_returns_the_basket() -> None:
    likes = sparse_likes(40, 60)
    counts, echo = (m.fit(likes, seed=0, threads=1).score(likes) for m in (Popularity(), Memoriser()))
    assert (counts == np.asarray(likes.sum(0))).all() and (echo == likes.toarray()).all()


@pytest.mark.parametrize(("users", "items", "form"), [(30, 50, Dual), (50, 30, Primal)])
def test_ease_inverts_on_the_smaller_side(users: int, items: int, form: type) -> None:
    assert isinstance(Ease(lam=5).fit(sparse_likes(users, items), seed=0, threads=1), form)


@pytest.mark.parametrize(("users", "items"), [(30, 50), (50, 30)])
def test_both_forms_of_ease_are_the_published_equation(users: int, items: int) -> None:
    likes, lam = sparse_likes(users, items), 5.0
    dense = likes.toarray().astype(float)
    precision = np.linalg.inv(dense.T @ dense + lam * np.eye(items))
    expected = dense @ (np.eye(items) - precision / np.diag(precision))
    for form in (Primal, Dual):
        np.testing.assert_allclose(form(likes, lam).score(likes), expected, atol=2e-4)


def test_ease_weights_minimise_the_regularised_error_under_the_zero_diagonal() -> None:
    likes, lam = sparse_likes(50, 20), 2.0
    fitted = Primal(likes, lam)
    x = likes[:, fitted.liked].toarray()
    gradient = -x.T @ (x - x @ fitted.weights) + lam * fitted.weights
    assert np.diag(fitted.weights).tolist() == [0.0] * len(fitted.liked)
    assert np.abs(gradient - np.diag(np.diag(gradient))).max() < 1e-3


def test_wmf_folds_in_by_least_squares() -> None:
    likes, how = sparse_likes(40, 60), Wmf(factors=6, reg=0.5, alpha=7)
    fitted = how.fit(likes, seed=0, threads=1)
    items = fitted.als.item_factors.astype(float)
    basket = likes[5].toarray().ravel()
    confidence = np.where(basket > 0, how.alpha, 1.0)
    left = (items.T * confidence) @ items + how.reg * np.eye(6)
    expected = np.linalg.solve(left, items.T @ (confidence * basket))
    np.testing.assert_allclose(fitted.fold_in(likes[5])[0], expected, rtol=1e-3, atol=1e-4)


def test_wmf_is_quiet_and_starts_from_its_seed(capfd: pytest.CaptureFixture[str], recwarn) -> None:
    likes = sparse_likes(40, 60)
    scores = [Wmf(factors=6).fit(likes, seed=s, threads=2).score(likes) for s in (0, 1)]
    assert not (scores[0] == scores[1]).all()
    assert capfd.readouterr() == ("", "") and not recwarn.list


def test_knn_shrinks_rare_pairs() -> None:
    likes = csr_matrix(np.array([[1, 1, 0, 0]] + [[0, 0, 1, 1]] * 9, np.float32))
    plain, shrunk = (Knn(shrink=s).fit(likes, seed=0, threads=1).similarity for s in (0, 10))
    assert plain[0, 1] == pytest.approx(1) and plain[2, 3] == pytest.approx(1)
    assert shrunk[0, 1] == pytest.approx(1 / 11) and shrunk[2, 3] == pytest.approx(9 / 19)
