"""The product: several recommenders behind one gate, found on guests that fitting holds back for itself.

Fitting does three things. It sets aside some users as guests and, where the catalogue holds items that nobody
has rated, the likes of some rated items; fits every part to the rest; and finds the gate's weights (see
`gate`) on what the guests held back. Of the alternatives of a slot it keeps the one that ranks best alone.
Then it fits the parts that are left to everything. Slots whose data the catalogue lacks are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix, vstack

from lineshaft.engine import Part, RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import Lots, draw_guests, guest_fold, rows_of, without
from lineshaft.recommend.models import gate
from lineshaft.recommend.models.content import Content
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.graph import Graph
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.model import Model, Scorer, State, counts
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.prior import Prior
from lineshaft.recommend.models.wmf import Bridge, Wmf
from lineshaft.recommend.text.encoders import Words

AnyPart = Annotated[
    Popularity | Prior | Knn | Wmf | Ease | L3ae | Content | Graph | DeepNaniNet, Field(discriminator="name")
]


class Slot(Part):
    """Alternatives, of which validation keeps one."""

    any_of: tuple[AnyPart, ...] = Field(min_length=1, description="recommenders of one kind")
    rare: bool = Field(False, description="count once more by itself for items that few have rated")


ROWS = 400
DEFAULT = (
    Slot(any_of=(Ease(lam=50, rows=ROWS), Ease(lam=200, rows=ROWS), Ease(lam=800, rows=ROWS))),
    Slot(any_of=(L3ae(lam=40, pull=100, rows=ROWS), L3ae(lam=150, pull=500, rows=ROWS))),
    Slot(any_of=(Wmf(factors=32, reg=20, bridge=Bridge()), Wmf(factors=128, bridge=Bridge())), rare=True),
    Slot(any_of=(Content(),)),
    Slot(any_of=(Content(power=5),), rare=True),
    Slot(any_of=(Content(encoder=Words(width=512)),), rare=True),
    Slot(any_of=(Graph(),), rare=True),
    Slot(any_of=(Popularity(),)),
    Slot(any_of=(Prior(),)),
)


class Blend(Model):
    """Closed forms, content, graph and popularity behind a gate."""

    name: Literal["blend"] = "blend"
    slots: tuple[Slot, ...] = Field(DEFAULT, min_length=1, description="the parts")
    guests: float = Field(0.2, gt=0, lt=1, description="share of users set aside to find the gate")
    most: int = Field(600, ge=50, description="guests set aside at most")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        usable = [slot for slot in self.slots if slot.any_of[0].usable(catalogue)]
        if not usable:
            raise RequestError("no part of the blend can be fitted to a catalogue without texts and edges")
        inner = Inner.draw(likes, catalogue, self, seed)
        chosen, features = [], []
        for slot in usable:
            best = max(
                (inner.judge(part, seed, threads) for part in slot.any_of), key=lambda judged: judged.value
            )
            chosen.append((best.part, slot.rare))
            features.append(best.z)
        found = inner.gate(features, [rare for _, rare in chosen], seed)
        parts = {
            f"{number}_{part.name}": part.fit(likes, catalogue, seed=seed, threads=threads)
            for number, (part, _) in enumerate(chosen)
            if found.used(number)
        }
        return Gated(catalogue, counts(likes), parts, found.narrowed())

    def memory(self, users: int, items: int) -> int:
        return sum(max(part.memory(users, items) for part in slot.any_of) for slot in self.slots)


@dataclass(frozen=True)
class Judged:
    """A part fitted without the guests, its normalised scores of their baskets, and how good it is alone."""

    part: Model
    z: np.ndarray
    value: float


@dataclass(frozen=True)
class Weights:
    """The gate's numbers; features are the parts, then the rare twins of those that have one."""

    rated: np.ndarray
    """(size classes, features)."""
    unrated: np.ndarray
    place: np.ndarray
    """(size classes, 2): a and b of unrated items."""
    rare: tuple[int, ...]
    """The parts that have a twin, in the order of the twins."""
    parts: int

    def used(self, part: int) -> bool:
        return bool(np.any(self.rated[:, self.columns(part)]) or np.any(self.unrated[:, self.columns(part)]))

    def columns(self, part: int) -> list[int]:
        """The part's feature and its twin's."""
        return [part] + [self.parts + n for n, own in enumerate(self.rare) if own == part]

    def narrowed(self) -> "Weights":
        """Without the parts that no basket uses."""
        kept = [part for part in range(self.parts) if self.used(part)]
        twins = [n for n, own in enumerate(self.rare) if own in kept]
        columns = kept + [self.parts + n for n in twins]
        rare = tuple(kept.index(self.rare[n]) for n in twins)
        return Weights(self.rated[:, columns], self.unrated[:, columns], self.place, rare, len(kept))


