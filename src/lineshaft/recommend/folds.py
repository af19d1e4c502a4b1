"""Folds: what a model is fitted on, what it is shown of a user, and what it is asked for.

All matrices are binary CSR (users, items), float32, and share one row space: row u is the same person
everywhere. A known user's basket is the training row; a guest's training row is empty.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

FEWEST = 5
"""Users with fewer items in all are trained on but never asked about: there is nothing to hold out."""


@dataclass(frozen=True)
class Split:
    """A data set with its warm split; `taste` is the planted answer where one is known (users, items)."""

    train: csr_matrix
    test: csr_matrix
    taste: np.ndarray | None = None


@dataclass(frozen=True)
class Fold:
    """A model is fitted on `train`, shown `baskets` and asked for `held_out`."""

    train: csr_matrix
    baskets: csr_matrix
    held_out: csr_matrix


def binary(users: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """Pairs -> a matrix of ones; a pair named twice counts once."""
    likes = csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)
    likes.sum_duplicates()
    likes.data[:] = 1
    return likes


def sizes(likes: csr_matrix) -> np.ndarray:
    """(users,) number of items of each user."""
    return np.diff(likes.indptr)


def cut(likes: csr_matrix, kept: np.ndarray, rng: np.random.Generator) -> tuple[csr_matrix, csr_matrix]:
    """Each row in two at random: kept[u] items, and the others; a seed gives nested cuts."""
    rows = np.repeat(np.arange(likes.shape[0]), sizes(likes))
    order = np.lexsort((rng.random(likes.nnz), rows))
    place = np.arange(likes.nnz) - likes.indptr[rows]
    first = np.zeros(likes.nnz, bool)
    first[order] = place < kept[rows]
    return tuple(binary(rows[m], likes.indices[m], likes.shape) for m in (first, ~first))


def fraction(likes: csr_matrix, share: float) -> np.ndarray:
    """(users,) about `share` of each user's items, at least one on either side where there are two."""
    count = sizes(likes)
    return np.clip(np.round(share * count), 1, np.maximum(count - 1, 1)).astype(int)


def rows_of(likes: csr_matrix, chosen: np.ndarray) -> csr_matrix:
    """The same matrix with every row emptied that is not chosen (chosen: (users,) bool)."""
    rows = np.repeat(np.arange(likes.shape[0]), sizes(likes))
    keep = chosen[rows]
    return binary(rows[keep], likes.indices[keep], likes.shape)


def split(likes: csr_matrix, seed: int, share: float = 0.8) -> Split:
    """A warm split by chance: `share` of each user's items; users of fewer than 5 only train."""
    asked = sizes(likes) >= FEWEST
    train, test = cut(
        likes, np.where(asked, fraction(likes, share), sizes(likes)), np.random.default_rng(seed)
    )
    return Split(train, test)


def draw_guests(data: Split, share: float, seed: int) -> np.ndarray:
    """(users,) bool: a share of the users who can be asked about, set apart as guests."""
    able = np.flatnonzero(sizes(data.train + data.test) >= FEWEST)
    chosen = np.zeros(data.train.shape[0], bool)
    chosen[np.random.default_rng([seed, 1]).permutation(able)[: round(share * len(able))]] = True
    return chosen


def validation_fold(data: Split, guests: np.ndarray, share: float, seed: int) -> Fold:
    """A share of the TRAINING pairs of the test's users but the guests; sees no test pair and no guest."""
    likes = rows_of(data.train, ~guests)
    rng = np.random.default_rng([seed, 2])
    count = np.where(sizes(data.test) > 0, sizes(likes), 0)
    out = np.minimum(rng.binomial(count, share), np.maximum(count - 1, 0))
    train, held_out = cut(likes, sizes(likes) - out, rng)
    return Fold(train, train, held_out)


def warm_fold(data: Split) -> Fold:
    """Known users: trained on all training pairs, asked for the test pairs."""
    return Fold(data.train, data.train, data.test)


def guest_fold(data: Split, guests: np.ndarray, basket: int | None, seed: int) -> Fold:
    """Trained on all pairs of the others; a guest shows `basket` items (None: 80 %)."""
    likes = data.train + data.test
    shown = rows_of(likes, guests)
    kept = fraction(shown, 0.8) if basket is None else np.clip(basket, 1, np.maximum(sizes(shown) - 1, 1))
    baskets, held_out = cut(shown, kept, np.random.default_rng([seed, 3]))
    return Fold(rows_of(likes, ~guests), baskets, held_out)


def member_fold(guest: Fold) -> Fold:
    """The same people asked the same, but trained on: the difference is what being a guest costs."""
    return Fold(guest.train + guest.baskets, guest.baskets, guest.held_out)
