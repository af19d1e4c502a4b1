"""How far the reasons can be trusted: measured on baskets of real users, shown on "how it works"."""

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.models.model import one_row
from lineshaft.recommend.site.artefact import Artefact
from lineshaft.recommend.site.wish import Wish, recommend

BASKET, SHOWN = 5, 10
FACTS = ("written", "linked", "path", "shared")


def measure(artefact: Artefact, likes: csr_matrix, users: int, seed: int) -> dict[str, float]:
    """Over the first ten titles of some users' baskets of five.

    faithful: without the named basket item the title's rank falls further than without a random other one
    (an equal fall counts against it); written, explained: share with a written text, with any fact. Where no
    user has that many titles there is nothing to measure, and `reasons` is 0 alone.
    """
    rng = np.random.default_rng([seed, 9])
    able = np.flatnonzero(np.diff(likes.indptr) >= BASKET)
    falls, kinds = [], []
    for user in rng.permutation(able)[:users]:
        own = likes.indices[likes.indptr[user] : likes.indptr[user + 1]]
        basket = rng.choice(own, BASKET, replace=False)
        found = recommend(artefact, Wish(basket.tolist(), count=SHOWN))
        kinds += [one.reason.kind for one in found]
        for one in found:
            if one.reason.because is None:
                continue
            named = artefact.scorer.catalogue.row[one.reason.because]
            other = rng.choice(basket[basket != named])
            falls.append(_rank(artefact, basket, named, one.row) - _rank(artefact, basket, other, one.row))
    if not falls:
        return {"reasons": 0.0}
    return {
        "reasons": float(len(falls)),
        "faithful": float(np.mean(np.array(falls) > 0)),
        "written": float(np.mean([kind == "written" for kind in kinds])),
        "explained": float(np.mean([kind in FACTS for kind in kinds])),
    }


def _rank(artefact: Artefact, basket: np.ndarray, without: int, row: int) -> int:
    """How many items stand before one when an item is taken out of the basket."""
    scores = artefact.scorer.score(one_row(basket[basket != without], len(artefact)))[0]
    return int((scores > scores[row]).sum())
