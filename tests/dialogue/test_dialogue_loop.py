"""The loop on the embedded corpus: bounds in their order, controls that learn nothing, an exact resume."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lineshaft.dialogue import claims, metrics, tables, tuning
from lineshaft.dialogue.annotators.tracker import Scorer
from lineshaft.dialogue.corpora import sample
from lineshaft.dialogue.corpus.dialogue import Slot, Value
from lineshaft.dialogue.corpus.material import Fold
from lineshaft.dialogue.experiments import loop
from lineshaft.dialogue.students import Job, Students
from lineshaft.dialogue.systems import SYSTEMS
from lineshaft.dialogue.table import systems as table_of
from lineshaft.dialogue.teacher import Settings
from lineshaft.engine import Options, testing
from lineshaft.engine.run.execute import execute
from lineshaft.engine.table.table import Table

SMALL = {"SOURCE": 25, "UNLABELLED": 20, "TEST": 20, "VALIDATION": 10}
CONTROLS = [(name, each) for name, system in SYSTEMS.items() for each in system.control]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    config = loop.Config(annotator=Scorer())
    folder, state = execute("dialogue.loop", config, tmp_path_factory.mktemp("runs"), Options(threads=1))
    assert state == "done", folder.error()
    return folder


@pytest.fixture(scope="module")
def result(finished):
    return json.loads((finished.dir / "result.json").read_text())


@pytest.fixture
def small(monkeypatch):
    for name, size in SMALL.items():
        monkeypatch.setattr(sample, name, size)
    return sample.load(0)


def settings(**more):
    return Settings(**{"annotator": Scorer(), "share": 0.5} | more)


def test_the_oracle_is_above_the_lower_bound(result):
    assert result["oracle/gain_low"] > 0
    assert result["oracle/over_random_low"] > 0
    assert result["gold/turn_em"] > result["lower/turn_em"]


def test_with_permuted_gold_a_student_is_no_better_than_copying(finished, result):
    """And it does act: a student that never changes anything could be no better whatever leaked."""
    row = metrics.METRICS.index("turn_em")
    assert result["permuted/over_copy_low"] <= 0
    assert (finished.array("permuted")[row] != finished.array("copy")[row]).mean() > 0.1
    assert result["lower/turn_em"] > result["copy/turn_em"] + 20


def test_every_system_has_its_metrics_and_arrays(finished, result):
    turns = len(finished.array("dialogue"))
    for system in (*SYSTEMS, "copy", "empty", "ceiling"):
        assert finished.array(system).shape == (len(metrics.METRICS), turns)
        assert result[f"{system}/jga"] == pytest.approx(100 * finished.array(system)[0].mean(), abs=1e-3)


def test_no_system_is_above_the_ceiling(result):
    for metric in metrics.METRICS:
        assert all(result[f"{name}/{metric}"] <= result[f"ceiling/{metric}"] + 1e-9 for name in SYSTEMS)


def test_the_table_has_a_line_for_every_system(result):
    lines = table_of(result).splitlines()
    assert len(lines) == 1 + len(SYSTEMS) + 3
    assert lines[0].startswith("system") and all("oracle" in line or "+" in line or line for line in lines)


def test_errors_are_written_as_json(finished):
    found = json.loads((finished.dir / "errors.json").read_text())
    assert found["turns"] > 0 and sum(found["kinds"].values()) >= found["wrong_turns"] > 0


@pytest.mark.parametrize("shots", [0, 5])
def test_a_control_keeps_as_many_turns_of_either_kind_as_its_filter(small, shots):
    students = Students(*small, settings(shots=shots))
    notes = students.teacher.annotations
    for control, name in CONTROLS:
        weights = [SYSTEMS[each].weigh(notes, 0.5, np.random.default_rng(0)) > 0 for each in (control, name)]
        kind = notes.chosen if "slots" in name else notes.changes[notes.owner]
        if "slots" in name:
            assert [one[kind].sum() for one in weights[:1]] == [weights[1][kind].sum()]
        else:
            turns = [{*notes.owner[one]} for one in weights]
            changed = [sum(notes.changes[list(each)]) for each in turns]
            assert changed[0] == changed[1], control


def test_masks_of_a_control_differ_and_nothing_of_the_test_is_learnt_from(small):
    material, ontology = small
    students = Students(material, ontology, settings(masks=2))
    notes = students.teacher.annotations
    first, second = (SYSTEMS["random"].weigh(notes, 0.5, Job("random", 0, m).rng(0)) for m in range(2))
    assert first.sum() > 0 and not np.array_equal(first, second)
    assert not set(notes.dialogue) & set(material.folds[0].test)


def test_with_several_folds_no_student_learns_from_its_test_dialogues(small):
    material, ontology = small
    thirds = [tuple(range(first, 40, 3)) for first in range(3)]
    folds = [Fold(tuple(sorted({*range(40)} - {*test})), test) for test in thirds]
    students = Students(replace(material, folds=folds), ontology, settings())
    for number, fold in enumerate(folds):
        learnt = set(students.teacher.annotations.dialogue[students.available(number)])
        assert learnt and learnt <= set(fold.unlabelled)


def poisoned(dialogue):
    """The dialogue with gold that is wrong everywhere."""
    wrong = {Slot("inn", "area"): Value(("nonsense",)), Slot("ferry", "port"): Value(("nowhere",))}
    return replace(dialogue, turns=tuple(replace(turn, state=wrong) for turn in dialogue.turns))


@pytest.mark.parametrize("hindsight", [False, True])
def test_gold_of_unlabelled_and_test_turns_reaches_nothing_but_the_bounds_and_the_score(small, hindsight):
    """Corrupt it all: every system that reads no gold learns, tunes and predicts the same to the bit."""
    material, ontology = small
    spoilt = replace(material, target=[poisoned(dialogue) for dialogue in material.target])
    clean, dirty = (Students(m, ontology, settings(hindsight=hindsight)) for m in (material, spoilt))
    for name in ("confidence", "wrong", "stacked", "changes", "owner", "chosen", "agreement"):
        assert np.array_equal(
            getattr(clean.teacher.annotations, name), getattr(dirty.teacher.annotations, name)
        ), name
    assert clean.teacher.analysis.record() == dirty.teacher.analysis.record()
    for name, system in SYSTEMS.items():
        if system.gold:
            continue
        predicted = []
        for each in (clean, dirty):
            model, kept = each.trained(Job(name, 0), each.material.folds[0])
            threshold = each.threshold(Job(name, 0), model)
            test = [each.material.target[i].unlabelled() for i in each.material.folds[0].test]
            rolled = model.roll_out(test, [threshold[0]] * len(test))
            predicted.append((threshold, kept, rolled))
        assert predicted[0] == predicted[1], name


def test_without_gold_of_the_unlabelled_the_bounds_are_left_out(small):
    material, ontology = small
    raw = [d.unlabelled() if i < 20 else d for i, d in enumerate(material.target)]
    students = Students(replace(material, target=raw), ontology, settings())
    assert "oracle" not in students.names and "gold" not in students.names and "all" in students.names
    assert students.outcome(Job("all", 0))["right"].shape[0] == len(metrics.METRICS)


def test_systems_that_are_named_are_compared_and_others_are_not_trained(small, tmp_path):
    students = Students(*small, settings(systems=("random", "confidence")))
    assert students.names == ["lower", "all", "confidence", "random"]
    with pytest.raises(ValueError, match="unknown system 'confidnce'; known: lower"):
        loop.Config(systems=("confidnce",))
    found = loop.run(
        loop.Config(annotator=Scorer(), systems=("confidence", "random")), testing.FakeRun(tmp_path)
    )
    assert "confidence/over_random" in found and "gold/jga" not in found


def test_no_threshold_is_at_the_edge_of_the_grid_and_one_that_is_would_be_told(small, monkeypatch, tmp_path):
    monkeypatch.setattr(tuning, "THRESHOLDS", (0.97, 0.99))
    narrow = loop.run(loop.Config(annotator=Scorer()), testing.FakeRun(tmp_path))
    assert narrow["lower/at_edge"] == 100


def test_a_resumed_run_ends_as_an_undisturbed_one(small, tmp_path):
    testing.assert_resumes("dialogue.loop", loop.Config(annotator=Scorer()), tmp_path, cuts=[1, 7])


def test_figures_are_drawn_from_the_arrays(finished):
    titles = [figure.title for figure in loop.figures(finished.dir)]
    assert titles == ["Between the bounds", "Along the dialogue", "What the annotator gets wrong"]


def test_every_claim_is_there_and_the_sample_proves_none(finished):
    assert [claim.id for claim in claims.CLAIMS] == [
        "dialogue.gain",
        "dialogue.errors",
        "dialogue.distribution",
        "dialogue.settings",
    ]
    runs = Table.read(finished.dir.parents[1])
    assert len(runs) and all(claim.evidence(runs) is None for claim in claims.CLAIMS)


def planted(runs, table=tables.hindsight, **shares):
    """A finished run of the table: each system right on a share of 400 dialogues."""
    turns = np.arange(400)
    right = dict.fromkeys(SYSTEMS, 0.3) | {"oracle": 0.6} | shares
    arrays = {name: np.tile(turns < 400 * share, (6, 1)).astype(float) for name, share in right.items()}
    testing.finished(runs, table()[0], {}, {"dialogue": turns, **arrays})
    return Table.read(runs)


def test_the_weakest_annotator_stands_beside_and_decides_nothing(tmp_path):
    alone = planted(tmp_path / "weak", tables.weak, stacked=0.5)
    assert claims.CLAIMS[0].evidence(alone) is None
    planted(tmp_path / "both", tables.weak, stacked=0.5)
    found = claims.CLAIMS[0].evidence(planted(tmp_path / "both"))
    assert claims.CLAIMS[0].judged(found) == "not reproduced"
    assert "the weakest annotator, without hindsight: the filter +20.0" in found.reason


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ({}, "not reproduced"),
        ({"stacked": 0.4, "random": 0.4}, "not reproduced"),
        ({"stacked": 0.4}, "reproduced"),
        ({"stacked": 0.3, "random": 0.1}, "not reproduced"),
    ],
    ids=[
        "the oracle alone",
        "random gains as much",
        "the filter gains",
        "no gain on the lower bound",
    ],
)
def test_a_filter_has_to_gain_over_its_control_and_over_the_lower_bound(shares, verdict, tmp_path):
    found = claims.CLAIMS[0].evidence(planted(tmp_path, **shares))
    assert claims.CLAIMS[0].judged(found) == verdict
