"""The language encoder inside the network: its last layers learn, the layers below are computed once.

Every step reads the texts of a few items anew, through the layers that learn; of all others it takes the
vectors of when they were last read. So a step costs some thousand tokens instead of all the catalogue's, and
a gradient reaches the encoder in every step.
"""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from lineshaft.recommend.text import minilm

BATCH = 256
"""Texts read at a time when nothing is learnt."""


class Reader(nn.Module):
    """The last `layers` of MiniLM over the hidden states below, which are held in half precision."""

    def __init__(self, texts: list[str], longest: int, layers: int, device: torch.device) -> None:
        super().__init__()
        whole = minilm.pretrained().to(device)
        self.first = minilm.LAYERS - layers
        rows = minilm.tokens(texts, longest)
        self.lengths = torch.tensor([len(row) for row in rows], device=device)
        self.starts = torch.cumsum(self.lengths, 0) - self.lengths
        self.below = torch.empty(int(self.lengths.sum()), minilm.WIDTH, dtype=torch.float16, device=device)
        with torch.no_grad():
            for chosen in np.array_split(np.argsort([len(row) for row in rows]), max(1, len(rows) // BATCH)):
                numbers, real = (part.to(device) for part in minilm.padded([rows[i] for i in chosen]))
                hidden = whole.through(whole.embed(numbers), real, range(self.first))
                self.below[self._places(torch.from_numpy(chosen).to(device), real)] = hidden[real].half()
        self.layers = nn.ModuleList(copy.deepcopy(whole.layers[n]) for n in range(self.first, minilm.LAYERS))

    def _places(self, items: Tensor, real: Tensor) -> Tensor:
        """Rows of `below` of the items' tokens, in the order of `real`'s true places."""
        along = torch.arange(real.shape[1], device=items.device)
        return (self.starts[items][:, None] + along)[real]

    def forward(self, items: Tensor) -> Tensor:
        """(items, 384) of length one."""
        longest = int(self.lengths[items].max())
        real = torch.arange(longest, device=items.device) < self.lengths[items][:, None]
        x = torch.zeros(len(items), longest, minilm.WIDTH, device=items.device)
        x[real] = self.below[self._places(items, real)].float()
        for layer in self.layers:
            x = layer(x, real[:, None, None])
        return minilm.pooled(x, real)

    @torch.no_grad()
    def everything(self) -> Tensor:
        """(all items, 384)."""
        items = torch.arange(len(self.lengths), device=self.below.device)
        return torch.cat([self(part) for part in torch.split(items, BATCH)])
