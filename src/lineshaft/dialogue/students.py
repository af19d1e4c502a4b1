"""Students: models trained on translated dialogues and on what the teacher said of natural ones.

Each student learns from the source and from some of the teacher's annotations, and is tested on dialogues of
the same fold that nobody trained on. All learn from states that the teacher rolled out, also where the labels
are gold, so that they differ in labels alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import torch

from lineshaft.dialogue import metrics, tuning
from lineshaft.dialogue.annotators.model import Model
from lineshaft.dialogue.annotators.rows import Rows
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.corpus.material import Fold, Material
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update, diff
from lineshaft.dialogue.systems import SYSTEMS, System
from lineshaft.dialogue.teacher import SHOT_WEIGHT, Settings, Teacher


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


class Students:
    """Trains and tests every system on one corpus."""

    def __init__(
        self,
        material: Material,
        ontology: Ontology,
        settings: Settings,
        systems: Mapping[str, System] = SYSTEMS,
    ) -> None:
        self.material, self.ontology, self.settings = material, ontology, settings
        self.systems = systems
        learned = any(systems[name].learned for name in settings.systems or systems)
        self.teacher = Teacher(material, ontology, settings, learned)
        self.learner = self.teacher.plain

    @cached_property
    def names(self) -> list[str]:
        """Systems that are run: of those asked for the gold ones need gold, the learned ones some labelled
        target dialogues. The lower bound and all annotations are always among them."""
        asked = {"lower", "all", *(self.settings.systems or self.systems)}
        enough = len(self.teacher.validation) > 1
        return [
            name
            for name, system in self.systems.items()
            if name in asked and (self.teacher.gold or not system.gold) and (enough or not system.learned)
        ]

    def jobs(self) -> list[Job]:
        """All students, fold after fold; random controls once for each mask."""
        return [
            Job(system, fold, mask)
            for fold in range(len(self.material.folds))
            for system in self.names
            for mask in range(self.settings.masks if self.systems[system].control else 1)
        ]

    def outcome(self, job: Job) -> dict[str, Any]:
        """Train and test one student: threshold and JGA on validation, share of candidates kept, and
        `right`, uint8 [METRICS, turns of the fold's test dialogues]."""
        fold = self.material.folds[job.fold]
        model, kept = self.trained(job, fold)
        threshold, score = self.threshold(job, model)
        test = [self.material.target[index] for index in fold.test]
        right = metrics.score(model, self.ontology, test, threshold)
        return {
            "val": score,
            "threshold": threshold,
            "kept": kept,
            "right": torch.from_numpy(right.astype(np.uint8)),
        }

    def available(self, fold: int) -> np.ndarray:
        """Positions in the annotations of the dialogues that a fold leaves unlabelled."""
        notes = self.teacher.annotations
        return np.flatnonzero(np.isin(notes.dialogue, self.material.folds[fold].unlabelled))

    def trained(self, job: Job, fold: Fold) -> tuple[Model, float]:
        """A student, and the share of the fold's candidates it has learnt from."""
        system, seed = self.systems[job.system], self.settings.seed
        if system.weigh is None:
            return self._without_annotations(system), 0.0
        here = self.available(job.fold)
        rows = (self._automatic if system.source == "automatic" else self._gold).take(here)
        weight = self._weights(system, here, rows, job)
        parts, weights = self.teacher.base
        if system.source == "permuted":
            rng = job.rng(seed)
            parts = [replace(part, right=rng.permutation(part.right)) for part in parts]
            rows = replace(rows, right=rng.permutation(rows.right))
            return self.learner.fit([*parts, rows], [*weights, weight], seed), 1.0
        model = self.learner.fit([*parts, rows], [*weights, weight], seed, self.teacher.lower)
        return model, float(np.mean(weight > 0)) if len(weight) else 0.0

    def threshold(self, job: Job, model: Model) -> tuple[float, float]:
        """A student's threshold and its JGA on the dialogues that it was tuned on."""
        validation = self.teacher.validation
        if job.system == "lower":
            return self._lower_tuned
        if job.system == "labels":  # it has learnt from the validation dialogues: tuned where it has not
            return self._labels_tuned
        if job.system == "permuted":  # tuning would show it true annotations
            rate = float(np.mean(np.concatenate([part.touched.any(1) for part in self.teacher.base[0]])))
            threshold = tuning.as_often(model, validation, rate)
            return threshold, float(metrics.jga(model, self.ontology, validation, [threshold])[0])
        return tuning.tuned(model, self.ontology, validation)

    def _weights(self, system: System, here: np.ndarray, rows: Rows, job: Job) -> np.ndarray:
        assert system.weigh is not None
        if system.source != "automatic":
            return np.ones(len(rows.right))
        notes = self.teacher.annotations.take(here)
        return system.weigh(notes, self.settings.share, job.rng(self.settings.seed))

    def _without_annotations(self, system: System) -> Model:
        return self._with_labels if system.source == "labels" else self.teacher.lower

    @cached_property
    def _with_labels(self) -> Model:
        """A student of the validation dialogues instead of annotations."""
        return self._learnt(self.teacher.validation)

    def _learnt(self, dialogues: list[Dialogue]) -> Model:
        """A student of the source and some labelled target dialogues."""
        parts, weights = self.teacher.base
        more = self.learner.prepare(self.learner.examples(dialogues))
        weight = np.full(len(more.right), SHOT_WEIGHT)
        return self.learner.fit([*parts, more], [*weights, weight], self.settings.seed, self.teacher.lower)

    @cached_property
    def _lower_tuned(self) -> tuple[float, float]:
        return tuning.tuned(self.teacher.lower, self.ontology, self.teacher.validation)

    @cached_property
    def _labels_tuned(self) -> tuple[float, float]:
        """Mean threshold of two models that have learnt from one half of the validation dialogues and are
        tuned on the other."""
        halves = [self.teacher.validation[half::2] for half in range(2)]
        found = [tuning.tuned(self._learnt(halves[i]), self.ontology, halves[1 - i]) for i in range(2)]
        return float(np.mean([one[0] for one in found])), float(np.mean([one[1] for one in found]))

    @cached_property
    def _automatic(self) -> Rows:
        return self.learner.prepare(self.teacher.annotations.examples)

    @cached_property
    def _gold(self) -> Rows:
        """The same turns from the same states before them, with gold's change of the turn."""
        notes = self.teacher.annotations
        found, number, last = [], 0, -1
        for example, index in zip(notes.examples, notes.dialogue):
            number = number + 1 if index == last else 0
            last = index
            dialogue = self.material.target[index]
            update = diff(dialogue.previous(number), dialogue.turns[number].state or {})
            dropped = update.removed & example.previous.keys()
            found.append(replace(example, update=Update(update.assigned, frozenset(dropped))))
        return self.learner.prepare(found)
