"""The teacher: an annotator trained on translated dialogues, what it says of the target, what doubts that.

It learns from the translated source alone (and some labelled target dialogues, in the few-shot setting). Gold
of the target is read for `Annotations.right` alone, which only the bounds look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from lineshaft.dialogue import tuning
from lineshaft.dialogue.annotations import Annotations
from lineshaft.dialogue.annotators.model import Model
from lineshaft.dialogue.annotators.rows import Example, Rows, batch
from lineshaft.dialogue.annotators.tracker import Tracker, Trainer
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.corpus.material import Material
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.errors import filters, judge
from lineshaft.dialogue.errors.analyse import Analysis
from lineshaft.dialogue.errors.classify import Dense, Detector, Linear
from lineshaft.dialogue.errors.evidence import confidence
from lineshaft.dialogue.errors.synthesise import Measured, Uniform

SHOT_WEIGHT = 3.0
"""A labelled turn of the target language counts as this many translated ones."""


@dataclass(frozen=True)
class Settings:
    """What a run chooses: the learning part, the classifier and how filters and controls are drawn."""

    annotator: Any
    hindsight: bool = False
    shots: int = 0
    share: float = 0.85
    masks: int = 1
    classifier: Dense | Linear = field(default_factory=Dense)
    negatives: str = "real"
    seed: int = 0
    systems: tuple[str, ...] = ()


class Teacher:
    """The annotator of one corpus."""

    def __init__(
        self, material: Material, ontology: Ontology, settings: Settings, doubted: bool = True
    ) -> None:
        """doubted: whether the error classifier is trained and asked, which takes longer."""
        self.material, self.ontology, self.settings = material, ontology, settings
        self.doubted = doubted
        shots = min(settings.shots, len(material.validation) // 2)
        self.shots = material.validation[:shots]
        self.validation = material.validation[shots:]
        labelled = [*material.source, *self.shots]
        self.plain: Trainer = settings.annotator.learner(ontology, labelled)
        self.trainers = [self.plain]
        if settings.hindsight:
            self.trainers.append(settings.annotator.learner(ontology, labelled, hindsight=True))

    @cached_property
    def unlabelled(self) -> list[int]:
        """Target dialogues that some fold leaves unlabelled."""
        return sorted({index for fold in self.material.folds for index in fold.unlabelled})

    @cached_property
    def gold(self) -> bool:
        """Whether these have gold, so that bounds can be computed."""
        return all(self.material.target[index].labelled for index in self.unlabelled)

    @cached_property
    def base(self) -> tuple[list[Rows], list[np.ndarray]]:
        """What every student learns from, with the weight of each candidate."""
        return self._based(self.plain)

    @cached_property
    def lower(self) -> Tracker:
        """The lower bound: trained on translated dialogues, and the shots, alone."""
        return self.plain.fit(*self.base, self.settings.seed)

    @cached_property
    def models(self) -> list[Tracker]:
        """The annotator last; before it the plain model, where the annotator looks ahead."""
        if len(self.trainers) == 1:
            return [self.lower]
        ahead = self.trainers[1]
        return [self.lower, ahead.fit(*self._based(ahead), self.settings.seed)]

    @cached_property
    def threshold(self) -> float:
        """The annotator's, tuned on the validation dialogues."""
        return tuning.tuned(self.models[-1], self.ontology, self.validation)[0]

    @cached_property
    def annotations(self) -> Annotations:
        """The annotator's roll-out over all unlabelled dialogues."""
        dialogues = [self.material.target[index] for index in self.unlabelled]
        rolled = self.models[-1].roll_out(dialogues, [self.threshold] * len(dialogues))
        found = judge.rolled_examples(self.trainers, dialogues, rolled, "target:")
        rows = self.plain.prepare(found)
        chance = _row_chances(self.models[-1], self.trainers[-1], found)
        wrong, stacked = self._doubts(found)
        return Annotations(
            found,
            np.repeat(np.array(self.unlabelled), [len(dialogue.turns) for dialogue in dialogues]),
            confidence(self.models, found),
            wrong,
            stacked,
            np.array([bool(example.update) for example in found]),
            rows.owner,
            rows.right,
            np.where(rows.right, chance, 1 - chance),
            self._right(dialogues, found),
        )

    @cached_property
    def judged(self) -> judge.Judged:
        """The annotator's output on the validation dialogues, and whether it is wrong."""
        return judge.annotated(self.trainers, self.models, self.ontology, self.validation, self.threshold)

    @cached_property
    def analysis(self) -> Analysis:
        """What the annotator gets wrong on the validation dialogues, each turn given its gold state."""
        return analysed(self.ontology, self.models[-1], self.validation, self.threshold)

    @cached_property
    def judge(self) -> judge.Judge:
        """The source as seen by models that have not learnt from it."""
        return judge.Judge(self.trainers, self.material.source, self.settings.seed)

    @cached_property
    def detector(self) -> Detector:
        """The error classifier that the filters use."""
        kinds: dict[str, Measured | Uniform] = {"measured": Measured(), "uniform": Uniform()}
        if self.settings.negatives == "real":
            known = self.judge.real(self.threshold)
        else:
            known = self.judge.synthetic(kinds[self.settings.negatives], self.analysis)
        return judge.trained(self.settings.classifier, known, self.settings.seed)

    def _based(self, trainer: Trainer) -> tuple[list[Rows], list[np.ndarray]]:
        """The source, and the shots with their weight."""
        parts = [trainer.prepare(trainer.examples(self.material.source))]
        weights = [np.ones(len(parts[0].right))]
        if self.shots:
            parts.append(trainer.prepare(trainer.examples(self.shots)))
            weights.append(np.full(len(parts[1].right), SHOT_WEIGHT))
        return parts, weights

    def _right(self, dialogues: Sequence[Dialogue], found: Sequence[Example]) -> np.ndarray:
        """bool [turns]: whether gold agrees; all False where there is none, since nothing reads it then."""
        if not self.gold:
            return np.zeros(len(found), bool)
        turns = [(dialogue, i) for dialogue in dialogues for i in range(len(dialogue.turns))]
        return np.array(
            [
                filters.is_right(self.ontology, e.previous, e.update, d.previous(i), d.turns[i].state or {})
                for e, (d, i) in zip(found, turns)
            ],
            bool,
        )

    def _doubts(self, found: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
        """float [turns], float [turns]: the chance that an annotation is wrong by the classifier, and by it
        and confidence stacked, calibrated on the validation dialogues."""
        if len(self.validation) < 2 or not self.doubted:
            return np.zeros(len(found)), np.zeros(len(found))
        wrong = self.detector.wrong(self.models, found)
        from sklearn.linear_model import LogisticRegression

        known = self.judged
        if known.wrong.all() or not known.wrong.any():
            return wrong, wrong
        inputs = self._stackable(known.found)
        scale = inputs.std(0) + 1e-9
        model = LogisticRegression(C=0.1).fit(inputs / scale, known.wrong)
        return wrong, model.predict_proba(self._stackable(found) / scale)[:, 1]

    def _stackable(self, found: Sequence[Example]) -> np.ndarray:
        wrong = np.clip(self.detector.wrong(self.models, found), 1e-4, 1 - 1e-4)
        changes = np.array([bool(example.update) for example in found], float)
        return np.stack([np.log(wrong / (1 - wrong)), confidence(self.models, found), changes], 1)


def analysed(ontology: Ontology, model: Model, dialogues: Sequence[Dialogue], threshold: float) -> Analysis:
    """An annotator's errors on labelled dialogues, each turn given the gold state before it."""
    turns = [(d, i) for d in dialogues for i in range(len(d.turns)) if d.learnable(i)]
    found = Analysis()
    for (dialogue, i), prediction in zip(turns, model.given(turns, threshold)):
        turn = dialogue.turns[i]
        found.add(ontology, turn.acts, dialogue.previous(i), turn.state or {}, prediction.update)
    return found


def _row_chances(model: Tracker, trainer: Trainer, found: Sequence[Example]) -> np.ndarray:
    """float [candidates]: the annotator's chance of each candidate of annotated turns."""
    scenes = [e.looking_ahead if trainer.hindsight and e.looking_ahead else e.scene for e in found]
    one = batch(trainer.proposer, trainer.slots, list(zip(scenes, (e.previous for e in found))))
    return model.chances(one, scenes)
