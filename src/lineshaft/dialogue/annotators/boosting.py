"""Gradient boosting on what is known of a candidate (Friedman 2001): the mean of several models.

Each model splits every node on a random half of the columns (Breiman 2001, as in a random forest), so that
they err apart: columns are alike, many say how likely a candidate is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

COLUMNS = 0.5
"""Share of the columns that a split may choose from, where there are several models."""


@dataclass(frozen=True)
class Boosting:
    """trees and leaves of each of `bags` models."""

    trees: int
    leaves: int
    bags: int

    def fit(self, inputs: np.ndarray, right: np.ndarray, weight: np.ndarray, seed: int) -> Boosted | None:
        """inputs: float32 [n, columns]; right: bool [n]; weight: [n], rows of weight 0 teach nothing. None
        where all rows are alike."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        used = weight > 0
        x, y, each = inputs[used], right[used], weight[used]
        if y.all() or not y.any():
            return None
        same = bool((each == 1).all())  # weights make scikit-learn bin several times slower
        models = [
            HistGradientBoostingClassifier(
                max_iter=self.trees,
                learning_rate=0.06,
                max_leaf_nodes=self.leaves,
                min_samples_leaf=30,
                l2_regularization=1.0,
                max_features=COLUMNS if self.bags > 1 else 1.0,
                early_stopping=False,
                random_state=seed + 1000 * bag,
            ).fit(x, y, sample_weight=None if same else each)
            for bag in range(self.bags)
        ]
        return Boosted(models)


class Boosted:
    """The mean of trained models."""

    def __init__(self, models: list[Any]) -> None:
        self.models = models

    def chances(self, inputs: np.ndarray) -> np.ndarray:
        """float [n]: the chance that each row is right."""
        return np.asarray(np.mean([model.predict_proba(inputs)[:, 1] for model in self.models], axis=0))
