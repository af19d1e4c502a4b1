"""Turns to learn from as an annotator meets them: after its own states, not after gold.

An annotator is trained on gold states and used on its own, which lack what it missed and hold what it made
up. So labelled dialogues are annotated by a model of the others, and the turns are learnt again from the
states that it reached (Ross et al. 2011, one round), with what mends the state where the turn says it: the
value that the agent repeats of a slot missed before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lineshaft.dialogue.annotators.candidates import Proposer
from lineshaft.dialogue.annotators.model import Model
from lineshaft.dialogue.annotators.rows import Example
from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, State, Value
from lineshaft.dialogue.corpus.ontology import CanonicalState
from lineshaft.dialogue.corpus.state import Update, diff

HEARD = frozenset("UAB")
"""Sources of candidates that the turn itself names."""


def met(
    proposer: Proposer, models: Sequence[tuple[Model, Sequence[Dialogue]]], threshold: float
) -> list[Example]:
    """Turns of labelled dialogues after states that a model rolled out which has not learnt from them; those
    where it reached the gold state are left out, since they are known already."""
    return [
        example
        for model, dialogues in models
        for dialogue, found in zip(dialogues, model.roll_out(dialogues, [threshold] * len(dialogues)))
        for example in _turns(proposer, dialogue, [{}, *(each.state for each in found)])
    ]


def _turns(proposer: Proposer, dialogue: Dialogue, states: Sequence[State]) -> Iterator[Example]:
    for number, turn in enumerate(dialogue.turns):
        if not dialogue.learnable(number):
            continue
        gold, previous = dialogue.previous(number), states[number]
        ontology = proposer.ontology
        before = ontology.canonical_state(previous)
        if before == ontology.canonical_state(gold):
            continue
        after = turn.state or {}
        scene = proposer.scene(dialogue, number)
        own = diff(gold, after)
        known = {
            (c.slot, c.canonical)
            for c in proposer.candidates(scene, previous)
            if not HEARD.isdisjoint(c.source)
        }
        mended = {
            slot: value
            for slot, value in after.items()
            if before.get(slot) != ontology.canonical_value(slot, value)
            and (slot in own.assigned or any((slot, n) in known for n in ontology.canonical_value(slot, value)[1]))
        }
        removed = frozenset(own.removed & previous.keys())
        yield Example(scene, previous, Update(mended, removed), dialogue.id)
