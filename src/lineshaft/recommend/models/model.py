"""The contract of every recommender: parameters that fit, and a scorer that sees a basket and nothing else.

    model = Ease(lam=300)                                   # parameters, a `Part`
    scorer = model.fit(likes, catalogue, seed=0, threads=2)   # likes: binary CSR (users, items)
    scorer.score(baskets)                                     # CSR (baskets, items) -> float32, same shape
    found = scorer.recommend(["id 7", "id 9"], k=10, candidates=None, exclude=())
    found.items, found.scores, found.reasons                 # ids, floats, `Reason`s; at most k
    scorer.save("model.safetensors"); load("model.safetensors")

A known user and a guest are the same thing by construction: both are baskets. A scorer holds arrays over
items and over pairs of items; no training row, no user's factor and no users-by-users kernel is part of it,
so none can be part of its file. The file is a safetensors file (arrays and one JSON text; loading executes
nothing), mapped into memory, so that many processes share it.

What a basket gets, by rule:
* nothing at all, or only items that the model knows nothing of: the popular items;
* an item twice: the same as once; an unknown id: an error that names it;
* never an item of the basket or of `exclude`, and at most what is left of `candidates` (ids; none: all).
"""

import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.engine import Part, RequestError
from lineshaft.recommend import arrays as files
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.memory import refuse_too_much
from lineshaft.recommend.reasons import Reason, fallen, reasons

NEEDED = {
    "text": ("items with titles or texts", "items"),
    "edges": ("edges between items", "edges"),
    "prior": ("items with a prior", "items"),
}
VERSION = 1
"""Raised when a file of this version can no longer be read as before."""

WEIGHED, RIVALS = 25, 200
"""Largest basket whose reasons weigh falls, and how many of the best items a fall is counted among."""


@dataclass(frozen=True)
class Recommendations:
    """The best first: ids, scores that only compare within one call, and why."""

    items: list[str]
    scores: list[float]
    reasons: list[Reason]


@dataclass(frozen=True)
class State:
    """A fitted model as plain values: numbers and names, arrays, and the parts it is composed of."""

    values: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    parts: Mapping[str, "Scorer"]


