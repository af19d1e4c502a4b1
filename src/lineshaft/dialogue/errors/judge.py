"""Annotations known to be right or wrong, for training an error classifier and for testing it.

A classifier must see the annotator as it is on new text. So the source is annotated by models that have
learnt from its other half; their output is compared with the source's labels (`real`), or gold is made wrong
on purpose (`measured`, `uniform`), while the same models give the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lineshaft.dialogue.annotators.model import Prediction
from lineshaft.dialogue.annotators.rows import Example
from lineshaft.dialogue.annotators.tracker import Tracker, Trainer
from lineshaft.dialogue.corpus.dialogue import Dialogue, State
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.errors.analyse import Analysis
from lineshaft.dialogue.errors.classify import Dense, Detector, Linear
from lineshaft.dialogue.errors.evidence import evidence
from lineshaft.dialogue.errors.filters import is_right
from lineshaft.dialogue.errors.synthesise import Measured, Uniform

HALVES = 2


@dataclass(frozen=True)
class Judged:
    """Annotations with the evidence on them and whether they are wrong."""

    found: list[Example]
    features: np.ndarray
    wrong: np.ndarray


class Judge:
    """Source dialogues seen by models that have not learnt from them.

    trainers: the annotator's learners, the plain one first, then one with hindsight if it is used; the last
    is the annotator itself.
    """

    def __init__(self, trainers: Sequence[Trainer], source: Sequence[Dialogue], seed: int) -> None:
        self.trainers, self.source, self.seed = trainers, source, seed
        self.ontology: Ontology = trainers[0].proposer.ontology
        self.halves = [list(range(half, len(source), HALVES)) for half in range(HALVES)]
        self.models = [
            self._models([i for h in self.halves if h is not half for i in h]) for half in self.halves
        ]

    def _models(self, chosen: Sequence[int]) -> list[Tracker]:
        dialogues = [self.source[i] for i in chosen]
        models = []
        for trainer in self.trainers:
            rows = trainer.prepare(trainer.examples(dialogues))
            models.append(trainer.fit([rows], [np.ones(len(rows.right))], self.seed))
        return models

    def real(self, threshold: float) -> Judged:
        """The annotator's own output, given the gold state before each turn."""
        parts = []
        for models, half in zip(self.models, self.halves):
            dialogues = [self.source[i] for i in half]
            parts.append(annotated(self.trainers, models, self.ontology, dialogues, threshold))
        return joined(parts)

    def synthetic(self, kind: Measured | Uniform, analysis: Analysis) -> Judged:
        """Gold of every turn, and one wrong version of it where there is one."""
        parts = []
        rng = np.random.default_rng([self.seed, 17])
        for models, half in zip(self.models, self.halves):
            gold = seen(self.trainers, [self.source[i] for i in half])
            proposer = self.trainers[0].proposer
            wrong = []
            for example in gold:
                candidates = proposer.candidates(example.scene, example.previous)
                made = kind.negative(
                    self.ontology, analysis, candidates, example.previous, example.update, rng
                )
                if made is not None:
                    wrong.append(replace(example, update=made[0]))
            every = gold + wrong
            label = np.arange(len(every)) >= len(gold)
            parts.append(Judged(every, evidence(models, every), label))
        return joined(parts)


def seen(trainers: Sequence[Trainer], dialogues: Sequence[Dialogue]) -> list[Example]:
    """Gold examples as all trainers see them: the plain scene, and the one that looks ahead."""
    found = trainers[0].examples(dialogues)
    if len(trainers) == 1:
        return found
    ahead = trainers[-1].examples(dialogues)
    return [replace(one, looking_ahead=other.scene) for one, other in zip(found, ahead)]


def annotated(
    trainers: Sequence[Trainer],
    models: Sequence[Tracker],
    ontology: Ontology,
    dialogues: Sequence[Dialogue],
    threshold: float,
) -> Judged:
    """What the annotator (the last model) says of labelled dialogues, and whether it is wrong."""
    rolled = models[-1].roll_out(dialogues, [threshold] * len(dialogues))
    found = rolled_examples(trainers, dialogues, rolled)
    wrong = [
        not is_right(ontology, found_.previous, found_.update, dialogue.previous(i), turn.state or {})
        for found_, (dialogue, i, turn) in zip(
            found, ((d, i, turn) for d in dialogues for i, turn in enumerate(d.turns))
        )
    ]
    return Judged(found, evidence(models, found), np.array(wrong, bool))


def rolled_examples(
    trainers: Sequence[Trainer],
    dialogues: Sequence[Dialogue],
    rolled: Sequence[Sequence[Prediction]],
    prefix: str = "",
) -> list[Example]:
    """Annotations as examples, each from the annotator's own state before it."""
    found = []
    for dialogue, predictions in zip(dialogues, rolled):
        previous: State = {}
        for number, prediction in enumerate(predictions):
            plain = trainers[0].proposer.scene(dialogue, number)
            ahead = trainers[-1].proposer.scene(dialogue, number) if len(trainers) > 1 else None
            found.append(Example(plain, previous, prediction.update, prefix + dialogue.id, ahead))
            previous = prediction.state
    return found


def trained(part: Dense | Linear, judged: Judged, seed: int) -> Detector:
    """A classifier of judged annotations."""
    return part.fit(judged.features, judged.found, judged.wrong, seed)


def joined(parts: Sequence[Judged]) -> Judged:
    """Several sets as one."""
    return Judged(
        [example for part in parts for example in part.found],
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.wrong for part in parts]),
    )
