"""Students: models trained on translated dialogues and on what an annotator said of natural ones.

One annotator, trained on the translated source alone (and some labelled target dialogues, in the few-shot
setting), annotates the unlabelled target dialogues; each student then learns from the source and from some of
these annotations, and is tested on dialogues of the same fold that nobody trained on. All learn from states
that the annotator rolled out, also where the labels are gold, so that they differ in labels alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import torch

from lineshaft.dialogue import metrics
from lineshaft.dialogue.annotators.model import Model
from lineshaft.dialogue.annotators.rows import Example, Rows
from lineshaft.dialogue.annotators.tracker import Tracker, Trainer
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.corpus.material import Fold, Material
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update, diff
from lineshaft.dialogue.errors import filters, judge
from lineshaft.dialogue.errors.analyse import Analysis
from lineshaft.dialogue.errors.classify import Dense, Detector, Linear
from lineshaft.dialogue.errors.evidence import confidence
from lineshaft.dialogue.errors.synthesise import Measured, Uniform
from lineshaft.dialogue.systems import SYSTEMS, System

THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""One grid for all systems, wide enough that no edge wins: a lower bound tuned short flatters every gain."""
SHOT_WEIGHT = 3.0
"""A labelled turn of the target language counts as this many translated ones."""


def at_edge(threshold: float) -> bool:
    """Whether the grid ends here, so that a better threshold may lie beyond it."""
    return threshold in (THRESHOLDS[0], THRESHOLDS[-1])


@dataclass(frozen=True)
class Job:
    """One student to train and test: on which fold, and with which of several random masks."""

    system: str
    fold: int
    mask: int = 0

    def __str__(self) -> str:
        return f"{self.system}/{self.fold}/{self.mask}"

    def rng(self, seed: int) -> np.random.Generator:
        return np.random.default_rng([seed, crc32(str(self).encode())])


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


@dataclass(frozen=True)
class Annotations:
    """What the annotator said of target turns.

    Per turn: the example, its dialogue's index in the target, its confidence (log), the classifier's chance
    that it is wrong and that of both stacked, whether it changes the state, whether gold agrees (read by
    bounds alone). Per candidate: its turn (`owner`), whether the change was made (`chosen`), and the chance
    that this decision is right (`agreement`).
    """

    examples: list[Example]
    dialogue: np.ndarray
    confidence: np.ndarray
    wrong: np.ndarray
    stacked: np.ndarray
    changes: np.ndarray
    owner: np.ndarray
    chosen: np.ndarray
    agreement: np.ndarray
    right: np.ndarray


