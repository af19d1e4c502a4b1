"""The evaluator against rankings worked out by hand, and against every way to flatter it that we know of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import Fold, binary
from lineshaft.recommend.evaluate.ranks import Leak, Ranks, bootstrap, evaluate, rank
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.model import Model, Scorer
from lineshaft.recommend.models.popularity import Popularity


def matrix(rows: list[list[int]], items: int) -> csr_matrix:
    users = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    return binary(users, np.array([i for r in rows for i in r], int), (len(rows), items))


def warm(train: list[list[int]], test: list[list[int]], items: int) -> Fold:
    return Fold(matrix(train, items), matrix(train, items), matrix(test, items))


SCORES = np.array([[9, 8, 7, 6, 5], [1, 2, 3, 4, 5]], np.float32)


def test_ranks_are_those_worked_out_by_hand() -> None:
    fold = warm([[0], [4]], [[1, 3], [0]], items=5)
    found = rank(lambda rows: SCORES[rows], fold)
    assert found.user.tolist() == [0, 0, 1] and found.item.tolist() == [1, 3, 0]
    assert found.above.tolist() == [0, 2, 3], "the seen item is masked, not counted as above"
    assert found.recall(1).tolist() == [0.5, 0] and found.recall(3).tolist() == [1, 0]
    assert found.item_recall(1).tolist() == [0, 1, 0], "items 0, 1, 3"


def test_users_without_held_out_items_are_not_asked() -> None:
    fold = warm([[0], [4], [1]], [[1], [], [0]], items=5)
    found = rank(lambda rows: np.vstack([SCORES, SCORES[:1]])[rows], fold)
    assert found.users.tolist() == [0, 2] and found.recall(1).tolist() == [1, 1]


def test_tied_scores_earn_what_chance_earns() -> None:
    fold = warm([[0], [4]], [[1, 3], [0]], items=5)
    found = rank(lambda rows: np.zeros((len(rows), 5)), fold)
    assert found.recall(1).tolist() == [0.25, 0.25] and found.recall(4).tolist() == [1, 1]


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_expected_hits_equal_the_mean_over_random_tie_breaks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(3, size=(1, 6)).astype(np.float32)
    fold = warm([[5]], [[0, 1]], items=6)
    expected = rank(lambda rows: scores, fold).recall(2)[0]
    broken = [rank(lambda rows: scores + rng.random(6) / 2, fold).recall(2)[0] for _ in range(200)]
    assert abs(np.mean(broken) - expected) < 0.13


def test_chunks_do_not_change_the_answer() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random((50, 30), np.float32)
    train, test = (csr_matrix((rng.random((50, 30)) < 0.2).astype(np.float32)) for _ in range(2))
    test = (test - test.multiply(train)).tocsr()
    test.eliminate_zeros()
    fold = Fold(train, train, test)
    whole, parts = (rank(lambda rows: scores[rows], fold, chunk=c).array() for c in (50, 7))
    assert (whole == parts).all()


def test_the_training_fold_is_refused_as_test() -> None:
    train = matrix([[0, 1], [2]], items=5)
    with pytest.raises(Leak, match="3 of 3 held-out pairs are training pairs"):
        evaluate(Popularity(), Fold(train, train, train), Catalogue.bare(5), seed=0, threads=1)


def test_the_training_fold_is_refused_without_baskets_too() -> None:
    """The published fault: known users scored on the training matrix with nothing masked."""
    train = matrix([[0, 1], [2]], items=5)
    with pytest.raises(Leak):
        rank(lambda rows: SCORES[rows], Fold(train, csr_matrix((2, 5)), train))


def test_a_single_leaked_pair_is_refused() -> None:
    with pytest.raises(Leak, match="1 of 3"):
        evaluate(
            Popularity(), warm([[0, 1], [2]], [[3, 1], [4]], items=5), Catalogue.bare(5), seed=0, threads=1
        )


def test_a_basket_item_is_no_question_to_a_guest() -> None:
    shown = matrix([[], [2, 3]], items=5)
    with pytest.raises(Leak, match="basket pairs"):
        fold = Fold(matrix([[0, 1], []], 5), shown, matrix([[], [3]], 5))
        evaluate(Popularity(), fold, Catalogue.bare(5), seed=0, threads=1)


def test_training_items_left_out_of_the_basket_stay_masked() -> None:
    fold = Fold(matrix([[0, 1]], 5), matrix([[0]], 5), matrix([[2]], 5))
    assert rank(lambda rows: SCORES[rows], fold).above.tolist() == [0]


def test_the_memoriser_is_at_chance_where_it_would_be_perfect_on_its_training_data() -> None:
    rng = np.random.default_rng(0)
    likes = csr_matrix((rng.random((200, 500)) < 0.05).astype(np.float32))
    split = rng.random(likes.nnz) < 0.8
    rows, items = likes.nonzero()
    train, test = (binary(rows[m], items[m], likes.shape) for m in (split, ~split))
    found = evaluate(Memoriser(), Fold(train, train, test), Catalogue.bare(500), seed=0, threads=1)
    assert found.recall(20).mean() == pytest.approx(20 / 480, abs=0.002)
    own = Memoriser().fit(train, Catalogue.bare(500), seed=0, threads=1).score(train)
    assert own[train.nonzero()].min() > own[test.nonzero()].max()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad: float) -> None:
    scores = SCORES.copy()
    scores[1, 2] = bad
    with pytest.raises(ValueError, match="finite"):
        rank(lambda rows: scores[rows], warm([[0], [4]], [[1], [0]], items=5))


def test_a_fold_without_questions_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is held out"):
        rank(lambda rows: SCORES[rows], warm([[0], [4]], [[], []], items=5))


def test_the_evaluator_fits_on_the_training_part_alone() -> None:
    fold = warm([[0], [4]], [[1, 3], [0]], items=5)

    class Spy(Model):
        name: str = "spy"

        def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
            assert likes is fold.train
            return Popularity().fit(likes, catalogue, seed=seed, threads=threads)

    evaluate(Spy(), fold, Catalogue.bare(5), seed=0, threads=1)


def test_ranks_survive_their_array() -> None:
    found = rank(lambda rows: SCORES[rows], warm([[0], [4]], [[1, 3], [0]], items=5))
    again = Ranks(*found.array().T)
    assert again.recall(2).tolist() == found.recall(2).tolist()


def test_the_bootstrap_interval_covers_the_mean_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(200):
        _, low, high = bootstrap(rng.binomial(1, 0.3, 150).astype(float), seed=seed, times=200)
        inside += low <= 0.3 <= high
    assert 0.89 < inside / 200 < 0.99


def test_only_candidates_are_ranked_and_an_item_outside_them_is_refused() -> None:
    fold = warm([[0], [4]], [[3], [1]], items=5)
    among = Fold(fold.train, fold.baskets, fold.held_out, candidates=np.array([1, 3]))
    found = rank(lambda rows: SCORES[rows], among)
    assert found.above.tolist() == [1, 1] and found.recall(2).tolist() == [1, 1]
    with pytest.raises(ValueError, match="1 held-out pairs ask for items that are not candidates"):
        rank(
            lambda rows: SCORES[rows], Fold(fold.train, fold.baskets, fold.held_out, candidates=np.array([3]))
        )


def test_what_a_model_says_of_items_outside_the_candidates_changes_nothing() -> None:
    fold = warm([[0], [4]], [[3], [1]], items=5)
    among = Fold(fold.train, fold.baskets, fold.held_out, candidates=np.array([1, 3]))
    poisoned = SCORES + 1e6 * (~np.isin(np.arange(5), [1, 3]))
    honest = rank(lambda rows: SCORES[rows], among).array()
    other = rank(lambda rows: poisoned[rows], among).array()
    assert (honest == other).all()


def test_ndcg_and_precision_are_those_worked_out_by_hand() -> None:
    found = rank(lambda rows: SCORES[rows], warm([[0], [4]], [[1, 3], [0]], items=5))
    gains = 1 / np.log2([2, 4])
    assert found.ndcg(3)[0] == pytest.approx(gains.sum() / (1 / np.log2([2, 3])).sum())
    assert found.ndcg(3)[1] == 0 and found.precision(3).tolist() == pytest.approx([2 / 3, 0])


def test_tied_scores_earn_the_ndcg_that_chance_earns() -> None:
    found = rank(lambda rows: np.zeros((len(rows), 5)), warm([[0], [4]], [[1], [0]], items=5))
    assert found.ndcg(4)[0] == pytest.approx((1 / np.log2([2, 3, 4, 5])).mean())


def test_coverage_counts_the_items_that_anybody_is_shown() -> None:
    many = np.tile(np.arange(50, dtype=np.float32), (2, 1))
    found = rank(lambda rows: many[rows], warm([[0], [49]], [[1], [0]], items=50))
    assert found.coverage() == pytest.approx(21 / 50)
    with pytest.raises(ValueError, match="fresh ranks"):
        Ranks(*found.array().T).coverage()
