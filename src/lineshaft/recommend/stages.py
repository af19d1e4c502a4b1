"""What every experiment of this system does with a fold: judge the model on it, and save what it saw."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from lineshaft.engine import Run
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.evaluate.folds import Fold, sizes
from lineshaft.recommend.evaluate.ranks import Ranks, bootstrap, rank, refuse_leak
from lineshaft.recommend.models.model import Model, Scorer
from lineshaft.recommend.models.popularity import Popularity

SHOWN = (20, 100)
"""Lengths of the list at which recall is reported."""


def in_turn(
    run: Run, groups: list[Mapping[str, Fold]], data: Data, model: Model, seed: int
) -> dict[str, float]:
    """Fit once for each group of folds that share their training part, and judge all its folds.

    A finished group is not repeated after a stop.
    """
    # A relaunch starts from other parameters: there is nothing in the parent's metrics to go on from.
    fresh: dict[str, Any] = {"metrics": {}, "finished": 0}
    done = run.state if run.state and not run.relaunched else fresh
    metrics: dict[str, float] = dict(done["metrics"])
    for step, group in enumerate(run.progress(groups, "folds")):
        if step < done["finished"]:
            continue
        metrics |= judge(run, group, data, model, seed)
        run.log(step, metrics)
        run.checkpoint(step, partial(dict, metrics=metrics, finished=step + 1))
    return metrics


def judge(run: Run, group: Mapping[str, Fold], data: Data, model: Model, seed: int) -> dict[str, float]:
    """Metrics of every fold of a group, under its name."""
    for fold in group.values():
        refuse_leak(fold)
    train = next(iter(group.values())).train
    fitted, popular = (
        one.fit(train, data.catalogue, seed=seed, threads=run.threads) for one in (model, Popularity())
    )
    found: dict[str, float] = {}
    for name, fold in group.items():
        found |= _one(run, name, fold, fitted, popular, data.taste)
    return found


def _one(
    run: Run, stage: str, fold: Fold, fitted: Scorer, popular: Scorer, taste: np.ndarray | None
) -> dict[str, float]:
    """Beside the model popularity, its floor, and the planted answer, its ceiling, if known."""
    own = rank(lambda rows: fitted.score(fold.baskets[rows]), fold)
    beside = {"popularity": rank(lambda rows: popular.score(fold.baskets[rows]), fold)}
    if taste is not None:
        beside["oracle"] = rank(lambda rows: taste[rows], fold)
    save(run, stage, fold, own, beside)
    metrics = {f"{stage}/{name}": value for name, value in measured(own).items()}
    return metrics | {f"{stage}/recall@100_{n}": float(r.recall(100).mean()) for n, r in beside.items()}


def measured(own: Ranks) -> dict[str, float]:
    """Means over users, over items, and the interval over users of the usual figure."""
    _, low, high = bootstrap(own.recall(100))
    found = {f"recall@{k}": own.recall(k).mean() for k in SHOWN}
    found |= {"recall@100_low": low, "recall@100_high": high, "recall@100_item": own.item_recall(100).mean()}
    found |= {"ndcg@20": own.ndcg(20).mean(), "precision@20": own.precision(20).mean()}
    found |= {"coverage@20": own.coverage()}
    return {name: float(value) for name, value in found.items()}


def save(run: Run, stage: str, fold: Fold, own: Ranks, beside: Mapping[str, Ranks]) -> None:
    """Per-user recall for paired comparisons; ranks, basket sizes and item counts for the figures."""
    run.array(f"{stage}_users", own.users)
    for k in SHOWN:
        run.array(f"{stage}_recall@{k}", own.recall(k))
    run.array(f"{stage}_basket_sizes", sizes(fold.baskets))
    run.array(f"{stage}_likes", np.asarray(fold.train.sum(0), int).ravel())
    for name, ranks in {"model": own, **beside}.items():
        run.array(f"{stage}_ranks_{name}", ranks.array())
