"""Students: models trained on translated dialogues and on what an annotator said of natural ones.

One annotator, trained on the translated source alone, annotates the unlabelled target dialogues; each
student then learns from the source and from some of these annotations, and is tested on dialogues of the
same fold that nobody trained on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack

from lineshaft.dialogue import metrics
from lineshaft.dialogue.annotators import logistic
from lineshaft.dialogue.annotators.candidates import Proposer
from lineshaft.dialogue.annotators.scorer import Example, Rows, Scorer, examples, featurise
from lineshaft.dialogue.corpus import Fold, Material
from lineshaft.dialogue.errors import filters
from lineshaft.dialogue.schema import Ontology

THRESHOLDS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""One grid for all systems, wide enough that no edge wins: a lower bound tuned short flatters every gain."""
CONTROLS = {"random": "confidence", "random_oracle": "oracle"}
SYSTEMS = ("lower", "unfiltered", "confidence", "random", "oracle", "random_oracle", "gold", "permuted")


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
class Annotations:
    """What the annotator said of target turns: as examples, their confidence, and whether gold agrees.

    `dialogue` [turns] is the index of each turn's dialogue in the target; `gold` holds the true examples of
    the same turns.
    """

    examples: list[Example]
    gold: list[Example]
    confidence: np.ndarray
    right: np.ndarray
    dialogue: np.ndarray

    @property
    def changes(self) -> np.ndarray:
        """bool [turns]: whether the annotator says that the turn changes the state."""
        return np.array([bool(example.update) for example in self.examples])

    def take(self, turns: np.ndarray) -> Annotations:
        """Those of some turns."""
        examples, gold = ([each[i] for i in turns] for each in (self.examples, self.gold))
        return Annotations(examples, gold, self.confidence[turns], self.right[turns], self.dialogue[turns])


