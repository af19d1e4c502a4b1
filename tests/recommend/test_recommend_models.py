"""One contract for every recommender, on toy data of known answer: two blocks, one item missing in a row."""

import numpy as np
import pytest
from recommend_toys import (
    ALL,
    BY_CONTENT,
    DRAWN,
    ITEMS,
    PERSONAL,
    blocks,
    described,
    fitted,
    missing,
    names,
    sparse_likes,
    unseen_best,
)
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_info

from lineshaft.engine import RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import without
from lineshaft.recommend.models.blend import Blend
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.model import Model
from lineshaft.recommend.models.trial import Guests
from lineshaft.recommend.models.wmf import Wmf


@pytest.mark.parametrize("model", PERSONAL, ids=names)
def test_a_personal_model_finds_the_missing_item_of_the_block(model: Model) -> None:
    scores = fitted(model, blocks()).score(blocks())
    assert unseen_best(scores, blocks()).tolist() == missing().tolist()


@pytest.mark.parametrize("model", [*PERSONAL, *BY_CONTENT], ids=names)
def test_a_guest_of_one_item_gets_its_block(model: Model) -> None:
    alone = csr_matrix(np.eye(ITEMS, dtype=np.float32))
    best = unseen_best(fitted(model, blocks()).score(alone), alone)
    assert (best % 2 == np.arange(ITEMS) % 2).all()


@pytest.mark.parametrize("model", ALL, ids=names)
def test_scores_are_fresh_finite_float32_of_the_whole_catalogue(model: Model) -> None:
    likes = sparse_likes(40, 60)
    before = likes.toarray()
    scorer = fitted(model, likes)
    scores = scorer.score(likes[:7])
    assert scores.shape == (7, 60) and scores.dtype == np.float32 and np.isfinite(scores).all()
    kept = scores.copy()
    scores[:] = 0
    assert (scorer.score(likes[:7]) == kept).all(), "a caller's writes must not reach the model"
    assert (likes.toarray() == before).all()


@pytest.mark.parametrize("model", ALL, ids=names)
def test_the_same_seed_gives_the_same_scores(model: Model) -> None:
    likes = sparse_likes(40, 60)
    first, second = (fitted(model, likes, seed=3).score(likes) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("model", ALL, ids=names)
def test_a_guest_with_a_users_basket_is_that_user(model: Model) -> None:
    likes = sparse_likes(40, 60)
    scorer = fitted(model, likes)
    together, alone = scorer.score(likes), scorer.score(likes[11])
    np.testing.assert_allclose(alone[0], together[11], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", [m for m in ALL if m.name != "memoriser"], ids=names)
def test_an_empty_basket_gets_the_popular_items(model: Model) -> None:
    likes = sparse_likes(40, 60)
    scores = fitted(model, likes).score(csr_matrix((2, 60), dtype=np.float32))
    assert (scores == np.asarray(likes.sum(0))).all()


@pytest.mark.parametrize("model", [Knn(), Wmf(factors=4), Ease(lam=1), Ease(lam=1, rows=5)], ids=names)
def test_a_basket_of_items_that_nobody_knows_gets_the_popular_items(model: Model) -> None:
    likes = without(sparse_likes(40, 60), np.array([7, 9]))
    scores = fitted(model, likes).score(csr_matrix(([1.0, 1.0], [7, 9], [0, 2]), shape=(1, 60)))
    assert (scores == np.asarray(likes.sum(0))).all()


@pytest.mark.parametrize("model", [m for m in ALL if m not in DRAWN and m.name != "wmf"], ids=names)
def test_users_without_items_change_nothing_a_basket_gets(model: Model) -> None:
    likes = sparse_likes(40, 60)
    padded = csr_matrix((likes.data, likes.indices, np.append(likes.indptr, [likes.nnz] * 5)), (45, 60))
    np.testing.assert_allclose(
        fitted(model, padded).score(likes), fitted(model, likes).score(likes), atol=1e-5
    )


@pytest.mark.parametrize("model", ALL, ids=names)
def test_a_catalogue_without_texts_or_edges_is_fitted_or_refused_in_one_line(model: Model) -> None:
    likes, bare = sparse_likes(40, 60), Catalogue.bare(60)
    if not model.needs:
        assert model.fit(likes, bare, seed=0, threads=1).score(likes).shape == (40, 60)
        return
    with pytest.raises(RequestError, match=rf"model {model.name} needs .* pass data\.\w+=FILE$"):
        model.fit(likes, bare, seed=0, threads=1)


@pytest.mark.parametrize("model", [m for m in ALL if not m.needs and m not in DRAWN], ids=names)
def test_a_catalogue_of_one_item_has_nothing_to_recommend(model: Model) -> None:
    scorer = model.fit(csr_matrix([[1.0], [1.0]]), Catalogue(["only"]), seed=0, threads=1)
    assert scorer.recommend([], k=5).items == ["only"] and scorer.recommend(["only"], k=5).items == []


@pytest.mark.parametrize("model", ALL, ids=names)
def test_likes_and_catalogue_of_other_widths_are_refused(model: Model) -> None:
    with pytest.raises(RequestError, match="likes over 60 items, but the catalogue has 8"):
        model.fit(sparse_likes(40, 60), described(8), seed=0, threads=1)


@pytest.mark.parametrize("model", [m for m in ALL if m.name != "memoriser"], ids=names)
def test_baskets_of_another_width_are_refused(model: Model) -> None:
    with pytest.raises(RequestError, match="baskets of 59 items given to a model of 60 items"):
        fitted(model, sparse_likes(40, 60)).score(csr_matrix((1, 59), dtype=np.float32))


@pytest.mark.parametrize("model", ALL, ids=names)
def test_the_threads_of_blas_are_as_before(model: Model) -> None:
    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    likes = sparse_likes(40, 60)
    fitted(model, likes).score(likes)  # loads whatever libraries there are
    before = threads()
    fitted(model, likes).score(likes)
    assert threads() == before


def test_work_that_does_not_fit_into_memory_is_refused_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineshaft.recommend.memory.available", lambda: 10_000)
    with pytest.raises(RequestError, match=r"model ease on 60 items needs about .* take model=wmf"):
        fitted(Ease(), sparse_likes(40, 60))
    with pytest.raises(RequestError, match=r"model blend on 60 items .* take model\.trial\.most=100"):
        fitted(Blend(), sparse_likes(40, 60))
    few, many = (Blend(trial=Guests(most=most)).memory(5000, 50_000) for most in (100, 600))
    assert many - few > 2 * 5 * 500 * 50_000
