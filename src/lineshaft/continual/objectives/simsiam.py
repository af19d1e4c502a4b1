"""SimSiam (Chen and He, "Exploring simple Siamese representation learning", arXiv 2011.10566).

    loss = (D(p1, stop(z2)) + D(p2, stop(z1))) / 2,  D(p, z) = -cosine(p, z)

z are projections, p predictions of one view's projection from the other's. No negatives, no momentum encoder:
the predictor and the stopped gradient alone keep it from collapsing.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.objectives.objective import Batch
from lineshaft.continual.objectives.siamese import PREDICTOR, PROJECTOR, Siamese, projector
from lineshaft.continual.paramset import ParamSet
from lineshaft.continual.streams.stream import Stream


class SimSiam(Siamese):
    """Self-supervised; LP-FT probes with the predictor (`head`) or with projector and predictor."""

    name: Literal["simsiam"] = "simsiam"
    recordable = True
    width: int = Field(2048, ge=1, description="of the projection")
    hidden: int = Field(512, ge=1, description="of the predictor")

    def attach(self, net: Net, stream: Stream) -> None:
        net.projector = projector(net.width, self.width, self.width, affine=False)
        net.predictor = nn.Sequential(
            nn.Linear(self.width, self.hidden, bias=False),
            nn.BatchNorm1d(self.hidden),
            nn.ReLU(inplace=True),
            nn.Linear(self.hidden, self.width),
        )

    def subsets(self, classes: tuple[int, ...]) -> dict[str, ParamSet]:
        both = ParamSet("projector+predictor", PROJECTOR.pattern) | PREDICTOR
        return {"head": PREDICTOR, "predictor": PREDICTOR, "projector": PROJECTOR, both.name: both}

    def loss(self, net: Net, batch: Batch) -> tuple[Tensor, Tensor]:
        z = [self.outputs(net, x, batch.task) for x in batch.views]
        p = [net.predictor(each) for each in z]
        loss = -(similarity(p[0], z[1]) + similarity(p[1], z[0])) / 2
        return z[0], loss


def similarity(p: Tensor, z: Tensor) -> Tensor:
    """Mean cosine; no gradient reaches z."""
    return F.cosine_similarity(p.float(), z.detach().float(), dim=1).mean()