class Students:
    """Trains and tests every system on one corpus; `annotator` may be set beforehand, from a checkpoint."""

    def __init__(
        self, material: Material, ontology: Ontology, c: float, share: float, masks: int, seed: int
    ) -> None:
        self.material, self.ontology = material, ontology
        self.c, self.share, self.masks, self.seed = c, share, masks, seed
        self.proposer = Proposer(ontology, material.source)

    def jobs(self) -> list[Job]:
        """All students, fold after fold; random controls once for each mask."""
        return [
            Job(system, fold, mask)
            for fold in range(len(self.material.folds))
            for system in SYSTEMS
            for mask in range(self.masks if system in CONTROLS else 1)
        ]

    def outcome(self, job: Job) -> dict[str, Any]:
        """Train and test one student: threshold and JGA on validation, number of annotations kept, and
        `right`, uint8 [4, turns of the fold's test dialogues]."""
        fold = self.material.folds[job.fold]
        weights, kept = self._trained(job, fold)
        threshold, score = self._threshold(job, weights)
        scorer = Scorer(self.proposer, weights, threshold)
        right = metrics.score(scorer, [self.material.target[index] for index in fold.test])
        return {
            "val": score,
            "threshold": threshold,
            "kept": kept,
            "right": torch.from_numpy(right.astype(np.uint8)),
        }

    def _threshold(self, job: Job, weights: np.ndarray) -> tuple[float, float]:
        if job.system == "lower":
            return self._annotator_tuned
        if job.system == "permuted":  # tuning would show it true annotations
            threshold = self._as_often_as_gold(weights)
            return threshold, metrics.jga(Scorer(self.proposer, weights, threshold), self.material.validation)
        return self.tuned(weights)

    def _as_often_as_gold(self, weights: np.ndarray) -> float:
        """The threshold above which lie as many candidates of the source as were made there."""
        chances = logistic.chances(self._source.x, weights)
        return float(np.quantile(chances, 1 - self._source.right.mean()))

    def tuned(self, weights: np.ndarray) -> tuple[float, float]:
        """The threshold with the best JGA on the validation dialogues, and this JGA."""
        scorers = [Scorer(self.proposer, weights, threshold) for threshold in THRESHOLDS]
        scores = [metrics.jga(scorer, self.material.validation) for scorer in scorers]
        best = int(np.argmax(scores))
        return THRESHOLDS[best], scores[best]

    @cached_property
    def annotator(self) -> np.ndarray:
        """Weights of the annotator, which is also the lower bound: it has seen translated dialogues alone."""
        return logistic.fit(self._source.x, self._source.right, self.c)

    @cached_property
    def annotations(self) -> Annotations:
        """The annotator's roll-out over all dialogues that some fold leaves unlabelled."""
        scorer = Scorer(self.proposer, self.annotator, self._annotator_tuned[0])
        indices = sorted({index for fold in self.material.folds for index in fold.unlabelled})
        found, gold, confidence, right, owner = [], [], [], [], []
        for index in indices:
            dialogue = self.material.target[index]
            gold += examples([dialogue])
            previous = {}
            for number, prediction in enumerate(scorer.roll_out(dialogue)):
                before, after = dialogue.previous(number), dialogue.turns[number].state
                found.append(Example(gold[len(found)].scene, previous, prediction.update))
                right.append(filters.is_right(self.ontology, previous, prediction.update, before, after))
                confidence.append(prediction.confidence)
                previous = prediction.state
            owner += [index] * len(dialogue.turns)
        return Annotations(found, gold, np.array(confidence), np.array(right, bool), np.array(owner))

    def kept(self, job: Job) -> np.ndarray:
        """Positions in `annotations` that a student learns from."""
        notes, here = self.annotations, self.available(job.fold)
        return here[self._mask(job, notes.take(here))]

    def available(self, fold: int) -> np.ndarray:
        """Positions in `annotations` of the dialogues that a fold leaves unlabelled."""
        return np.flatnonzero(np.isin(self.annotations.dialogue, self.material.folds[fold].unlabelled))

    def _mask(self, job: Job, notes: Annotations) -> np.ndarray:
        if job.system in CONTROLS:
            matched = self._mask(replace(job, system=CONTROLS[job.system]), notes)
            return filters.random(matched, notes.changes, job.rng(self.seed))
        if job.system == "confidence":
            return filters.confident(notes.confidence, notes.changes, self.share)
        return filters.oracle(notes.right) if job.system == "oracle" else filters.unfiltered(len(notes.right))

    def _trained(self, job: Job, fold: Fold) -> tuple[np.ndarray, int]:
        """Weights of a student and the number of target turns it has learnt from."""
        if job.system == "lower":
            return self.annotator, 0
        kept = self.kept(job)
        if job.system == "permuted":
            x, right = self._permuted(kept, job.rng(self.seed))
            return logistic.fit(x, right, self.c), len(kept)
        more = (self._gold if job.system == "gold" else self._automatic).take(kept)
        x, right = vstack([self._source.x, more.x], format="csr"), np.append(self._source.right, more.right)
        return logistic.fit(x, right, self.c, start=self.annotator), len(kept)

    def _permuted(self, kept: np.ndarray, rng: np.random.Generator) -> tuple[csr_matrix, np.ndarray]:
        """Source and gold target turns, the verdicts on their candidates shuffled: as many changes as in
        truth, none of them where it belongs."""
        more = self._gold.take(kept)
        right = np.append(self._source.right, more.right)
        return vstack([self._source.x, more.x], format="csr"), rng.permutation(right)

    @cached_property
    def _source(self) -> Rows:
        return featurise(self.proposer, examples(self.material.source))

    @cached_property
    def _automatic(self) -> Rows:
        return featurise(self.proposer, self.annotations.examples)

    @cached_property
    def _gold(self) -> Rows:
        return featurise(self.proposer, self.annotations.gold)

    @cached_property
    def _annotator_tuned(self) -> tuple[float, float]:
        return self.tuned(self.annotator)
