"""Two towers: an item from its text, its neighbours and its own factor; a basket from its items.

Nothing in the user tower belongs to a user: whoever shows the same basket gets the same vector.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lineshaft.recommend.nets.denoising import Pairs
from lineshaft.recommend.nets.propagation import Graph, Propagation

HIDDEN, HEADS, KEY = 512, 2, 64


class ItemTower(nn.Module):
    """Vectors with which an item stands in a basket, vectors with which it is scored, and a bias.

    The id factor of an item is dropped as a whole vector, so that an item that nobody has rated looks like
    any other whose factor happens to be dropped.
    """

    def __init__(self, text: int, width: int, factors: Tensor, along: Graph | None) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(text, HIDDEN), nn.Linear(HIDDEN, 2 * width)
        self.direct = nn.Linear(text, 2 * width, bias=False)
        self.popular = nn.Linear(HIDDEN, 1)
        nn.init.normal_(self.direct.weight, std=0.2 / text**0.5)
        nn.init.normal_(self.out.weight, std=0.2 / HIDDEN**0.5)
        self.factor = nn.Parameter(torch.cat([factors, factors], dim=1))
        self.bias = nn.Parameter(torch.zeros(len(factors)))
        self.spread = None if along is None else Propagation(along)
        self.width = width

    def forward(self, text: Tensor, kept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """text (items, columns); kept (items,) 1 where the factor stays -> in, out (items, width), bias."""
        hidden = F.gelu(self.hidden(F.dropout(text, 0.1, self.training)))
        z = self.out(F.dropout(hidden, 0.2, self.training)) + self.direct(text) + self.factor * kept[:, None]
        if self.spread is not None:
            z = self.spread(z)
        within, out = z[:, : self.width].contiguous(), z[:, self.width :]
        return within, out, self.popular(hidden)[:, 0] + self.bias * kept


class BasketTower(nn.Module):
    """A basket's vector: its mean, a correction of it, and attention over its items."""

    def __init__(self, width: int, drop: float = 0.0) -> None:
        super().__init__()
        self.drop = drop
        self.mix = nn.Parameter(torch.eye(width))
        self.first, self.second = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.query, self.key = nn.Linear(width, HEADS * KEY), nn.Linear(width, HEADS * KEY)
        self.value = nn.Linear(HEADS * width, width)
        for layer in (self.second, self.value):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, shown: Pairs, items: Tensor) -> Tensor:
        """items (items, width), of which `shown` names each user's -> (users, width)."""
        root = shown.counts[:, None].float().clamp(min=1).sqrt()
        mean = shown.sums(items) / root
        query = self.query(mean).index_select(0, shown.rows).view(-1, HEADS, KEY)
        key = self.key(items.index_select(0, shown.items)).view(-1, HEADS, KEY)
        share = shown.softmax((query * key).sum(2) / KEY**0.5)
        seen = [shown.sums(items, share[:, head].contiguous()) for head in range(HEADS)]
        attended = self.value(torch.cat(seen, dim=1)) * root.clamp(max=4)
        kept = F.dropout(mean, self.drop, self.training)
        corrected = kept @ self.mix + self.second(torch.tanh(self.first(kept)))
        found: Tensor = corrected + F.dropout(attended, self.drop, self.training)
        return found


def starting(factors: np.ndarray | None, items: int, width: int, generator: torch.Generator) -> Tensor:
    """(items, width) id factors to start from: another model's at mean length one, else small noise."""
    if factors is None:
        return torch.randn(items, width, generator=generator) * 0.02
    drawn = torch.from_numpy(np.array(factors, np.float32))
    found: Tensor = drawn / drawn.norm(dim=1).mean().clamp(min=1e-9)
    return found
