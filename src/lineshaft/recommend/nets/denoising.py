"""Denoising: of every user a random part of the items goes in, and the rest is to be found.

Half of the draws keep a number of items that is uniform on a log scale (a guest shows few), the others 40 to
90 percent. (`Denoising autoencoders`, Vincent et al. 2008; for collaborative filtering Wu et al., WSDM 2016.)
"""

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor


class Draws:
    """Batches of users of two items or more."""

    def __init__(self, likes: csr_matrix, device: torch.device, small: float, seed: int) -> None:
        self.items = torch.from_numpy(likes.indices.astype(np.int64)).to(device)
        self.starts = torch.from_numpy(likes.indptr.astype(np.int64)).to(device)
        self.sizes = self.starts[1:] - self.starts[:-1]
        self.users = torch.nonzero(self.sizes >= 2)[:, 0]
        self.width, self.small, self.device = likes.shape[1], small, device
        self.generator = torch.Generator(device=device).manual_seed(seed)

    def random(self, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=self.generator, device=self.device)

    def batches(self, size: int) -> tuple[Tensor, ...]:
        order = torch.randperm(len(self.users), generator=self.generator, device=self.device)
        return torch.split(self.users[order], size)

    def pairs(self, users: Tensor) -> tuple[Tensor, Tensor]:
        """Of every pair of these users the row in the batch and the item."""
        sizes = self.sizes[users]
        rows = torch.repeat_interleave(torch.arange(len(users), device=self.device), sizes)
        place = torch.arange(len(rows), device=self.device) - (torch.cumsum(sizes, 0) - sizes)[rows]
        return rows, self.items[self.starts[users][rows] + place]

    def draw(self, users: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Baskets (users, items), and of each pair that is left its row in the batch and its item."""
        sizes = self.sizes[users]
        rows, items = self.pairs(users)
        place = torch.arange(len(rows), device=self.device) - (torch.cumsum(sizes, 0) - sizes)[rows]
        items = items[torch.argsort(rows + 0.999 * self.random(len(rows)))]
        shown = place < self._kept(sizes)[rows]
        baskets = torch.zeros(len(users), self.width, device=self.device)
        baskets[rows[shown], items[shown]] = 1
        return baskets, rows[~shown], items[~shown]

    def _kept(self, sizes: Tensor) -> Tensor:
        """(users,) how many items go in, from 1 to all but one."""
        share, few = self.random(len(sizes)), self.random(len(sizes)) < self.small
        log_uniform = torch.exp(share * torch.log(sizes.float()))
        kept = torch.where(few, log_uniform, sizes * (0.4 + 0.5 * share)).round().long()
        return torch.minimum(kept.clamp(min=1), sizes - 1)
