"""The threshold above which a model makes a change: tuned on labelled dialogues, one grid for all systems."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.dialogue import metrics
from lineshaft.dialogue.annotators.model import Model
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.corpus.ontology import Ontology

THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Wide enough that no edge wins: a lower bound tuned short flatters every gain."""


def at_edge(threshold: float) -> bool:
    """Whether the grid ends here, so that a better threshold may lie beyond it."""
    return threshold in (THRESHOLDS[0], THRESHOLDS[-1])


def tuned(model: Model, ontology: Ontology, dialogues: Sequence[Dialogue]) -> tuple[float, float]:
    """The threshold with the best JGA on labelled dialogues, and this JGA; of equals the middle one."""
    scores = metrics.jga(model, ontology, dialogues, THRESHOLDS)
    best = np.flatnonzero(scores == scores.max())
    chosen = int(best[len(best) // 2])
    return THRESHOLDS[chosen], float(scores[chosen])


def as_often(model: Model, dialogues: Sequence[Dialogue], rate: float) -> float:
    """The threshold at which a model changes this share of turns, as nearly as the grid allows: for a control
    that must not see what is right."""
    turns = [(dialogue, i) for dialogue in dialogues for i in range(len(dialogue.turns))]
    rates = [np.mean([bool(p.update) for p in model.given(turns, each)]) for each in THRESHOLDS]
    return THRESHOLDS[int(np.argmin(np.abs(np.array(rates) - rate)))]
