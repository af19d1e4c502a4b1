"""Errors are counted by kind, made in the measured proportions, and found: each with a known answer."""

import json
from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest

from lineshaft.dialogue.annotators.candidates import Proposer
from lineshaft.dialogue.annotators.tracker import Scorer
from lineshaft.dialogue.corpora import sample
from lineshaft.dialogue.corpus.dialogue import Act, Slot, Value
from lineshaft.dialogue.corpus.ontology import Ontology, surfaces
from lineshaft.dialogue.corpus.state import Update, apply
from lineshaft.dialogue.errors import detection, judge
from lineshaft.dialogue.errors.analyse import KINDS, Analysis, errors, rate
from lineshaft.dialogue.errors.classify import Dense, Linear
from lineshaft.dialogue.errors.evidence import written
from lineshaft.dialogue.errors.synthesise import Measured, Uniform
from lineshaft.dialogue.experiments import analyse
from lineshaft.dialogue.teacher import Settings, Teacher
from lineshaft.engine import testing
from lineshaft.engine.run.execute import execute

AREA, PRICE, NAME = Slot("inn", "area"), Slot("inn", "price"), Slot("inn", "name")
NORTH, SOUTH, CHEAP, DEAR = (Value((name,)) for name in ("north", "south", "cheap", "dear"))
ONTOLOGY = Ontology(
    surfaces(
        [
            (AREA, "north", ["up"]),
            (AREA, "south", []),
            (PRICE, "cheap", []),
            (PRICE, "dear", []),
            (NAME, "x", []),
        ]
    ),
    {},
)


@pytest.mark.parametrize(
    ("previous", "gold", "update", "kind"),
    [
        ({}, {AREA: NORTH}, Update(), "omitted"),
        ({}, {}, Update({AREA: NORTH}), "added"),
        ({AREA: NORTH}, {AREA: NORTH}, Update({AREA: SOUTH}), "added"),
        ({}, {AREA: NORTH}, Update({AREA: SOUTH}), "value"),
        ({}, {AREA: Value(("north",), "not")}, Update({AREA: NORTH}), "relation"),
        ({AREA: NORTH}, {AREA: SOUTH}, Update(), "stale"),
        ({AREA: NORTH}, {}, Update(), "kept"),
        ({AREA: NORTH}, {AREA: NORTH}, Update(removed=frozenset([AREA])), "omitted"),
    ],
)
def test_every_kind_of_error_has_its_name(previous, gold, update, kind):
    assert [error.kind for error in errors(ONTOLOGY, previous, gold, update)] == [kind]


def test_another_wording_is_no_error():
    assert errors(ONTOLOGY, {}, {AREA: NORTH}, Update({AREA: Value(("up",))})) == []


def test_planted_errors_are_counted_exactly():
    found = Analysis()
    request = (Act("inn", "request", "area"),)
    for missed in (True, True, False):
        found.add(ONTOLOGY, request, {}, {AREA: NORTH}, Update() if missed else Update({AREA: NORTH}))
    found.add(ONTOLOGY, (), {}, {AREA: SOUTH}, Update({AREA: SOUTH, PRICE: CHEAP}))
    record = found.record()
    assert (record["turns"], record["wrong_turns"]) == (4, 3)
    assert record["kinds"] == dict.fromkeys(KINDS, 0) | {"omitted": 2, "added": 1}
    assert record["pairs"][0]["value"] == "north" and (
        record["pairs"][0]["gold"],
        record["pairs"][0]["omitted"],
    ) == (3, 2)
    assert record["additions"] == [{"slot": "inn-price", "value": "cheap", "count": 1}]
    assert record["acts"][0] == {"act": "inn request", "turns": 3, "wrong": 2, "rate": rate(2, 3)}
    json.dumps(record)


@pytest.mark.parametrize(("count", "total"), [(0, 10), (3, 10), (10, 10), (1, 400)])
def test_intervals_are_wilsons(count, total):
    expected = binomtest(count, total).proportion_ci(method="wilson")
    found = rate(count, total)
    assert found["low"] == pytest.approx(100 * expected.low, abs=1e-6)
    assert found["high"] == pytest.approx(100 * expected.high, abs=1e-6)
    assert rate(0, 0) == {"rate": 0.0, "low": 0.0, "high": 100.0}


@pytest.fixture(scope="module")
def corpus():
    return sample.load(0)


@pytest.mark.parametrize("kind", [Measured(), Uniform()], ids=lambda kind: kind.name)
def test_a_negative_never_means_what_gold_means(corpus, kind):
    material, ontology = corpus
    trainer = Scorer().learner(ontology, material.source)
    rng, kinds = np.random.default_rng(0), Counter()
    for example in trainer.examples(material.source[:40]):
        candidates = trainer.proposer.candidates(example.scene, example.previous)
        made = kind.negative(ontology, Analysis(), candidates, example.previous, example.update, rng)
        if made:
            wrong, right = (
                ontology.canonical_state(apply(example.previous, update))
                for update in (made[0], example.update)
            )
            assert wrong != right
            kinds[made[1]] += 1
    assert len(kinds) >= 4


