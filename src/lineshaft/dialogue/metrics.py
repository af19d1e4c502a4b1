"""How right predicted states are, turn by turn.

Joint goal accuracy (JGA): share of turns whose whole state is right, states rolled out from the system's own
predictions. Turn exact match (turn EM): the same with the gold state given before each turn; copying the
previous state is right on every turn that changes nothing, so it stands beside. Values are compared in three
ways: canonically (what they stand for in the ontology), strictly (as written), and by the normaliser of the
corpus's authors (`normalise.py`). The comparison is part of the metric, so all three are given, each with
its ceiling: an oracle that picks the right ones among the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.dialogue.annotators.candidates import DROPPED, Candidate, Proposer
from lineshaft.dialogue.annotators.model import Model
from lineshaft.dialogue.corpus.dialogue import Dialogue, State, Value
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.normalise import normalised_state

COMPARED = ("", "_strict", "_authors")
METRICS = tuple(f"{metric}{how}" for metric in ("jga", "turn_em") for how in COMPARED)


def score(model: Model, ontology: Ontology, dialogues: Sequence[Dialogue], threshold: float) -> np.ndarray:
    """bool [METRICS, turns]: which turns are right."""
    rolled = model.roll_out(dialogues, [threshold] * len(dialogues))
    states = [prediction.state for each in rolled for prediction in each]
    turns = [(dialogue, number) for dialogue in dialogues for number in range(len(dialogue.turns))]
    given = [prediction.state for prediction in model.given(turns, threshold)]
    return compared(ontology, states, given, dialogues)


def compared(
    ontology: Ontology, rolled: Sequence[State], given: Sequence[State], dialogues: Sequence[Dialogue]
) -> np.ndarray:
    """bool [METRICS, turns] of states rolled out and of states given the gold one before."""
    gold = [turn.state or {} for dialogue in dialogues for turn in dialogue.turns]
    columns = [
        (*agree(ontology, one, g), *agree(ontology, two, g)) for one, two, g in zip(rolled, given, gold)
    ]
    return np.array(columns, bool).reshape(-1, len(METRICS)).T


def score_trivial(ontology: Ontology, dialogues: Sequence[Dialogue]) -> dict[str, np.ndarray]:
    """The same for the two systems that learn nothing: `copy` the previous state, and the `empty` state."""
    before = [dialogue.previous(i) for dialogue in dialogues for i in range(len(dialogue.turns))]
    nothing: list[State] = [{}] * len(before)
    return {
        "copy": compared(ontology, nothing, before, dialogues),
        "empty": compared(ontology, nothing, nothing, dialogues),
    }


def agree(ontology: Ontology, predicted: State, gold: State) -> tuple[bool, bool, bool]:
    """Whether two states are the same: canonically, as written, by the authors' normaliser."""
    strict = predicted == gold
    if strict:
        return True, True, True
    canonical = ontology.canonical_state(predicted) == ontology.canonical_state(gold)
    return canonical, False, normalised_state(ontology, predicted) == normalised_state(ontology, gold)


def jga(
    model: Model, ontology: Ontology, dialogues: Sequence[Dialogue], thresholds: Sequence[float]
) -> np.ndarray:
    """float [thresholds]: canonical joint goal accuracy in per cent at each."""
    every = [dialogue for _ in thresholds for dialogue in dialogues]
    each = [threshold for threshold in thresholds for _ in dialogues]
    rolled = model.roll_out(every, each)
    gold = [[ontology.canonical_state(turn.state or {}) for turn in d.turns] for d in dialogues]
    hits = [
        [ontology.canonical_state(p.state) == g for p, g in zip(found, gold[number % len(dialogues)])]
        for number, found in enumerate(rolled)
    ]
    size = len(dialogues)
    return np.array(
        [
            100 * np.mean([hit for each in hits[i * size : (i + 1) * size] for hit in each])
            for i in range(len(thresholds))
        ]
    )


def ceiling(proposer: Proposer, dialogues: Sequence[Dialogue]) -> np.ndarray:
    """bool [METRICS, turns] of an oracle that picks the right ones among the candidates of each turn."""
    rolled, given = [], []
    for dialogue in dialogues:
        state: State = {}
        for number, turn in enumerate(dialogue.turns):
            scene, gold = proposer.scene(dialogue, number), turn.state or {}
            previous = dialogue.previous(number)
            state = _best(proposer.ontology, state, proposer.candidates(scene, state), gold)
            given.append(_best(proposer.ontology, previous, proposer.candidates(scene, previous), gold))
            rolled.append(state)
    return compared(proposer.ontology, rolled, given, dialogues)


def _best(ontology: Ontology, state: State, candidates: Sequence[Candidate], gold: State) -> State:
    """The state nearest to gold that candidates lead to; of two right ones the one written as in gold."""
    found = dict(state)
    for slot, value in gold.items():
        names, written = ontology.canonical_value(slot, value)[1], set(value.values)
        right = [c for c in candidates if (c.slot, c.relation) == (slot, value.relation)]
        right = [c for c in right if c.canonical in names]
        exact = [c for c in right if c.surface in written]
        chosen = {c.canonical: c for c in right} | {c.canonical: c for c in exact}
        if len(chosen) == len(names):
            found[slot] = Value(tuple(c.surface for c in chosen.values()), value.relation)
    dropped = {c.slot for c in candidates if c.canonical == DROPPED} - gold.keys()
    return {slot: value for slot, value in found.items() if slot not in dropped}
