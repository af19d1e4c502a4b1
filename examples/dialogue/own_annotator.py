"""An annotator of one's own: `lineshaft run examples/dialogue/own_annotator.py`.

It sets a slot to the value that the user names, unless the words can mean several slots. Nothing is learnt.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from lineshaft.dialogue.annotators.model import Prediction
from lineshaft.dialogue.corpus.dialogue import Dialogue, State, Value
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update, apply
from lineshaft.dialogue.corpus.text import words
from lineshaft.dialogue.experiments import annotate
from lineshaft.dialogue.experiments.annotate import run
from lineshaft.engine import Part

__all__ = ["Config", "run"]


class Named(Part):
    """Values that the user names."""

    name: Literal["named"] = "named"

    def learner(self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False) -> "Naming":
        return Naming(ontology)


class Naming:
    """Learner and model in one: there is nothing to learn."""

    hindsight = False

    def __init__(self, ontology: Ontology) -> None:
        self.ontology = ontology

    def examples(self, dialogues: Sequence[Dialogue]) -> list[Any]:
        return []

    def prepare(self, examples: Sequence[Any]) -> list[Any]:
        return []

    def ones(self, part: list[Any]) -> np.ndarray:
        return np.ones(0)

    def fit(self, parts: Any, weights: Any, seed: int, start: Any = None) -> "Naming":
        return self

    def roll_out(self, dialogues: Sequence[Dialogue], thresholds: Sequence[float]) -> list[list[Prediction]]:
        found: list[list[Prediction]] = []
        for dialogue in dialogues:
            states: list[State] = [{}]
            found.append([])
            for turn in dialogue.turns:
                found[-1].append(self._prediction(turn.user, states[-1]))
                states.append(found[-1][-1].state)
        return found

    def given(self, turns: Sequence[tuple[Dialogue, int]], threshold: float) -> list[Prediction]:
        return [self._prediction(d.turns[number].user, d.previous(number)) for d, number in turns]

    def forget(self) -> None:
        pass

    def _prediction(self, text: str, previous: State) -> Prediction:
        clear = [
            mention.readings[0]
            for mention in self.ontology.mentions(words(text))
            if len(mention.readings) == 1
        ]
        update = Update({slot: Value((self.ontology.spelling(slot, name),)) for slot, name in clear})
        return Prediction(update, apply(previous, update), 0.5, dict.fromkeys(update.assigned, 0.5))


class Config(annotate.Config):
    """dialogue.annotate with the user's own words."""

    annotator: Named = Named()
