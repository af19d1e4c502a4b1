"""The error classifier: is this annotation of this turn wrong?

Trained on annotations known to be right or wrong: gold with synthetic negatives, or an annotator's own
out-of-fold output. `Dense` is gradient boosting on what `evidence` gives, sentence vectors included where the
annotator has them; `Linear` is logistic regression on hashed words and pairs of the text `input ## output`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.dialogue.annotators import logistic
from lineshaft.dialogue.annotators.features import code, codes, crossed, matrix
from lineshaft.dialogue.annotators.rows import Example
from lineshaft.dialogue.annotators.tracker import Tracker
from lineshaft.dialogue.corpus.text import words
from lineshaft.dialogue.errors.evidence import evidence, written
from lineshaft.engine import Part


class Detector(Protocol):
    """A trained classifier."""

    def wrong(self, models: Sequence[Tracker], found: Sequence[Example]) -> np.ndarray:
        """float [examples]: the chance that each annotation is wrong; `models` judge the examples and have
        not learnt from them."""
        ...


class Dense(Part):
    """Gradient boosting on the annotator's chances, its heads and plain counts."""

    name: Literal["dense"] = "dense"
    trees: int = Field(80, ge=1, description="boosting iterations")
    leaves: int = Field(8, ge=2, description="leaves of a tree")

    def fit(self, features: np.ndarray, found: Sequence[Example], wrong: np.ndarray, seed: int) -> Detector:
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_iter=self.trees,
            learning_rate=0.06,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=20,
            l2_regularization=1.0,
            early_stopping=False,
            class_weight="balanced",
            random_state=seed,
        )
        return _Dense(model.fit(features, wrong))


class Linear(Part):
    """Logistic regression on hashed words and pairs of `input ## output`."""

    name: Literal["linear"] = "linear"
    c: float = Field(0.3, gt=0, description="inverse of the L2 penalty")

    def fit(self, features: np.ndarray, found: Sequence[Example], wrong: np.ndarray, seed: int) -> Detector:
        share = wrong.mean()
        weight = np.where(wrong, 0.5 / max(share, 1e-9), 0.5 / max(1 - share, 1e-9))
        return _Linear(logistic.fit(_hashed(found), wrong, self.c, weight=weight))


class _Dense:
    def __init__(self, model: Any) -> None:
        self.model = model

    def wrong(self, models: Sequence[Tracker], found: Sequence[Example]) -> np.ndarray:
        return np.asarray(self.model.predict_proba(evidence(models, found))[:, 1])


class _Linear:
    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights

    def wrong(self, models: Sequence[Tracker], found: Sequence[Example]) -> np.ndarray:
        return logistic.chances(_hashed(found), self.weights)


def _hashed(found: Sequence[Example]) -> csr_matrix:
    """Words and pairs of words of the input, joined with the slots of the output."""
    keys, facts = [], []
    for example in found:
        before, _, after = written(example).partition(" ## ")
        said = [word.text for word in words(example.scene.text)]
        own = [f"o={word.text}" for word in words(after)] + [f"i={word.text}" for word in words(before)]
        own += [f"u={word}" for word in said] + [f"b={a}_{b}" for a, b in pairwise(said)]
        facts.append(codes(own))
        slots = sorted(map(str, example.update.assigned)) or ["nothing"]
        slots = ["", f"n={len(example.update.assigned)}", *slots][:5]
        keys.append([code(slot) for slot in slots + [slots[-1]] * (5 - len(slots))])
    buckets, starts = crossed(np.array(keys, np.uint32).reshape(-1, 5), facts)
    x = matrix(buckets, starts)
    x.sum_duplicates()
    x.data[:] = 1
    return x
