"""One contract for every recommender, on toy data of known answer: two blocks, one item missing in a row."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recommend_toys import (
    ALL,
    BY_CONTENT,
    ITEMS,
    PERSONAL,
    WORDS,
    blocks,
    described,
    missing,
    names,
    sparse_likes,
    unseen_best,
)
from scipy.sparse import csr_matrix, vstack
from threadpoolctl import threadpool_info

from lineshaft.engine import RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import without
from lineshaft.recommend.models import closedform
from lineshaft.recommend.models.closedform import Among, Problem
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.itemitem import Pruned, Whole
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.marec import Marec, aligned
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.model import Model, Scorer, largest, load
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Bridge, Wmf
from lineshaft.recommend.reasons import fallen
from lineshaft.recommend.text.columns import kinds
from lineshaft.recommend.text.encoders import Words


def fitted(model: Model, likes: csr_matrix, seed: int = 0) -> Scorer:
    return model.fit(likes, described(likes.shape[1]), seed=seed, threads=1)


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


@pytest.mark.parametrize("model", [m for m in ALL if m.name != "wmf"], ids=names)  # its start has their shape
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


@pytest.mark.parametrize("model", [m for m in ALL if not m.needs], ids=names)
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


READ = """
import sys, numpy as np
from lineshaft.recommend.models.model import load
scorer = load(sys.argv[1])
found = scorer.recommend(["Stück 3", "Stück 8"], k=5)
print(found)
"""


@pytest.mark.parametrize("model", ALL, ids=names)
def test_a_saved_model_answers_the_same(model: Model, tmp_path: Path) -> None:
    likes = sparse_likes(40, 60)
    scorer = fitted(model, likes)
    again = load(scorer.save(tmp_path / "model.safetensors"))
    assert (again.score(likes) == scorer.score(likes)).all()
    assert again.recommend(["Stück 3"], k=4) == scorer.recommend(["Stück 3"], k=4)
    assert again.catalogue.to_arrays().keys() == scorer.catalogue.to_arrays().keys()


def test_a_saved_model_answers_the_same_in_another_process(tmp_path: Path) -> None:
    scorer = fitted(L3ae(lam=1, pull=1, encoders=(Words(width=4),)), sparse_likes(40, 60))
    path = scorer.save(tmp_path / "model.safetensors")
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(scorer.recommend(["Stück 3", "Stück 8"], k=5))


@pytest.mark.parametrize("model", ALL, ids=names)
def test_a_file_has_no_array_with_an_axis_of_users(model: Model, tmp_path: Path) -> None:
    """Users are 41, a number that no axis over items, factors, words or edges has."""
    likes = sparse_likes(41, 60)
    path = fitted(model, likes).save(tmp_path / "model.safetensors")
    from lineshaft.recommend.arrays import read

    arrays, _ = read(path)
    assert arrays and not [name for name, array in arrays.items() if 41 in array.shape]


@pytest.mark.parametrize("model", ALL, ids=names)
def test_a_file_does_not_depend_on_the_order_or_the_names_of_users(model: Model, tmp_path: Path) -> None:
    """Sums over users are all that is left of them: turning the rows round changes rounding at most.

    WMF's conjugate gradients stop before the last digits and carry rounding on; another seed moves it by 1.7.
    """
    likes = sparse_likes(40, 60)
    first, second = (fitted(model, rows).score(likes) for rows in (likes, likes[::-1].tocsr()))
    np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-2 if isinstance(model, Wmf) else 1e-4)


@pytest.mark.parametrize("model", ALL, ids=names)
def test_recommendations_keep_the_rules(model: Model) -> None:
    scorer = fitted(model, sparse_likes(40, 60))
    basket = [f"Stück {i}" for i in (3, 8, 3)]
    found = scorer.recommend(basket, k=7, exclude=["Stück 50", "Stück 59"])
    assert len(found.items) == len(found.scores) == len(found.reasons) == 7
    assert not {*basket, "Stück 50", "Stück 59"} & set(found.items) and len(set(found.items)) == 7
    assert found.scores == sorted(found.scores, reverse=True)
    assert found == scorer.recommend(basket[:2], k=7, exclude=["Stück 50", "Stück 59"]), "twice is once"
    few = scorer.recommend(basket, k=7, candidates=["Stück 4", "Stück 8", "Stück 5"])
    assert set(few.items) == {"Stück 4", "Stück 5"}, "at most what is left of the candidates"
    assert all(reason.because in (*basket, None) for reason in found.reasons)


def test_more_than_the_catalogue_gives_the_rest_and_a_full_basket_nothing() -> None:
    scorer = fitted(Ease(), sparse_likes(40, 60))
    assert len(scorer.recommend(["Stück 3"], k=1000).items) == 59
    assert scorer.recommend(scorer.catalogue.ids, k=10).items == []


@pytest.mark.parametrize("where", ["basket", "candidates", "exclude"])
def test_an_unknown_id_is_named_with_the_nearest(where: str) -> None:
    scorer = fitted(Ease(), sparse_likes(40, 60))
    words = {"basket": ["Stück 3"], where: ["Stück 3", "Stueck 30"]}
    with pytest.raises(
        RequestError, match=r"unknown item 'Stueck 30' in a catalogue of 60 items; did you mean"
    ):
        scorer.recommend(**words)


def test_less_than_one_item_is_refused() -> None:
    with pytest.raises(RequestError, match="k=0"):
        fitted(Ease(), sparse_likes(40, 60)).recommend([], k=0)


class Doubling(Popularity):
    """An outsider's model, in a file of their own."""

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        from lineshaft.recommend.models.model import counts

        return Doubled(catalogue, counts(likes))


