"""Every filter keeps what it says; `is_right` blames a turn for its own errors only."""

import numpy as np
import pytest

from lineshaft.dialogue.corpus.dialogue import Slot, Value
from lineshaft.dialogue.corpus.ontology import Ontology, surfaces
from lineshaft.dialogue.corpus.state import Update
from lineshaft.dialogue.errors import filters

AREA, PRICE, NAME = Slot("inn", "area"), Slot("inn", "price"), Slot("inn", "name")
ONTOLOGY = Ontology(surfaces([(AREA, "centre", ["downtown"])]), {})
CENTRE, DOWNTOWN, CHEAP, DEAR = (Value((name,)) for name in ("centre", "downtown", "cheap", "dear"))
CONFIDENCE = np.array([0.9, 0.2, 0.9, 0.5])
RIGHT = np.array([True, False, True, True])
CHANGES = np.array([True, True, False, False])
FILTERS = {
    "unfiltered": lambda: filters.unfiltered(4),
    "surest": lambda: filters.surest(CONFIDENCE, CHANGES, 0.5),
    "random": lambda: filters.random(RIGHT, CHANGES, np.random.default_rng(0)),
    "oracle": lambda: filters.oracle(RIGHT),
}
KEPT = {"unfiltered": 4, "surest": 2, "random": 3, "oracle": 3}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_a_mask_of_its_size_and_repeats(name):
    mask = FILTERS[name]()
    assert mask.dtype == bool and mask.shape == (4,)
    assert mask.sum() == KEPT[name]
    assert np.array_equal(mask, FILTERS[name]())


def test_the_surest_of_either_kind_are_kept():
    assert filters.surest(CONFIDENCE, CHANGES, 0.5).tolist() == [True, False, True, False]
    alike = np.array([False] * 4)
    assert filters.surest(CONFIDENCE, alike, 0.5).tolist() == [True, False, True, False]
    assert filters.surest(CONFIDENCE, alike, 0.25).tolist() == [True, False, False, False]


def test_changes_are_kept_though_every_turn_without_one_is_surer():
    confidence, changes = np.linspace(1, 0, 100), np.arange(100) >= 60
    mask = filters.surest(confidence, changes, 0.5)
    assert mask[changes].sum() == 20 and mask[~changes].sum() == 30


def test_the_oracle_keeps_exactly_the_right_ones():
    assert filters.oracle(RIGHT).tolist() == RIGHT.tolist()


def test_random_masks_differ_by_their_generator_and_keep_as_many_of_either_kind():
    like, changes = np.arange(50) % 3 > 0, np.arange(50) < 20
    masks = [filters.random(like, changes, np.random.default_rng(seed)) for seed in range(2)]
    assert not np.array_equal(*masks)
    for mask in masks:
        assert [mask[changes].sum(), mask[~changes].sum()] == [like[changes].sum(), like[~changes].sum()]


@pytest.mark.parametrize(
    ("previous", "update", "right"),
    [
        ({}, Update({AREA: DOWNTOWN}), True),
        ({PRICE: DEAR}, Update({AREA: CENTRE}), True),
        ({}, Update(), False),
        ({}, Update({AREA: CHEAP}), False),
        ({}, Update({AREA: CENTRE, NAME: CHEAP}), False),
        ({AREA: CENTRE}, Update(), True),
    ],
    ids=["another wording", "an old error stays", "omission", "wrong value", "addition", "already there"],
)
def test_a_turn_that_states_the_area_is_judged(previous, update, right):
    assert filters.is_right(ONTOLOGY, previous, update, {}, {AREA: CENTRE}) == right


def test_a_missed_deletion_is_wrong():
    before = {AREA: CENTRE, PRICE: CHEAP}
    assert not filters.is_right(ONTOLOGY, before, Update(), before, {PRICE: CHEAP})
    assert filters.is_right(ONTOLOGY, before, Update(removed=frozenset([AREA])), before, {PRICE: CHEAP})
