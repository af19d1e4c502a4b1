"""Intervals over dialogues and seeds: turns of one dialogue depend on each other, so whole ones are drawn."""

from __future__ import annotations

import numpy as np

RESAMPLES = 2000


def bootstrap(right: np.ndarray, dialogue: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Mean in per cent with its 95 % interval over resampled dialogues, and over seeds if there are several.

    right: [turns] or [seeds, turns], 0 or 1 for one system, their difference for two paired systems;
    dialogue: int [turns], the same for all seeds. Dialogues and seeds are drawn independently of each other
    (a two-way bootstrap: each is a sample of its own).
    """
    hits = np.array([np.bincount(dialogue, weights=one) for one in np.atleast_2d(right)])
    turns = np.bincount(dialogue)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(turns), (RESAMPLES, len(turns)))
    seeds = rng.integers(0, len(hits), (RESAMPLES, len(hits)))
    found = np.array([one[drawn].sum(1) for one in hits])  # [seeds, resamples]
    means = 100 * found[seeds.T, np.arange(RESAMPLES)].mean(0) / turns[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(100 * hits.mean(0).sum() / turns.sum()), float(low), float(high)
