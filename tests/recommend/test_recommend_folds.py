"""Folds: nothing is lost, nothing is shared, guests are unseen, and what is held out is what a test would."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.evaluate.folds import (
    FEWEST,
    Lots,
    apart,
    asked_alone,
    binary,
    by_item,
    by_user,
    cold_split,
    draw_guests,
    guest_fold,
    member_fold,
    rows_of,
    sizes,
    split,
    warm_fold,
)
from lineshaft.recommend.evaluate.ranks import refuse_leak


def likes(seed: int = 0, users: int = 80, items: int = 60) -> csr_matrix:
    rng = np.random.default_rng(seed)
    return csr_matrix((rng.random((users, items)) < rng.beta(1, 6, users)[:, None]).astype(np.float32))


def lots(key: object = 0, users: int = 80, items: int = 60) -> Lots:
    return Lots([f"u{u}" for u in range(users)], [f"i{i}" for i in range(items)], str(key))


def same(a: csr_matrix, b: csr_matrix) -> bool:
    return (a != b).nnz == 0


def test_a_pair_named_twice_counts_once() -> None:
    made = binary(np.array([0, 0, 1]), np.array([2, 2, 0]), (2, 3))
    assert made.toarray().tolist() == [[0, 0, 1], [1, 0, 0]]


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_every_fold_is_fit_for_the_evaluator(seed: int) -> None:
    whole = likes(seed)
    guests = draw_guests(whole, lots(seed), 0.2)
    outside = guest_fold(whole, guests, 3, lots(seed))
    cold = warm_fold(cold_split(whole, lots(seed)))
    known = warm_fold(split(whole, lots(seed), by_user))
    rare = warm_fold(split(whole, lots(seed), by_item))
    for fold in (known, rare, cold, apart(cold, guests), outside, member_fold(outside)):
        refuse_leak(fold)
        assert fold.held_out.nnz


@pytest.mark.parametrize("rule", [by_user, by_item])
def test_a_split_keeps_every_pair(rule) -> None:
    whole = likes()
    made = split(whole, lots(), rule)
    assert same(made.train + made.test, whole) and made.train.multiply(made.test).nnz == 0


def test_small_users_only_train() -> None:
    made = split(likes(), lots(), by_user)
    asked = sizes(made.test) > 0
    assert (asked == (sizes(likes()) >= FEWEST)).all() and 0 < asked.sum() < 80
    assert abs(sizes(made.train)[asked].sum() / sizes(likes())[asked].sum() - 0.8) < 0.05


def test_every_item_gives_a_fifth_of_its_pairs_rounded_down() -> None:
    made = split(likes(), lots(), by_item)
    count = np.asarray(likes().sum(0)).ravel().astype(int)
    assert (np.asarray(made.test.sum(0)).ravel() == count // 5).all()


def test_cold_items_are_hidden_whole_and_are_the_candidates() -> None:
    made = cold_split(likes(), lots(), share=0.2)
    assert same(made.train + made.test, likes()) and len(made.candidates) == 12
    assert set(made.test.indices) == set(made.candidates) and not set(made.train.indices) & set(
        made.candidates
    )


def test_guests_are_unseen_and_show_the_asked_basket() -> None:
    whole = likes()
    guests = draw_guests(whole, lots(), 0.3)
    fold = guest_fold(whole, guests, 3, lots())
    assert sizes(fold.train)[guests].sum() == 0 and (sizes(whole)[guests] >= FEWEST).all()
    assert (sizes(fold.baskets)[guests] == 3).all() and sizes(fold.baskets)[~guests].sum() == 0
    assert same(fold.train + fold.baskets + fold.held_out, whole)


def test_baskets_are_nested() -> None:
    guests = draw_guests(likes(), lots(), 0.3)
    one, three = (guest_fold(likes(), guests, k, lots()).baskets for k in (1, 3))
    assert same(one.multiply(three).tocsr(), one)


def test_a_guest_shows_four_fifths_unless_told_and_always_leaves_one() -> None:
    guests = draw_guests(likes(), lots(), 0.3)
    count = sizes(likes())[guests]
    shown = sizes(guest_fold(likes(), guests, None, lots()).baskets)[guests]
    assert (shown == np.clip(np.round(0.8 * count), 1, count - 1)).all()
    assert (sizes(guest_fold(likes(), guests, 1000, lots()).held_out)[guests] == 1).all()


def test_a_member_is_the_guest_trained_on() -> None:
    guests = draw_guests(likes(), lots(), 0.3)
    outside = guest_fold(likes(), guests, 3, lots())
    inside = member_fold(outside)
    assert same(inside.baskets, outside.baskets) and same(inside.held_out, outside.held_out)
    assert (sizes(inside.train)[guests] == 3).all()


def test_users_apart_are_asked_the_same_without_being_trained_on() -> None:
    fold = warm_fold(cold_split(likes(), lots()))
    guests = draw_guests(likes(), lots(), 0.3)
    inside, outside = asked_alone(fold, guests), apart(fold, guests)
    assert same(inside.held_out, outside.held_out) and same(rows_of(inside.baskets, guests), outside.baskets)
    assert sizes(outside.train)[guests].sum() == 0 and same(inside.train, fold.train)


def test_lots_depend_on_ids_and_key_and_not_on_the_order_of_rows() -> None:
    whole, order = likes(), np.random.default_rng(1).permutation(80)
    turned = Lots([lots().users[u] for u in order], lots().items, "0")
    first, second = split(whole, lots(), by_item).test, split(whole[order], turned, by_item).test
    assert same(first[order], second)
    assert not same(first, split(whole, lots(1), by_item).test)


def test_lots_of_different_users_are_not_correlated() -> None:
    whole = csr_matrix(np.ones((200, 400), np.float32))
    drawn = Lots([str(u) for u in range(200)], [str(i) for i in range(400)], "0").of_pairs(whole)
    correlation = np.corrcoef(drawn.reshape(200, 400) < 0.2)
    assert np.abs(correlation[np.triu_indices(200, 1)]).mean() < 0.06, "1 / sqrt(400) x sqrt(2 / pi) is .04"


def test_validation_holds_out_what_the_test_does() -> None:
    """Of DropoutNet's test no pair leaves its item two or fewer; a uniform draw leaves 5.7 % of them so."""
    rng = np.random.default_rng(0)
    skewed = csr_matrix((rng.random((400, 300)) < 0.3 / (1 + np.arange(300) / 10)).astype(np.float32))
    data = Data([str(u) for u in range(400)], skewed, Catalogue.bare(300), rule=by_item)
    warm = data.warm(0)
    for parts in (warm, data.validation(warm.train, 0)):
        left = np.asarray(parts.train.sum(0)).ravel()[parts.test.indices]
        assert left.min() >= 4


def test_the_latest_items_are_held_out_where_times_are_known() -> None:
    whole = likes()
    times = whole.copy()
    times.data = np.random.default_rng(0).permutation(whole.nnz) + 1.0
    made = Data([str(u) for u in range(80)], whole, Catalogue.bare(60), times=times).warm(0)
    for user in np.flatnonzero(sizes(made.test)):
        old, new = (part[user].multiply(times[user]).data for part in (made.train, made.test))
        assert old.max() < new.min()
