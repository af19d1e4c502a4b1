"""How right predicted states are, turn by turn, and how sure a difference of two systems is.

Joint goal accuracy (JGA): share of turns whose whole state is right, states rolled out from the system's own
predictions. Turn exact match (turn EM): the same with the gold state given before each turn; copying the
previous state is right on every turn that changes nothing, so it stands beside. Strict compares values as
written; canonical compares what they stand for. The canonicaliser is part of the metric, which is why both
are given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.dialogue.annotators.scene import scene
from lineshaft.dialogue.annotators.scorer import Scorer
from lineshaft.dialogue.corpus import Dialogue, State
from lineshaft.dialogue.schema import Ontology

METRICS = ("jga", "jga_strict", "turn_em", "turn_em_strict")
RESAMPLES = 2000


def score(scorer: Scorer, dialogues: Sequence[Dialogue]) -> np.ndarray:
    """bool [4, turns]: which turns are right by each of METRICS."""
    ontology = scorer.proposer.ontology
    columns = []
    for dialogue in dialogues:
        rolled = scorer.roll_out(dialogue)
        for number, turn in enumerate(dialogue.turns):
            given = scorer.predict(scene(dialogue, number), dialogue.previous(number))
            columns.append(
                [
                    *agree(ontology, rolled[number].state, turn.state),
                    *agree(ontology, given.state, turn.state),
                ]
            )
    return np.array(columns, bool).reshape(-1, len(METRICS)).T


def score_trivial(ontology: Ontology, dialogues: Sequence[Dialogue]) -> dict[str, np.ndarray]:
    """The same for the two systems that learn nothing: `copy` the previous state, and the `empty` state."""
    turns = [
        (dialogue.previous(i), turn.state) for dialogue in dialogues for i, turn in enumerate(dialogue.turns)
    ]
    empty = np.array([agree(ontology, {}, gold) for _, gold in turns], bool).T
    copied = np.array([agree(ontology, previous, gold) for previous, gold in turns], bool).T
    return {"copy": np.concatenate([empty, copied]), "empty": np.concatenate([empty, empty])}


def agree(ontology: Ontology, predicted: State, gold: State) -> tuple[bool, bool]:
    """Whether two states are the same: canonically, and as written."""
    strict = predicted == gold
    return strict or ontology.canonical_state(predicted) == ontology.canonical_state(gold), strict


def jga(scorer: Scorer, dialogues: Sequence[Dialogue]) -> float:
    """Canonical joint goal accuracy in per cent."""
    ontology = scorer.proposer.ontology
    hits = [
        agree(ontology, prediction.state, turn.state)[0]
        for dialogue in dialogues
        for prediction, turn in zip(scorer.roll_out(dialogue), dialogue.turns)
    ]
    return 100 * float(np.mean(hits))


def per_dialogue(right: np.ndarray, dialogue: np.ndarray) -> np.ndarray:
    """Right turns of each dialogue, float [dialogues]; right: [turns], dialogue: int [turns]."""
    return np.bincount(dialogue, weights=right)


def bootstrap(right: np.ndarray, dialogue: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Mean in per cent with its 95 % interval over resampled dialogues.

    right: [turns], 0 or 1 for one system, their difference for two paired systems, averaged over seeds if
    there are several. Turns of one dialogue depend on each other, so whole dialogues are drawn.
    """
    hits, turns = per_dialogue(right, dialogue), np.bincount(dialogue)
    drawn = np.random.default_rng(seed).integers(0, len(turns), (RESAMPLES, len(turns)))
    means = 100 * hits[drawn].sum(1) / turns[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(100 * hits.sum() / turns.sum()), float(low), float(high)
