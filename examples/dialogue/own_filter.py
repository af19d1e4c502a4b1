"""A filter of one's own beside the built-in ones: `lineshaft run examples/dialogue/own_filter.py`.

A system says which annotated decisions a student learns from; its control takes as many at random.
"""

import numpy as np

from lineshaft.dialogue.annotations import Annotations
from lineshaft.dialogue.experiments import loop
from lineshaft.dialogue.experiments.loop import figures, overview
from lineshaft.dialogue.systems import SYSTEMS, System, random
from lineshaft.engine import Run

__all__ = ["Config", "figures", "overview", "run"]


def short(notes: Annotations, share: float, rng: np.random.Generator) -> np.ndarray:
    """1 for each decision on a turn of at most eight words, else 0."""
    keep = np.array([len(example.scene.words) <= 8 for example in notes.examples])
    return keep[notes.owner].astype(float)


MINE = {
    "short": System("+ short turns", short),
    "random_short": System("+ random drop, as short", random(short), ("short",)),
}


class Config(loop.Config):
    """dialogue.loop with a filter of short turns."""


def run(config: Config, run: Run) -> dict[str, float]:
    return loop.run(config, run, SYSTEMS | MINE)
