"""Which automatic annotations a student learns from.

A filter is a mask over annotated turns, or over the decisions on single slots. `oracle` needs gold: it
bounds what filtering alone can reach, since no filter can add what the annotator never gets right. Every
filter is read beside a `random` one of the same number and kind: a student gains or loses by the size of its
training set too, and by how many of its turns change the state. A score is a product over all decisions of
a turn, so a plain ranking by it would drop the changes and keep the turns without any; turns of either kind
are ranked among themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.dialogue.corpus.dialogue import State
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update, apply


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


def surest(score: Sequence[float] | np.ndarray, changes: np.ndarray, share: float) -> np.ndarray:
    """bool [turns]: the `share` with the highest score, of the turns said to change the state (changes: bool
    [turns]) and of the others alike; of equals the earlier turns."""
    order = np.argsort(-np.asarray(score, float), kind="stable")
    kept = [kind[: round(share * len(kind))] for kind in (order[changes[order]], order[~changes[order]])]
    return _members(np.concatenate(kept), len(order))


def random(like: np.ndarray, changes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """bool [turns]: as many turns of either kind as the mask `like` keeps, drawn at random."""
    order = rng.permutation(len(like))
    kept = [order[changes[order] == kind][: int(like[changes == kind].sum())] for kind in (True, False)]
    return _members(np.concatenate(kept), len(like))


def oracle(right: Sequence[bool] | np.ndarray) -> np.ndarray:
    """bool [turns]: the right annotations."""
    return np.array(right, bool)


def _members(index: np.ndarray, size: int) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[index] = True
    return mask
