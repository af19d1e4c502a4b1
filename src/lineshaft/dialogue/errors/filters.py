"""Which automatic annotations a student learns from.

A filter is a mask over annotated turns. `oracle` needs gold: it bounds what filtering alone can reach, since
no filter can add what the annotator never gets right. Every filter is read beside `random` of the same size:
a student gains or loses by the size of its training set and by a shifted operating point too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.dialogue.corpus import State
from lineshaft.dialogue.schema import Ontology
from lineshaft.dialogue.state import Update, apply


def is_right(ontology: Ontology, previous: State, update: Update, gold_previous: State, gold: State) -> bool:
    """Whether an annotator's update of a turn is what gold says of this turn.

    It may neither state what is not in the gold state nor miss what the turn changed; errors of earlier
    turns that are still in `previous` are not this turn's.
    """
    after, right = ontology.canonical_state(apply(previous, update)), ontology.canonical_state(gold)
    before = ontology.canonical_state(gold_previous)
    changed = {slot for slot in right.keys() | before.keys() if right.get(slot) != before.get(slot)}
    touched = update.assigned.keys() | update.removed
    return all(after.get(slot) == right.get(slot) for slot in changed | touched)


def unfiltered(turns: int) -> np.ndarray:
    """bool [turns]: everything is kept."""
    return np.ones(turns, bool)


def confident(confidence: Sequence[float], share: float) -> np.ndarray:
    """bool [turns]: the `share` of which the annotator is surest; of equals the earlier turns."""
    order = np.argsort(-np.asarray(confidence, float), kind="stable")
    return _members(order[: round(share * len(order))], len(order))


def random(turns: int, kept: int, rng: np.random.Generator) -> np.ndarray:
    """bool [turns]: `kept` turns drawn at random."""
    return _members(rng.permutation(turns)[:kept], turns)


def oracle(right: Sequence[bool]) -> np.ndarray:
    """bool [turns]: the right annotations."""
    return np.array(right, bool)


def _members(index: np.ndarray, size: int) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[index] = True
    return mask
