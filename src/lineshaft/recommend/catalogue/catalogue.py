"""A catalogue: items by an id of any kind, with titles, texts and tags, and edges between them.

Inside the models an item is its row number; ids are met at the edges of the product alone, where an unknown
one is an error that names it. Only `ids` is required: a catalogue without texts or edges is one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.engine import RequestError
from lineshaft.engine.errors import nearest
from lineshaft.recommend.arrays import pack, unpack
from lineshaft.recommend.catalogue.links import Links


@dataclass(frozen=True)
class Edges:
    """Directed edges, four columns of one length."""

    source: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    """(edges,) row of the item that an edge leaves."""
    target: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    weight: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    """(edges,) positive, such as a number of recommenders."""
    texts: Sequence[str] = ()
    """What somebody wrote about the pair; "" where nothing is written."""

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class Catalogue:
    """Items in the order of the models' columns."""

    ids: Sequence[str]
    titles: Sequence[str] = ()
    texts: Sequence[str] = ()
    tags: Sequence[Sequence[str]] = ()
    prior: np.ndarray | None = field(default=None, kw_only=True)
    """(items,) an item's standing outside these data (rank, number of members); more is better."""
    edges: Edges = field(default_factory=Edges, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("titles", "texts", "tags"):
            if len(getattr(self, name)) not in (0, len(self.ids)):
                raise ValueError(f"{len(self.ids)} items, but {len(getattr(self, name))} {name}")
        if len(self.row) != len(self.ids):
            raise ValueError("an item id stands in the catalogue twice")

    @classmethod
    def bare(cls, items: int) -> "Catalogue":
        """Items of which nothing is known; their ids are their numbers."""
        return cls([str(number) for number in range(items)])

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def row(self) -> dict[str, int]:
        """Id -> row."""
        return {item: number for number, item in enumerate(self.ids)}

    def rows(self, items: Iterable[Any]) -> np.ndarray:
        """Rows of these ids, each once, in their order; an unknown id is an error that names it."""
        found: dict[int, None] = {}
        for item in items:
            number = self.row.get(str(item))
            if number is None:
                raise RequestError(
                    f"unknown item {str(item)[:80]!r} in a catalogue of {len(self)} items"
                    f"{nearest(str(item), self.ids) if len(self) <= 20_000 else ''}"
                )
            found[number] = None
        return np.fromiter(found, np.int64, len(found))

    def title(self, row: int) -> str:
        """What to call an item: its title, else its id."""
        return (self.titles[row] if self.titles else "") or self.ids[row]

    def sentences(self) -> list[str]:
        """Title, tags and text of every item as one text, for a language encoder; "" where all are empty."""
        columns = [self.titles, [", ".join(tags) for tags in self.tags], self.texts]
        filled = [column for column in columns if len(column)]
        if not filled:
            return [""] * len(self)
        return [". ".join(part for part in parts if part) for parts in zip(*filled)]

    @cached_property
    def links(self) -> Links:
        """Neighbours and written texts by row."""
        return Links(self.edges)

    @cached_property
    def has_text(self) -> np.ndarray:
        """(items,) bool."""
        return np.array([bool(text) for text in self.sentences()], bool)

    def holds(self, what: str) -> bool:
        """Whether there is any "text", are any "edges" or is a "prior"."""
        there = {"text": self.has_text.any(), "edges": len(self.edges), "prior": self.prior is not None}
        return bool(there[what])

    @cached_property
    def described(self) -> np.ndarray:
        """(items,) bool: has a text or an edge, by which it can be found before anybody rates it."""
        linked = np.zeros(len(self), bool)
        linked[self.edges.source], linked[self.edges.target] = True, True
        return self.has_text | linked

    def adjacency(self) -> csr_matrix:
        """(items, items) symmetric D^-1/2 A D^-1/2: log-damped weights, the larger of both directions."""
        shape = (len(self), len(self))
        edges = self.edges
        apart = edges.source != edges.target
        weights = np.log1p(edges.weight[apart]).astype(np.float32)
        one_way = csr_matrix((weights, (edges.source[apart], edges.target[apart])), shape=shape)
        both = one_way.maximum(one_way.T).tocsr()
        scale = 1 / np.sqrt(np.maximum(np.asarray(both.sum(1)).ravel(), 1e-12))
        both.data *= np.repeat(scale, np.diff(both.indptr)) * scale[both.indices]
        return both.astype(np.float32)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a model's file."""
        columns = {
            "ids": list(self.ids),
            "titles": list(self.titles),
            "texts": list(self.texts),
            "tags": ["|".join(tags) for tags in self.tags],
            "edge_texts": list(self.edges.texts),
        }
        packed = {
            f"{name}{end}": part
            for name, column in columns.items()
            for end, part in zip(("", "_ends"), pack(column))
        }
        edges = self.edges
        prior = np.zeros(0) if self.prior is None else self.prior
        return packed | {
            "prior": prior.astype(np.float32),
            "source": edges.source.astype(np.int32),
            "target": edges.target.astype(np.int32),
            "weight": edges.weight.astype(np.float32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Catalogue":
        """What `to_arrays` gave."""
        columns = {
            name: unpack(arrays[name], arrays[f"{name}_ends"])
            for name in ("ids", "titles", "texts", "tags", "edge_texts")
        }
        edges = Edges(arrays["source"], arrays["target"], arrays["weight"], columns["edge_texts"])
        tags = [tuple(filter(None, text.split("|"))) for text in columns["tags"]]
        prior = arrays["prior"] if len(arrays["prior"]) else None
        return cls(columns["ids"], columns["titles"], columns["texts"], tags, prior=prior, edges=edges)
