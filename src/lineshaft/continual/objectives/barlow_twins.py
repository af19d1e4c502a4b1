"""Barlow Twins (Zbontar et al., "Self-supervised learning via redundancy reduction", arXiv 2103.03230).

    loss = scale (sum_i (1 - C_ii)^2 + off_diagonal sum_{i != j} C_ij^2)

C is the cross-correlation of the projections of two views over the batch. It has no predictor: the projector
is LP-FT's head.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.objectives.objective import Batch
from lineshaft.continual.objectives.siamese import PROJECTOR, Siamese, projector
from lineshaft.continual.paramset import ParamSet
from lineshaft.continual.streams.stream import Stream


class BarlowTwins(Siamese):
    """Self-supervised; LP-FT probes with the projector."""

    name: Literal["barlow_twins"] = "barlow_twins"
    recordable = True
    width: int = Field(2048, ge=1, description="of the projection")
    off_diagonal: float = Field(5e-3, ge=0, description="weight of the off-diagonal terms")
    scale: float = Field(0.1, gt=0, description="of the loss, which sums over all pairs of outputs")

    def attach(self, net: Net, stream: Stream) -> None:
        net.projector = projector(net.width, self.width, self.width, affine=True)

    def subsets(self, classes: tuple[int, ...]) -> dict[str, ParamSet]:
        return {"head": PROJECTOR, "projector": PROJECTOR}

    def loss(self, net: Net, batch: Batch) -> tuple[Tensor, Tensor]:
        z = [self.outputs(net, x, batch.task) for x in batch.views]
        c = correlation(z[0], z[1])
        diagonal = c.diagonal()
        on, off = (1 - diagonal).square().sum(), c.square().sum() - diagonal.square().sum()
        return z[0], self.scale * (on + self.off_diagonal * off)


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Cross-correlation [width, width] over the batch, of standardised columns."""
    a, b = ((x - x.mean(0)) / (x.std(0, correction=0) + 1e-5) for x in (a.float(), b.float()))
    return torch.einsum("ni,nj->ij", a, b) / len(a)
