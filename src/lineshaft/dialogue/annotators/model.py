"""What every annotator is to the rest of the system, whatever is inside.

An `Annotator` is a part of a configuration; it makes a `Learner` for an ontology and the dialogues that may
be counted on. A learner prepares examples once and trains models on any of them; a `Model` annotates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from lineshaft.dialogue.annotators.rows import Example
from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, State
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update


@dataclass(frozen=True)
class Prediction:
    """A turn's annotation: the change, the state after it, the chance that all its decisions are right, and
    for each slot that the turn could have changed the chance that what was decided is right."""

    update: Update
    state: State
    confidence: float
    slots: Mapping[Slot, float] = field(default_factory=dict)


class Model(Protocol):
    """A trained annotator."""

    def roll_out(self, dialogues: Sequence[Dialogue], thresholds: Sequence[float]) -> list[list[Prediction]]:
        """Annotations of dialogues from their own predicted states, each with its threshold. No state of the
        dialogues is read."""
        ...

    def given(self, turns: Sequence[tuple[Dialogue, int]], threshold: float) -> list[Prediction]:
        """Annotations of turns, each given the dialogue's own state before it."""
        ...

    def forget(self) -> None:
        """Free what is kept of dialogues annotated so far."""
        ...


class Learner(Protocol):
    """Trains models on prepared examples."""

    hindsight: bool

    def examples(self, dialogues: Sequence[Dialogue]) -> list[Example]:
        """The annotated turns of dialogues, as this learner sees them."""
        ...

    def prepare(self, examples: Sequence[Example]) -> Any:
        """Examples in the form that `fit` takes: something with `take(indices)`."""
        ...

    def ones(self, part: Any) -> np.ndarray:
        """The weight 1 for everything that `fit` weighs."""
        ...

    def fit(
        self, parts: Sequence[Any], weights: Sequence[np.ndarray], seed: int, start: Model | None = None
    ) -> Model:
        """A model of several prepared sets with a weight for each example (or, in rows, for each candidate);
        `start` may save time and must not change the result beyond it."""
        ...


class Annotator(Protocol):
    """The part of a configuration: `annotator=vectors annotator.c=0.3`."""

    def learner(self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False) -> Learner:
        """A learner for an ontology; what is copied and dropped is counted on labelled dialogues."""
        ...