class Students:
    """Trains and tests every system on one corpus."""

    def __init__(self, material: Material, ontology: Ontology, settings: Settings) -> None:
        self.material, self.ontology, self.settings = material, ontology, settings
        shots = min(settings.shots, len(material.validation) // 2)
        self.shots = material.validation[:shots]
        self.validation = material.validation[shots:]
        labelled = [*material.source, *self.shots]
        self.plain: Trainer = settings.annotator.learner(ontology, labelled)
        self.trainers = [self.plain]
        if settings.hindsight:
            self.trainers.append(settings.annotator.learner(ontology, labelled, hindsight=True))

    @cached_property
    def names(self) -> list[str]:
        """Systems that are run: of those asked for the gold ones need gold, the learned ones some labelled
        target dialogues. The lower bound and all annotations are always among them."""
        asked = {"lower", "all", *(self.settings.systems or SYSTEMS)}
        indices = {index for fold in self.material.folds for index in fold.unlabelled}
        gold = all(self.material.target[index].labelled for index in indices)
        enough = len(self.validation) > 1
        return [
            name
            for name, system in SYSTEMS.items()
            if name in asked and (gold or not system.gold) and (enough or not system.learned)
        ]

    def jobs(self) -> list[Job]:
        """All students, fold after fold; random controls once for each mask."""
        return [
            Job(system, fold, mask)
            for fold in range(len(self.material.folds))
            for system in self.names
            for mask in range(self.settings.masks if SYSTEMS[system].control else 1)
        ]

    def outcome(self, job: Job) -> dict[str, Any]:
        """Train and test one student: threshold and JGA on validation, share of candidates kept, and
        `right`, uint8 [METRICS, turns of the fold's test dialogues]."""
        fold = self.material.folds[job.fold]
        model, kept = self._trained(job, fold)
        threshold, score = self._threshold(job, model)
        test = [self.material.target[index] for index in fold.test]
        right = metrics.score(model, self.ontology, test, threshold)
        return {
            "val": score,
            "threshold": threshold,
            "kept": kept,
            "right": torch.from_numpy(right.astype(np.uint8)),
        }

    @cached_property
    def lower(self) -> Tracker:
        """The lower bound: trained on translated dialogues, and the shots, alone."""
        return self.plain.fit(*self._base, self.settings.seed)

    @cached_property
    def teachers(self) -> list[Tracker]:
        """The annotator last; before it the plain model, where the annotator looks ahead."""
        if len(self.trainers) == 1:
            return [self.lower]
        ahead = self.trainers[1]
        return [self.lower, ahead.fit(*self._based(ahead), self.settings.seed)]

    @cached_property
    def annotations(self) -> Annotations:
        """The annotator's roll-out over all dialogues that some fold leaves unlabelled."""
        indices = sorted({index for fold in self.material.folds for index in fold.unlabelled})
        dialogues = [self.material.target[index] for index in indices]
        threshold = self._annotator_tuned[0]
        rolled = self.teachers[-1].roll_out(dialogues, [threshold] * len(dialogues))
        found = judge.rolled_examples(self.trainers, dialogues, rolled, "target:")
        rows = self.plain.prepare(found)
        chance = _row_chances(self.teachers[-1], self.trainers[-1], found)
        sizes = [len(dialogue.turns) for dialogue in dialogues]
        wrong, stacked = self._doubts(found)
        return Annotations(
            found,
            np.repeat(np.array(indices), sizes),
            confidence(self.teachers, found),
            wrong,
            stacked,
            np.array([bool(example.update) for example in found]),
            rows.owner,
            rows.right,
            np.where(rows.right, chance, 1 - chance),
            self._right(dialogues, found),
        )

    def _right(self, dialogues: Sequence[Dialogue], found: Sequence[Example]) -> np.ndarray:
        """bool [turns]: whether gold agrees; all False where there is none, since nothing reads it then."""
        if not all(dialogue.labelled for dialogue in dialogues):
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
        if not any(SYSTEMS[name].learned for name in self.names):
            return np.zeros(len(found)), np.zeros(len(found))
        wrong = self.detector.wrong(self.teachers, found)
        from sklearn.linear_model import LogisticRegression

        known = self.judged
        if known.wrong.all() or not known.wrong.any():
            return wrong, wrong
        inputs = self._stackable(known.found)
        scale = inputs.std(0) + 1e-9
        model = LogisticRegression(C=0.1).fit(inputs / scale, known.wrong)
        return wrong, model.predict_proba(self._stackable(found) / scale)[:, 1]

    def _stackable(self, found: Sequence[Example]) -> np.ndarray:
        wrong = np.clip(self.detector.wrong(self.teachers, found), 1e-4, 1 - 1e-4)
        changes = np.array([bool(example.update) for example in found], float)
        return np.stack([np.log(wrong / (1 - wrong)), confidence(self.teachers, found), changes], 1)

    @cached_property
    def judged(self) -> judge.Judged:
        """The annotator's output on the validation dialogues, and whether it is wrong."""
        threshold = self._annotator_tuned[0]
        return judge.annotated(self.trainers, self.teachers, self.ontology, self.validation, threshold)

    @cached_property
    def analysis(self) -> Analysis:
        """What the annotator gets wrong on the validation dialogues, each turn given its gold state."""
        return analysed(self.ontology, self.teachers[-1], self.validation, self._annotator_tuned[0])

    @cached_property
    def judge(self) -> judge.Judge:
        return judge.Judge(self.trainers, self.material.source, self.settings.seed)

    @cached_property
    def detector(self) -> Detector:
        """The error classifier that the filters use."""
        kinds: dict[str, Measured | Uniform] = {"measured": Measured(), "uniform": Uniform()}
        if self.settings.negatives == "real":
            known = self.judge.real(self._annotator_tuned[0])
        else:
            known = self.judge.synthetic(kinds[self.settings.negatives], self.analysis)
        return judge.trained(self.settings.classifier, known, self.settings.seed)

    def available(self, fold: int) -> np.ndarray:
        """Positions in `annotations` of the dialogues that a fold leaves unlabelled."""
        return np.flatnonzero(np.isin(self.annotations.dialogue, self.material.folds[fold].unlabelled))

    def _trained(self, job: Job, fold: Fold) -> tuple[Model, float]:
        """A student, and the share of the fold's candidates it has learnt from."""
        system = SYSTEMS[job.system]
        if system.weigh is None:
            return self._without_annotations(system), 0.0
        here = self.available(job.fold)
        rows = {"gold": self._gold, "permuted": self._gold}.get(system.source, self._automatic)().take(here)
        notes = self._taken(here)
        weight = self._weights(system, notes, rows, job)
        parts, weights = self._base
        if system.source == "permuted":
            rng = job.rng(self.settings.seed)
            parts = [replace(part, right=rng.permutation(part.right)) for part in parts]
            rows = replace(rows, right=rng.permutation(rows.right))
            return self.plain.fit([*parts, rows], [*weights, weight], self.settings.seed), 1.0
        start = self.lower
        model = self.plain.fit([*parts, rows], [*weights, weight], self.settings.seed, start)
        return model, float(np.mean(weight > 0)) if len(weight) else 0.0

    def _weights(self, system: System, notes: Annotations, rows: Rows, job: Job) -> np.ndarray:
        assert system.weigh is not None
        if system.source != "automatic":
            return np.ones(len(rows.right))
        return system.weigh(notes, self.settings.share, job.rng(self.settings.seed))

    def _without_annotations(self, system: System) -> Model:
        return self._with_labels if system.source == "labels" else self.lower

    @cached_property
    def _with_labels(self) -> Model:
        """A student of the validation dialogues instead of annotations."""
        parts, weights = self._base
        more = self.plain.prepare(self.plain.examples(self.validation))
        weight = np.full(len(more.right), SHOT_WEIGHT)
        return self.plain.fit([*parts, more], [*weights, weight], self.settings.seed, self.lower)

    def _threshold(self, job: Job, model: Model) -> tuple[float, float]:
        if job.system == "lower":
            return self._lower_tuned
        if job.system == "labels":  # it has learnt from the validation dialogues: tuned where it has not
            return self._labels_tuned
        if job.system == "permuted":  # tuning would show it true annotations
            threshold = self._as_often_as_gold(model)
            return threshold, float(metrics.jga(model, self.ontology, self.validation, [threshold])[0])
        return self.tuned(model, self.validation)

    def _as_often_as_gold(self, model: Model) -> float:
        """The threshold at which a model changes as many validation turns as gold changes of the source."""
        turns = [(dialogue, i) for dialogue in self.validation for i in range(len(dialogue.turns))]
        wanted = float(np.mean(np.concatenate([part.touched.any(1) for part in self._base[0]])))
        rates = [np.mean([bool(p.update) for p in model.given(turns, t)]) for t in THRESHOLDS]
        return THRESHOLDS[int(np.argmin(np.abs(np.array(rates) - wanted)))]

    def tuned(self, model: Model, dialogues: Sequence[Dialogue]) -> tuple[float, float]:
        """The threshold with the best JGA on labelled dialogues, and this JGA; of equals the middle one."""
        scores = metrics.jga(model, self.ontology, dialogues, THRESHOLDS)
        best = np.flatnonzero(scores == scores.max())
        chosen = int(best[len(best) // 2])
        return THRESHOLDS[chosen], float(scores[chosen])

    @cached_property
    def _lower_tuned(self) -> tuple[float, float]:
        return self.tuned(self.lower, self.validation)

    @cached_property
    def _annotator_tuned(self) -> tuple[float, float]:
        return self.tuned(self.teachers[-1], self.validation)

    @cached_property
    def _labels_tuned(self) -> tuple[float, float]:
        """Mean threshold of two models that have learnt from one half of the validation dialogues and are
        tuned on the other."""
        found = []
        parts, weights = self._base
        for half in range(2):
            more = self.plain.prepare(self.plain.examples(self.validation[half::2]))
            weight = np.full(len(more.right), SHOT_WEIGHT)
            model = self.plain.fit([*parts, more], [*weights, weight], self.settings.seed, self.lower)
            found.append(self.tuned(model, self.validation[1 - half :: 2]))
        return float(np.mean([one[0] for one in found])), float(np.mean([one[1] for one in found]))

    @cached_property
    def _base(self) -> tuple[list[Rows], list[np.ndarray]]:
        return self._based(self.plain)

    def _based(self, trainer: Trainer) -> tuple[list[Rows], list[np.ndarray]]:
        """What every system learns from: the source, and the shots with their weight."""
        parts = [trainer.prepare(trainer.examples(self.material.source))]
        weights = [np.ones(len(parts[0].right))]
        if self.shots:
            parts.append(trainer.prepare(trainer.examples(self.shots)))
            weights.append(np.full(len(parts[1].right), SHOT_WEIGHT))
        return parts, weights

    def _taken(self, turns: np.ndarray) -> Annotations:
        """Annotations of some turns, in order."""
        notes = self.annotations
        place = np.full(len(notes.examples), -1)
        place[turns] = np.arange(len(turns))
        inside = place[notes.owner] >= 0
        return Annotations(
            [notes.examples[i] for i in turns],
            notes.dialogue[turns],
            notes.confidence[turns],
            notes.wrong[turns],
            notes.stacked[turns],
            notes.changes[turns],
            place[notes.owner[inside]],
            notes.chosen[inside],
            notes.agreement[inside],
            notes.right[turns],
        )

    def _automatic(self) -> Rows:
        return self._automatic_rows

    def _gold(self) -> Rows:
        return self._gold_rows

    @cached_property
    def _automatic_rows(self) -> Rows:
        return self.plain.prepare(self.annotations.examples)

    @cached_property
    def _gold_rows(self) -> Rows:
        """The same turns from the same states before them, with gold's change of the turn."""
        notes = self.annotations
        found, number, last = [], 0, -1
        for example, index in zip(notes.examples, notes.dialogue):
            number = number + 1 if index == last else 0
            last = index
            dialogue = self.material.target[index]
            update = diff(dialogue.previous(number), dialogue.turns[number].state or {})
            dropped = update.removed & example.previous.keys()
            found.append(replace(example, update=Update(update.assigned, frozenset(dropped))))
        return self.plain.prepare(found)


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
    from lineshaft.dialogue.annotators.rows import batch

    scenes = [e.looking_ahead if trainer.hindsight and e.looking_ahead else e.scene for e in found]
    one = batch(trainer.proposer, trainer.slots, list(zip(scenes, (e.previous for e in found))))
    return model.chances(one, scenes)
