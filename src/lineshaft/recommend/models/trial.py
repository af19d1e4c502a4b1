"""On what a gate is found: baskets whose rest is known, drawn from the training part alone.

    Guests    people set aside, who show 1, 3, 5, 10 and 80 % of their items and are asked for all the others
    Members   people who stay, with a fifth of their pairs held out as the test would hold them out

A guest's basket is new to every part; a member's is not, and an item-item model is surer of what it was
fitted to. Weights found on guests are the right ones for guests, and weights found on members for members.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix, vstack

from lineshaft.engine import Part, RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import (
    FEWEST,
    Lots,
    by_item,
    by_user,
    guest_fold,
    part,
    rows_of,
    without,
)

ENOUGH = 60
"""Guests that a gate should be found on at least."""
WANTED, TURNS = 200, 5
"""Where one draw gives fewer guests, others are set aside in turn, so often at most."""
SIZES = (1, 3, 5, 10, None)
"""Items that a guest shows; None: 80 %."""


@dataclass(frozen=True)
class Drawn:
    """What parts are fitted to, the baskets that are shown to them, and what these hold back."""

    train: csr_matrix
    baskets: csr_matrix
    held_out: csr_matrix
    hidden: np.ndarray
    """Items made unrated."""


class Trial(Part):
    """A way to draw them."""

    most: int = Field(600, ge=50, description="people asked at most")

    def baskets(self, users: int) -> int:
        """How many are drawn at most."""
        return min(self.most, users)

    @abstractmethod
    def draws(self, likes: csr_matrix, catalogue: Catalogue, seed: int) -> list[Drawn]:
        """One or, where people are few, several with other people each. Raises where nobody can be asked."""


class Guests(Trial):
    """People set aside."""

    name: Literal["guests"] = "guests"
    share: float = Field(0.2, gt=0, lt=1, description="share of users set aside to find the gate")

    def baskets(self, users: int) -> int:
        return len(SIZES) * min(self.most, max(round(self.share * users), min(users, WANTED + ENOUGH)))

    def draws(self, likes: csr_matrix, catalogue: Catalogue, seed: int) -> list[Drawn]:
        lots = drawn_by(likes, catalogue, seed)
        hidden = made_unrated(likes, catalogue, lots)
        return [self._drawn(likes, guests, hidden, lots) for guests in self._guests(likes, lots)]

    def _drawn(self, likes: csr_matrix, guests: np.ndarray, hidden: np.ndarray, lots: Lots) -> Drawn:
        own = rows_of(likes, guests)
        shown, asked = [], []
        for size in SIZES:
            baskets = guest_fold(without(own, hidden), guests, size, lots).baskets
            late = own - baskets
            enough = np.diff(baskets.indptr) >= (size or 1)
            rows = np.flatnonzero(guests & enough & (np.diff(late.indptr) > 0))
            shown.append(baskets[rows])
            asked.append(late[rows])
        held_out = vstack(asked, format="csr")
        held_out.eliminate_zeros()
        rest = without(rows_of(likes, ~guests), hidden)
        return Drawn(rest, vstack(shown, format="csr"), held_out, hidden)

    def _guests(self, likes: csr_matrix, lots: Lots) -> list[np.ndarray]:
        """Masks of users of five or more items; where they are few, of three or two, and a larger share."""
        order, count = np.argsort(lots.of_users(), kind="stable"), 0
        for fewest in (FEWEST, 3, 2):
            able = order[np.diff(likes.indptr)[order] >= fewest]
            share = max(self.share, min(0.5, ENOUGH / max(len(able), 1)))
            count = min(round(share * len(able)), self.most)
            if count >= ENOUGH // 2:
                break
        if not count:
            raise RequestError(NOBODY)
        turns = max(1, min(TURNS, len(able) // count, -(-WANTED // count)))
        everybody = np.arange(likes.shape[0])
        return [np.isin(everybody, able[n * count : (n + 1) * count]) for n in range(turns)]


class Members(Trial):
    """People who stay in the training part."""

    name: Literal["members"] = "members"
    hold: Literal["item", "user"] = Field(
        "user", description="who gives the pairs held out: every user a fifth, or every item floor(n / 5)"
    )

    def draws(self, likes: csr_matrix, catalogue: Catalogue, seed: int) -> list[Drawn]:
        lots = drawn_by(likes, catalogue, seed)
        hidden = made_unrated(likes, catalogue, lots)
        known = without(likes, hidden)
        rule = {"item": by_item, "user": by_user}[self.hold]
        train, late = part(known, rule(known, lots.of_pairs(known)))
        able = np.flatnonzero((np.diff(late.indptr) > 0) & (np.diff(train.indptr) > 0))
        if not len(able):
            raise RequestError(NOBODY)
        rows = np.sort(able[np.argsort(lots.of_users()[able], kind="stable")[: self.most]])
        held_out = late + (likes - known)  # and what they like of the items made unrated
        held_out.eliminate_zeros()
        return [Drawn(train, train[rows], held_out.tocsr()[rows], hidden)]


AnyTrial = Annotated[Guests | Members, Field(discriminator="name")]
NOBODY = "a blend needs users of two or more items to find its gate: take model=popularity or model=content"


def drawn_by(likes: csr_matrix, catalogue: Catalogue, seed: int) -> Lots:
    return Lots([str(row) for row in range(likes.shape[0])], catalogue.ids, f"gate {seed}")


def made_unrated(likes: csr_matrix, catalogue: Catalogue, lots: Lots) -> np.ndarray:
    """Rated items to be made unrated: as many as the unrated ones with text or edge, at most a tenth."""
    rated = np.unique(likes.indices)
    fresh = np.setdiff1d(np.flatnonzero(catalogue.described), rated)
    count = min(len(fresh), len(rated) // 10)
    order = rated[np.argsort(lots.of_items()[rated], kind="stable")]
    return np.sort(order[:count])
