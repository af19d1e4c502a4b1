"""The candidate scorer on a corpus whose answer is known."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.sparse import csr_matrix

from lineshaft.dialogue import metrics
from lineshaft.dialogue.annotators import logistic
from lineshaft.dialogue.annotators.candidates import DROPPED, Proposer
from lineshaft.dialogue.annotators.features import BUCKETS, codes, crossed, matrix
from lineshaft.dialogue.annotators.rows import examples
from lineshaft.dialogue.annotators.scene import scene
from lineshaft.dialogue.annotators.tracker import Scorer, Tracker
from lineshaft.dialogue.corpora import sample
from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, Turn, Value

AREA, PRICE = Slot("inn", "area"), Slot("inn", "price")


def value(text):
    return Value((text,))


@pytest.fixture(scope="module")
def corpus():
    return sample.load(0)


@pytest.fixture(scope="module")
def trained(corpus):
    material, ontology = corpus
    trainer = Scorer().learner(ontology, material.source)
    rows = trainer.prepare(trainer.examples(material.source))
    return trainer, rows, trainer.fit([rows], [trainer.ones(rows)], 0)


def test_what_a_turn_changes_is_among_its_candidates(corpus):
    material, ontology = corpus
    proposer = Proposer(ontology, material.source)
    changes = [
        (any(c.slot == slot and {c.canonical} == ontology.canonical_value(slot, new)[1] for c in found))
        for example in examples(proposer, material.target)
        for found in [proposer.candidates(example.scene, example.previous)]
        for slot, new in example.update.assigned.items()
    ]
    assert np.mean(changes) > 0.98


def test_a_dropped_slot_is_a_candidate(corpus):
    material, ontology = corpus
    proposer = Proposer(ontology, material.source)
    example = next(e for e in examples(proposer, material.target) if e.update.removed & proposer.droppable)
    dropped = {c.slot for c in proposer.candidates(example.scene, example.previous) if c.canonical == DROPPED}
    assert example.update.removed <= dropped


def test_a_value_the_slot_has_is_no_candidate(corpus):
    _, ontology = corpus
    name = next(iter(ontology.surfaces[AREA]))
    proposer = Proposer(ontology, [])
    turn = scene(Dialogue("d", (Turn(name, {}, (Act("inn", "request", "area"),)),)), 0)
    assert AREA in {c.slot for c in proposer.candidates(turn, {})}
    held = {AREA: value(ontology.canonical(AREA, name))}
    assert AREA not in {c.slot for c in proposer.candidates(turn, held)}


def test_the_scorer_learns_what_its_corpus_says(corpus, trained):
    material, ontology = corpus
    em = metrics.METRICS.index("turn_em")
    right = metrics.score(trained[2], ontology, material.source, 0.5)
    heard = metrics.score(trained[2], ontology, material.target, 0.5)
    assert right[em].mean() > 0.82  # the translator loses or falsifies a value in some 15 % of turns
    assert heard[em].mean() > 0.75


def test_an_empty_model_copies_the_previous_state(corpus, trained):
    material, ontology = corpus
    empty = Tracker(trained[0], [], np.full(BUCKETS + 1, -1.0, np.float32))
    dialogues = material.target[:20]
    assert np.array_equal(
        metrics.score(empty, ontology, dialogues, 0.5), metrics.score_trivial(ontology, dialogues)["copy"]
    )


def test_planted_errors_cost_confidence(corpus, trained):
    """Where the labels say the scorer errs, it is less sure than elsewhere."""
    material, ontology = corpus
    turns = [(dialogue, i) for dialogue in material.target[:120] for i in range(len(dialogue.turns))]
    found = trained[2].given(turns, 0.5)
    gold = [dialogue.turns[i].state for dialogue, i in turns]
    right = np.array([metrics.agree(ontology, p.state, g)[0] for p, g in zip(found, gold)])
    confidence = np.array([p.confidence for p in found])
    assert 0.03 < 1 - right.mean() < 0.5
    assert confidence[right].mean() > confidence[~right].mean() + 0.1


def test_features_do_not_depend_on_the_order_of_a_set():
    assert np.array_equal(codes(["a", "b", "b"]), codes(["b", "a"]))
    keys = np.array([codes(["k", "l", "m", "n", "o"])] * 2)
    buckets, starts = crossed(keys, [codes(["a", "b"]), codes(["a"])])
    assert starts.tolist() == [0, 10, 15] and matrix(buckets, starts).shape == (2, BUCKETS)
    assert (buckets >= 0).all() and (buckets < BUCKETS).all()
    assert set(buckets[10:]) <= set(buckets[:10])


def test_training_twice_gives_the_same_weights(trained):
    _, rows, model = trained
    assert np.array_equal(logistic.fit(rows.x, rows.right, c=0.3), model.parts[0])


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(0)
    x = csr_matrix((rng.random((20, 6)) < 0.4).astype(np.float32))
    loss = logistic._Loss(x, rng.random(20) < 0.5, 0.7, rng.random(20))
    assert check_grad(lambda w: loss(w)[0], lambda w: loss(w)[1], rng.normal(size=7), epsilon=1e-3) < 2e-2


def test_a_separating_feature_is_found_and_rare_ones_are_ignored():
    x = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]] * 3, np.float32)
    x[0, 2] = 1
    weights = logistic.fit(csr_matrix(x), np.array([True, True, False, False] * 3), c=10)
    assert weights[0] > 1 and weights[1] < -1
    assert weights[2] == 0


def test_a_warm_start_changes_the_time_not_the_solution(trained):
    rows, weights = trained[1], trained[2].parts[0]
    cold = logistic.fit(rows.x, rows.right, c=1.0, tolerance=1e-9)
    warm = logistic.fit(rows.x, rows.right, c=1.0, tolerance=1e-9, start=weights)
    assert np.corrcoef(rows.x @ cold[:-1], rows.x @ warm[:-1])[0, 1] > 0.9999
    assert np.abs(cold - warm).max() < 0.15