class Scorer(ABC):
    """A fitted model: a catalogue, how often its items were liked, and what the subclass learnt."""

    def __init__(self, catalogue: Catalogue, likes: np.ndarray) -> None:
        self.catalogue = catalogue
        self.likes = np.asarray(likes, np.float32)
        """(items,) how many users of the training data like each item."""

    @abstractmethod
    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        """(baskets, items) float32, a fresh array; rows that are constant get the popular items instead."""

    @abstractmethod
    def state(self) -> State:
        """What `from_state` needs; nothing in it may belong to a single user."""

    @classmethod
    @abstractmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Scorer":
        """The same scorer again."""

    def score(self, baskets: csr_matrix) -> np.ndarray:
        """(baskets, items) float32, higher is better; a basket the model knows nothing of: popularity."""
        if baskets.shape[1] != len(self.likes):
            raise RequestError(
                f"baskets of {baskets.shape[1]} items given to a model of {len(self.likes)} items: "
                "rows must be over the model's own catalogue"
            )
        scores = self.affinity(baskets)
        scores[self._says_nothing(scores, baskets)] = self.likes
        return scores

    @staticmethod
    def _says_nothing(scores: np.ndarray, baskets: csr_matrix) -> np.ndarray:
        """(baskets,) whether every item outside the basket has the same score."""
        sizes = np.diff(baskets.indptr)
        own = np.repeat(np.arange(len(sizes)), sizes), baskets.indices
        kept = scores[own]
        scores[own] = np.inf
        least = scores.min(1)
        scores[own] = -np.inf
        most = scores.max(1)
        scores[own] = kept
        return np.asarray((sizes == 0) | (least >= most))

    def recommend(
        self,
        basket: Iterable[Any],
        k: int = 10,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] = (),
    ) -> Recommendations:
        """The k best items for a basket of ids, never one of the basket, with a reason for each."""
        if k < 1:
            raise RequestError(f"k={k}: ask for at least one item")
        shown = self.catalogue.rows(basket)
        scores = self.score(one_row(shown, len(self.likes)))[0]
        allowed = np.full(len(scores), candidates is None)
        if candidates is not None:
            allowed[self.catalogue.rows(candidates)] = True
        allowed[shown] = False
        allowed[self.catalogue.rows(exclude)] = False
        best = largest(np.where(allowed, scores, -np.inf), min(k, int(allowed.sum())))
        return Recommendations(
            [self.catalogue.ids[item] for item in best],
            [float(score) for score in scores[best]],
            self.reasons(shown, best, scores),
        )

    def reasons(self, basket: np.ndarray, items: np.ndarray, scores: np.ndarray) -> list[Reason]:
        """Why these items; scores (items,) are the basket's."""
        if len(basket) > WEIGHED:  # nobody reads so many reasons: the largest contribution decides
            added = self.contributions(basket, items)
            return reasons(self.catalogue, basket, items, added, np.zeros(added.shape))
        outside = scores.copy()
        outside[basket] = -np.inf
        some = np.flatnonzero(
            outside > 0
        )  # most scores of pruned rows are nought, and a choice among them slow
        some = some if len(some) >= RIVALS else np.flatnonzero(outside > -np.inf)
        best = some[largest(outside[some], min(RIVALS, len(some)))]
        pool = np.concatenate([items, np.setdiff1d(best, items)])
        added, places = self.contributions(basket, pool), np.arange(len(items))
        falls = fallen(scores[pool], added, places)
        return reasons(self.catalogue, basket, items, added[:, places], falls)

    def contributions(self, basket: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(basket, items) what each basket item adds to each score: the score with it, less without it."""
        if len(basket) == 0:
            return np.zeros((0, len(items)), np.float32)
        without = ~np.eye(len(basket), dtype=bool)
        rows = csr_matrix(
            (np.ones(without.sum(), np.float32), (np.nonzero(without)[0], basket[np.nonzero(without)[1]])),
            shape=(len(basket), len(self.likes)),
        )
        whole = self.score(one_row(basket, len(self.likes)))[0, items]
        return np.asarray(whole[None] - self.score(rows)[:, items])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one safetensors file that `load` reads."""
        found: dict[str, np.ndarray] = {f"catalogue.{k}": v for k, v in self.catalogue.to_arrays().items()}
        found["likes"] = self.likes
        about = {"lineshaft": "recommend", "version": VERSION, "model": _flatten(self, "model.", found)}
        files.write(Path(path), found, about)
        return Path(path)


class Model(Part):
    """The parameters of a recommender."""

    name: str
    needs: ClassVar[str] = ""
    """What the catalogue must hold: "" nothing, "text", "edges" or "prior"."""
    draws: ClassVar[bool] = True
    """Whether the seed changes what is fitted."""

    smaller: ClassVar[str] = "model=wmf or model.rows=400 (pruned rows)"
    """What takes less memory."""

    @abstractmethod
    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        """Learn from a binary matrix (users, items); the same matrix and seed give the same scorer."""

    def usable(self, catalogue: Catalogue) -> bool:
        """Whether the catalogue holds what this model needs."""
        return not self.needs or catalogue.holds(self.needs)

    def memory(self, users: int, items: int) -> int:
        """Bytes that fitting will take, estimated before any work."""
        return 0

    def check(self, likes: csr_matrix, catalogue: Catalogue) -> None:
        """Refuse before any work what cannot be fitted."""
        if likes.shape[1] != len(catalogue):
            raise RequestError(f"likes over {likes.shape[1]} items, but the catalogue has {len(catalogue)}")
        if not self.usable(catalogue):
            what, file = NEEDED[self.needs]
            raise RequestError(f"model {self.name} needs {what}: pass data.{file}=FILE")
        wanted, what = self.memory(*likes.shape), f"model {self.name} on {likes.shape[1]} items"
        refuse_too_much(wanted, what, self.smaller)


def load(path: str | os.PathLike[str], kinds: Sequence[type[Scorer]] = ()) -> Scorer:
    """A saved scorer, mapped into memory. `kinds`: scorers of your own, besides those of this package."""
    found, about = files.read(Path(path))
    if about.get("lineshaft") != "recommend" or about.get("version") != VERSION:
        raise RequestError(f"{path}: not a model of lineshaft.recommend, version {VERSION}")
    catalogue = Catalogue.from_arrays(_below("catalogue.", found))
    own = {f"{kind.__module__}:{kind.__qualname__}": kind for kind in kinds}
    return _build(about["model"], _below("model.", found), catalogue, found["likes"], own)


def one_row(items: np.ndarray, width: int) -> csr_matrix:
    """(1, width) the basket of these rows."""
    return csr_matrix((np.ones(len(items), np.float32), items, [0, len(items)]), shape=(1, width))


def largest(scores: np.ndarray, k: int) -> np.ndarray:
    """The k largest of one row, best first; ties in the order of the catalogue."""
    if k < len(scores):
        edge = np.partition(scores, len(scores) - k)[len(scores) - k] if k else np.inf
        sure, level = np.flatnonzero(scores > edge), np.flatnonzero(scores == edge)
        chosen = np.sort(np.concatenate([sure, level[: k - len(sure)]]))
    else:
        chosen = np.arange(len(scores))
    return chosen[np.argsort(-scores[chosen], kind="stable")]


def counts(likes: csr_matrix) -> np.ndarray:
    """(items,) float32 number of users who like each item."""
    return np.asarray(likes.sum(0), np.float32).ravel()


def _flatten(scorer: Scorer, prefix: str, found: dict[str, np.ndarray]) -> dict[str, Any]:
    """Put a scorer's arrays into `found` under its prefix and give its description."""
    state, kind = scorer.state(), type(scorer)
    found |= {f"{prefix}{name}": np.ascontiguousarray(array) for name, array in state.arrays.items()}
    parts = {name: _flatten(part, f"{prefix}{name}.", found) for name, part in state.parts.items()}
    return {"kind": f"{kind.__module__}:{kind.__qualname__}", "values": dict(state.values), "parts": parts}


def _build(
    about: Mapping[str, Any],
    found: Mapping[str, np.ndarray],
    catalogue: Catalogue,
    likes: np.ndarray,
    own: Mapping[str, type[Scorer]],
) -> Scorer:
    parts = {
        name: _build(part, _below(f"{name}.", found), catalogue, likes, own)
        for name, part in about["parts"].items()
    }
    direct = {name: array for name, array in found.items() if "." not in name}
    return _kind(about["kind"], own).from_state(catalogue, likes, State(about["values"], direct, parts))


def _kind(name: str, own: Mapping[str, type[Scorer]]) -> type[Scorer]:
    """The class that a file names: handed in, or of this package's models; nothing else is imported."""
    if name in own:
        return own[name]
    module, _, qualified = name.partition(":")
    if module.startswith("lineshaft.recommend.models."):
        kind = getattr(importlib.import_module(module), qualified, None)
        if isinstance(kind, type) and issubclass(kind, Scorer):
            return kind
    raise RequestError(f"the file holds a model of kind {name}: pass its class, load(path, kinds=[...])")


def _below(prefix: str, found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name[len(prefix) :]: array for name, array in found.items() if name.startswith(prefix)}
