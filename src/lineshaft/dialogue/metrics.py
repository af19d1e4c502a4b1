"""How right predicted states are, turn by turn.

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