@dataclass(frozen=True)
class Inner:
    """The training part that is left, the guests' baskets of several sizes, and what they hold back."""

    catalogue: Catalogue
    train: csr_matrix
    baskets: csr_matrix
    held_out: csr_matrix
    hidden: np.ndarray
    """Items made unrated."""
    most: int

    @classmethod
    def draw(cls, likes: csr_matrix, catalogue: Catalogue, how: Blend, seed: int) -> "Inner":
        lots = Lots([str(row) for row in range(likes.shape[0])], catalogue.ids, f"gate {seed}")
        guests = draw_guests(likes, lots, how.guests, how.most)
        if not guests.any():
            raise RequestError("a blend needs users of five or more items to find its gate: take model=ease")
        hidden = _hidden(likes, catalogue, lots)
        rest = rows_of(likes, ~guests)
        folds = [
            guest_fold(without(rows_of(likes, guests), hidden), guests, size, lots)
            for size in (1, 3, 5, 10, None)
        ]
        asked, shown = [], []
        for size, fold in zip((1, 3, 5, 10, None), folds):
            late = rows_of(likes, guests) - fold.baskets
            enough = np.diff(fold.baskets.indptr) >= (size or 1)
            rows = np.flatnonzero(guests & enough & (np.diff(late.indptr) > 0))
            shown.append(fold.baskets[rows])
            asked.append(late[rows])
        held_out = vstack(asked, format="csr")
        held_out.eliminate_zeros()
        return cls(catalogue, without(rest, hidden), vstack(shown, format="csr"), held_out, hidden, how.most)

    @property
    def lists(self) -> tuple[int, int]:
        return gate.lengths(len(self.catalogue))

    @property
    def likes(self) -> np.ndarray:
        return counts(self.train)

    def judge(self, part: Model, seed: int, threads: int) -> Judged:
        scorer = part.fit(self.train, self.catalogue, seed=seed, threads=threads)
        z = np.empty(self.baskets.shape, np.float16)
        for start in range(0, len(z), 512):
            rows = self.baskets[start : start + 512]
            z[start : start + 512] = gate.normalised(scorer.score(rows), rows, self.lists[1])[0]
        return Judged(part, z, self._value(z))

    def _value(self, z: np.ndarray) -> float:
        asked = self._question([z], self._rated())
        return gate.criterion(asked.z[0], asked, self.lists)

    def _rated(self) -> np.ndarray:
        return np.flatnonzero(self.likes > 0)

    def _question(self, features: list[np.ndarray], items: np.ndarray) -> gate.Question:
        """Baskets that hold back something among these items, over these items alone."""
        wanted = self.held_out[:, items]
        rows = np.flatnonzero(np.diff(wanted.indptr))
        cut = [feature[np.ix_(rows, items)] for feature in features]
        return gate.question(cut, wanted[rows], gate.size_class(self.baskets)[rows])

    def gate(self, parts: list[np.ndarray], rare: list[bool], seed: int) -> Weights:
        twins = tuple(number for number, has in enumerate(rare) if has)
        features = parts + [twin(parts[number], self.likes).astype(np.float16) for number in twins]
        rated = gate.by_size(self._question(features, self._rated()), self.lists, self.most, seed)
        unrated, place = rated, np.tile([1.0, 0.0], (len(gate.BINS), 1))
        if len(self.hidden) and self.held_out[:, self.hidden].nnz:
            asked = self._question(features[: len(parts)], self.hidden)
            found = gate.by_size(asked, self.lists, self.most, seed)
            unrated = np.pad(found, [(0, 0), (0, len(twins))])
            place = self._place(features, rated, unrated)
        return Weights(rated, unrated, place, twins, len(parts))

    def _place(self, features: list[np.ndarray], rated: np.ndarray, unrated: np.ndarray) -> np.ndarray:
        """(size classes, 2) a and b that find most of everything held back, rated or not."""
        items = np.concatenate([self._rated(), self.hidden])
        fresh = np.isin(items, self.hidden)
        sizes = gate.size_class(self.baskets)
        found = np.tile([1.0, 0.0], (len(gate.BINS), 1))
        for one in range(len(gate.BINS)):
            rows = np.flatnonzero(sizes == one)[: self.most]
            if not len(rows):
                continue
            cut = [feature[np.ix_(rows, items)].astype(np.float32) for feature in features]
            known, new = (np.tensordot(w[one], cut, 1) for w in (rated, unrated))
            wanted = self.held_out[rows][:, items]
            values = {}
            for a in (0.25, 0.5, 1.0, 1.5):
                for b in (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0):
                    asked = gate.question([np.where(fresh, a * new + b, known)], wanted, sizes[rows])
                    values[a, b] = gate.criterion(asked.z[0], asked, self.lists)
            found[one] = max(values, key=lambda pair: values[pair])
        return found


