"""A generated catalogue whose right answer is known: communities of taste, and popularity on top.

Every item belongs to one community, which is the subject of its title and text, and has a popularity that
falls off like Zipf's law; readers have linked items of one community and written about them. Every user mixes
two communities and a little of the whole catalogue, and draws distinct items from that mixture. As the
mixture is kept, the best possible ranking is known: `taste` itself. A model can approach it; popularity
alone is far below it.
"""

from dataclasses import dataclass

import numpy as np

from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges

USERS, ITEMS = 1200, 1500
COMMUNITY = 50
"""Items of a community, on average."""
SHARES = (0.6, 0.3, 0.1)
"""A user's first community, second community, and the catalogue at large."""


SUBJECTS = """harbour sailor lighthouse tide|orchard beekeeper apple harvest|glacier climber rope summit
violin orchestra concert conductor|bakery flour oven bread|railway engine station signal
desert caravan dune oasis|library archive scribe letter|wolf forest hunter winter
painter studio canvas colour|comet telescope orbit planet|kitchen pepper market feast
detective alibi witness verdict|garden rose gardener hedge|pirate island treasure mutiny
chess opening master tournament|volcano crater ash lava|theatre actor stage curtain
submarine reef diver wreck|horse stable rider meadow|robot factory circuit gear
castle knight siege banner|football goal stadium captain|dragon egg wizard prophecy
doctor hospital remedy fever|river canoe rapids delta|spy cipher border agent
vampire moonlight crypt mirror|ghost attic candle whisper|merchant silk spice ledger"""
"""Four words for each community, of which there are at most so many."""
MANNERS = """amber bitter broken burning crimson distant early empty endless first fallen forgotten
frozen gentle golden hidden hollow last little long lost midnight northern old pale patient
quiet restless salt secret second silent silver sleeping slow stolen strange sunken tall
thin third wandering white wild"""
LINKS = 3
"""Edges that leave an item on average; half of them go to another item of its community."""


@dataclass(frozen=True)
class Sample:
    users: np.ndarray
    """(pairs,) row of the user of each liked pair."""
    items: np.ndarray
    """(pairs,) column of the item of each liked pair."""
    taste: np.ndarray
    """(users, items) float32 probability that the user's next item is this one: the planted answer."""
    catalogue: Catalogue


def sample(seed: int = 0, users: int = USERS, items: int = ITEMS) -> Sample:
    """Users who like 10 to 60 items each, and the items with titles, texts and edges."""
    rng = np.random.default_rng(seed)
    taste, community = _taste(users, items, rng)
    user, item = np.nonzero(_draw(taste, 10 + np.minimum(rng.geometric(0.06, users), 50), rng))
    catalogue = _catalogue(community, np.random.default_rng([seed, 1]))
    return Sample(user, item, taste.astype(np.float32), catalogue)


def _catalogue(community: np.ndarray, rng: np.random.Generator) -> Catalogue:
    """Titles of two words, one of the community's; no two are equal."""
    subjects = [line.split() for line in SUBJECTS.replace("\n", "|").split("|")]
    manners, titles = MANNERS.split(), {}
    for item, group in enumerate(community.tolist()):
        while (title := f"{rng.choice(manners)} {rng.choice(subjects[group])}".title()) in titles:
            pass
        titles[title] = item
    texts = [
        f"A story of {' and '.join(rng.choice(subjects[c], 2, replace=False))}." for c in community.tolist()
    ]
    names = list(titles)
    ids = [title.lower().replace(" ", "-") for title in names]
    tags = [(subjects[c][0],) for c in community]
    return Catalogue(ids, names, texts, tags, edges=_edges(community, names, rng))


def _edges(community: np.ndarray, titles: list[str], rng: np.random.Generator) -> Edges:
    source = np.repeat(np.arange(len(community)), LINKS)
    target = rng.integers(len(community), size=len(source))
    own = rng.random(len(source)) < 0.5
    target[own] = [rng.choice(np.flatnonzero(community == community[item])) for item in source[own]]
    source, target = np.unique(np.stack([source, target])[:, source != target], axis=1)
    texts = [
        f"Whoever liked {titles[a]} will be at home in {titles[b]}." if community[a] == community[b] else ""
        for a, b in zip(source, target)
    ]
    return Edges(
        source.astype(np.int32),
        target.astype(np.int32),
        rng.integers(1, 20, len(source)).astype(np.float32),
        texts,
    )


def _taste(users: int, items: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The planted answer (users, items), and the community of each item."""
    popularity = 1 / (5 + rng.permutation(items)) ** 0.8
    communities = max(2, items // COMMUNITY)
    community = rng.integers(communities, size=items)
    member = community[None] == np.arange(communities)[:, None]
    drawn_from = np.vstack([popularity * member, popularity])  # one row a community, the last for everything
    drawn_from /= drawn_from.sum(1, keepdims=True)
    first, second = rng.permuted(np.tile(np.arange(communities), (users, 1)), axis=1)[:, :2].T
    taste = SHARES[0] * drawn_from[first] + SHARES[1] * drawn_from[second] + SHARES[2] * drawn_from[-1]
    return taste, community


def _draw(taste: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """True where drawn: counts[u] items of row u, drawn without replacement (Gumbel trick)."""
    keys = np.log(taste) + rng.gumbel(size=taste.shape)
    threshold = -np.take_along_axis(np.sort(-keys, axis=1), counts[:, None] - 1, axis=1)
    return np.asarray(keys >= threshold)
