"""What was said and done in a turn as weighted counts of words and pairs of words (tf-idf, Salton 1988).

Rows are (1 + log count) (1 + log(turns / turns with the term)), of unit length, over the most frequent terms
of labelled turns. Ridge heads on them see what a turn is about, where the scorer weighs single candidates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.dialogue.annotators.scene import MOST_WORDS, Scene

WIDTH = 1500
"""Most terms that are counted."""


class Terms:
    """Vectors of turns over the terms of labelled ones."""

    penalty = 1.0

    def __init__(self, scenes: Iterable[Scene]) -> None:
        found: Counter[str] = Counter()
        turns = 0
        for scene in scenes:
            found.update(set(_terms(scene)))
            turns += 1
        kept = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:WIDTH]
        self.columns = {term: column for column, (term, _) in enumerate(kept)}
        self.rarity = np.log((1 + turns) / (1 + np.array([count for _, count in kept], float))) + 1
        self._rows: dict[Scene, tuple[np.ndarray, np.ndarray]] = {}

    def encoded(self, scenes: Sequence[Scene]) -> csr_matrix:
        """float32 [scenes, terms]."""
        rows = [self._row(scene) for scene in scenes]
        starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([row[0] for row in rows]) if rows else np.zeros(0, np.int32)
        values = np.concatenate([row[1] for row in rows]) if rows else np.zeros(0, np.float32)
        return csr_matrix((values, columns, starts), shape=(len(rows), len(self.columns)))

    def learnable(self, scenes: Sequence[Scene]) -> tuple[csr_matrix, np.ndarray]:
        """Each scene once."""
        return self.encoded(scenes), np.arange(len(scenes))

    def forget(self) -> None:
        """Free what is kept of turns seen so far."""
        self._rows.clear()

    def _row(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        if scene not in self._rows:
            counts = Counter(self.columns[term] for term in _terms(scene) if term in self.columns)
            columns = np.array(sorted(counts), np.int32)
            values = (
                np.array([1 + np.log(counts[column]) for column in columns.tolist()]) * self.rarity[columns]
            )
            length = np.sqrt(values @ values) or 1.0
            self._rows[scene] = (columns, (values / length).astype(np.float32))
        return self._rows[scene]


def _terms(scene: Scene) -> list[str]:
    """Words and pairs of words that the user said; what the agent asked and did."""
    said = [word.text for word in scene.words[:MOST_WORDS]]
    terms = [f"u={word}" for word in said] + [f"b={a}_{b}" for a, b in pairwise(said)]
    terms += [f"asked={slot}" for slot in sorted(scene.requested)]
    terms += [f"in={domain}" for domain in sorted(scene.domains)]
    terms += [f"did={act.domain}-{act.name}" for act in scene.acts]
    return [*terms, f"first={scene.number == 0}"]
