"""The built-in annotator: every candidate change of a turn gets a chance; the likeliest of each slot above a
threshold is made.

Three parts build on each other. `scorer`: logistic regression on hashed features, seconds on one core.
`stacker`: gradient boosting (Friedman 2001) on the scores that models of other dialogues give (cross-fitted
by dialogue, Wolpert 1992), on how candidates compete, and on ridge heads that read the turn's words.
`vectors`: the same with ridge heads on sentence vectors of any language beside them. On new text the scorer
is the one of all dialogues, the heads are the mean of those of the folds (they are linear).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field
from scipy.special import expit

from lineshaft.dialogue.annotators import heads, logistic, vectors
from lineshaft.dialogue.annotators.boosting import Boosted, Boosting
from lineshaft.dialogue.annotators.candidates import DROPPED, Candidate, Proposer
from lineshaft.dialogue.annotators.competition import competition
from lineshaft.dialogue.annotators.model import Prediction
from lineshaft.dialogue.annotators.rows import Batch, Example, Rows, batch, examples, featurise, join
from lineshaft.dialogue.annotators.scene import Scene
from lineshaft.dialogue.annotators.terms import Terms
from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, State, Value, turns
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
    """Gradient boosting on cross-fitted scores of the scorer and of ridge heads on words, and on how
    candidates compete."""

    name: Literal["stacker"] = "stacker"
    c: float = Field(0.3, gt=0, description="inverse of the L2 penalty of the logistic regression")
    trees: int = Field(120, ge=1, description="boosting iterations")
    leaves: int = Field(15, ge=2, description="leaves of a tree")
    folds: int = Field(3, ge=2, description="folds of the cross-fitted scores, by dialogue")
    bags: int = Field(1, ge=1, description="boosted models; several split on halves of the columns")

    def learner(self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False) -> Trainer:
        boosting = Boosting(self.trees, self.leaves, self.bags)
        return Trainer(ontology, labelled, hindsight, self.c, boosting, self.folds)


class Vectors(Part):
    """The stacker with ridge heads on sentence vectors of 16 languages."""

    name: Literal["vectors"] = "vectors"
    c: float = Field(0.3, gt=0, description="inverse of the L2 penalty of the logistic regression")
    trees: int = Field(120, ge=1, description="boosting iterations")
    leaves: int = Field(15, ge=2, description="leaves of a tree")
    folds: int = Field(3, ge=2, description="folds of the cross-fitted scores, by dialogue")
    bags: int = Field(1, ge=1, description="boosted models; several split on halves of the columns")

    def learner(self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False) -> Trainer:
        boosting = Boosting(self.trees, self.leaves, self.bags)
        return Trainer(ontology, labelled, hindsight, self.c, boosting, self.folds, True)


class Trainer:
    """Trains trackers; without boosting, the score is the answer."""

    def __init__(
        self,
        ontology: Ontology,
        labelled: Sequence[Dialogue],
        hindsight: bool,
        c: float,
        boosting: Boosting | None = None,
        folds: int = 1,
        sentences: bool = False,
    ) -> None:
        self.hindsight, self.c, self.boosting, self.folds = hindsight, c, boosting, folds
        self.proposer = Proposer(ontology, labelled, hindsight)
        self.slots = {slot: number for number, slot in enumerate(sorted(_slots(ontology, labelled)))}
        self.domains = heads.domains(self.slots)
        self.views: list[heads.View] = []
        if boosting:
            self.views.append(Terms(self.proposer.scene(dialogue, i) for dialogue, i in turns(labelled)))
            self.proposer.forget()
        if sentences:
            self.views.append(vectors.Sentences())

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
        of_row = fold[rows.owner] if len(rows.owner) else np.zeros(0, int)
        used, begin = weight > 0, list(start.parts) if start is not None else [None] * self.folds
        scores, learnt = np.zeros(len(rows.right)), []
        above = np.zeros((len(rows.right), heads.FEATURES * len(self.views)), np.float32)
        several: list[list[heads.Heads]] = []
        for number in range(self.folds):
            held = of_row == number
            rest = used & ~held if self.folds > 1 else used
            learnt.append(logistic.fit(rows.x[rest], rows.right[rest], self.c, begin[number], weight[rest]))
            scores[held] = logistic.logits(rows.x[held], learnt[-1])
            if self.views:
                several.append(self._heads(rows, np.flatnonzero(fold != number), weight))
                above[held] = self._held_out(several[-1], rows, held)
        boosted = None
        if self.boosting:
            boosted = self.boosting.fit(_dense(rows, scores, above), rows.right, weight, seed)
        whole = self._whole(rows, weight, learnt, start)
        return Tracker(self, learnt, whole, boosted, [heads.mean(each) for each in zip(*several)])

    def _whole(self, rows: Rows, weight: np.ndarray, learnt: Sequence[np.ndarray], start: Any) -> np.ndarray:
        """The scorer of all folds together, begun where an earlier one or their mean is."""
        if self.folds == 1:
            return learnt[0]
        begin = start.weights if start is not None else np.mean(learnt, axis=0)
        used = weight > 0
        return logistic.fit(rows.x[used], rows.right[used], self.c, begin, weight[used])

    def _dealt(self, group: np.ndarray, seed: int) -> np.ndarray:
        """int [examples]: the fold of each example; examples of one dialogue are together."""
        names, number = np.unique(group.astype(str), return_inverse=True)
        return np.random.default_rng(seed).integers(0, self.folds, len(names))[number]

    def _heads(self, rows: Rows, chosen: np.ndarray, weight: np.ndarray) -> list[heads.Heads]:
        """Ridge heads of some examples, one for each view."""
        counts = np.bincount(rows.owner, minlength=len(rows.scenes))
        sums = np.bincount(rows.owner, weights=weight, minlength=len(rows.scenes))
        every = np.divide(sums, counts, out=np.ones(len(counts)), where=counts > 0)
        found = []
        for view in self.views:
            inputs, turn = view.learnable([rows.scenes[i] for i in chosen])
            turn = chosen[turn]
            found.append(heads.fit(inputs, rows.touched[turn], self.domains, every[turn], view.penalty))
        return found

    def _held_out(self, several: Sequence[heads.Heads], rows: Rows, held: np.ndarray) -> np.ndarray:
        """float32 [held candidates, FEATURES of each view]."""
        present, owner = np.unique(rows.owner[held], return_inverse=True)
        return self.seen(several, [rows.scenes[i] for i in present], owner, rows.slot[held])

    def seen(
        self, several: Sequence[heads.Heads], scenes: Sequence[Scene], owner: np.ndarray, slot: np.ndarray
    ) -> np.ndarray:
        """float32 [candidates, FEATURES of each view]: what the heads say of candidates of scenes."""
        if not len(owner):
            return np.zeros((0, heads.FEATURES * len(several)), np.float32)
        each = [
            head.features(head.scores(view.encoded(scenes)), owner, slot)
            for head, view in zip(several, self.views)
        ]
        return np.hstack([np.zeros((len(owner), 0), np.float32), *each])


class Tracker:
    """A trained annotator. parts: the scorer's weights float32 [BUCKETS + 1] of each fold; weights: those of
    all folds together; heads: one for each view."""

    def __init__(
        self,
        trainer: Trainer,
        parts: list[np.ndarray],
        weights: np.ndarray,
        boosted: Boosted | None = None,
        several: Sequence[heads.Heads] = (),
    ) -> None:
        self.trainer, self.parts, self.weights = trainer, parts, weights
        self.boosted, self.heads = boosted, list(several)

    def chances(self, one: Batch, scenes: Sequence[Scene]) -> np.ndarray:
        """float [candidates]: the chance that each change is right."""
        if not one.candidates:
            return np.zeros(0)
        scores = np.add.reduceat(self.weights[one.buckets], one.starts[:-1]) + self.weights[-1]
        if self.boosted is None:
            return np.asarray(expit(scores))
        above = self.trainer.seen(self.heads, scenes, one.owner, one.slot)
        return self.boosted.chances(_dense(one, scores, above))

    def turn_scores(self, scenes: Sequence[Scene]) -> list[np.ndarray]:
        """float32 [scenes, slots + domains + 2] of each view's heads."""
        return [head.scores(view.encoded(scenes)) for head, view in zip(self.heads, self.trainer.views)]

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
        for view in self.trainer.views:
            view.forget()

    def _predicted(
        self, pairs: Sequence[tuple[Scene, State]], thresholds: Sequence[float]
    ) -> Iterator[Prediction]:
        """Predictions of turns; equal turns (one at several thresholds) are scored once."""
        numbers: dict[tuple[Scene, frozenset[tuple[Slot, Value]]], int] = {}
        place = [numbers.setdefault((scene, frozenset(s.items())), len(numbers)) for scene, s in pairs]
        distinct = [pairs[i] for i in np.unique(place, return_index=True)[1]]
        one = batch(self.trainer.proposer, self.trainer.slots, distinct)
        chances = self.chances(one, [scene for scene, _ in distinct])
        ends = np.cumsum(np.bincount(one.owner, minlength=len(distinct))).tolist()
        begins = [0, *ends]
        several = self.trainer.proposer.ontology.several
        for (_, previous), number, threshold in zip(pairs, place, thresholds):
            here = slice(begins[number], ends[number])
            yield decide(one.candidates[here], chances[here], previous, threshold, several)


