"""Intervals over dialogues: turns of one dialogue depend on each other, so whole dialogues are drawn."""

from __future__ import annotations

import numpy as np

RESAMPLES = 2000


def per_dialogue(right: np.ndarray, dialogue: np.ndarray) -> np.ndarray:
    """Right turns of each dialogue, float [dialogues]; right: [turns], dialogue: int [turns]."""
    return np.bincount(dialogue, weights=right)


def bootstrap(right: np.ndarray, dialogue: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Mean in per cent with its 95 % interval over resampled dialogues.

    right: [turns], 0 or 1 for one system, their difference for two paired systems, averaged over seeds if
    there are several. Turns of one dialogue depend on each other, so whole dialogues are drawn.
    """
    hits, turns = per_dialogue(right, dialogue), np.bincount(dialogue)
    drawn = np.random.default_rng(seed).integers(0, len(turns), (RESAMPLES, len(turns)))
    means = 100 * hits[drawn].sum(1) / turns[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(100 * hits.sum() / turns.sum()), float(low), float(high)
