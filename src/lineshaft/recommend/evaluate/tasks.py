"""What recommenders are asked for, as folds in groups that share a training part.

    warm     known users, the whole catalogue
    guests   users it was not trained on, who show 80 %, 1, 3, 5 or 10 items
    mixed    rated and unrated items at once, overall and each by itself
    unseen   items that nobody has rated, among these alone; of some users in and out of the training part

`validation` asks the same within the test's training part, to tune by: other guests, other items, and of
known users what the test would hold out. No test pair is in any of it.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.engine import Part, RequestError
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.evaluate import folds
from lineshaft.recommend.evaluate.folds import Fold

Groups = list[Mapping[str, Fold]]


class Task(Part):
    """Folds by the name of their stage."""

    @abstractmethod
    def groups(self, data: Data, seed: int) -> Groups:
        """The test."""

    @abstractmethod
    def validation(self, data: Data, seed: int) -> Fold:
        """One fold of the same kind inside the first group's training part."""


class Warm(Task):
    """Known users."""

    name: Literal["warm"] = "warm"

    def groups(self, data: Data, seed: int) -> Groups:
        return [{"warm": folds.warm_fold(data.warm(seed))}]

    def validation(self, data: Data, seed: int) -> Fold:
        return folds.warm_fold(data.validation(data.warm(seed).train, "compare"))


class GuestTask(Task):
    """Users set apart as guests."""

    name: Literal["guests"] = "guests"
    share: float = Field(0.2, gt=0, lt=1, description="share of the users set apart")
    most: int = Field(1100, ge=1, description="guests at most")
    baskets: tuple[int, ...] = Field((1, 3, 5, 10), description="items shown, besides 80 %")

    def groups(self, data: Data, seed: int) -> Groups:
        lots = lots_of(data, seed)
        guests = folds.draw_guests(data.likes, lots, self.share, self.most)
        return [
            {
                f"guest{basket or ''}": folds.guest_fold(data.likes, guests, basket, lots)
                for basket in (None, *self.baskets)
            }
        ]

    def validation(self, data: Data, seed: int) -> Fold:
        lots = lots_of(data, seed).under("validation")
        train = self.groups(data, seed)[0]["guest"].train
        own = folds.draw_guests(train, lots, self.share, self.most)
        return folds.guest_fold(train, own, 3, lots)


class Unseen(Task):
    """Items that nobody has rated."""

    name: Literal["unseen"] = "unseen"
    share: float = Field(0.2, gt=0, lt=1, description="share of the users asked in and out of the training")
    most: int = Field(1100, ge=1, description="of these at most")
    outside: bool = Field(True, description="whether they are asked once more after they were taken out")

    def groups(self, data: Data, seed: int) -> Groups:
        fold = self._fold(data, seed)
        guests = folds.draw_guests(data.likes, lots_of(data, seed), self.share, self.most)
        within: Groups = [{"unseen": fold, "inside": folds.asked_alone(fold, guests)}]
        return [*within, {"outside": folds.apart(fold, guests)}] if self.outside else within

    def _fold(self, data: Data, seed: int) -> Fold:
        fold = folds.warm_fold(data.cold(seed))
        able = (folds.sizes(data.likes) >= folds.FEWEST) & (folds.sizes(fold.baskets) > 0)
        return folds.asked_alone(fold, able)

    def validation(self, data: Data, seed: int) -> Fold:
        train = self._fold(data, seed).train
        count = len(np.unique(data.cold(seed).test.indices))
        return folds.warm_fold(folds.cold_of(train, drawn_items(train, data, seed, count)))


class Mixed(Task):
    """Rated and unrated items at once: both tests together among all items (overall), and each by itself.

    For a split whose warm and cold tests share a training part.
    """

    name: Literal["mixed"] = "mixed"

    def groups(self, data: Data, seed: int) -> Groups:
        warm, cold = folds.warm_fold(data.warm(seed)), folds.warm_fold(data.cold(seed))
        if (warm.train != cold.train).nnz:
            raise RequestError("task=mixed needs a split whose warm and cold tests share a training part")
        overall = folds.Fold(warm.train, warm.baskets, (warm.held_out + cold.held_out).tocsr())
        return [{"overall": overall, "cold": cold, "warm": warm}]

    def validation(self, data: Data, seed: int) -> Fold:
        return folds.warm_fold(data.validation(data.warm(seed).train, "compare"))


AnyTask = Annotated[Warm | GuestTask | Unseen | Mixed, Field(discriminator="name")]


def lots_of(data: Data, seed: int) -> folds.Lots:
    """Seed 0 draws the lots of the first comparison."""
    return data.lots.under("compare" if seed == 0 else f"compare {seed}")


def drawn_items(train: csr_matrix, data: Data, seed: int, count: int) -> np.ndarray:
    """As many of the liked items as the test hides, at most half of them."""
    liked = np.unique(train.indices)
    order = liked[np.argsort(lots_of(data, seed).of_items()[liked], kind="stable")]
    return np.sort(order[: min(count, len(liked) // 2)])