def test_measured_negatives_follow_the_measured_distribution():
    """All planted errors omit the area when it is north: so do the negatives, save for smoothing."""
    analysis = Analysis()
    for _ in range(200):
        analysis.add(ONTOLOGY, (), {}, {AREA: NORTH, PRICE: CHEAP}, Update({PRICE: CHEAP}))
    update, rng = Update({AREA: NORTH, PRICE: CHEAP}), np.random.default_rng(0)
    left_out = Counter()
    for _ in range(200):
        made = Measured().negative(ONTOLOGY, analysis, [], {}, update, rng)
        if made and made[1] == "omitted":
            left_out.update(update.assigned.keys() - made[0].assigned.keys())
    assert left_out[AREA] > 150 and left_out[PRICE] < 10
    uniform = [Uniform().negative(ONTOLOGY, analysis, [], {}, update, rng) for _ in range(300)]
    counts = Counter(made[1] for made in uniform if made)
    assert counts["added"] > 40 and counts["omitted"] > 40


def test_the_same_seed_makes_the_same_negatives(corpus):
    material, ontology = corpus
    trainer = Scorer().learner(ontology, material.source)
    one = judge.Judge([trainer], material.source[:30], 3).synthetic(Measured(), Analysis())
    two = judge.Judge([trainer], material.source[:30], 3).synthetic(Measured(), Analysis())
    assert [e.update for e in one.found] == [e.update for e in two.found]
    assert np.array_equal(one.features, two.features) and 0.2 < one.wrong.mean() < 0.6


@pytest.mark.parametrize("part", [Dense(), Linear()], ids=lambda part: part.name)
def test_a_classifier_finds_planted_errors(corpus, part):
    """Negatives of dialogues that it has not learnt from, on natural text with exact labels."""
    material, ontology = corpus
    trainer = Scorer().learner(ontology, material.target)
    known = judge.Judge([trainer], material.target[:70], 0).synthetic(Measured(), Analysis())
    new = judge.Judge([trainer], material.target[70:130], 0).synthetic(Measured(), Analysis())
    detector = judge.trained(part, known, 0)
    halves = judge.Judge([trainer], material.target[:70], 0).models[0]
    assert detection.auroc(new.wrong, detector.wrong(halves, new.found)) > (
        0.9 if part.name == "dense" else 0.6
    )


def test_auroc_and_average_precision_have_their_known_values():
    wrong = np.array([True, False, True, False])
    assert detection.auroc(wrong, np.array([4.0, 1.0, 3.0, 2.0])) == 1
    assert detection.auroc(wrong, np.zeros(4)) == 0.5
    assert detection.auroc(wrong, np.array([4.0, 3.0, 2.0, 1.0])) == 0.75
    assert detection.average_precision(wrong, np.array([4.0, 3.0, 2.0, 1.0])) == pytest.approx(
        (1 + 2 / 3) / 2
    )
    assert detection.average_precision(wrong, np.zeros(4)) == 0.5
    assert detection.average_precision(np.zeros(4, bool), np.arange(4)) == 0


def test_a_paired_difference_of_a_ranking_with_itself_is_nothing():
    rng = np.random.default_rng(0)
    wrong, doubt = rng.random((2, 60)) < 0.4, rng.random((2, 60))
    dialogue = np.repeat(np.arange(12), 5)
    assert detection.difference(wrong, doubt, doubt, dialogue) == (0, 0, 0)
    value, low, high = detection.difference(wrong, wrong + 0.1 * doubt, doubt, dialogue)
    assert 0 < low < value < high


def test_the_text_of_an_annotation_is_input_and_output(corpus):
    material, ontology = corpus
    trainer = Scorer().learner(ontology, material.source)
    example = next(e for e in trainer.examples(material.source) if e.update.assigned)
    before, after = written(example).split(" ## ")
    assert before.startswith("DST: <state> ") and before.endswith("<endofhistory>") and "USER: " in before
    assert after.startswith("( ")


def test_the_study_runs_and_draws(tmp_path, monkeypatch):
    for name, size in {"SOURCE": 50, "UNLABELLED": 40, "TEST": 10, "VALIDATION": 30}.items():
        monkeypatch.setattr(sample, name, size)
    folder, state = execute("dialogue.analyse", analyse.Config(annotator=Scorer()), tmp_path)
    assert state == "done", folder.error()
    result = folder.result()
    assert result["annotator/real_dense/auroc"] > 0.6
    assert result["annotator/base"] > 0
    assert [figure.title for figure in analyse.figures(folder.dir)] == [
        "What the annotator gets wrong",
        "Who finds the wrong annotations",
    ]
    assert "measured_dense" in analyse.overview(result)


def test_hindsight_sees_what_comes_and_plain_sight_does_not(corpus):
    material, ontology = corpus
    plain, ahead = (Proposer(ontology, [], hindsight) for hindsight in (False, True))
    dialogue = material.target[0]
    assert (
        plain.scene(dialogue, 0).later == ()
        and len(ahead.scene(dialogue, 0).later) == len(dialogue.turns) - 1
    )
    teacher = Teacher(material, ontology, Settings(Scorer(), hindsight=True))
    assert [trainer.hindsight for trainer in teacher.trainers] == [False, True]
    assert not teacher.lower.trainer.hindsight, "students never look ahead"


def test_the_error_study_repeats_exactly(tmp_path, monkeypatch):
    for name, size in {"SOURCE": 25, "UNLABELLED": 20, "TEST": 20, "VALIDATION": 10}.items():
        monkeypatch.setattr(sample, name, size)
    result = analyse.run(analyse.Config(annotator=Scorer()), testing.FakeRun(tmp_path))
    assert result == analyse.run(analyse.Config(annotator=Scorer()), testing.FakeRun(tmp_path / "again"))
