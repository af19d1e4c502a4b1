"""The systems that the loop compares: what each learns from beside the translated source.

A system says which automatic annotations of the unlabelled dialogues it takes, as a weight for each of their
candidates. Those that read gold say so: they bound what can be reached, or control that nothing leaks. The
control of a filter takes as many turns (or decisions) of either kind at random; filters that keep the same
share of either kind have one control.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lineshaft.dialogue.annotations import Annotations
from lineshaft.dialogue.errors import filters

Weigh = Callable[[Annotations, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class System:
    """label: what a reader sees; weigh: weights of the candidates of annotated turns, None for a system that
    learns from none; control: the filters that this is the random control of; gold: it reads gold of
    unlabelled dialogues; source: what replaces the automatic annotations, if anything."""

    label: str
    weigh: Weigh | None = None
    control: tuple[str, ...] = ()
    gold: bool = False
    source: str = "automatic"
    learned: bool = False


def _turns(mask: np.ndarray, notes: Annotations) -> np.ndarray:
    return np.asarray(mask.astype(float)[notes.owner])


def _every(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
    return np.ones(len(notes.owner))


def _confidence(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
    return _turns(filters.surest(notes.confidence, notes.changes, share), notes)


def _classifier(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
    return _turns(filters.surest(-notes.wrong, notes.changes, share), notes)


def _stacked(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
    return _turns(filters.surest(-notes.stacked, notes.changes, share), notes)


def _oracle(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
    return _turns(filters.oracle(notes.right), notes)


def _slots(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
    """Every turn, without the decisions that the annotator is least sure of: of the changes that it made and
    of those that it did not make the same share."""
    return filters.surest(notes.agreement, notes.chosen, share).astype(float)


def random(weigh: Weigh) -> Weigh:
    """The control of a filter of turns: as many of either kind at random."""

    def drawn(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
        kept = np.zeros(len(notes.changes), bool)
        np.logical_or.at(kept, notes.owner, weigh(notes, share, rng) > 0)
        kept |= ~np.isin(np.arange(len(kept)), notes.owner)  # turns without candidates teach nothing
        return _turns(filters.random(kept, notes.changes, rng), notes)

    return drawn


def _random_slots(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
    return filters.random(_slots(notes, share, rng) > 0, notes.chosen, rng).astype(float)


SYSTEMS: dict[str, System] = {
    "lower": System("translated only: lower bound"),
    "labels": System("+ the filter's calibration labels", source="labels"),
    "all": System("+ all annotations", _every),
    "confidence": System("+ confidence filter", _confidence),
    "classifier": System("+ error classifier filter", _classifier, learned=True),
    "stacked": System("+ both stacked", _stacked, learned=True),
    "random": System(
        "+ random drop, size and kind of the filters",
        random(_confidence),
        ("confidence", "classifier", "stacked"),
    ),
    "slots": System("+ doubtful slots left out", _slots),
    "random_slots": System("+ random slots left out", _random_slots, ("slots",)),
    "oracle": System("+ oracle filter: bound of filtering", _oracle, gold=True),
    "random_oracle": System("+ random drop, as oracle", random(_oracle), ("oracle",), gold=True),
    "gold": System("+ gold annotations: full-shot", _every, gold=True, source="gold"),
    "permuted": System("permuted gold (control)", _every, gold=True, source="permuted"),
}
"""In the order of the table. `learned` ones need the error classifier."""
