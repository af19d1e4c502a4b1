"""The built-in annotator: every candidate change of a turn gets a probability; the likeliest of each slot
above a threshold is made. Trains in seconds on one core."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit

from lineshaft.dialogue.annotators.candidates import DROPPED, Candidate, Proposer
from lineshaft.dialogue.annotators.features import cross, matrix
from lineshaft.dialogue.annotators.scene import Scene, scene
from lineshaft.dialogue.corpus import Dialogue, State, Value
from lineshaft.dialogue.state import Update, apply, diff


@dataclass(frozen=True)
class Example:
    """A turn to learn from: what changed (`update`) from the state before it (`previous`)."""

    scene: Scene
    previous: State
    update: Update


@dataclass(frozen=True)
class Rows:
    """Examples as features: rows starts[i]:starts[i + 1] are candidates of example i, `right` those made."""

    x: csr_matrix
    right: np.ndarray
    starts: np.ndarray

    def take(self, examples: Sequence[int] | np.ndarray) -> Rows:
        """The rows of some examples."""
        lengths = np.diff(self.starts)[examples]
        index = np.concatenate(
            [np.arange(self.starts[i], self.starts[i + 1]) for i in examples] or [np.zeros(0, int)]
        )
        return Rows(self.x[index], self.right[index], np.cumsum([0, *lengths]))


@dataclass(frozen=True)
class Prediction:
    """A turn's annotation: the change, the state after it, the chance that all its decisions are right."""

    update: Update
    state: State
    confidence: float


def examples(dialogues: Iterable[Dialogue]) -> list[Example]:
    """Every turn, with the state its own annotation gives before it."""
    return [
        Example(scene(dialogue, i), dialogue.previous(i), diff(dialogue.previous(i), turn.state))
        for dialogue in dialogues
        for i, turn in enumerate(dialogue.turns)
    ]


def featurise(proposer: Proposer, examples: Iterable[Example]) -> Rows:
    """Candidates and their features for examples, in order."""
    rows, right, counts = [], [], []
    for example in examples:
        candidates = proposer.candidates(example.scene, example.previous)
        facts = proposer.state_facts(candidates, example.previous)
        rows += [np.append(c.base, cross(c.keys, fact)) for c, fact in zip(candidates, facts)]
        right += [_made(proposer, candidate, example.update) for candidate in candidates]
        counts.append(len(candidates))
    return Rows(matrix(rows), np.array(right, bool), np.cumsum([0, *counts]))


def _made(proposer: Proposer, candidate: Candidate, update: Update) -> bool:
    if candidate.canonical == DROPPED:
        return candidate.slot in update.removed
    value = update.assigned.get(candidate.slot)
    return value is not None and proposer.ontology.canonical_value(candidate.slot, value)[1] == {
        candidate.canonical
    }


class Scorer:
    """Annotates turns and dialogues with given weights (float32 [BUCKETS + 1], the last one the bias)."""

    def __init__(self, proposer: Proposer, weights: np.ndarray, threshold: float = 0.5) -> None:
        self.proposer = proposer
        self.weights = weights
        self.threshold = threshold

    def predict(self, scene: Scene, previous: State) -> Prediction:
        """The annotation of one turn, given the state before it."""
        candidates = self.proposer.candidates(scene, previous)
        chances = self._chances(candidates, previous)
        best: dict = {}
        for candidate, chance in zip(candidates, chances):
            if chance > max(self.threshold, best.get(candidate.slot, (0.0,))[0]):
                best[candidate.slot] = (chance, candidate)
        chosen = [candidate for _, candidate in best.values()]
        update = Update(
            {c.slot: Value((c.surface,)) for c in chosen if c.canonical != DROPPED},
            frozenset(c.slot for c in chosen if c.canonical == DROPPED),
        )
        taken = {id(candidate) for candidate in chosen}
        agreed = [chance if id(c) in taken else 1 - chance for c, chance in zip(candidates, chances)]
        return Prediction(update, apply(previous, update), float(np.prod(agreed)))

    def roll_out(self, dialogue: Dialogue) -> list[Prediction]:
        """The annotation of a dialogue from its own predicted states, turn after turn."""
        predictions, state = [], {}
        for number in range(len(dialogue.turns)):
            predictions.append(self.predict(scene(dialogue, number), state))
            state = predictions[-1].state
        return predictions

    def _chances(self, candidates: list[Candidate], previous: State) -> np.ndarray:
        if not candidates:
            return np.zeros(0)
        base = np.concatenate([candidate.base for candidate in candidates])
        starts = np.cumsum([0, *(len(candidate.base) for candidate in candidates[:-1])])
        scores = np.add.reduceat(self.weights[base], starts) + self.weights[-1]
        facts = self.proposer.state_facts(candidates, previous)
        for i, (candidate, fact) in enumerate(zip(candidates, facts)):
            scores[i] += self.weights[cross(candidate.keys, fact)].sum()
        return expit(scores)
