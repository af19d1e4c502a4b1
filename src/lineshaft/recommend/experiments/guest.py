"""Recommendations for known users and for guests, under an evaluator that rejects leaks."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lineshaft import engine
from lineshaft.engine import Figure, RequestError, Run
from lineshaft.recommend.catalogue.anything import AnySource
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Sample
from lineshaft.recommend.evaluate.folds import (
    Fold,
    asked_alone,
    draw_guests,
    guest_fold,
    member_fold,
    rows_of,
    sizes,
    warm_fold,
)
from lineshaft.recommend.models.anything import AnyModel
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.stages import in_turn


class Config(engine.Config):
    """Fit a recommender and ask for held-out items: of known users who are not guests (val, to tune by), of
    known users (test), of users it has never seen who show 80 % of their items (guest) or a few (guest1,
    guest3, ...), and of the same after it was trained on their baskets (member)."""

    version: ClassVar[int] = 2
    objective: ClassVar = ("val/recall@100", "max")

    data: AnySource = Field(Sample(), description="the likes and the catalogue")
    model: AnyModel = Field(Ease(), description="the recommender and its parameters")
    baskets: tuple[int, ...] = Field((1, 3, 5), description="items that a guest shows, one stage each")
    guests: float = Field(0.2, gt=0, lt=1, description="share of users set apart as guests")
    folds: int | None = Field(None, ge=0, description="seed of the drawn folds; none: follows seed")


def run(config: Config, run: Run) -> dict[str, float]:
    """One fit for each training part; a finished one is not repeated after a stop."""
    data = config.data.open(run)
    return in_turn(run, folds(config, data), data, config.model, config.seed)


def folds(config: Config, data: Data) -> list[Mapping[str, Fold]]:
    """The stages by name, in groups that share their training part."""
    seed = config.seed if config.folds is None else config.folds
    lots = data.lots.under(seed)
    guests = draw_guests(data.likes, lots, config.guests)
    warm = data.warm(seed)
    asked = sizes(warm.test) > 0
    outside = {
        f"guest{'' if basket is None else basket}": guest_fold(data.likes, guests, basket, lots)
        for basket in (None, *config.baskets)
    }
    groups: list[Mapping[str, Fold]] = [
        {"val": asked_alone(warm_fold(data.validation(rows_of(warm.train, ~guests), seed)), asked)},
        {"test": warm_fold(warm)},
        outside,
        {"member": member_fold(outside["guest"])},
    ]
    for group in groups:
        for name, fold in group.items():
            if not fold.held_out.nnz:
                raise RequestError(
                    f"{name} leaves nothing to ask for: {int(guests.sum())} of {data.likes.shape[0]} users "
                    f"are guests (guests={config.guests}), and users with five or more items are asked: "
                    "take another share, or more data"
                )
    return groups


def figures(folder: Path) -> Iterable[Figure]:
    """Recall by length of the list, by basket size and by popularity of the item."""
    from lineshaft.recommend.pictures import by_basket, by_length, by_popularity, read

    stages = {"known users": read(folder, "test"), "guests": read(folder, "guest")}
    yield by_length(stages)
    yield by_basket(stages)
    yield by_popularity(stages)
