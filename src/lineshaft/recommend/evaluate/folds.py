"""Folds: what a model is fitted on, what it is shown of a user, and what it is asked for.

All matrices are binary CSR (users, items), float32, and share one row space: row u is the same person
everywhere. A known user's basket is the training row; a guest's training row is empty.

Lots are drawn by SHA-256 of "key|user|item", so that a fold depends on the ids alone and not on the order of
the rows in a file. (A linear hash such as CRC32 correlates the lots of users: recall moves by 6 points and
more.)
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

FEWEST = 5
"""Users with fewer items in all are trained on but never asked about: there is nothing to hold out."""


@dataclass(frozen=True)
class Split:
    """Training pairs and the pairs held out of them."""

    train: csr_matrix
    test: csr_matrix
    candidates: np.ndarray | None = None
    """Rows of the items among which is ranked; None: the whole catalogue."""


@dataclass(frozen=True)
class Fold:
    """A model is fitted on `train`, shown `baskets` and asked for `held_out`, among `candidates`."""

    train: csr_matrix
    baskets: csr_matrix
    held_out: csr_matrix
    candidates: np.ndarray | None = None


def binary(users: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """Pairs -> a matrix of ones; a pair named twice counts once."""
    likes = csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)
    likes.sum_duplicates()
    likes.data[:] = 1
    return likes


def sizes(likes: csr_matrix) -> np.ndarray:
    """(users,) number of items of each user."""
    return np.diff(likes.indptr)


def rows_of_pairs(likes: csr_matrix) -> np.ndarray:
    """(pairs,) the user of each pair, in the matrix's own order."""
    return np.repeat(np.arange(likes.shape[0]), sizes(likes))


@dataclass(frozen=True)
class Lots:
    """Numbers in [0, 1) drawn for users, items and pairs under a key; the same ids draw the same."""

    users: Sequence[str]
    items: Sequence[str]
    key: str = ""

    def under(self, key: object) -> "Lots":
        return replace(self, key=f"{self.key}|{key}")

    def of_users(self) -> np.ndarray:
        return _hashed(f"{self.key}|{user}" for user in self.users)

    def of_items(self) -> np.ndarray:
        return _hashed(f"{self.key}||{item}" for item in self.items)

    def of_pairs(self, likes: csr_matrix) -> np.ndarray:
        """(pairs,) in the matrix's own order."""
        pairs = zip(rows_of_pairs(likes).tolist(), likes.indices.tolist())
        return _hashed(f"{self.key}|{self.users[u]}|{self.items[i]}" for u, i in pairs)


def _hashed(texts: Iterable[str]) -> np.ndarray:
    drawn = [hashlib.sha256(text.encode()).digest()[:8] for text in texts]
    return np.frombuffer(b"".join(drawn), "<u8").astype(float) / 2.0**64


Rule = Callable[[csr_matrix, np.ndarray], np.ndarray]
"""Which pairs a test would hold out: (likes, lots of the pairs) -> (pairs,) bool."""


def by_user(likes: csr_matrix, lots: np.ndarray, share: float = 0.8) -> np.ndarray:
    """All but about `share` of the items of every user who has five or more."""
    kept = np.where(sizes(likes) >= FEWEST, fraction(likes, share), sizes(likes))
    return np.asarray(_place(rows_of_pairs(likes), lots) >= kept[rows_of_pairs(likes)])


