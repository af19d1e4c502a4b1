"""The built-in annotator: every candidate change of a turn gets a chance; the likeliest of each slot above a
threshold is made.

Three parts build on each other. `scorer`: logistic regression on hashed features, seconds on one core.
`stacker`: gradient boosting (Friedman 2001) on the scores that models of other dialogues give (cross-fitted
by dialogue, Wolpert 1992) and on how candidates compete. `vectors`: the same with ridge heads on sentence
vectors of any language. What a fold's models learn is averaged for use on new text: the scores are linear,
so the mean of the models is one model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field
from scipy.special import expit

from lineshaft.dialogue.annotators import heads, logistic, vectors
from lineshaft.dialogue.annotators.candidates import DROPPED, Candidate, Proposer
from lineshaft.dialogue.annotators.competition import competition
from lineshaft.dialogue.annotators.model import Prediction
from lineshaft.dialogue.annotators.rows import Batch, Example, Rows, batch, examples, featurise, join
from lineshaft.dialogue.annotators.scene import Scene
from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, State, Value
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update, apply
from lineshaft.engine import Part


class Scorer(Part):
    """Logistic regression on hashed features of candidates."""

    name: Literal["scorer"] = "scorer"
    c: float = Field(0.3, gt=0, description="inverse of the L2 penalty of the logistic regression")

    def learner(self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False) -> Trainer:
        return Trainer(ontology, labelled, hindsight, self.c)


class Stacker(Part):
    """Gradient boosting on cross-fitted scores of the scorer and on how candidates compete."""

    name: Literal["stacker"] = "stacker"
    c: float = Field(0.3, gt=0, description="inverse of the L2 penalty of the logistic regression")
    trees: int = Field(120, ge=1, description="boosting iterations")
    leaves: int = Field(15, ge=2, description="leaves of a tree")
    folds: int = Field(3, ge=2, description="folds of the cross-fitted scores, by dialogue")

    def learner(self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False) -> Trainer:
        return Trainer(ontology, labelled, hindsight, self.c, self.trees, self.leaves, self.folds)


class Vectors(Part):
    """The stacker with ridge heads on sentence vectors of 16 languages."""

    name: Literal["vectors"] = "vectors"
    c: float = Field(0.3, gt=0, description="inverse of the L2 penalty of the logistic regression")
    trees: int = Field(120, ge=1, description="boosting iterations")
    leaves: int = Field(15, ge=2, description="leaves of a tree")
    folds: int = Field(3, ge=2, description="folds of the cross-fitted scores, by dialogue")

    def learner(self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False) -> Trainer:
        return Trainer(ontology, labelled, hindsight, self.c, self.trees, self.leaves, self.folds, True)


class Trainer:
    """Trains trackers; with no trees, the score is the answer."""

    def __init__(
        self,
        ontology: Ontology,
        labelled: Sequence[Dialogue],
        hindsight: bool,
        c: float,
        trees: int = 0,
        leaves: int = 15,
        folds: int = 3,
        encode: bool = False,
    ) -> None:
        self.hindsight, self.c, self.trees, self.leaves = hindsight, c, trees, leaves
        self.folds, self.encode = folds if trees else 1, encode
        self.proposer = Proposer(ontology, labelled, hindsight)
        self.slots = {slot: number for number, slot in enumerate(sorted(_slots(ontology, labelled)))}
        self.domains = heads.domains(self.slots)
        self.vectors: dict[str, np.ndarray] = {}

    def examples(self, dialogues: Sequence[Dialogue]) -> list[Example]:
        """The annotated turns of dialogues."""
        return examples(self.proposer, dialogues)

    def prepare(self, found: Sequence[Example]) -> Rows:
        """Examples as rows."""
        return featurise(self.proposer, self.slots, found)

    def ones(self, part: Rows) -> np.ndarray:
        """The weight 1 for every candidate."""
        return np.ones(len(part.right))

    def fit(
        self,
        parts: Sequence[Rows],
        weights: Sequence[np.ndarray],
        seed: int,
        start: Any = None,
    ) -> Tracker:
        """A tracker; weights: of each candidate of each part. `start` is a tracker whose scores are near."""
        rows, weight = join(parts), np.concatenate(weights)
        fold = self._dealt(rows.group, seed)
        scores, learnt, seen, above = np.zeros(len(rows.right)), [], [], []
        head_features = np.zeros((len(rows.right), heads.FEATURES if self.encode else 0), np.float32)
        of_row = fold[rows.owner] if len(rows.owner) else np.zeros(0, int)
        for number in range(self.folds):
            rest = (of_row != number if self.folds > 1 else np.ones(len(of_row), bool)) & (weight > 0)
            before = start.parts[number] if start is not None else None
            learnt.append(logistic.fit(rows.x[rest], rows.right[rest], self.c, before, weight[rest]))
            held = of_row == number
            scores[held] = logistic.logits(rows.x[held], learnt[-1])
            if self.encode:
                above.append(self._heads(rows, np.flatnonzero(fold != number), weight))
                head_features[held] = self._held_out(above[-1], rows, held)
            seen.append(held)
        boosted = self._boosted(rows, scores, head_features, weight, seed) if self.trees else None
        return Tracker(self, learnt, boosted, heads.mean(above) if above else None)

    def encoded(self, scenes: Sequence[Scene], original: bool = False) -> np.ndarray:
        """float32 [scenes, WIDTH]: vectors of what was said, or of what was said before translation."""
        texts = [(scene.original if original else scene.text) or "" for scene in scenes]
        missing = sorted({text for text in texts if text not in self.vectors})
        if missing:
            self.vectors.update(zip(missing, vectors.encode(missing)))
        return np.array([self.vectors[text] for text in texts], np.float32).reshape(-1, vectors.WIDTH)

    def _dealt(self, group: np.ndarray, seed: int) -> np.ndarray:
        """int [examples]: the fold of each example; examples of one dialogue are together."""
        names, number = np.unique(group.astype(str), return_inverse=True)
        return np.random.default_rng(seed).integers(0, self.folds, len(names))[number]

    def _heads(self, rows: Rows, chosen: np.ndarray, weight: np.ndarray) -> heads.Heads:
        """Ridge heads of some examples: their text, and where it is a translation the original as well."""
        counts = np.bincount(rows.owner, minlength=len(rows.scenes))
        sums = np.bincount(rows.owner, weights=weight, minlength=len(rows.scenes))
        every = np.divide(sums, counts, out=np.ones(len(counts)), where=counts > 0)
        scenes = [rows.scenes[i] for i in chosen]
        second = [i for i, scene in zip(chosen, scenes) if scene.original is not None]
        inputs = np.concatenate(
            [self.encoded(scenes), self.encoded([rows.scenes[i] for i in second], original=True)]
        )
        both = np.concatenate([chosen, np.array(second, int)])
        return heads.fit(inputs, rows.touched[both], self.domains, every[both])

    def _held_out(self, head: heads.Heads, rows: Rows, held: np.ndarray) -> np.ndarray:
        turns, owner = np.unique(rows.owner[held], return_inverse=True)
        if not len(turns):
            return np.zeros((0, heads.FEATURES), np.float32)
        return head.features(self.encoded([rows.scenes[i] for i in turns]), owner, rows.slot[held])

    def _boosted(
        self, rows: Rows, scores: np.ndarray, above: np.ndarray, weight: np.ndarray, seed: int
    ) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        dense = _dense(rows, scores, above)
        used = weight > 0
        if rows.right[used].all() or not rows.right[used].any():
            return None
        model = HistGradientBoostingClassifier(
            max_iter=self.trees,
            learning_rate=0.06,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=30,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        )
        same = bool((weight[used] == 1).all())  # weights make scikit-learn bin several times slower
        return model.fit(dense[used], rows.right[used], sample_weight=None if same else weight[used])


class Tracker:
    """A trained annotator. parts: the scorer's weights float32 [BUCKETS + 1] of each fold."""

    def __init__(
        self, trainer: Trainer, parts: list[np.ndarray], boosted: Any = None, head: heads.Heads | None = None
    ) -> None:
        self.trainer, self.parts, self.boosted, self.head = trainer, parts, boosted, head
        self.weights = np.mean(parts, axis=0)

    def chances(self, one: Batch, scenes: Sequence[Scene]) -> np.ndarray:
        """float [candidates]: the chance that each change is right."""
        if not one.candidates:
            return np.zeros(0)
        scores = np.add.reduceat(self.weights[one.buckets], one.starts[:-1]) + self.weights[-1]
        if self.boosted is None:
            return expit(scores)
        above = np.zeros((len(scores), 0), np.float32)
        if self.head is not None:
            above = self.head.features(self.trainer.encoded(scenes), one.owner, one.slot)
        return self.boosted.predict_proba(_dense(one, scores, above))[:, 1]

    def roll_out(self, dialogues: Sequence[Dialogue], thresholds: Sequence[float]) -> list[list[Prediction]]:
        """Annotations of dialogues from their own predicted states; all first turns together, then all
        second ones, and so on."""
        found: list[list[Prediction]] = [[] for _ in dialogues]
        states: list[State] = [{} for _ in dialogues]
        for number in range(max((len(dialogue.turns) for dialogue in dialogues), default=0)):
            here = [i for i, dialogue in enumerate(dialogues) if number < len(dialogue.turns)]
            pairs = [(self.trainer.proposer.scene(dialogues[i], number), states[i]) for i in here]
            for i, prediction in zip(here, self._predicted(pairs, [thresholds[i] for i in here])):
                found[i].append(prediction)
                states[i] = prediction.state
        return found

    def given(self, turns: Sequence[tuple[Dialogue, int]], threshold: float) -> list[Prediction]:
        """Annotations of turns, each given the dialogue's own state before it."""
        scene = self.trainer.proposer.scene
        pairs = [(scene(dialogue, number), dialogue.previous(number)) for dialogue, number in turns]
        return list(self._predicted(pairs, [threshold] * len(pairs)))

    def forget(self) -> None:
        """Free what is kept of dialogues annotated so far."""
        self.trainer.proposer.forget()
        self.trainer.vectors.clear()

    def _predicted(
        self, pairs: Sequence[tuple[Scene, State]], thresholds: Sequence[float]
    ) -> Iterator[Prediction]:
        one = batch(self.trainer.proposer, self.trainer.slots, pairs)
        chances = self.chances(one, [scene for scene, _ in pairs])
        ends = np.cumsum(np.bincount(one.owner, minlength=len(pairs))) if pairs else []
        begin = 0
        for (_, previous), end, threshold in zip(pairs, ends, thresholds):
            several = self.trainer.proposer.ontology.several
            yield decide(one.candidates[begin:end], chances[begin:end], previous, threshold, several)
            begin = int(end)


