"""A generated catalogue whose right answer is known: communities of taste, and popularity on top.

Every item belongs to one community and has a popularity that falls off like Zipf's law. Every user mixes
two communities and a little of the whole catalogue, and draws distinct items from that mixture. As the
mixture is kept, the best possible ranking is known: `taste` itself. A model can approach it; popularity
alone is far below it.
"""

from dataclasses import dataclass

import numpy as np

USERS, ITEMS, COMMUNITIES = 1200, 1500, 30
SHARES = (0.6, 0.3, 0.1)
"""A user's first community, second community, and the catalogue at large."""


@dataclass(frozen=True)
class Catalogue:
    users: np.ndarray
    """(pairs,) row of the user of each liked pair."""
    items: np.ndarray
    """(pairs,) column of the item of each liked pair."""
    taste: np.ndarray
    """(users, items) float32 probability that the user's next item is this one: the planted answer."""


def catalogue(seed: int = 0) -> Catalogue:
    """1,200 users who like 10 to 60 of 1,500 items."""
    rng = np.random.default_rng(seed)
    taste = _taste(rng)
    users, items = np.nonzero(_draw(taste, 10 + np.minimum(rng.geometric(0.06, USERS), 50), rng))
    return Catalogue(users, items, taste.astype(np.float32))


def _taste(rng: np.random.Generator) -> np.ndarray:
    popularity = 1 / (5 + rng.permutation(ITEMS)) ** 0.8
    member = rng.integers(COMMUNITIES, size=ITEMS)[None] == np.arange(COMMUNITIES)[:, None]
    drawn_from = np.vstack([popularity * member, popularity])  # one row a community, the last for everything
    drawn_from /= drawn_from.sum(1, keepdims=True)
    first, second = rng.permuted(np.tile(np.arange(COMMUNITIES), (USERS, 1)), axis=1)[:, :2].T
    return SHARES[0] * drawn_from[first] + SHARES[1] * drawn_from[second] + SHARES[2] * drawn_from[-1]


def _draw(taste: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """True where drawn: counts[u] items of row u, drawn without replacement (Gumbel trick)."""
    keys = np.log(taste) + rng.gumbel(size=taste.shape)
    threshold = -np.take_along_axis(np.sort(-keys, axis=1), counts[:, None] - 1, axis=1)
    return keys >= threshold
