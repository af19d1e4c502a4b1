"""Differences between recommenders on the same people, with the interval over people and that over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lineshaft.recommend.evaluate.ranks import Ranks

FIGURES = ("recall@100", "recall@20", "recall@100_item", "ndcg@20", "precision@20")


@dataclass(frozen=True)
class Outcome:
    """What one recommender reached on one fold: (seeds, people); recall@100_item (seeds, items)."""

    values: dict[str, np.ndarray]

    @classmethod
    def of(cls, runs: Sequence[Ranks]) -> "Outcome":
        """From the ranks of every seed."""
        each = [(r.recall(100), r.recall(20), r.item_recall(100), r.ndcg(20), r.precision(20)) for r in runs]
        return cls({name: np.stack(rows) for name, rows in zip(FIGURES, zip(*each))})

    @property
    def seeds(self) -> int:
        return len(self.values["recall@100"])

    def mean(self, figure: str) -> np.ndarray:
        """(people,) or (items,): over seeds."""
        return np.asarray(self.values[figure].mean(0))

    def summary(self) -> dict[str, float]:
        """Means, recall@100 with its interval over people and its deviation over several seeds."""
        found = {figure: float(values.mean()) for figure, values in self.values.items()}
        each = self.mean("recall@100")
        half = 1.96 * float(each.std()) / len(each) ** 0.5
        found |= {"recall@100_low": found["recall@100"] - half, "recall@100_high": found["recall@100"] + half}
        found["seeds"] = float(self.seeds)
        if self.seeds > 1:
            found["recall@100_deviation"] = float(self.values["recall@100"].mean(1).std(ddof=1))
        return found

    def over(self, other: "Outcome") -> dict[str, float]:
        """Mean differences with 95 % intervals over people, of recall@100_item over items."""
        found: dict[str, float] = {}
        for figure in FIGURES[:3]:
            gain = self.mean(figure) - other.mean(figure)
            half = 1.96 * gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else 0.0
            found[figure] = float(gain.mean())
            found |= {f"{figure}_low": float(gain.mean() - half), f"{figure}_high": float(gain.mean() + half)}
        by_seed = self.values["recall@100"].mean(1) - other.values["recall@100"].mean(1)
        if len(by_seed) > 1:  # a model without seeds stands beside every seed of the other
            found["recall@100_deviation"] = float(by_seed.std(ddof=1))
        return found