def decide(
    candidates: Sequence[Candidate],
    chances: np.ndarray,
    previous: State,
    threshold: float,
    several: frozenset[Slot] = frozenset(),
) -> Prediction:
    """For each slot the likeliest change above the threshold; a slot of `several` values takes all of them
    that share its relation."""
    above: dict[Slot, list[tuple[float, Candidate]]] = defaultdict(list)
    for candidate, chance in zip(candidates, chances):
        if chance > threshold:
            above[candidate.slot].append((float(chance), candidate))
    chosen: dict[Slot, list[Candidate]] = {}
    for slot, found in above.items():
        found.sort(key=lambda pair: -pair[0])
        first = found[0][1]
        more = [c for _, c in found[1:] if c.relation == first.relation and c.canonical != DROPPED]
        chosen[slot] = [first, *more] if slot in several and first.canonical != DROPPED else [first]
    update = Update(
        {
            slot: Value(tuple(dict.fromkeys(c.surface for c in each)), each[0].relation)
            for slot, each in chosen.items()
            if each[0].canonical != DROPPED
        },
        frozenset(slot for slot, each in chosen.items() if each[0].canonical == DROPPED),
    )
    taken = {id(candidate) for each in chosen.values() for candidate in each}
    slots: dict[Slot, float] = {}
    total = 1.0
    for candidate, chance in zip(candidates, chances):
        agreed = float(chance) if id(candidate) in taken else 1 - float(chance)
        slots[candidate.slot] = slots.get(candidate.slot, 1.0) * agreed
        total *= agreed
    return Prediction(update, apply(previous, update), total, slots)


def _dense(rows: Rows | Batch, scores: np.ndarray, above: np.ndarray) -> np.ndarray:
    """What the boosting sees: competition, the slot's number, the context, the heads."""
    found = competition(scores, rows.owner, rows.slot, rows.span)
    return np.hstack([found, rows.slot[:, None].astype(np.float32), rows.context, above])


def _slots(ontology: Ontology, labelled: Sequence[Dialogue]) -> set[Slot]:
    named = {slot for dialogue in labelled for turn in dialogue.turns for slot in turn.state or ()}
    return named | set(ontology.closed) | set(ontology.surfaces)
