"""Why an item is recommended: facts about it and one item of the basket, never generated text.

The basket item is the one without which the recommended item falls furthest; where several falls are equal,
the one that contributes most to its score. Of the pair is told, whichever is first found:
what somebody wrote about it (verbatim), an item that both are linked to, the words or tags they share.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lineshaft.recommend.catalogue.catalogue import Catalogue


@dataclass(frozen=True)
class Reason:
    """`kind`: "written", "linked", "path", "shared", "taste" (liked by the same people) or "popular"."""

    kind: str
    because: str | None = None
    """Id of the basket item without which it falls furthest; none for a popular item."""
    contribution: float = 0.0
    """What that item adds to the score."""
    text: str = ""
    """A written recommendation of the pair, word for word."""
    through: str | None = None
    """Id of the item that both are linked to."""
    shared: tuple[str, ...] = ()
    """Tags, else words of the titles, that both have."""


def reasons(
    catalogue: Catalogue, basket: np.ndarray, items: np.ndarray, contributions: np.ndarray, falls: np.ndarray
) -> list[Reason]:
    """One reason for each item; contributions and falls (basket, items)."""
    return list(_reasons(catalogue, basket.tolist(), items.tolist(), contributions, falls))


def fallen(scores: np.ndarray, contributions: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(basket, places) how many of some items come before these ones when one of the basket is taken away.

    scores (items,) of the whole basket; contributions (basket, items); places: which of the items are meant.
    """
    after = scores - contributions
    return np.asarray((after[:, None, :] > after[:, places, None]).sum(2))


def _reasons(
    catalogue: Catalogue, basket: list[int], items: list[int], contributions: np.ndarray, falls: np.ndarray
) -> Iterator[Reason]:
    for column, item in enumerate(items):
        added = contributions[:, column]
        if not len(basket) or added.max() <= 0:
            yield Reason("popular")
            continue
        best = np.lexsort((added, np.where(added > 0, falls[:, column], -1)))[-1]
        yield _of_pair(catalogue, basket[best], item, float(added[best]))


def _of_pair(catalogue: Catalogue, own: int, item: int, value: float) -> Reason:
    because, links = catalogue.ids[own], catalogue.links
    if text := links.written(own, item):
        return Reason("written", because, value, text=text)
    if links.linked(own, item):
        return Reason("linked", because, value, shared=shared(catalogue, own, item))
    if (through := links.between(own, item)) is not None:
        return Reason("path", because, value, through=catalogue.ids[through])
    if common := shared(catalogue, own, item):
        return Reason("shared", because, value, shared=common)
    return Reason("taste", because, value)


def shared(catalogue: Catalogue, a: int, b: int) -> tuple[str, ...]:
    """Tags that both items have, else words of four letters or more that both titles have."""
    if catalogue.tags and (common := tuple(tag for tag in catalogue.tags[a] if tag in catalogue.tags[b])):
        return common
    if not catalogue.titles:
        return ()
    theirs = set(_words(catalogue.titles[b]))
    return tuple(word for word in _words(catalogue.titles[a]) if word in theirs)


@lru_cache(maxsize=10_000)
def _words(title: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"\w{4,}", title.lower())))
