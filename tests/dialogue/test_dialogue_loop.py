"""The loop on the embedded corpus: bounds in their order, controls that learn nothing, an exact resume."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lineshaft.dialogue import claims, students
from lineshaft.dialogue.adapters import sample
from lineshaft.dialogue.corpus import Fold
from lineshaft.dialogue.experiments import loop
from lineshaft.dialogue.students import CONTROLS, SYSTEMS, Job, Students
from lineshaft.engine import Options, testing
from lineshaft.engine.run.execute import execute
from lineshaft.engine.table.table import Table


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder, state = execute(
        "dialogue.loop", loop.Config(), tmp_path_factory.mktemp("runs"), Options(threads=1)
    )
    assert state == "done"
    return folder


@pytest.fixture(scope="module")
def result(finished):
    return json.loads((finished.dir / "result.json").read_text())


def test_the_oracle_is_above_the_lower_bound(result):
    assert result["oracle/gain_low"] > 0
    assert result["oracle/over_random_low"] > 0
    assert result["gold/turn_em"] > result["lower/turn_em"]


def test_with_permuted_gold_a_student_is_no_better_than_copying(finished, result):
    """And it does act: a student that never changes anything could be no better whatever leaked."""
    assert result["permuted/over_copy_low"] <= 0
    assert (finished.array("permuted")[2] != finished.array("copy")[2]).mean() > 0.1
    assert result["lower/turn_em"] > result["copy/turn_em"] + 20


def test_every_system_has_its_metrics_and_arrays(finished, result):
    turns = len(finished.array("dialogue"))
    for system in (*SYSTEMS, "copy", "empty"):
        assert finished.array(system).shape == (4, turns)
        assert result[f"{system}/jga"] == pytest.approx(100 * finished.array(system)[0].mean(), abs=1e-3)


def test_a_random_control_keeps_as_much_as_its_filter(result):
    for control, name in CONTROLS.items():
        assert result[f"{control}/kept"] == result[f"{name}/kept"]


def test_masks_of_a_control_differ_and_nothing_of_the_test_is_learnt_from():
    material, ontology = sample.load(0)
    students = Students(material, ontology, c=0.3, share=0.5, masks=2, seed=0)
    first, second = (students.kept(Job("random", 0, mask)) for mask in range(2))
    assert len(first) == len(second) and not np.array_equal(first, second)
    assert not set(students.annotations.dialogue) & set(material.folds[0].test)


def test_with_several_folds_no_student_learns_from_its_test_dialogues():
    material, ontology = sample.load(0)
    thirds = [tuple(range(first, 300, 3)) for first in range(3)]
    folds = [Fold(tuple(sorted({*range(300)} - {*test})), test) for test in thirds]
    students = Students(replace(material, folds=folds), ontology, c=0.3, share=0.5, masks=1, seed=0)
    for job in students.jobs():
        learnt = set(students.annotations.dialogue[students.kept(job)])
        assert learnt and learnt <= set(folds[job.fold].unlabelled)


def test_no_threshold_is_at_the_edge_of_the_grid_and_one_that_is_would_be_told(result, monkeypatch):
    assert [name for name in SYSTEMS if result[f"{name}/at_edge"]] == []
    for name, size in {"SOURCE": 25, "UNLABELLED": 20, "TEST": 20, "VALIDATION": 10}.items():
        monkeypatch.setattr(sample, name, size)
    monkeypatch.setattr(students, "THRESHOLDS", (0.8, 0.9))
    narrow = loop.run(loop.Config(masks=1), Cut())
    assert narrow["lower/at_edge"] == 100
    assert narrow["permuted/at_edge"] == 0, "its threshold is not tuned"


class Stopped(Exception):
    """Stands for a kill."""


class Cut:
    """A run that is killed after some checkpoints and keeps the last state as a file would."""

    def __init__(self, last=None, state=None):
        self.last, self.state, self.saved, self.arrays = last, state, None, {}
        self.relaunched = False

    def progress(self, items, what):
        return items

    def log(self, step, values):
        pass

    def array(self, name, values):
        self.arrays[name] = values

    def checkpoint(self, step, make_state, score=None):
        self.saved = make_state()
        if step == self.last:
            raise Stopped


def test_a_resumed_run_ends_as_an_undisturbed_one(monkeypatch):
    for name, size in {"SOURCE": 25, "UNLABELLED": 20, "TEST": 20, "VALIDATION": 10}.items():
        monkeypatch.setattr(sample, name, size)
    config, whole, cut = loop.Config(masks=1), Cut(), Cut(last=2)
    expected = loop.run(config, whole)
    with pytest.raises(Stopped):
        loop.run(config, cut)
    resumed = Cut(state=cut.saved)
    assert len(cut.saved["done"]) == 3
    assert loop.run(config, resumed) == expected
    assert all(np.array_equal(resumed.arrays[name], whole.arrays[name]) for name in whole.arrays)


def test_a_relaunch_keeps_the_annotator_and_trains_its_own_students(monkeypatch):
    for name, size in {"SOURCE": 25, "UNLABELLED": 20, "TEST": 20, "VALIDATION": 10}.items():
        monkeypatch.setattr(sample, name, size)
    parent, child = Cut(last=2), Cut()
    with pytest.raises(Stopped):
        loop.run(loop.Config(masks=1), parent)
    child.state, child.relaunched = parent.saved, True
    result = loop.run(loop.Config(masks=1, share=0.5), child)
    assert np.array_equal(child.saved["annotator"], parent.saved["annotator"])
    assert result["confidence/kept"] == pytest.approx(50, abs=1)


def test_figures_are_drawn_from_the_arrays(finished):
    titles = [figure.title for figure in loop.figures(finished.dir)]
    assert titles == ["Between the bounds", "Along the dialogue"]


def test_every_claim_is_there_and_the_sample_proves_none(finished):
    assert [claim.id for claim in claims.CLAIMS] == [
        "dialogue.gain",
        "dialogue.errors",
        "dialogue.distribution",
        "dialogue.settings",
    ]
    runs = Table.read(finished.dir.parents[1])
    assert len(runs) and all(claim.evidence(runs) is None for claim in claims.CLAIMS)


def planted(runs, **shares):
    """A finished run on X-RiSAWOZ: each system right on a share of 400 dialogues."""
    turns = np.arange(400)
    right = dict.fromkeys(("lower", "unfiltered", "random", "confidence"), 0.3) | {"oracle": 0.6} | shares
    arrays = {name: np.tile(turns < 400 * share, (4, 1)).astype(float) for name, share in right.items()}
    testing.finished(runs, loop.Config(data="xrisawoz"), {}, {"dialogue": turns, **arrays})
    return Table.read(runs)


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ({}, "not reproduced"),
        ({"confidence": 0.4, "random": 0.4}, "not reproduced"),
        ({"confidence": 0.4}, "partly"),
        ({"confidence": 0.2, "oracle": 0.3}, "not reproduced"),
    ],
    ids=["only the oracle gains", "a random drop gains as much", "a real filter gains", "nothing gains"],
)
def test_the_oracle_alone_reproduces_no_gain_of_filtering(shares, verdict, tmp_path):
    found = claims.CLAIMS[0].evidence(planted(tmp_path, **shares))
    assert claims.CLAIMS[0].judged(found) == verdict
    assert found.interval.value == pytest.approx(100 * ({"oracle": 0.6} | shares)["oracle"] - 30)
