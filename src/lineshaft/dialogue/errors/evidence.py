"""What speaks for and against an annotation of a turn, as numbers and as text.

The numbers are those of the annotator that made it, or of one that judges another's output: the chances of
the changes made and of those not made, the sentence's ridge heads, and counts that need no model. The text
is the error classifier's of genienlp: `input ## output`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.dialogue.annotators import line_text as text
from lineshaft.dialogue.annotators.candidates import DROPPED
from lineshaft.dialogue.annotators.rows import Example, batch, made
from lineshaft.dialogue.annotators.scene import Scene
from lineshaft.dialogue.annotators.tracker import Tracker

COUNTS = 9
"""Columns that need no model: assigned, removed, candidates, words, turn number, changes without a candidate,
slots before, mentions not used, acts' values not used."""


def evidence(models: Sequence[Tracker], found: Sequence[Example]) -> np.ndarray:
    """float32 [examples, ..]: COUNTS columns, then four of each model, then four of each of its heads.
    The models' candidates are their own, so those with hindsight judge with it."""
    first = None
    columns = []
    for model in models:
        table = _Table(model, found)
        first = first or table
        columns.append(table.chances())
        columns += table.heads()
    assert first is not None
    return np.hstack([first.counts(), *columns]).astype(np.float32)


def confidence(models: Sequence[Tracker], found: Sequence[Example]) -> np.ndarray:
    """float [examples]: the log chance that all decisions of an annotation are right, by the last model."""
    return np.asarray(_Table(models[-1], found).chances()[:, 2:].sum(1))


def written(example: Example) -> str:
    """`input ## output`: the state before, the agent's acts, the user's words, then the annotation."""
    return f"{text.source(example.scene, example.previous)} ## {text.written(example.update)}"


class _Table:
    """Candidates of all examples with a model's chances, and which of them the annotation made."""

    def __init__(self, model: Tracker, found: Sequence[Example]) -> None:
        trainer = model.trainer
        self.model, self.found = model, found
        scenes = [_seen(trainer.hindsight, example) for example in found]
        self.batch = batch(trainer.proposer, trainer.slots, list(zip(scenes, (e.previous for e in found))))
        self.scenes = scenes
        self.chance = model.chances(self.batch, scenes)
        self.made = np.array(
            [
                made(trainer.proposer, c, found[i].update)
                for c, i in zip(self.batch.candidates, self.batch.owner)
            ],
            bool,
        )

    def chances(self) -> np.ndarray:
        """[examples, 4]: least chance of a change made, greatest of one not made, sums of their logs."""
        result = np.tile([1.0, 0.0, 0.0, 0.0], (len(self.found), 1))
        owner, made = self.batch.owner, self.made
        np.minimum.at(result[:, 0], owner[made], self.chance[made])
        np.maximum.at(result[:, 1], owner[~made], self.chance[~made])
        np.add.at(result[:, 2], owner[made], np.log(np.clip(self.chance[made], 1e-3, 1)))
        np.add.at(result[:, 3], owner[~made], np.log(np.clip(1 - self.chance[~made], 1e-3, 1)))
        return result

    def heads(self) -> list[np.ndarray]:
        """[examples, 4] of each view: least score of a slot touched, greatest of a candidate's slot not
        touched, score of any change, and the expected number of changes less those made."""
        return [self._head(scores) for scores in self.model.turn_scores(self.scenes)]

    def _head(self, scores: np.ndarray) -> np.ndarray:
        slots = self.model.trainer.slots
        result = np.zeros((len(self.found), 4))
        for row, example, score in zip(result, self.found, scores):
            touched = [score[slots[slot]] for slot in example.update.assigned if slot in slots]
            row[:] = (min(touched, default=1.0), 0.0, score[-1], score[-2] - len(example.update.assigned))
        other = ~self.made & (self.batch.slot >= 0)
        owner = self.batch.owner[other]
        np.maximum.at(result[:, 1], owner, scores[owner, self.batch.slot[other]])
        return result

    def counts(self) -> np.ndarray:
        """[examples, COUNTS]: what can be counted without a model."""
        result = np.zeros((len(self.found), COUNTS))
        covered = np.bincount(self.batch.owner[self.made], minlength=len(self.found))
        candidates = np.bincount(self.batch.owner, minlength=len(self.found))
        unused = {letter: np.zeros(len(self.found)) for letter in "UA"}
        for place, (candidate, owner) in enumerate(zip(self.batch.candidates, self.batch.owner)):
            if not self.made[place] and candidate.canonical != DROPPED:
                for letter in unused.keys() & set(candidate.source):
                    unused[letter][owner] += 1
        for number, (row, example) in enumerate(zip(result, self.found)):
            changes = len(example.update.assigned) + len(example.update.removed)
            row[:7] = (
                len(example.update.assigned),
                len(example.update.removed),
                candidates[number],
                len(example.scene.words),
                example.scene.number,
                changes - min(changes, covered[number]),
                len(example.previous),
            )
        result[:, 7], result[:, 8] = unused["U"], unused["A"]
        return result


def _seen(hindsight: bool, example: Example) -> Scene:
    return example.looking_ahead if hindsight and example.looking_ahead is not None else example.scene
