"""Families: a work and its sequels, so that who likes the first is not shown the second.

Relations of kind "sequel" join two items. A catalogue without relations is joined by its titles: a season,
part or number at the end is taken off, and titles that are then equal are one family.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

TAIL = re.compile(
    r"[\s:,-]*\b(?:(?:the )?(?:final|first|second|third|\d+(?:st|nd|rd|th)) (?:season|part|cour)"
    r"|(?:season|part|cour|vol\.?|episode|movie|chapter|act) ?(?:\d+|[ivx]+)?"
    r"|tv|ova|ona|movie|specials?|gekijouban|[ivx]{2,4}|\d{1,2}|[a-z])\s*$"
)
BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*$")
SHORTEST = 4
"""A stem of fewer characters says nothing."""
LARGEST = 4
"""A series told by its titles is at most that part of a catalogue: a quarter."""


def families(items: int, sequels: Iterable[tuple[int, int]], titles: Sequence[str] = ()) -> np.ndarray:
    """(items,) int32 number of each item's family; `titles` only where there are no relations."""
    pairs = [*sequels, *(_by_title(titles) if titles else ())]
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(items, items))
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)


def stem(title: str) -> str:
    """The title of the series that a title belongs to, as far as its words tell."""
    text = title.lower().strip()
    while (shorter := TAIL.sub("", BRACKETS.sub("", text))) != text:
        text = shorter
    return text.strip(" :,-!.")


def _by_title(titles: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of equal stems; "A: B" also belongs to an "A" that is in the catalogue.

    A stem that a large part of the catalogue has ("Item 1", "Item 2", ...) is no series.
    """
    stems = [stem(title) for title in titles]
    first = {text: row for row, text in reversed(list(enumerate(stems))) if len(text) >= SHORTEST}
    pairs = [(first[text], row) for row, text in enumerate(stems) if text in first]
    for row, text in enumerate(stems):
        head = re.split(r": | - ", text)[0].strip()
        if head != text and head in first:
            pairs.append((first[head], row))
    parts = Counter(row for row, _ in pairs)
    most = max(len(titles) / LARGEST, 3)
    return [pair for pair in pairs if parts[pair[0]] <= most]
