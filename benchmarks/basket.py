"""How long one basket takes on one core: scores, and recommendations with reasons.

    python -m benchmarks.basket --json [--out docs/results/bench-basket.json]

Catalogues of 10,000 and 100,000 items, baskets of five, 400 pruned weights a row: one matrix (EASE, L3AE),
and the blend folded into one matrix a size of basket. Seconds of computing in one thread, so that other work
on the machine counts little. On the package's generated catalogue, the whole blend beside its folded self:
what folding loses in recall and wins in time.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix

from benchmarks.figures import main
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import Lots, binary, draw_guests, guest_fold
from lineshaft.recommend.evaluate.ranks import rank
from lineshaft.recommend.models.blend import DEFAULT, Blend
from lineshaft.recommend.models.folded import Folded
from lineshaft.recommend.models.gate import BINS
from lineshaft.recommend.models.itemitem import Pruned
from lineshaft.recommend.models.model import Scorer, one_row
from lineshaft.recommend.sample import sample

WEIGHTS, BASKETS, BASKET = 400, 400, 5


def generated(items: int) -> tuple[Pruned, Folded]:
    """Random pruned rows; every size of basket has a matrix, as large as if all differed."""
    rng = np.random.default_rng(items)
    columns = np.sort(rng.integers(items, size=(items, WEIGHTS)), axis=1).astype(np.int32)
    values = rng.random(columns.shape, np.float32)
    starts = np.arange(0, values.size + 1, WEIGHTS)
    weights = csr_matrix((values.ravel(), columns.ravel(), starts), (items, items))
    catalogue = Catalogue([str(n) for n in range(items)], [f"Title {n}" for n in range(items)])
    likes = rng.zipf(1.6, items).clip(max=10**6).astype(np.float32)
    bias = rng.random((len(BINS), items), np.float32)
    return Pruned(catalogue, likes, weights), Folded(catalogue, likes, [weights] * len(BINS), bias)


def timed(scorer: Scorer, baskets: list[np.ndarray]) -> dict[str, float]:
    """Milliseconds of computing for one basket: median of its scores, and of ten items with reasons."""
    width = len(scorer.likes)
    rows = [one_row(basket, width) for basket in baskets]
    ids = [[scorer.catalogue.ids[item] for item in basket] for basket in baskets]
    return {
        "score_ms": spent(lambda n: scorer.score(rows[n]), len(rows)),
        "recommend_ms": spent(lambda n: scorer.recommend(ids[n], 10), len(ids)),
    }


def spent(call: Callable[[int], object], count: int) -> float:
    found = []
    for number in range(count):
        began = time.process_time_ns()
        call(number)
        found.append(time.process_time_ns() - began)
    return round(float(np.median(found)) / 1e6, 4)


def folding() -> dict[str, Any]:
    """The default blend on the generated catalogue, whole and folded."""
    made = sample()
    likes = binary(made.users, made.items, made.taste.shape)
    lots = Lots([str(n) for n in range(likes.shape[0])], made.catalogue.ids, "basket")
    guests = draw_guests(likes, lots, 0.2)
    asked = {size: guest_fold(likes, guests, size, lots) for size in (1, 3, 5, None)}
    train = asked[1].train
    models = {"whole": Blend(slots=DEFAULT), "folded": Blend(slots=DEFAULT, fold=WEIGHTS)}
    found: dict[str, Any] = {}
    for name, model in models.items():
        scorer = model.fit(train, made.catalogue, seed=0, threads=1)
        recalls = {
            f"recall@100_basket_{size or '80%'}": round(
                float(rank(lambda rows: scorer.score(fold.baskets[rows]), fold).recall(100).mean()),  # noqa: B023
                4,
            )
            for size, fold in asked.items()
        }
        own = [row.indices for row in asked[5].baskets if row.nnz == BASKET][:100]
        found[name] = recalls | timed(scorer, own)
    return found


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    torch.set_num_threads(1)
    rng, found = np.random.default_rng(0), dict[str, Any]()
    for items in (10_000, 100_000):
        say(f"{items} items")
        baskets = [rng.choice(items, BASKET, replace=False) for _ in range(BASKETS)]
        one, several = generated(items)
        found[f"items_{items}"] = {"pruned": timed(one, baskets), "folded_blend": timed(several, baskets)}
    say("folding")
    return found | {"generated_catalogue": folding()}


if __name__ == "__main__":
    main(measure)
