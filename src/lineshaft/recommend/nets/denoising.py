"""Denoising: of every user a random part of the items goes in, and the rest is to be found.

Half of the draws keep a number of items that is uniform on a log scale (a guest shows few), the others 40 to
90 percent. (`Denoising autoencoders`, Vincent et al. 2008; for collaborative filtering Wu et al., WSDM 2016.)
All of an epoch is drawn at once, so that a GPU is asked for a number once an epoch and not in every step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csr_matrix
from torch import Tensor


@dataclass(frozen=True)
class Pairs:
    """Items of some users, user by user: what a basket holds or what is to be found."""

    items: Tensor
    """(pairs,) rows of a table of items."""
    rows: Tensor
    """(pairs,) ascending: which of the users."""
    counts: Tensor
    """(users,) how many items each has."""

    @classmethod
    def of(cls, items: np.ndarray, counts: np.ndarray) -> "Pairs":
        """From the items of all users in turn and how many each has."""
        rows = np.repeat(np.arange(len(counts)), counts)
        found = (torch.from_numpy(part.astype(np.int64)) for part in (items, rows, counts))
        return cls(*found)

    @cached_property
    def starts(self) -> Tensor:
        """(users,) where the items of each begin."""
        return torch.cumsum(self.counts, 0) - self.counts

    def places(self, items: int) -> Tensor:
        """(pairs,) where the pairs lie in a flattened matrix (users, items)."""
        return self.rows * items + self.items

    def sums(self, table: Tensor, weights: Tensor | None = None) -> Tensor:
        """(users, width): the table's rows of a user's items added up, each times its weight (pairs,)."""
        return F.embedding_bag(self.items, table, self.starts, mode="sum", per_sample_weights=weights)

    def softmax(self, values: Tensor) -> Tensor:
        """(pairs, heads) -> the same, positive and adding up to one over the items of each user."""
        own = self.rows[:, None].expand_as(values)
        highest = torch.zeros(len(self.counts), values.shape[1], device=values.device)
        highest.scatter_reduce_(0, own, values.detach(), "amax", include_self=False)
        risen = torch.exp(values - highest.index_select(0, self.rows))
        total = torch.zeros_like(highest).index_add(0, self.rows, risen)
        return risen / total.index_select(0, self.rows)


@dataclass(frozen=True)
class Batch:
    """Users of one step."""

    users: Tensor
    """(users,) rows of the likes."""
    shown: Pairs
    late: Pairs


class Draws:
    """Batches of users of two items or more."""

    def __init__(self, likes: csr_matrix, device: torch.device, small: float, seed: int) -> None:
        self.items = torch.from_numpy(likes.indices.astype(np.int64)).to(device)
        self.starts = torch.from_numpy(likes.indptr.astype(np.int64)).to(device)
        self.sizes = self.starts[1:] - self.starts[:-1]
        self.users = torch.nonzero(self.sizes >= 2)[:, 0]
        self.likes = int(self.sizes[self.users].sum())
        self.small, self.device = small, device
        self.generator = torch.Generator(device=device).manual_seed(seed)

    def random(self, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=self.generator, device=self.device)

    def epoch(self, batch: int) -> Iterator[Batch]:
        """All users in a new order, `batch` at a time, each with a new part of the items shown."""
        order = torch.randperm(len(self.users), generator=self.generator, device=self.device)
        users = self.users[order]
        sizes = self.sizes[users]
        numbers = torch.arange(len(users), device=self.device)
        rows = torch.repeat_interleave(numbers, sizes, output_size=self.likes)
        place = torch.arange(self.likes, device=self.device) - (torch.cumsum(sizes, 0) - sizes)[rows]
        items = self.items[self.starts[users][rows] + place]
        items = items[torch.argsort(rows.double() + self.random(self.likes).double())]
        kept = self._kept(sizes)
        in_basket = place < kept[rows]
        shown = _split(items[in_basket], rows[in_basket], kept, batch)
        late = _split(items[~in_basket], rows[~in_basket], sizes - kept, batch)
        yield from map(Batch, torch.split(users, batch), shown, late)

    def _kept(self, sizes: Tensor) -> Tensor:
        """(users,) how many items go in, from 1 to all but one."""
        share, few = self.random(len(sizes)), self.random(len(sizes)) < self.small
        log_uniform = torch.exp(share * torch.log(sizes.float()))
        kept = torch.where(few, log_uniform, sizes * (0.4 + 0.5 * share)).round().long()
        return torch.minimum(kept.clamp(min=1), sizes - 1)


def _split(items: Tensor, rows: Tensor, counts: Tensor, batch: int) -> list[Pairs]:
    """The pairs of each batch of users."""
    lengths = [int(part.sum()) for part in torch.split(counts.cpu(), batch)]
    parts = (torch.split(items, lengths), torch.split(rows % batch, lengths), torch.split(counts, batch))
    return [Pairs(*part) for part in zip(*parts)]