class Doubled(Scorer):
    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        return np.tile(2 * self.likes, (baskets.shape[0], 1))

    def state(self):
        from lineshaft.recommend.models.model import State

        return State({}, {}, {})

    @classmethod
    def from_state(cls, catalogue, likes, state):
        return cls(catalogue, likes)


def test_an_outsiders_model_is_saved_and_loaded_by_its_class(tmp_path: Path) -> None:
    path = fitted(Doubling(), sparse_likes(40, 60)).save(tmp_path / "m")
    with pytest.raises(RequestError, match=r"kind .*Doubled: pass its class, load\(path, kinds="):
        load(path)
    assert load(path, kinds=[Doubled]).recommend(["Stück 3"], k=1).scores == [
        2 * sparse_likes(40, 60).sum(0).max()
    ]


@pytest.mark.parametrize(
    ("contents", "message"),
    [(None, "no such model file"), (b"", "not a file of arrays"), (b"\x90" * 64, "not a file of arrays")],
)
def test_what_is_no_model_is_refused(contents: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(RequestError, match=message):
        load(path)


def test_a_torn_file_and_one_of_another_program_are_refused(tmp_path: Path) -> None:
    path = fitted(Ease(), sparse_likes(40, 60)).save(tmp_path / "model")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RequestError, match="shorter than its header says"):
        load(path)
    from lineshaft.recommend import arrays

    arrays.write(path, {"x": np.zeros(3, np.float32)}, {})
    with pytest.raises(RequestError, match=r"not a model of lineshaft\.recommend"):
        load(path)


def test_any_safetensors_reader_reads_the_file(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    scorer = fitted(Ease(), sparse_likes(40, 60))
    path = scorer.save(tmp_path / "model.safetensors")
    assert (load_file(path)["model.weights"] == scorer.weights).all()


def test_work_that_does_not_fit_into_memory_is_refused_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineshaft.recommend.memory.available", lambda: 10_000)
    with pytest.raises(RequestError, match=r"model ease on 60 items needs about .* take model=wmf"):
        fitted(Ease(), sparse_likes(40, 60))


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


def test_the_largest_come_first_and_ties_keep_the_catalogues_order() -> None:
    assert largest(np.array([1.0, 3, 2, 3, 3]), 2).tolist() == [1, 3]
    assert largest(np.array([1.0, 3]), 5).tolist() == [1, 0] and largest(np.array([1.0]), 0).tolist() == []


def test_the_reason_is_the_item_without_which_the_recommended_one_falls_furthest() -> None:
    """Item 0 adds more to item 3, but to its rivals as well: without item 1 it falls further."""
    weights = np.zeros((5, 5), np.float32)
    weights[0, 3], weights[0, 4] = 3.0, 4.0
    weights[1, 3] = 2.0
    weights[2, 4] = 0.5
    scorer = Whole(Catalogue.bare(5), np.ones(5), weights)
    found = scorer.recommend(["0", "1", "2"], k=2)
    assert dict(zip(found.items, (reason.because for reason in found.reasons)))["3"] == "1"
    added = scorer.contributions(np.array([0, 1, 2]), np.array([3, 4]))
    assert fallen(np.array([5.0, 4.5]), added, np.array([0, 1])).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_pruned_rows_tell_contributions_as_the_whole_matrix_does() -> None:
    rng = np.random.default_rng(0)
    whole = np.where(rng.random((30, 30)) < 0.2, rng.random((30, 30)), 0).astype(np.float32)
    whole[4] = 0
    pruned = Pruned(Catalogue.bare(30), np.ones(30), csr_matrix(whole))
    basket, items = np.array([4, 29, 0]), np.array([29, 3, 4, 0])
    np.testing.assert_array_equal(pruned.contributions(basket, items), whole[np.ix_(basket, items)])