def decide(
    candidates: Sequence[Candidate],
    chances: np.ndarray,
    previous: State,
    threshold: float,
    several: frozenset[Slot] = frozenset(),
) -> Prediction:
    """For each slot the likeliest change above the threshold; a slot of `several` values takes all of them
    that share its relation."""
    above: dict[Slot, list[int]] = defaultdict(list)
    likely = np.flatnonzero(chances > threshold)
    for number in likely[np.argsort(-chances[likely], kind="stable")].tolist():
        above[candidates[number].slot].append(number)
    chosen = {slot: _together(candidates, found, slot in several) for slot, found in above.items()}
    made = {slot: [candidates[number] for number in found] for slot, found in chosen.items()}
    update = Update(
        {
            slot: Value(tuple(dict.fromkeys(c.surface for c in each)), each[0].relation)
            for slot, each in made.items()
            if each[0].canonical != DROPPED
        },
        frozenset(slot for slot, each in made.items() if each[0].canonical == DROPPED),
    )
    agreed = 1 - chances
    taken = [number for found in chosen.values() for number in found]
    agreed[taken] = chances[taken]
    slots: dict[Slot, float] = {}
    for candidate, chance in zip(candidates, agreed.tolist()):
        slots[candidate.slot] = slots.get(candidate.slot, 1.0) * chance
    return Prediction(update, apply(previous, update), float(agreed.prod()), slots)


def _together(candidates: Sequence[Candidate], found: Sequence[int], several: bool) -> list[int]:
    """The likeliest of a slot's candidates; where it takes several values, those of its relation too."""
    first = candidates[found[0]]
    if not several or first.canonical == DROPPED:
        return [found[0]]
    more = [candidates[number] for number in found[1:]]
    fit = [c.relation == first.relation and c.canonical != DROPPED for c in more]
    return [found[0], *(number for number, fits in zip(found[1:], fit) if fits)]


def _dense(rows: Rows | Batch, scores: np.ndarray, above: np.ndarray) -> np.ndarray:
    """What the boosting sees: competition, the slot's number, the context, the heads."""
    found = competition(scores, rows.owner, rows.slot, rows.span)
    return np.hstack([found, rows.slot[:, None].astype(np.float32), rows.context, above])


def _slots(ontology: Ontology, labelled: Sequence[Dialogue]) -> set[Slot]:
    named = {slot for dialogue in labelled for turn in dialogue.turns for slot in turn.state or ()}
    return named | set(ontology.closed) | set(ontology.surfaces)
