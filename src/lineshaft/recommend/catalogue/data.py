"""An opened data set: all likes, the catalogue, and how its folds are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate import folds
from lineshaft.recommend.evaluate.folds import Lots, Rule, Split


@dataclass(frozen=True)
class Data:
    """Folds that a publication fixed are given; all others are drawn from the ids and a seed."""

    users: list[str]
    likes: csr_matrix
    catalogue: Catalogue
    counted: Mapping[str, int] = field(default_factory=dict)
    """What was read, and what was dropped and why."""
    rule: Rule = folds.by_user
    """What a warm test holds out, which validation then holds out too."""
    times: csr_matrix | None = None
    """(users, items) when each pair came about; then a user's latest items are held out."""
    published_warm: Split | None = None
    published_cold: Split | None = None
    taste: np.ndarray | None = None
    """(users, items) the planted answer where one is known."""

    @cached_property
    def lots(self) -> Lots:
        return Lots(self.users, self.catalogue.ids)

    def warm(self, seed: int) -> Split:
        """Known users: the published split, else by the rule."""
        if self.published_warm is not None:
            return self.published_warm
        if self.times is not None:
            return Split(*folds.part(self.likes, self.rule(self.likes, self._age())))
        return folds.split(self.likes, self.lots.under(f"warm {seed}"), self.rule)

    def cold(self, seed: int) -> Split:
        """Unseen items: the published split, else a fifth of the liked items."""
        if self.published_cold is not None:
            return self.published_cold
        return folds.cold_split(self.likes, self.lots.under(f"cold {seed}"))

    def validation(self, train: csr_matrix, draw: object) -> Split:
        """Part of a training matrix held out as the test would hold it out."""
        return folds.split(train, self.lots.under(f"validation {draw}"), self.rule)

    def _age(self) -> np.ndarray:
        """(pairs,) the times in the order of the likes' pairs: the latest are held out."""
        assert self.times is not None
        rows = folds.rows_of_pairs(self.likes)
        return np.asarray(self.times[rows, self.likes.indices]).ravel()
