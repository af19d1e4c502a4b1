"""What a basket of ids gets, and why."""

import numpy as np
import pytest
from recommend_toys import (
    ALL,
    fitted,
    names,
    sparse_likes,
)
from scipy.sparse import csr_matrix

from lineshaft.engine import RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.itemitem import Pruned, Whole
from lineshaft.recommend.models.model import Model, largest
from lineshaft.recommend.reasons import fallen


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