def by_item(likes: csr_matrix, lots: np.ndarray, part: int = 5) -> np.ndarray:
    """Every item gives floor(n / 5) of its n pairs: the rule of DropoutNet's warm test, read off its counts.

    So no held-out pair leaves its item fewer than four pairs, and rare items are asked for half as often as
    a uniform draw would; a uniform draw rewards side information that the test does not.
    """
    per_item = np.bincount(likes.indices, minlength=likes.shape[1])
    return np.asarray(_place(likes.indices, lots) < (per_item // part)[likes.indices])


def _place(group: np.ndarray, lots: np.ndarray) -> np.ndarray:
    """(pairs,) position of each pair within its group by its lot."""
    order = np.lexsort((lots, group))
    first = np.r_[True, group[order][1:] != group[order][:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order)) - start
    return place


def part(likes: csr_matrix, out: np.ndarray) -> tuple[csr_matrix, csr_matrix]:
    """The pairs that stay and those that are held out (out: (pairs,) bool)."""
    rows = rows_of_pairs(likes)
    stay, held_out = (binary(rows[m], likes.indices[m], likes.shape) for m in (~out, out))
    return stay, held_out


def fraction(likes: csr_matrix, share: float) -> np.ndarray:
    """(users,) about `share` of each user's items, at least one on either side where there are two."""
    count = sizes(likes)
    return np.clip(np.round(share * count), 1, np.maximum(count - 1, 1)).astype(int)


def rows_of(likes: csr_matrix, chosen: np.ndarray) -> csr_matrix:
    """The same matrix with every row emptied that is not chosen (chosen: (users,) bool)."""
    return part(likes, ~chosen[rows_of_pairs(likes)])[0]


def without(likes: csr_matrix, items: np.ndarray) -> csr_matrix:
    """The same matrix with the columns of these items emptied."""
    return part(likes, np.isin(likes.indices, items))[0]


def split(likes: csr_matrix, lots: Lots, rule: Rule) -> Split:
    """A warm split by a rule."""
    return Split(*part(likes, rule(likes, lots.of_pairs(likes))))


def cold_split(likes: csr_matrix, lots: Lots, share: float = 0.2) -> Split:
    """Hold out every pair of a share of the liked items, which are then the candidates."""
    liked = np.unique(likes.indices)
    order = liked[np.argsort(lots.of_items()[liked], kind="stable")]
    return cold_of(likes, np.sort(order[: max(1, round(share * len(order)))]))


def cold_of(likes: csr_matrix, items: np.ndarray) -> Split:
    """Hold out every pair of these items."""
    return Split(*part(likes, np.isin(likes.indices, items)), items)


def draw_guests(
    likes: csr_matrix, lots: Lots, share: float, most: int | None = None, fewest: int = FEWEST
) -> np.ndarray:
    """(users,) bool: a share of the users of `fewest` items or more (at most `most`), set apart as guests."""
    able = np.flatnonzero(sizes(likes) >= fewest)
    count = min(round(share * len(able)), len(able) if most is None else most)
    chosen = np.zeros(likes.shape[0], bool)
    chosen[able[np.argsort(lots.of_users()[able], kind="stable")[:count]]] = True
    return chosen


def warm_fold(data: Split) -> Fold:
    """Known users: trained on all training pairs, asked for the test pairs."""
    return Fold(data.train, data.train, data.test, data.candidates)


def guest_fold(likes: csr_matrix, guests: np.ndarray, basket: int | None, lots: Lots) -> Fold:
    """Trained on all pairs of the others; a guest shows `basket` items (None: 80 %)."""
    shown = rows_of(likes, guests)
    kept = fraction(shown, 0.8) if basket is None else np.clip(basket, 1, np.maximum(sizes(shown) - 1, 1))
    out = _place(rows_of_pairs(shown), lots.of_pairs(shown)) >= kept[rows_of_pairs(shown)]
    return Fold(rows_of(likes, ~guests), *part(shown, out))


def member_fold(guest: Fold) -> Fold:
    """The same people asked the same, but trained on: the difference is what being a guest costs."""
    return replace(guest, train=guest.train + guest.baskets)


def apart(fold: Fold, guests: np.ndarray) -> Fold:
    """The fold with these users taken out of the training part and alone asked: out of the matrix."""
    return Fold(
        rows_of(fold.train, ~guests),
        rows_of(fold.baskets, guests),
        rows_of(fold.held_out, guests),
        fold.candidates,
    )


def asked_alone(fold: Fold, users: np.ndarray) -> Fold:
    """The same training part; only these users are asked."""
    return replace(fold, held_out=rows_of(fold.held_out, users))
