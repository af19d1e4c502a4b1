"""The default recommender beside EASE and popularity on catalogues that nothing was tuned on.

    python -m benchmarks.defaults --json [--out docs/results/bench-defaults.json]

Parts of CiteULike-a and AnimeULike that are catalogues of another kind: few users, titles alone, links
without texts, neither texts nor links; and a small generated one. A fifth of the users of five or more items
are guests, who show 80 %, 1, 2, 3, 5 or 10 items. Every difference is paired over guests: over the best of
three lambdas of EASE, taken by the guests themselves, which flatters EASE, and over popularity.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.figures import main
from lineshaft.engine.data.dataset import locate
from lineshaft.recommend import data as sets
from lineshaft.recommend.catalogue import animeulike, citeulike
from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.evaluate.folds import Fold, binary
from lineshaft.recommend.evaluate.ranks import Ranks, rank
from lineshaft.recommend.evaluate.tasks import GuestTask
from lineshaft.recommend.models.blend import Blend
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.model import Model, Scorer
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.sample import sample

LAMBDAS = (50, 200, 800)
BASKETS = (1, 2, 3, 5, 10)


def part(data: Data, users: np.ndarray, items: np.ndarray, texts: str, edges: bool) -> Data:
    """Some users and items; texts: "all", "titles" or "none"."""
    likes = data.likes[users][:, items].tocsr()
    likes = likes[np.flatnonzero(np.diff(likes.indptr))]
    kept = np.unique(likes.indices)
    return Data(
        [str(n) for n in range(likes.shape[0])],
        likes[:, kept].tocsr(),
        cut(data.catalogue, items[kept], texts, edges),
    )


def cut(whole: Catalogue, items: np.ndarray, texts: str, edges: bool) -> Catalogue:
    """The catalogue of these items."""

    def of(column: Any) -> list[Any]:
        return [column[item] for item in items] if len(column) else []

    place = np.full(len(whole), -1, np.int32)
    place[items] = np.arange(len(items))
    own = whole.edges
    inside = (place[own.source] >= 0) & (place[own.target] >= 0) & edges
    written = [text for text, kept in zip(own.texts or [""] * len(own), inside) if kept]
    links = Edges(place[own.source[inside]], place[own.target[inside]], own.weight[inside], written)
    small = Catalogue(of(whole.ids), edges=links)
    if texts != "none":
        small = replace(small, titles=of(whole.titles))
    return replace(small, texts=of(whole.texts), tags=of(whole.tags)) if texts == "all" else small


def catalogues() -> Iterator[tuple[str, Data]]:
    rng = np.random.default_rng(7)
    names, likes = animeulike.likes(locate(sets.ANIMEULIKE))
    shows = Data(names, likes, animeulike.catalogue(locate(sets.ANIMEULIKE_ITEMS)))
    able = np.flatnonzero(np.diff(likes.indptr) >= 5)
    every = np.arange(likes.shape[1])
    yield "shows: 800 users, titles", part(shows, rng.choice(able, 800, False), every, "titles", False)
    papers = citeulike.opened(
        *(locate(one) for one in (sets.CITEULIKE, sets.CITEULIKE_COLD, sets.CITEULIKE_ITEMS))
    )
    some = np.sort(rng.choice(citeulike.SHAPE[1], 3500, False))
    few = rng.choice(citeulike.SHAPE[0], 1500, False)
    yield "papers: 1,500 users, titles", part(papers, few, some, "titles", False)
    yield "papers: links, no texts", part(papers, np.arange(citeulike.SHAPE[0]), some, "none", True)
    fewer = rng.choice(citeulike.SHAPE[0], 400, False)
    others = np.sort(rng.choice(citeulike.SHAPE[1], 6000, False))
    yield "papers: 400 users, titles, links", part(papers, fewer, others, "titles", True)
    known = np.sort(np.argsort(-np.asarray(likes.sum(0)).ravel())[:2500])
    yield "shows: likes alone", part(shows, np.arange(likes.shape[0]), known, "none", False)
    made = sample(5)
    whole = Data(
        [str(n) for n in range(len(made.taste))],
        binary(made.users, made.items, made.taste.shape),
        made.catalogue,
    )
    yield "generated: 400 users", part(whole, np.arange(400), np.arange(made.taste.shape[1]), "titles", True)


def judged(data: Data) -> dict[str, Any]:
    """Recall of the default, and what it gains over the strongest EASE and over popularity, by basket."""
    folds = GuestTask(baskets=BASKETS).groups(data, 0)[0]
    train = next(iter(folds.values())).train

    def fit(model: Model) -> Scorer:
        return model.fit(train, data.catalogue, seed=0, threads=1)

    default, popular = fit(Blend()), fit(Popularity())
    eases = [fit(Ease(lam=lam)) for lam in LAMBDAS]
    found: dict[str, Any] = {"users": train.shape[0], "items": train.shape[1], "likes": data.likes.nnz}
    for stage, fold in folds.items():
        own, floor = ranked(default, fold), ranked(popular, fold)
        rivals = [ranked(one, fold) for one in eases]
        row: dict[str, Any] = {"guests": len(own.users)}
        for k in (100, 20):
            best = max(rivals, key=lambda one: one.recall(k).mean())
            row[f"recall@{k}"] = round(float(own.recall(k).mean()), 4)
            row[f"over_ease@{k}"] = gain(own, best, k)
            row[f"over_popularity@{k}"] = gain(own, floor, k)
        found[stage] = row
    return found


def ranked(scorer: Scorer, fold: Fold) -> Ranks:
    return rank(lambda rows: scorer.score(fold.baskets[rows]), fold)


def gain(own: Ranks, other: Ranks, k: int) -> list[float]:
    """Mean difference and half its 95 % interval."""
    values = own.recall(k) - other.recall(k)
    return [round(float(values.mean()), 4), round(float(1.96 * values.std() / len(values) ** 0.5), 4)]


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    found = {}
    for name, data in catalogues():
        say(name)
        found[name] = judged(data)
    return found


if __name__ == "__main__":
    main(measure)
