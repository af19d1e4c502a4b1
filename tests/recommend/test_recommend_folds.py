"""Folds: nothing is lost, nothing is shared, guests are unseen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from lineshaft.recommend.evaluate import refuse_leak
from lineshaft.recommend.folds import (
    FEWEST,
    Split,
    binary,
    cut,
    draw_guests,
    guest_fold,
    member_fold,
    sizes,
    split,
    validation_fold,
    warm_fold,
)


def likes(seed: int = 0, users: int = 80, items: int = 60) -> csr_matrix:
    rng = np.random.default_rng(seed)
    return csr_matrix((rng.random((users, items)) < rng.beta(1, 6, users)[:, None]).astype(np.float32))


def same(a: csr_matrix, b: csr_matrix) -> bool:
    return (a != b).nnz == 0


def test_a_pair_named_twice_counts_once() -> None:
    assert binary(np.array([0, 0, 1]), np.array([2, 2, 0]), (2, 3)).toarray().tolist() == [
        [0, 0, 1],
        [1, 0, 0],
    ]


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_every_fold_is_fit_for_the_evaluator(seed: int) -> None:
    data = split(likes(seed), seed)
    guests = draw_guests(data, 0.2, seed)
    outside = guest_fold(data, guests, 3, seed)
    for fold in (validation_fold(data, guests, 0.1, seed), warm_fold(data), outside, member_fold(outside)):
        refuse_leak(fold)
        assert fold.held_out.nnz and sizes(fold.baskets)[sizes(fold.held_out) > 0].min() > 0


def test_a_cut_keeps_every_pair_and_the_asked_number() -> None:
    whole = likes()
    kept = np.minimum(sizes(whole), 4)
    first, second = cut(whole, kept, np.random.default_rng(0))
    assert same(first + second, whole) and first.multiply(second).nnz == 0
    assert (sizes(first) == kept).all()


def test_cuts_of_one_seed_are_nested() -> None:
    small, large = (cut(likes(), np.full(80, k), np.random.default_rng(0))[0] for k in (2, 5))
    assert same(small.multiply(large).tocsr(), small)


def test_small_users_only_train() -> None:
    whole = likes()
    data = split(whole, 0)
    assert same(data.train + data.test, whole)
    asked = sizes(data.test) > 0
    assert (asked == (sizes(whole) >= FEWEST)).all() and 0 < asked.sum() < 80
    assert abs(sizes(data.train)[asked].sum() / sizes(whole)[asked].sum() - 0.8) < 0.05


def test_guests_are_unseen_and_show_the_asked_basket() -> None:
    data = split(likes(), 0)
    guests = draw_guests(data, 0.3, 0)
    fold = guest_fold(data, guests, 3, 0)
    whole = data.train + data.test
    assert sizes(fold.train)[guests].sum() == 0 and (sizes(whole)[guests] >= FEWEST).all()
    assert (sizes(fold.baskets)[guests] == 3).all() and sizes(fold.baskets)[~guests].sum() == 0
    assert same(fold.train + fold.baskets + fold.held_out, whole)


def test_a_guest_shows_four_fifths_unless_told_and_always_leaves_one() -> None:
    data = split(likes(), 0)
    guests = draw_guests(data, 0.3, 0)
    count = sizes(data.train + data.test)[guests]
    assert (sizes(guest_fold(data, guests, None, 0).baskets)[guests] == np.round(0.8 * count)).all()
    assert (sizes(guest_fold(data, guests, 1000, 0).held_out)[guests] == 1).all()


def test_a_member_is_the_guest_trained_on() -> None:
    data = split(likes(), 0)
    guests = draw_guests(data, 0.3, 0)
    outside = guest_fold(data, guests, 3, 0)
    inside = member_fold(outside)
    assert same(inside.baskets, outside.baskets) and same(inside.held_out, outside.held_out)
    assert (sizes(inside.train)[guests] == 3).all()


def test_tuning_sees_neither_the_test_nor_a_guest() -> None:
    data = split(likes(), 0)
    guests = draw_guests(data, 0.3, 0)
    fold = validation_fold(data, guests, 0.1, 0)
    assert same(fold.train + fold.held_out, data.train.multiply(csr_matrix(~guests[:, None])).tocsr())
    asked = sizes(data.test) > 0
    assert sizes(fold.held_out)[~asked].sum() == 0
    assert abs(fold.held_out.nnz / (fold.train + fold.held_out)[asked].nnz - 0.1) < 0.04


@pytest.mark.parametrize("seed", [0, 1])
def test_folds_are_those_of_their_seed(seed: int) -> None:
    def drawn(s: int) -> Split:
        return split(likes(), s)

    assert same(drawn(seed).train, drawn(seed).train) and not same(drawn(seed).train, drawn(seed + 1).train)
