"""Recommendations for known users and for guests, under an evaluator that cannot flatter."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lineshaft import engine
from lineshaft.engine import Figure, RequestError, Run
from lineshaft.recommend import data as sets
from lineshaft.recommend.evaluate import Ranks, bootstrap, evaluate, rank
from lineshaft.recommend.folds import (
    Fold,
    Split,
    draw_guests,
    guest_fold,
    member_fold,
    sizes,
    validation_fold,
    warm_fold,
)
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Wmf

Recommender = Popularity | Memoriser | Knn | Wmf | Ease

SHOWN = (20, 100)
"""Lengths of the list at which recall is reported."""


class Config(engine.Config):
    """Fit a recommender and ask for held-out items: a tenth of the training pairs (val, to tune by), the test
    pairs of known users (test), those of users it has never seen, by a basket (guest), and the same once more
    after it was trained on these baskets (member)."""

    objective: ClassVar = ("val/recall@100", "max")

    data: Literal["catalogue", "citeulike-a", "citeulike-a-users", "animeulike"] = Field(
        "catalogue",
        description="catalogue: generated, answer known; citeulike-a: DropoutNet's split; others: 80/20",
    )
    model: Annotated[Recommender, Field(discriminator="name")] = Field(
        Ease(), description="the recommender and its parameters"
    )
    basket: int | None = Field(
        None, ge=1, description="items a guest shows; none: 80 % of what the guest likes"
    )
    guests: float = Field(0.2, gt=0, lt=1, description="share of users set apart as guests")
    validation: float = Field(0.1, gt=0, lt=1, description="share of the training pairs held out for tuning")
    folds: int | None = Field(None, ge=0, description="seed of the random folds; none: follows seed")


def run(config: Config, run: Run) -> dict[str, float]:
    """One stage a fold; a finished stage is not repeated after a stop."""
    seed = config.seed if config.folds is None else config.folds
    data = load(config, run, seed)
    # A relaunch starts from other parameters: there is nothing in the parent's metrics to go on from.
    fresh: dict[str, Any] = {"metrics": {}, "finished": 0}
    done = run.state if run.state and not run.relaunched else fresh
    metrics: dict[str, float] = dict(done["metrics"])
    stages = list(folds(config, data, seed).items())
    for step, (name, fold) in enumerate(run.progress(stages, "folds")):
        if step < done["finished"]:
            continue
        metrics |= judge(config, run, name, fold, data.taste)
        run.log(step, metrics)
        run.checkpoint(step, partial(dict, metrics=metrics, finished=step + 1))
    return metrics


def load(config: Config, run: Run, seed: int) -> Split:
    """The named data set with its warm split."""
    match config.data:
        case "catalogue":
            return sets.planted(seed)
        case "citeulike-a":
            return sets.citeulike(run.data(sets.CITEULIKE))
        case "citeulike-a-users":
            return sets.citeulike_users(run.data(sets.CITEULIKE_USERS), seed)
        case "animeulike":
            return sets.animeulike(run.data(sets.ANIMEULIKE), seed)


def folds(config: Config, data: Split, seed: int) -> dict[str, Fold]:
    """The stages by name, in the order of their computation."""
    guests = draw_guests(data, config.guests, seed)
    outside = guest_fold(data, guests, config.basket, seed)
    made = {
        "val": validation_fold(data, guests, config.validation, seed),
        "test": warm_fold(data),
        "guest": outside,
        "member": member_fold(outside),
    }
    shown = int(sizes(outside.baskets).max())
    if shown < (config.basket or 1) or not all(fold.held_out.nnz for fold in made.values()):
        raise RequestError(
            f"{config.data} leaves nothing to ask for with basket={config.basket} guests={config.guests} "
            f"validation={config.validation}: its {guests.sum()} guests show at most {shown} items "
            "and keep one; take larger shares or a smaller basket"
        )
    return made


def judge(config: Config, run: Run, stage: str, fold: Fold, taste: np.ndarray | None) -> dict[str, float]:
    """Evaluate the model; beside it popularity, its floor, and the planted answer, its ceiling, if known."""
    own = evaluate(config.model, fold, seed=config.seed, threads=run.threads)
    beside = {"popularity": evaluate(Popularity(), fold, seed=config.seed, threads=run.threads)}
    if taste is not None:
        beside["oracle"] = rank(lambda rows: taste[rows], fold)
    save(run, stage, fold, own, beside)
    _, low, high = bootstrap(own.recall(100))
    metrics = {f"recall@{k}": own.recall(k).mean() for k in SHOWN}
    metrics |= {
        "recall@100_low": low,
        "recall@100_high": high,
        "recall@100_item": own.item_recall(100).mean(),
    }
    metrics |= {f"recall@100_{name}": ranks.recall(100).mean() for name, ranks in beside.items()}
    return {f"{stage}/{name}": float(value) for name, value in metrics.items()}


def save(run: Run, stage: str, fold: Fold, own: Ranks, beside: dict[str, Ranks]) -> None:
    """Per-user recall for paired comparisons; ranks, basket sizes and item counts for the figures."""
    run.array(f"{stage}_users", own.users)
    for k in SHOWN:
        run.array(f"{stage}_recall@{k}", own.recall(k))
    run.array(f"{stage}_basket_sizes", sizes(fold.baskets))
    run.array(f"{stage}_likes", np.asarray(fold.train.sum(0), int).ravel())
    for name, ranks in {"model": own, **beside}.items():
        run.array(f"{stage}_ranks_{name}", ranks.array())


def figures(folder: Path) -> Iterable[Figure]:
    """Recall by length of the list, by basket size and by popularity of the item."""
    from lineshaft.recommend.pictures import by_basket, by_length, by_popularity, read

    stages = {"known users": read(folder, "test"), "guests": read(folder, "guest")}
    yield by_length(stages)
    yield by_basket(stages)
    yield by_popularity(stages)