def twin(z: np.ndarray, likes: np.ndarray) -> np.ndarray:
    """A part's scores once more, for items that few have rated: times min(1, 2 / (1 + likes))."""
    return np.maximum(z * np.minimum(1, 2 / (1 + likes)), gate.LOW)


def _hidden(likes: csr_matrix, catalogue: Catalogue, lots: Lots) -> np.ndarray:
    """Rated items to be made unrated: as many as the unrated ones with text or edge, at most a tenth."""
    rated = np.unique(likes.indices)
    fresh = np.setdiff1d(np.flatnonzero(catalogue.described), rated)
    count = min(len(fresh), len(rated) // 10)
    order = rated[np.argsort(lots.of_items()[rated], kind="stable")]
    return np.sort(order[:count])


class Gated(Scorer):
    """Parts and the gate's weights."""

    def __init__(
        self, catalogue: Catalogue, likes: np.ndarray, parts: Mapping[str, Scorer], weights: Weights
    ) -> None:
        super().__init__(catalogue, likes)
        self.parts, self.weights = dict(parts), weights
        self.top = gate.lengths(len(catalogue))[1]
        self.fresh = np.flatnonzero(self.likes == 0)

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        sizes = gate.size_class(baskets)
        total = np.zeros(baskets.shape, np.float32)
        late = np.zeros((baskets.shape[0], len(self.fresh)), np.float32)
        for number, part in enumerate(self.parts.values()):
            z, _ = gate.normalised(part.score(baskets), baskets, self.top)
            for feature in self.weights.columns(number):
                value = z if feature < len(self.parts) else twin(z, self.likes)
                total += self.weights.rated[sizes, feature, None].astype(np.float32) * value
                late += self.weights.unrated[sizes, feature, None].astype(np.float32) * value[:, self.fresh]
        a, b = self.weights.place[sizes].astype(np.float32).T
        total[:, self.fresh] = a[:, None] * late + b[:, None]
        return total

    def state(self) -> State:
        arrays = {"rated": self.weights.rated, "unrated": self.weights.unrated, "place": self.weights.place}
        return State({"rare": list(self.weights.rare), "order": list(self.parts)}, arrays, self.parts)

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Gated":
        parts = {name: state.parts[name] for name in state.values["order"]}
        numbers = (state.arrays[name] for name in ("rated", "unrated", "place"))
        return cls(catalogue, likes, parts, Weights(*numbers, tuple(state.values["rare"]), len(parts)))
