"""Views of turns as vectors and the ridge heads on them."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from lineshaft.dialogue.annotators import heads
from lineshaft.dialogue.annotators.scene import scene
from lineshaft.dialogue.annotators.terms import Terms
from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, Turn

SLOTS = {Slot("ferry", "day"): 0, Slot("inn", "area"): 1, Slot("inn", "price"): 2}


def scenes(*said, acts=()):
    return [scene(Dialogue("d", (Turn(text, None, acts),)), 0) for text in said]


def test_rows_have_unit_length_and_rare_terms_weigh_more():
    found = scenes("a cheap inn", "a ferry", "a cheap ferry", "a walk")
    terms = Terms(found)
    rows = terms.encoded(found)
    assert np.allclose(np.sqrt(rows.multiply(rows).sum(1)), 1)
    first = rows[0].toarray()[0]
    assert first[terms.columns["u=inn"]] > first[terms.columns["u=cheap"]] > first[terms.columns["u=a"]] > 0


def test_what_labelled_turns_do_not_hold_is_nothing():
    terms = Terms(scenes("a cheap inn"))
    new = scenes("un albergue barato", acts=(Act("inn", "request", "area"),))
    assert terms.encoded(new).nnz == 1  # both are a first turn
    assert terms.encoded([]).shape == (0, len(terms.columns))


def test_terms_are_those_of_the_most_turns_and_do_not_depend_on_their_order(monkeypatch):
    monkeypatch.setattr("lineshaft.dialogue.annotators.terms.WIDTH", 3)
    found = scenes("b a", "a c", "a b")
    assert Terms(found).columns == Terms(found[::-1]).columns
    assert set(Terms(found).columns) == {"first=True", "u=a", "u=b"}


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_heads_find_what_a_turn_changes(form):
    """Three kinds of turn with an own direction each; weight 0 takes a turn out."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 4, 400)
    inputs = (np.eye(4)[kind] + rng.normal(0, 0.05, (400, 4))).astype(np.float32)
    touched = np.eye(4, dtype=bool)[kind][:, :3]
    weight = (np.arange(400) < 300).astype(float)
    wrong = touched.copy()
    wrong[300:] = ~wrong[300:]
    domain = heads.domains(SLOTS)
    assert domain.tolist() == [0, 1, 1]
    found = heads.fit(form(inputs), wrong, domain, weight, penalty=1.0)
    scores = found.scores(form(inputs))
    assert scores.shape == (400, 3 + 2 + 2)
    assert ((scores[:, :3] > 0.5) == touched).all()
    assert ((scores[:, -1] > 0.5) == (kind < 3)).all()
    twice = heads.mean([found, found])
    assert np.allclose(twice.weights, found.weights)


def test_a_candidate_of_an_unknown_slot_has_no_scores_of_its_own():
    head = heads.Heads(np.ones((3, 7), np.float32), heads.domains(SLOTS))
    found = head.features(head.scores(np.eye(2, dtype=np.float32)), np.array([0, 1]), np.array([2, -1]))
    assert found.shape == (2, heads.FEATURES)
    assert (found[1, :3] == 0).all() and (found[0, :2] == 2).all() and (found[:, 3:] == 2).all()
