"""What a guest asks for and gets: the whole of it is in the request and in the answer, nothing is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lineshaft.recommend.models.model import largest, one_row
from lineshaft.recommend.reasons import Reason
from lineshaft.recommend.site.artefact import Artefact

MOST_BASKET = 1000
MOST_ASIDE = 5000
"""Items that are known, and that are not wanted."""
MOST_SHOWN = 100


@dataclass(frozen=True)
class Wish:
    """Rows and filters; the defaults filter nothing but sequels of the basket."""

    basket: Sequence[int] = ()
    seen: Sequence[int] = ()
    """Known already: not shown, and not what taste is read from."""
    unwanted: Sequence[int] = ()
    """Not for this guest: not shown, and what is like it counts less."""
    sequels: bool = False
    """Whether more of the same series may be shown."""
    only: Sequence[str] = ()
    """Tags of which an item must have one."""
    without: Sequence[str] = ()
    """Tags that an item must not have."""
    least_members: float = 0.0
    most_members: float = float("inf")
    popularity: float = 0.0
    """-1: little known titles first; 0: as the model ranks; 1: well known ones first."""
    count: int = 10


@dataclass(frozen=True)
class Found:
    """A recommended item."""

    row: int
    score: float
    reason: Reason = field(default_factory=lambda: Reason("popular"))


UNWANTED_WEIGHT = 0.5
"""What an item that is not wanted takes off, as a share of what it would add were it liked."""


def recommend(artefact: Artefact, wish: Wish, blocked: np.ndarray | None = None) -> list[Found]:
    """The best allowed items, with a reason for each. `blocked`: rows the owner never shows."""
    basket = np.unique(np.asarray(wish.basket, np.int64))
    pure = _scores(artefact, basket, np.asarray(wish.unwanted, np.int64))
    allowed = _allowed(artefact, wish, basket, blocked)
    scores = np.where(allowed, _leaning(artefact, pure, wish.popularity), -np.inf)
    best = _one_a_family(artefact, scores, wish)
    told = artefact.scorer.reasons(basket, best, pure)
    return [Found(int(row), float(scores[row]), reason) for row, reason in zip(best, told)]


def _scores(artefact: Artefact, basket: np.ndarray, unwanted: np.ndarray) -> np.ndarray:
    """(items,) the model's scores of the basket, less what resembles the items that are not wanted."""
    width = len(artefact)
    scores: np.ndarray = artefact.scorer.score(one_row(basket, width))[0]
    if len(unwanted) and len(basket):
        away = artefact.scorer.score(one_row(unwanted, width))[0]
        scores = scores - UNWANTED_WEIGHT * len(unwanted) / (len(basket) + len(unwanted)) * away
    return scores


def _allowed(artefact: Artefact, wish: Wish, basket: np.ndarray, blocked: np.ndarray | None) -> np.ndarray:
    """(items,) bool."""
    allowed = np.ones(len(artefact), bool)
    if wish.least_members > 0 or wish.most_members < float("inf"):
        allowed = (artefact.members >= wish.least_members) & (artefact.members <= wish.most_members)
    if wish.only:
        some = np.zeros(len(artefact), bool)
        for tag in wish.only:
            some[artefact.tagged.get(tag, [])] = True
        allowed &= some
    for tag in wish.without:
        allowed[artefact.tagged.get(tag, [])] = False
    for rows in (basket, wish.seen, wish.unwanted, () if blocked is None else blocked):
        allowed[np.asarray(rows, np.int64)] = False
    if not wish.sequels:
        for family in np.unique(artefact.family[basket]):
            allowed[artefact.relatives(int(family))] = False
    return allowed


def _leaning(artefact: Artefact, scores: np.ndarray, popularity: float) -> np.ndarray:
    """Scores moved towards well known or little known items, by up to one deviation of the model's scores."""
    if not popularity:
        return scores
    known = np.log1p(artefact.members)
    spread = float(known.std()) or 1.0
    top = np.sort(scores)[-max(len(scores) // 20, 2) :]
    return np.asarray(scores + popularity * float(top.std() or 1.0) * (known - known.mean()) / spread)


def _one_a_family(artefact: Artefact, scores: np.ndarray, wish: Wish) -> np.ndarray:
    """Rows of the best items; of a series only its best, unless sequels are wanted."""
    count = min(wish.count, MOST_SHOWN)
    wanted = min(len(scores), count * 6 + 20)
    # Pruned rows leave most scores at nought, and selecting among equals is slow: those above come first.
    above = np.flatnonzero(scores > 0)
    above = above if len(above) >= wanted else np.flatnonzero(scores > -np.inf)
    order: np.ndarray = above[largest(scores[above], min(wanted, len(above)))]
    if not wish.sequels:
        _, first = np.unique(artefact.family[order], return_index=True)
        order = order[np.sort(first)]
    return order[:count]
