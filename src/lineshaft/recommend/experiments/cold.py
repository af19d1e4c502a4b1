"""Items that nobody has rated: found by their texts and by what they are linked to."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft import engine
from lineshaft.engine import Figure, Run
from lineshaft.recommend.catalogue.anything import AnySource
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Sample
from lineshaft.recommend.evaluate.folds import (
    FEWEST,
    Fold,
    apart,
    asked_alone,
    cold_of,
    draw_guests,
    sizes,
    warm_fold,
)
from lineshaft.recommend.models.anything import AnyModel
from lineshaft.recommend.models.content import Content
from lineshaft.recommend.stages import in_turn
from lineshaft.recommend.text.encoders import Words


class Config(engine.Config):
    """Hide every like of some items and ask for them, among the hidden items alone: some hidden by validation
    (val, to tune by), those of the test (test), and a fifth of the test's users once more after they were
    taken out of the training data (outside), beside their result inside it (inside)."""

    objective: ClassVar = ("val/recall@100", "max")

    data: AnySource = Field(Sample(), description="the likes and the catalogue")
    model: AnyModel = Field(Content(encoder=Words()), description="the recommender and its parameters")
    guests: float = Field(0.2, gt=0, lt=1, description="share of users asked once more out of the matrix")
    folds: int | None = Field(None, ge=0, description="seed of the drawn folds; none: follows seed")


def run(config: Config, run: Run) -> dict[str, float]:
    """One fit for each training part; a finished one is not repeated after a stop."""
    data = config.data.open(run)
    return in_turn(run, folds(config, data), data, config.model, config.seed)


def folds(config: Config, data: Data) -> list[Mapping[str, Fold]]:
    """The stages by name, in groups that share their training part."""
    seed = config.seed if config.folds is None else config.folds
    cold = data.cold(seed)
    lots = data.lots.under(seed)
    test = warm_fold(cold)
    test = asked_alone(test, (sizes(data.likes) >= FEWEST) & (sizes(test.baskets) > 0))
    guests = draw_guests(data.likes, lots, config.guests)
    return [
        {
            "val": warm_fold(
                cold_of(cold.train, _hidden(cold.train, lots.of_items(), len(np.unique(cold.test.indices))))
            )
        },
        {"test": test, "inside": asked_alone(test, guests)},
        {"outside": apart(test, guests)},
    ]


def _hidden(likes: csr_matrix, lots: np.ndarray, count: int) -> np.ndarray:
    """As many of the liked items as the test hides, by lot; at most half of them."""
    liked = np.unique(likes.indices)
    order = liked[np.argsort(lots[liked], kind="stable")]
    return np.sort(order[: max(1, min(count, len(order) // 2))])


def figures(folder: Path) -> Iterable[Figure]:
    """Recall by length of the list and by basket size, inside and outside the matrix."""
    from lineshaft.recommend.pictures import by_basket, by_length, read

    stages = {"inside": read(folder, "inside"), "outside": read(folder, "outside")}
    yield by_length(stages)
    yield by_basket(stages)
